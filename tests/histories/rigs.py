"""One simulated filling position in virtual time: real PLC program, real protocols, the truth beside.

The PLC runs a scan every SCAN_MS of the ground, whatever the daemon does. `truth` is told of every scan.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from gatewayd.clock import MS
from gatewayd.sim.cylinders import SimCylinder
from gatewayd.sim.gate_map import GateSettings, Status
from gatewayd.sim.plant import Plant
from gatewayd.sim.plc import SCAN_MS, SimPlc
from gatewayd.sim.reader import SimReader
from gatewayd.sim.scanner import SimScanner
from gatewayd.sim.wires import Feed, Line
from tests.histories.ground import Ground
from tests.histories.wires import Network, Wire

ADDRESSES = {
    "rig-1": ("127.0.0.1:5021", "127.0.0.1:6001", "127.0.0.1:9001"),
    "rig-2": ("/dev/sim/plc-2", "127.0.0.1:6002", "127.0.0.1:9002"),
}
PLC_BAUD = 19_200
FORGOTTEN_MS = 1_000
"""So long without a word of the gate (`stale_after_ms`), and another cylinder may stand there."""


@dataclass(slots=True)
class Rig:
    """The devices of one rig. `cylinder` is what really stands there; `since_ns` since when; `left` before.

    `near` are the tags that were in the field since it came, or since its gate was heard again, `scanned`
    whether its label was read since then.
    """

    name: str
    ground: Ground
    plant: Plant
    plc: SimPlc
    reader: SimReader
    scanner: SimScanner
    wires: dict[str, Wire] = field(default_factory=dict)
    cylinder: SimCylinder | None = None
    left: SimCylinder | None = None
    since_ns: int = 0
    near: set[str] = field(default_factory=set)
    scanned: bool = False
    powered: bool = True
    first_heard_ns: int = 0
    _unheard_ms: int = 0
    on_scan: Callable[["Rig"], None] = lambda _rig: None

    @classmethod
    def build(
        cls, name: str, ground: Ground, network: Network, rng: random.Random, speed: float
    ) -> "Rig":
        """A rig with its wires in the network, its PLC running; the plant is `speed` times faster."""
        plant = Plant(seed=rng.getrandbits(32))
        settings = GateSettings(settle_ms=150)
        plc = SimPlc(plant, lambda: ground.now_ns, settings=settings, speed=speed)
        rig = cls(name, ground, plant, plc, SimReader(), SimScanner())
        plc_at, reader_at, scanner_at = ADDRESSES[name]
        serial = plc_at.startswith("/")
        session = plc.slave.device_rtu if serial else plc.slave.device_tcp
        rig._wire("plc", plc_at, rig._scanned(session), rng, network)
        rig._wire("reader", reader_at, rig.reader.device, rng, network)
        rig._wire("scanner", scanner_at, rig.scanner.device, rng, network)
        rig.wires["plc"].baud = PLC_BAUD if serial else None
        rig.wires["plc"].corrupts = serial
        rig.reader.wire = rig.wires["reader"]
        rig.scanner.wire = rig.wires["scanner"]
        ground.after(SCAN_MS / 1000, rig._tick)
        return rig

    def _wire(
        self,
        kind: str,
        address: str,
        device: Callable[[Line], Feed],
        rng: random.Random,
        network: Network,
    ) -> None:
        wire = Wire(self.ground, address, device, random.Random(rng.getrandbits(64)))
        self.wires[kind] = network[address] = wire

    def _scanned(self, device: Callable[[Line], Feed]) -> Callable[[Line], Feed]:
        """The slave answers with the registers of this moment; without power it is silent."""

        def session(line: Line) -> Feed:
            feed = device(line)

            def take(data: bytes) -> None:
                if not self.powered:
                    return
                self.plc.advance()
                feed(data)
                self.first_heard_ns = self.first_heard_ns or self.ground.now_ns
                self.on_scan(self)

            return take

        return session

    def _tick(self) -> None:
        self._forgets()
        self.near.update(self.reader.epcs())
        self.plc.advance()
        self.on_scan(self)
        self.ground.at(self.ground.now_ns + SCAN_MS * MS, self._tick)

    def _forgets(self) -> None:
        """Once nobody hears the PLC for long enough, who stands there is asked anew by all rules."""
        wire = self.wires["plc"]
        unheard = self.doubtful or wire.pulled or not wire.plugged or not self.powered
        self._unheard_ms = self._unheard_ms + SCAN_MS if unheard else 0
        if self._unheard_ms >= FORGOTTEN_MS:
            self.near.clear()
            self.scanned = False

    @property
    def mishaps(self) -> int:
        """What has happened to bytes on the PLC's wire so far."""
        return len(self.wires["plc"].happened)

    @property
    def doubtful(self) -> bool:
        """Whether the PLC answers nothing, late, or what nobody can believe: no lock reaches it."""
        faults = self.plc.wire_faults
        lies = faults.silent or faults.wrong_unit or faults.shift or faults.reply_delay_s
        return bool(lies or self.plc.faults.frozen_heartbeat)

    # What people do.

    def bring(self, cylinder: SimCylinder, *, tag: bool = True) -> None:
        """Put a cylinder on the scale."""
        assert self.cylinder is None, self.cylinder
        self.cylinder, self.since_ns = cylinder, self.ground.now_ns
        self.near.clear()
        self.scanned = False
        self.plant.put_on(cylinder.load())
        if tag:
            self.reader.tag_in(cylinder.epc)

    def scan(self, cylinder: SimCylinder) -> None:
        """Read a label; it may be of another cylinder."""
        wire = self.wires["scanner"]
        heard = wire.plugged and not wire.pulled
        self.scanned = self.scanned or (heard and cylinder is self.cylinder)
        self.scanner.scan(cylinder.qr_text)

    def just_left(self, within_ms: int) -> SimCylinder | None:
        """The cylinder that stood here until now, as the scale that swings out still says."""
        return self.left if self.ground.now_ns - self.since_ns <= within_ms * MS else None

    def passes_for(self, epc: str) -> bool:
        """Whether all that anybody could see of what stands here is the tag of another cylinder."""
        own = self.cylinder
        return own is not None and not self.scanned and self.near == {epc} != {own.epc}

    def take_away(self) -> None:
        """Take it away with its tag."""
        if self.cylinder is None:
            return
        self.plant.take_off()
        self.reader.tag_out(self.cylinder.epc)
        self.left, self.cylinder, self.since_ns = self.cylinder, None, self.ground.now_ns

    def overlap(self, cylinder: SimCylinder, *, tag: bool) -> None:
        """Put a second cylinder on the scale before the first one is taken off."""
        self.plant.put_beside(cylinder.load())
        if tag:
            self.reader.tag_in(cylinder.epc)

    def change_over(self, cylinder: SimCylinder) -> None:
        """Take the first one off: from now on the second one is who stands here."""
        assert self.cylinder is not None, cylinder
        self.plant.change_over()
        self.reader.tag_out(self.cylinder.epc)
        self.left, self.cylinder, self.since_ns = self.cylinder, cylinder, self.ground.now_ns
        self.near.clear()
        self.scanned = False

    @property
    def permitted(self) -> bool:
        """The lamp: start may be pressed."""
        return Status.PERMITTED in self.plc.status

    @property
    def settled(self) -> bool:
        """The fill is over and weighed."""
        status = self.plc.status
        ended = bool(status & (Status.DONE | Status.ABORTED))
        return ended and Status.STABLE in status and Status.FILLING not in status

    def power(self, *, on: bool, keep: bool = True) -> None:
        """The PLC's supply."""
        if on and not self.powered:
            self.plc.power_on(keep=keep)
        elif not on and self.powered:
            self.plc.power_off()
        self.powered = on

"""One simulated filling position: its devices on their wires, and what a person there can do."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from gatewayd.sim.cylinders import SimCylinder
from gatewayd.sim.gate_map import Status
from gatewayd.sim.plant import Plant
from gatewayd.sim.plc import SimPlc
from gatewayd.sim.reader import SimReader
from gatewayd.sim.scanner import SimScanner
from gatewayd.sim.wires import PtyWire, TcpWire

LOOK_EVERY_S = 0.02
"""How often a person looks at the lamps."""


@dataclass(slots=True)
class SimRig:
    """A rig. `scanner` is None where only tags are read. Unplug a device by its wire."""

    name: str
    plant: Plant
    plc: SimPlc
    plc_wire: TcpWire | PtyWire
    reader: SimReader
    reader_wire: TcpWire | PtyWire
    scanner: SimScanner | None = None
    scanner_wire: TcpWire | PtyWire | None = None
    cylinder: SimCylinder | None = None
    refused: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def wires(self) -> tuple[TcpWire | PtyWire, ...]:
        """All wires of this rig."""
        wires = (self.plc_wire, self.reader_wire, self.scanner_wire)
        return tuple(wire for wire in wires if wire is not None)

    def bring(self, cylinder: SimCylinder, *, show_tag: bool = True, scan: bool = False) -> None:
        """Put a cylinder on the scale, its tag in front of the reader, its label to the scanner."""
        self.take_away()
        self.refused.clear()
        self.cylinder = cylinder
        self.plant.put_on(cylinder.load())
        if show_tag:
            self.reader.tag_in(cylinder.epc, user=cylinder.tag_user)
        if scan and self.scanner is not None:
            self.scanner.scan(cylinder.qr_text)

    def take_away(self) -> None:
        """Take the cylinder and its tag away; nothing happens when there is none."""
        self.plant.take_off()
        if self.cylinder is not None:
            self.reader.tag_out(self.cylinder.epc)
        self.cylinder = None

    def tell_refused(self) -> None:
        """Whoever sees the gateway's refusal calls out to the worker."""
        self.refused.set()

    def press_start(self) -> None:
        """A push on the start button."""
        self.plc.press_start()

    def press_stop(self) -> None:
        """A push on the stop button."""
        self.plc.press_stop()

    async def start_fill(self, within_s: float, every_s: float = 0.1) -> bool:
        """Push start until a fill begins; False when none did in time.

        A scale that swings in may look stable for a moment, and a permit may come just then: the
        push that follows finds the scale swinging and is not taken.
        """
        fills_before = self.plc.retained.fills
        try:
            async with asyncio.timeout(within_s):
                while self.plc.retained.fills == fills_before:
                    self.press_start()
                    await asyncio.sleep(every_s)
        except TimeoutError:
            return False
        return True

    async def power_cut(self, *, keep: bool = True, seconds: float = 0.5) -> None:
        """The PLC loses its supply for a while; `keep` False loses its memory too."""
        self.plc_wire.unplug()
        self.plc.power_off()
        await asyncio.sleep(seconds)
        self.plc.power_on(keep=keep)
        await self.plc_wire.plug()

    async def wait_for(self, holds: Callable[[Status], bool], within_s: float) -> bool:
        """Look at the lamps until `holds`; False when it did not happen in time."""
        return await look_until(lambda: holds(self.plc.status), within_s)


async def look_until(holds: Callable[[], bool], within_s: float) -> bool:
    """Look now and then until `holds`; False when it did not happen in time."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + within_s
    while True:
        if holds():
            return True
        if loop.time() >= deadline_s:
            return False
        await asyncio.sleep(LOOK_EVERY_S)

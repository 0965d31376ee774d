"""What really happened at a rig, scan by scan of its PLC, whatever the daemon believes.

Every opening of the valve is one `Gas` with the grams that passed and the cylinder that stood
there. What must never be is said at once; comparing with the records is `judge.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from gatewayd.sim.gate_map import Status
from gatewayd.sim.plc import SCAN_MS
from gatewayd.sim.rig import SimRig
from tests.e2e.house import LOOP_LATE_MS

Say = Callable[[str], None]


@dataclass(slots=True)
class Gas:
    """From one opening of the valve to its closing; grams by the plant, times on the PLC's clock."""

    rig: str
    permit_no: int
    code: str
    began_g: float
    opened_ms: int
    shut_ms: int = 0
    grams: float = 0.0


@dataclass(slots=True)
class _Seen:
    """How a rig looked at the scan before."""

    open: bool = False
    permit: int = 0
    settled: bool = True
    code: str = ""


@dataclass(slots=True)
class RigTruth:
    """Watches one rig. `wrong` hears of broken promises, `tell` of moments.

    `after_death_ms` are how long valves that were open at a death of the daemon stayed open.
    """

    rig: SimRig
    lease_ms: int
    wrong: Say
    tell: Say
    gas: list[Gas] = field(default_factory=list)
    silent_ms_max: int = 0
    after_death_ms: list[int] = field(default_factory=list)
    _seen: _Seen = field(default_factory=_Seen)
    _died_ms: int = 0
    _dead_ms: int = 0
    _dead_permit: int = 0

    def __post_init__(self) -> None:
        """Look after every scan from now on."""
        self.rig.plc.on_scan = self._scan

    @property
    def phase(self) -> str:
        """Where this rig stands, in the words of a person in front of it."""
        plc = self.rig.plc
        if plc.valve_open:
            return "gas flows"
        if not self._seen.settled:
            return "settling"
        if plc.permit_echo:
            return "permitted"
        return "cylinder on" if self.rig.cylinder is not None else "empty"

    def dies(self) -> None:
        """The daemon has just been killed, stopped or cut off: what is in force may not be renewed."""
        plc = self.rig.plc
        plc.advance()
        self._died_ms = self._dead_ms = plc.ran_ms
        self._dead_permit = plc.retained.held_permit

    def drained(self) -> None:
        """What it had sent before has come out of the wires; a lease may still live from here on."""
        self.rig.plc.advance()
        self._dead_ms = self.rig.plc.ran_ms

    def wakes(self) -> None:
        """A daemon that was only stopped or cut off goes on, perhaps in time."""
        self._dead_permit = 0

    def _scan(self) -> None:
        rig, seen = self.rig, self._seen
        plc = rig.plc
        opened = plc.valve_open
        if opened and not seen.open:
            self._opens()
        elif opened:
            self._flows()
        elif seen.open:
            self._closes()
        settled = Status.STABLE in plc.status and not opened
        if settled and not seen.settled:
            self.tell("settled")
        if plc.command[0] and plc.command[0] != seen.permit:
            self.tell("permit")
        code = rig.cylinder.code if rig.cylinder else ""
        if code and code != seen.code:
            self.tell("arrival")
        settled = settled or (seen.settled and not opened)
        self._seen = _Seen(opened, plc.command[0], settled, code)

    def _opens(self) -> None:
        rig = self.rig
        number, there = rig.plc.retained.held_permit, rig.cylinder
        if there is None or there.reason is not None:
            reason = "nobody" if there is None else f"a cylinder that is {there.reason}"
            self.wrong(f"{rig.name}: gas flows into {reason}, permit {number}")
        code = there.code if there else ""
        self.gas.append(Gas(rig.name, number, code, rig.plant.passed_g, rig.plc.ran_ms))
        self.tell("opens")

    def _flows(self) -> None:
        plc = self.rig.plc
        silent_ms = plc.ran_ms - plc.renewed_ms
        self.silent_ms_max = max(self.silent_ms_max, silent_ms)
        if silent_ms > self.lease_ms + SCAN_MS:
            self.wrong(f"{self.rig.name}: gas flows {silent_ms} ms after the lease moved last")
        late_ms = plc.ran_ms - self._dead_ms - self.lease_ms
        if self._under_dead_permit and late_ms > LOOP_LATE_MS:
            self.wrong(f"{self.rig.name}: gas flows {late_ms} ms beyond its lease after a death")

    @property
    def _under_dead_permit(self) -> bool:
        return self._dead_permit != 0 and self.gas[-1].permit_no == self._dead_permit

    def _closes(self) -> None:
        plc, gas = self.rig.plc, self.gas[-1]
        gas.grams = self.rig.plant.passed_g - gas.began_g
        gas.shut_ms = plc.ran_ms
        if self._under_dead_permit:
            self.after_death_ms.append(plc.ran_ms - max(self._died_ms, gas.opened_ms))
            self._dead_permit = 0
        self.tell("closes")

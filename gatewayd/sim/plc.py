"""The simulated PLC: gate program and plant on one clock, its registers on a Modbus wire.

Time is cut into fixed scans, so control is as good on a busy machine as on an idle one. The
program lives in real milliseconds (a lease is a lease); only the plant runs `speed` times faster.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gatewayd.clock import MS
from gatewayd.sim.gate_map import (
    COMMAND_REGISTERS,
    REPORT_FIRST,
    REPORT_REGISTERS,
    GateSettings,
    Inputs,
    Outputs,
    Retained,
    Status,
)
from gatewayd.sim.gate_plc import FillGate
from gatewayd.sim.modbus_server import ModbusFaults, ModbusSlave
from gatewayd.sim.plant import Plant

SCAN_MS = 10
STALL_MS_MAX = 1000
"""When our own process stood still for longer, the simulated world stood still too."""
PRESS_SCANS = 5
"""How long a push on a button lasts."""
_LEASE = 1
_MASSES = (3, 5)
_ECHO, _HEARTBEAT = 101 - REPORT_FIRST, 115 - REPORT_FIRST


def _nothing() -> None:
    """Nobody looks."""


@dataclass(slots=True)
class PlcFaults:
    """What the program reports wrongly on purpose; wire faults are `ModbusFaults`.

    `echo_offset` is added to a non-zero echo; `report_lag_scans` shows the world of some scans
    ago; `broken_scale` and `e_stop` are faults of the field wiring. `write_flips` are bits that
    every word written to target and limit changes by, acknowledged all the same.
    """

    frozen_heartbeat: bool = False
    echo_offset: int = 0
    write_flips: int = 0
    report_lag_scans: int = 0
    broken_scale: bool = False
    e_stop: bool = False


class SimPlc:
    """A PLC that runs reference-gate-v1 for one plant; also the register bank of its slave.

    `ran_ms` is its own clock: the milliseconds its program has run. On it are `renewed_ms`, when
    the lease moved last, and `shut_ms`, when the valve was shut last: how long a gate really took
    to close, whoever looks and however late. `on_scan` is called after every scan.
    """

    def __init__(
        self,
        plant: Plant,
        monotonic_ns: Callable[[], int],
        *,
        settings: GateSettings | None = None,
        speed: float = 1.0,
        unit: int = 1,
    ) -> None:
        self.plant = plant
        self.speed = speed
        self.settings = settings or GateSettings()
        self.faults = PlcFaults()
        self.wire_faults = ModbusFaults()
        self.slave = ModbusSlave(self, unit, self.wire_faults)
        self.retained = Retained()
        self._gate: FillGate | None = FillGate(self.settings, self.retained)
        self._monotonic_ns = monotonic_ns
        self._scanned_ns = monotonic_ns()
        self._command = [0] * COMMAND_REGISTERS
        self._outputs = Outputs((0,) * REPORT_REGISTERS, valve_main=False, valve_coarse=False)
        self._reports: deque[tuple[int, ...]] = deque(maxlen=101)
        self._frozen_heartbeat = 0
        self._start_scans = self._stop_scans = 0
        self.ran_ms = self.renewed_ms = self.shut_ms = 0
        self.on_scan: Callable[[], None] = _nothing

    # What a person at the rig sees and does.

    @property
    def status(self) -> Status:
        """Register 100 as of the last scan."""
        return Status(self._outputs.report[0])

    @property
    def permit_echo(self) -> int:
        """The permit in force as of the last scan, 0 if none."""
        return self._outputs.report[_ECHO]

    @property
    def valve_open(self) -> bool:
        """Whether the program lets gas flow."""
        return self._outputs.valve_main

    @property
    def command(self) -> tuple[int, ...]:
        """Registers 0..6 as the gateway left them."""
        return tuple(self._command)

    def press_start(self) -> None:
        """A short push on the start button."""
        self._start_scans = PRESS_SCANS

    def press_stop(self) -> None:
        """A short push on the stop button."""
        self._stop_scans = PRESS_SCANS

    def power_off(self) -> None:
        """The supply fails: valves fall closed, registers are lost. Unplug the wire as well."""
        self._gate = None
        self._command = [0] * COMMAND_REGISTERS
        self._outputs = Outputs((0,) * REPORT_REGISTERS, valve_main=False, valve_coarse=False)

    def power_on(self, *, keep: bool = True) -> None:
        """The supply is back; `keep` False is a PLC without retentive memory: counters at 0."""
        self.retained = replace(self.retained) if keep else Retained()
        self._gate = FillGate(self.settings, self.retained)

    # Time.

    def advance(self) -> None:
        """Run all scans that are due by now."""
        now_ns = self._monotonic_ns()
        scan_ns = SCAN_MS * MS
        self._scanned_ns = max(self._scanned_ns, now_ns - STALL_MS_MAX * MS)
        while now_ns - self._scanned_ns >= scan_ns:
            self._scanned_ns += scan_ns
            self._scan(SCAN_MS)

    def _scan(self, dt_ms: int) -> None:
        plant, outputs = self.plant, self._outputs
        plant.step(dt_ms / 1000 * self.speed, main=outputs.valve_main, coarse=outputs.valve_coarse)
        if self._gate is None:
            return
        inputs = Inputs(
            command=tuple(self._command),
            gross_g=plant.gross_g,
            scale_stable=plant.stable,
            scale_ok=not self.faults.broken_scale,
            e_stop_ok=not self.faults.e_stop,
            stop_ok=self._stop_scans == 0,
            start_button=self._start_scans > 0,
            valve_is_open=plant.valve_is_open,
            meter_g=plant.meter_g,
        )
        self.ran_ms += dt_ms
        self._outputs = self._gate.scan(inputs, dt_ms)
        if outputs.valve_main and not self._outputs.valve_main:
            self.shut_ms = self.ran_ms
        self._reports.append(self._outputs.report)
        if dt_ms:
            self._start_scans = max(0, self._start_scans - 1)
            self._stop_scans = max(0, self._stop_scans - 1)
        self.on_scan()

    # The register bank of the Modbus slave.

    def read(self, address: int, count: int) -> Sequence[int]:
        """Registers 0..6 and 100..115; all others are 0."""
        report = self._shown_report()
        return [self._register(address + offset, report) for offset in range(count)]

    def write(self, address: int, values: Sequence[int]) -> bool:
        """Take registers 0..6 whole and run the program at once; nothing else can be written."""
        if address + len(values) > COMMAND_REGISTERS:
            return False
        self.advance()
        lease = self._command[_LEASE]
        flips = self.faults.write_flips
        kept = [v ^ flips if address + at in _MASSES else v for at, v in enumerate(values)]
        self._command[address : address + len(values)] = kept
        if self._command[_LEASE] != lease:
            self.renewed_ms = self.ran_ms
        self._scan(0)
        return True

    def _register(self, number: int, report: Sequence[int]) -> int:
        if number < COMMAND_REGISTERS:
            return self._command[number]
        if 0 <= number - REPORT_FIRST < REPORT_REGISTERS:
            return report[number - REPORT_FIRST]
        return 0

    def _shown_report(self) -> Sequence[int]:
        lag = min(self.faults.report_lag_scans, len(self._reports) - 1)
        report = list(self._reports[-1 - lag] if lag > 0 else self._outputs.report)
        if self.faults.frozen_heartbeat:
            report[_HEARTBEAT] = self._frozen_heartbeat
        self._frozen_heartbeat = report[_HEARTBEAT]
        if report[_ECHO] and self.faults.echo_offset:
            report[_ECHO] = (report[_ECHO] + self.faults.echo_offset) & 0xFFFF
        return report

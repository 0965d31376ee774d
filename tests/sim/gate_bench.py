"""A gate program with a plant under its hands, in simulated time; the program is Python or ST."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from gatewayd.sim.gate_map import REPORT_FIRST, GateSettings, Inputs, Outputs, Status
from gatewayd.sim.gate_plc import FillGate
from gatewayd.sim.plant import Load, Plant, PlantSpec
from tests.support.structured_text import Block, Unit
from tests.support.structured_text_parser import parse

ROOT = Path(__file__).parents[2]
ST_UNITS: dict[str, Unit] = parse((ROOT / "config/plc/fill_gate.st").read_text(encoding="utf-8"))
SCAN_MS = 10
SPEED = 20
SETTINGS = GateSettings(settle_ms=60)
WITHOUT_NOISE = PlantSpec(noise_g=0.0)


class Program(Protocol):
    """A gate program that can lose its supply."""

    def scan(self, inputs: Inputs, dt_ms: float) -> Outputs: ...

    def after_power_loss(self) -> "Program": ...


class PythonProgram:
    """The simulated PLC's own program."""

    def __init__(self, settings: GateSettings, gate: FillGate | None = None) -> None:
        self.settings = settings
        self.gate = gate or FillGate(settings)

    def scan(self, inputs: Inputs, dt_ms: float) -> Outputs:
        return self.gate.scan(inputs, dt_ms)

    def after_power_loss(self) -> "PythonProgram":
        kept = replace(self.gate.retained)
        return PythonProgram(self.settings, FillGate(self.settings, kept))


class TextProgram:
    """The shipped Structured Text."""

    def __init__(self, settings: GateSettings, block: Block | None = None) -> None:
        self.settings = settings
        self.block = block or Block(ST_UNITS["FillGate"], ST_UNITS)

    def scan(self, inputs: Inputs, dt_ms: float) -> Outputs:
        settings = self.settings
        self.block.call(
            dt_ms,
            {
                "command": dict(enumerate(inputs.command)),
                "gross_g": inputs.gross_g,
                "scale_stable": inputs.scale_stable,
                "scale_ok": inputs.scale_ok,
                "e_stop_ok": inputs.e_stop_ok,
                "stop_ok": inputs.stop_ok,
                "start_button": inputs.start_button,
                "valve_is_open": inputs.valve_is_open,
                "meter_fitted": inputs.meter_fitted,
                "meter_g": inputs.meter_g,
                "cylinder_on_g": settings.cylinder_on_g,
                "left_below_g": settings.left_below_g,
                "coarse_before_g": settings.coarse_before_g,
                "aim_under_g": settings.aim_under_g,
                "preact_first_g": settings.preact_first_g,
                "lease_margin_ms": settings.lease_margin_ms,
                "settle_time": settings.settle_ms,
                "fill_time_max": settings.fill_ms_max,
            },
        )
        values = self.block.values
        report = tuple(values["report"][REPORT_FIRST + offset] for offset in range(16))
        return Outputs(report, values["valve_main"], values["valve_coarse"])

    def after_power_loss(self) -> "TextProgram":
        return TextProgram(self.settings, self.block.power_cycle())


PROGRAMS: dict[str, Callable[[GateSettings], Program]] = {
    "python": PythonProgram,
    "structured text": TextProgram,
}


@dataclass
class Bench:
    """Registers, field wiring and plant of one rig. Times in real milliseconds."""

    program: Program
    plant: Plant
    command: list[int] = field(default_factory=lambda: [0] * 7)
    wiring: Inputs = field(default_factory=Inputs)
    out: Outputs = field(
        default_factory=lambda: Outputs((0,) * 16, valve_main=False, valve_coarse=False)
    )
    renewing: bool = False
    at_ms: int = 0
    open_ms: int = 0
    closed_at_ms: int = 0

    @property
    def status(self) -> Status:
        return Status(self.out.report[0])

    def register(self, number: int) -> int:
        return self.out.report[number - REPORT_FIRST]

    def mass(self, number: int) -> int:
        """An int32 of two registers."""
        raw = self.register(number) << 16 | self.register(number + 1)
        return raw - (1 << 32) if raw >> 31 else raw

    def scan(self, dt_ms: int = SCAN_MS) -> None:
        plant, was_open = self.plant, self.out.valve_main
        plant.step(dt_ms / 1000 * SPEED, main=was_open, coarse=self.out.valve_coarse)
        self.at_ms += dt_ms
        if self.renewing and self.at_ms % 100 == 0:
            self.renew()
        inputs = replace(
            self.wiring,
            command=tuple(self.command),
            gross_g=plant.gross_g,
            scale_stable=plant.stable,
            valve_is_open=plant.valve_is_open,
            meter_g=plant.meter_g if self.wiring.meter_fitted else self.at_ms * 7,
        )
        self.out = self.program.scan(inputs, dt_ms)
        self.open_ms += dt_ms * self.out.valve_main
        if was_open and not self.out.valve_main:
            self.closed_at_ms = self.at_ms

    def run(self, ms: int) -> None:
        for _ in range(ms // SCAN_MS):
            self.scan()

    def run_until(self, holds: Callable[[], bool], within_ms: int = 20_000) -> None:
        for _ in range(within_ms // SCAN_MS):
            if holds():
                return
            self.scan()
        raise AssertionError(f"not within {within_ms} ms: {self.status!r} {self.out}")

    def renew(self) -> None:
        self.command[1] = (self.command[1] + 1) & 0xFFFF

    def put_on(self, steel_g: float = 16_500, residue_g: float = 0, code: str = "A") -> None:
        self.plant.put_on(Load(code, steel_g, residue_g))
        self.run(600)
        assert Status.STABLE in self.status, self.status

    def permit(
        self, number: int, *, target_g: int = 5000, limit_g: int = 60_000, lease_ms: int = 600
    ) -> None:
        """As the gateway does: limits and a moved lease, then the number; renewed from then on."""
        self.command[2:7] = [
            target_g >> 16,
            target_g & 0xFFFF,
            limit_g >> 16,
            limit_g & 0xFFFF,
            lease_ms,
        ]
        self.renew()
        self.command[0] = number
        self.renewing = True
        self.run(30)

    def start(self) -> None:
        self.wiring = replace(self.wiring, start_button=True)
        self.run(50)
        self.wiring = replace(self.wiring, start_button=False)
        self.run(10)

    def settle(self) -> None:
        self.run_until(lambda: Status.STABLE in self.status and not self.out.valve_main)

    def power_cycle(self) -> None:
        """The supply fails: registers are lost, the valve falls closed; then it is back."""
        self.program = self.program.after_power_loss()
        self.command = [0] * 7
        self.renewing = False
        self.out = Outputs((0,) * 16, valve_main=False, valve_coarse=False)
        for _ in range(30):
            self.plant.step(SCAN_MS / 1000 * SPEED, main=False, coarse=False)


def make_bench(
    name: str = "python",
    *,
    settings: GateSettings = SETTINGS,
    spec: PlantSpec | None = None,
    seed: int = 1,
    meter: bool = True,
) -> Bench:
    bench = Bench(PROGRAMS[name](settings), Plant(spec, seed=seed))
    bench.wiring = replace(bench.wiring, meter_fitted=meter)
    bench.run(200)
    return bench


def filling(bench: Bench, number: int = 7, *, target_g: int = 5000, limit_g: int = 60_000) -> Bench:
    """A bench whose gas flows under a permit that was started."""
    bench.permit(number, target_g=target_g, limit_g=limit_g)
    assert bench.register(101) == number
    bench.start()
    bench.run(200)
    assert bench.status & (Status.FILLING | Status.VALVE_OPEN) == Status.FILLING | Status.VALVE_OPEN
    return bench

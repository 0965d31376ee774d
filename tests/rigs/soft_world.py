"""The naive rig world with gates of several devices: a scale, a module or a filler, and SoftGate.

The devices are physics and a few lines of firmware; `truth` is what really flowed, by the permit
that was in force when the valve opened. The rig above is the same as in `world`.
"""

from dataclasses import dataclass, field
from typing import Literal

from drivers.contract import (
    DriverError,
    FillerSample,
    GateOrder,
    GateSample,
    OutputSample,
    WeightSample,
)
from gatewayd.clock import MS
from gatewayd.rigs.model import View
from gatewayd.rigs.moves import Event, GateFailed, Lock, Open, Renew
from gatewayd.rigs.soft_model import Memory, SoftSettings, of_filler, of_output
from gatewayd.rigs.softgate import SoftGate
from tests.rigs.world import RIG, TARE_G, Plc, World

Kind = Literal["watchdog", "coil", "filler", "unproven"]
FILLERS: tuple[Kind, ...] = ("filler", "unproven")
"""The second is one whose target cannot be read back."""
FLOW_G_PER_10_MS = 5
POLL_MS = 50
WATCHDOG_MS = 1_000
KEPT_MS = 1_000
OVERLOAD = "status 0x0008 register 40107: over range"
FRESH_MS = 1_000


@dataclass
class SoftPlc(Plc):
    """Devices and their gate in the place of a PLC."""

    kind: Kind = "watchdog"
    start: Literal["input", "permit"] = "input"
    memory: Memory = field(default_factory=Memory)
    dead: bool = False
    overload: bool = False
    scale_silent: bool = False
    module_silent: bool = False
    scale_stuck: bool = False
    unguarded: bool = False
    leak_g_per_10_ms: int = 0
    gun_open: bool = True
    deaf: bool = False
    holds_g: int | None = None
    shown_g: int = 0
    content_g: int = 0
    unseen_g: int = 0
    polled_ms: int = -10_000
    pressed_ms: int = -10_000
    moved_ms: int = -10_000
    kept_ms: int = -10_000
    kept_total_g: int = 0
    on_was: bool = False
    filler_done: bool = False
    filler_from_g: int = 0
    closings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate = self.made()
        self.gun_open = self.start == "input" or self.kind in FILLERS

    def made(self) -> SoftGate:
        settings = SoftSettings(
            device="s",
            start="permit" if self.kind in FILLERS else self.start,
            fresh_ms=FRESH_MS,
            cylinder_on_g=2_000,
            preact_g=100,
            no_flow_s=10,
            accepted=self.kind == "coil",
            doses=self.kind in FILLERS,
            unproven=self.kind == "unproven",
        )
        return SoftGate(settings, self.memory)

    # The physics.

    def scan(self, now_ms: int, passed_ms: int) -> None:
        self.closed_ms = now_ms if self.valve else self.closed_ms
        flow_g = FLOW_G_PER_10_MS if self.valve and self.gun_open else self.leak_g_per_10_ms
        if flow_g:
            self.pour(now_ms, passed_ms * flow_g // 10)
        quiet_ms = now_ms - self.polled_ms
        if self.kind == "watchdog" and quiet_ms > WATCHDOG_MS:
            self.valve = False
        dosed_g = self.content_g - self.filler_from_g
        if self.kind in FILLERS and self.valve and dosed_g >= self.target_g:
            self.valve, self.filler_done = False, True
        if not self.dead and now_ms % POLL_MS == 0:
            self.poll(now_ms)

    def pour(self, now_ms: int, grams: int) -> None:
        self.moved_ms = now_ms
        self.total_g += grams
        blind = self.dead or self.overload or self.scale_silent or self.scale_stuck
        self.unseen_g += grams if blind or not self.on or self.module_silent else 0
        if self.on:
            self.content_g += grams
        self.truth[self.filling_no] = self.truth.get(self.filling_no, 0) + grams

    def gross_g(self) -> int:
        if not self.scale_stuck:
            self.shown_g = TARE_G + self.content_g if self.on else 0
        return self.shown_g

    def weight(self, now_ms: int) -> tuple[int | None, bool, str]:
        if self.overload:
            return None, False, OVERLOAD
        return self.gross_g(), now_ms - self.moved_ms > 500, ""

    # The wires.

    def poll(self, now_ms: int) -> None:
        """Both devices are asked once; what follows is done at once."""
        gross_g, stable, why = self.weight(now_ms)
        self.on_was = self.on
        if not self.module_silent:
            self.polled_ms = now_ms
        if self.kind in FILLERS:
            self.poll_filler(now_ms, gross_g, why, stable=stable)
        else:
            if not self.scale_silent:
                self.gate.weigh(WeightSample("scale-1", now_ms * MS, gross_g, None, stable, why))
            if not self.module_silent:
                self.gate.hear(of_output(self.output(now_ms)))
        self.react(now_ms)

    def output(self, now_ms: int) -> OutputSample:
        return OutputSample(
            device="io-1",
            at_ns=now_ms * MS,
            on=self.valve,
            guarded=self.kind == "watchdog" and not self.unguarded,
            e_stop=self.e_stop,
            start=now_ms - self.pressed_ms <= 2 * POLL_MS,
        )

    def poll_filler(self, now_ms: int, gross_g: int | None, why: str, *, stable: bool) -> None:
        if self.scale_silent or self.module_silent:
            return
        weight = WeightSample("filler-1", now_ms * MS, gross_g, None, stable, why)
        filler = FillerSample(
            device="filler-1",
            at_ns=now_ms * MS,
            gross_g=gross_g,
            net_g=None,
            stable=stable,
            running=self.valve,
            valve_open=self.valve,
            done=self.filler_done,
            alarm="e-stop input" if self.e_stop else "",
            why=why,
        )
        self.gate.weigh(weight)
        self.gate.hear(of_filler(filler))

    def react(self, now_ms: int) -> None:
        """What the actor does, without its waits."""
        why = self.gate.why
        self.gate.look(now_ms * MS)
        if self.gate.why != why:
            self.closings.append(self.gate.why)
        self.permit = self.gate.wants_open.permit_no if self.gate.wants_open else 0
        self.keep(now_ms)
        wanted = self.gate.wants_open
        if wanted is not None and self.module_silent and not self.valve:
            self.gate.failed("io-1: no answer", now_ms * MS)
            wanted = None
        if wanted is None:
            self.valve = self.valve and self.module_silent
        elif not self.valve and not self.filler_done and not self.deaf:
            self.valve, self.filling_no = True, wanted.permit_no
            self.target_g = wanted.target_g if self.holds_g is None else self.holds_g
            self.filler_from_g = self.content_g

    def keep(self, now_ms: int) -> None:
        """As the actor keeps it: at every change of `flowing`, else once a second."""
        new = self.gate.memory
        if new.flowing != self.memory.flowing or now_ms - self.kept_ms >= KEPT_MS:
            self.memory, self.kept_ms, self.kept_total_g = new, now_ms, self.total_g

    # The rig.

    def open(self, order: GateOrder, now_ms: int) -> None:
        self.filler_done = False
        refused = self.gate.order(order, now_ms * MS)
        if refused:
            raise DriverError(refused)
        self.react(now_ms)

    def renew(self, now_ms: int) -> None:
        if not self.gate.renew(now_ms * MS):
            raise DriverError(self.gate.why)

    def lock(self, now_ms: int) -> None:
        self.gate.lock(now_ms * MS)
        self.react(now_ms)
        if self.module_silent:
            raise DriverError("io-1: no answer")
        self.valve = False

    def press_start(self, now_ms: int) -> None:
        """The button; with `start: permit` a person opens the gun instead."""
        self.pressed_ms = now_ms
        self.gun_open = True

    def sample(self, now_ms: int) -> GateSample | None:
        return self.gate.sample(now_ms * MS)

    def power_cycle(self) -> None:
        """The devices lose power for a moment: the valve falls, nothing is kept there."""
        self.valve = self.filler_done = False

    def reborn(self) -> None:
        """A new process: a driver closes its output before anything else."""
        self.dead = self.valve = False
        self.unseen_g += self.total_g - self.kept_total_g
        self.gate = self.made()


class SoftWorld(World):
    """A rig on such a gate. A sample that is missing is a lost gate, as `Watch` has it."""

    plc: SoftPlc

    def __init__(self, kind: Kind, start: Literal["input", "permit"] = "input") -> None:
        self.was_lost = False
        super().__init__(SoftPlc(kind=kind, start=start))

    def view(self) -> View:
        sample = self.plc.sample(self.now_ms) if self.linked else None
        if sample is None:
            self.was_lost, self.presence = True, 0
        elif self.was_lost:
            self.was_lost = False
            self.presence = 0
            if self.plc.on:
                self.arrivals += 1
                self.presence, self.found = self.arrivals, True
        return super().view()

    def touch(self, effect: Open | Renew | Lock) -> Event | None:
        try:
            return super().touch(effect)
        except DriverError as exc:
            failed = GateFailed(str(exc), self.now_ms * MS)
            return None if isinstance(effect, Renew) else failed

    def put_on(self, *args: object, **_kwargs: object) -> None:
        if not self.plc.on:
            if self.plc.on_was:  # Swapped between two polls: no scale can see that.
                self.plc.unseen_g += self.plc.content_g
            self.plc.content_g = 0
            self.plc.moved_ms = self.now_ms
        super().put_on(*args)  # type: ignore[arg-type]

    def take_off(self) -> None:
        """Nobody takes a cylinder away with its gun open."""
        self.plc.gun_open = self.plc.gun_open and self.plc.start == "input"
        super().take_off()

    def die(self, ms: int) -> None:
        """The process is gone for this long, then it starts again."""
        self.plc.dead = True
        for _ in range(ms // 10):
            self.now_ms += 10
            self.plc.scan(self.now_ms, 10)
        self.crash()

    def crash(self) -> None:
        self.plc.reborn()
        super().crash()


LEASE_MS = RIG.permit.lease_ms

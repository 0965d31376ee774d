"""Every fault a history may have: drawn from the seed, told in plain words, carried out, healed."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from tests.histories.wires import Direction, Mishap, Spell

if TYPE_CHECKING:
    from tests.histories.rigs import Rig
    from tests.histories.world import World

WIRES = ("plc", "reader", "scanner")


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault: when, what, where. `part` of 0..1 sizes it, `seed` is for what else it draws."""

    at_s: float
    kind: str
    rig: str
    part: float
    seed: int

    def rng(self) -> random.Random:
        """Its own chance, whatever else was left out of the history."""
        return random.Random(self.seed)

    def scaled(self, low: float, high: float) -> float:
        """Its size between two numbers, small ones more often."""
        return low + (high - low) * self.part**2


@dataclass(slots=True)
class Hooks:
    """What is armed now. `counted` is how often each kind really happened."""

    counted: dict[str, int] = field(default_factory=dict)
    die_at_disk_op: int = 0
    die_at_piece: int = 0
    cut_power: random.Random | None = None
    no_disk: bool = False

    def begin(self, world: "World") -> None:
        """Put every fault of the plan on the ground."""
        for fault in world.plan.faults:
            world.ground.after(fault.at_s, self._strike, world, fault)
        for wire in world.network.values():
            wire.on_piece = lambda _wire, _direction: self._on_piece(world)

    def _strike(self, world: "World", fault: Fault) -> None:
        text = FAULTS[fault.kind](world, fault)
        if text:
            self.count(fault.kind)
            world.ground.note("fault", f"{fault.rig}: {text}")

    def count(self, kind: str) -> None:
        """It happened."""
        self.counted[kind] = self.counted.get(kind, 0) + 1

    def on_disk(self, world: "World", _op: str, _name: str) -> None:
        """Before each operation of the disk."""
        if self.die_at_disk_op > 0:
            self.die_at_disk_op -= 1
            if self.die_at_disk_op == 0:
                world.kill(power_cut=self.cut_power)

    def _on_piece(self, world: "World") -> None:
        if self.die_at_piece > 0:
            self.die_at_piece -= 1
            if self.die_at_piece == 0:
                world.kill(power_cut=self.cut_power)

    def heal(self, world: "World") -> None:
        """Everything that people can put right is right again."""
        self.die_at_disk_op = self.die_at_piece = 0
        for rig in world.rigs.values():
            heal_rig(rig)
        heal_disk(world)
        platform = world.platform
        platform.down, platform.refuses, platform.slow_s, platform.dies_after = False, 0, 0.0, 0


def heal_rig(rig: "Rig") -> None:
    """Wires, PLC and plant are as they should be."""
    for wire in rig.wires.values():
        wire.spells.clear()
        wire.plugged = True
        wire.push_in()
    rig.power(on=True)
    plc, plant = rig.plc, rig.plant
    plc.faults.frozen_heartbeat = plc.faults.broken_scale = plc.faults.e_stop = False
    plc.faults.echo_offset = plc.faults.report_lag_scans = 0
    plc.wire_faults.silent = plc.wire_faults.wrong_unit = False
    plc.wire_faults.shift = plc.wire_faults.cut_reply_bytes = 0
    plc.wire_faults.reply_delay_s, plc.wire_faults.exception = 0.0, None
    plc.wire_faults.noise_before = b""
    plant.stuck_open = plant.stuck_scale = False
    plant.jump_g = 0
    rig.reader.faults.silent = rig.reader.faults.corrupt_crc = False
    rig.reader.faults.noise_before, rig.reader.faults.copies = b"", 1
    rig.reader.clear()
    if rig.cylinder is not None:
        rig.reader.tag_in(rig.cylinder.epc)


def heal_disk(world: "World") -> None:
    """There is room, and fsync works."""
    world.disk_full = False
    if world.life is not None:
        disk = world.life.disk
        disk.full, disk.fsync_fails, disk.reads_fail = False, 0, 0
        world.life.hand.slow_s = 0.0


Strike: TypeAlias = Callable[["World", Fault], str]
FAULTS: dict[str, Strike] = {}


def fault(kind: str) -> Callable[[Strike], Strike]:
    """Put a fault into the table."""

    def add(strike: Strike) -> Strike:
        assert kind not in FAULTS, kind
        FAULTS[kind] = strike
        return strike

    return add


def draw(rng: random.Random, kinds: list[str], rigs: tuple[str, ...], seconds: float) -> Fault:
    """One fault of these kinds."""
    at_s = round(rng.uniform(1.0, seconds - 1.0), 3)
    return Fault(at_s, rng.choice(kinds), rng.choice(rigs), rng.random(), rng.getrandbits(32))


def _undo(world: "World", seconds: float, undo: Callable[[], object], text: str) -> None:
    """Let a fault end by itself."""

    def back() -> None:
        undo()
        world.ground.note("world", text)

    world.ground.after(seconds, back)


# --- wires ---


def _spell(kind: Mishap) -> Strike:
    def strike(world: "World", fault: Fault) -> str:
        rng = fault.rng()
        name = rng.choice(WIRES)
        direction: Direction = rng.choice(("to_device", "to_daemon", "to_daemon"))
        count = 1 + round(fault.scaled(0, 12))
        late_s = rng.choice((0.05, 0.3, 0.9, 1.5, 3.0))
        spell = Spell(kind, direction, count, late_s, rng)
        world.rigs[fault.rig].wires[name].spells.append(spell)
        late = f" by {late_s} s" if kind == "delay" else ""
        return f"the next {count} pieces {direction.replace('_', ' ')} on the {name} wire: {kind}{late}"

    return strike


for _kind in ("drop", "delay", "duplicate", "corrupt", "swap", "cut", "noise"):
    fault(f"bytes.{_kind}")(_spell(_kind))


@fault("unplug")
def _unplug(world: "World", fault: Fault) -> str:
    name = fault.rng().choice(WIRES)
    wire = world.rigs[fault.rig].wires[name]
    wire.unplug()
    seconds = fault.scaled(0.05, 8)
    _undo(world, seconds, lambda: setattr(wire, "plugged", True), f"{name} is plugged in again")
    return f"the {name} is unplugged for {seconds:.2f} s"


@fault("pull_cable")
def _pull(world: "World", fault: Fault) -> str:
    name = fault.rng().choice(WIRES)
    wire = world.rigs[fault.rig].wires[name]
    wire.pull()
    seconds = fault.scaled(0.05, 14)
    _undo(world, seconds, wire.push_in, f"the cable of the {name} is in again")
    return f"the cable of the {name} is out for {seconds:.2f} s, and nobody is told"


# --- PLC ---


def _plc_power(*, keep: bool) -> Strike:
    def strike(world: "World", fault: Fault) -> str:
        rig = world.rigs[fault.rig]
        if not rig.powered:
            return ""
        world.judge.plc_dies(rig, keep=keep)
        rig.power(on=False)
        rig.wires["plc"].unplug()
        seconds = fault.scaled(0.1, 6)

        def back() -> None:
            rig.power(on=True, keep=keep)
            rig.wires["plc"].plugged = True

        _undo(world, seconds, back, f"{rig.name}: the PLC has power again")
        kept = "kept" if keep else "lost"
        return f"the PLC loses power for {seconds:.2f} s, its counters are {kept}"

    return strike


fault("plc.restart_kept")(_plc_power(keep=True))
fault("plc.restart_reset")(_plc_power(keep=False))


def _plc_fault(kind: str, where: str, *, value: object, rest: object, text: str) -> None:
    @fault(kind)
    def strike(world: "World", fault: Fault) -> str:
        plc = world.rigs[fault.rig].plc
        owner, name = where.split(".")
        target = getattr(plc, owner)
        setattr(target, name, value)
        seconds = fault.scaled(0.05, 5)
        _undo(world, seconds, lambda: setattr(target, name, rest), f"no more: {text}")
        return f"for {seconds:.2f} s: {text}"


_PLC_FAULTS: tuple[tuple[str, str, object, object, str], ...] = (
    ("plc.wrong_echo", "faults.echo_offset", 1, 0, "the PLC echoes another permit"),
    ("plc.frozen", "faults.frozen_heartbeat", True, False, "the heartbeat stands still"),
    ("plc.e_stop", "faults.e_stop", True, False, "the e-stop is pressed"),
    ("plc.scale_fault", "faults.broken_scale", True, False, "the scale is broken"),
    ("plc.wrong_unit", "wire_faults.wrong_unit", True, False, "replies name another unit"),
    ("plc.silent", "wire_faults.silent", True, False, "the PLC takes requests, answers none"),
    ("plc.slow", "wire_faults.reply_delay_s", 0.35, 0.0, "every reply comes 0.35 s late"),
    ("plc.shifted", "wire_faults.shift", 2, 0, "the PLC answers with other registers"),
)
for _kind, _where, _value, _rest, _text in _PLC_FAULTS:
    _plc_fault(_kind, _where, value=_value, rest=_rest, text=_text)


# --- plant and tags ---


@fault("scale.jump")
def _jump(world: "World", fault: Fault) -> str:
    plant = world.rigs[fault.rig].plant
    rng = fault.rng()
    jump_g = rng.choice((-1, 1)) * rng.choice((15, 60, 300, 1500, 9000))
    plant.jump_g += jump_g
    seconds = fault.scaled(0.05, 6)
    _undo(world, seconds, lambda: setattr(plant, "jump_g", 0), "the scale is right again")
    return f"the scale shows {jump_g:+} g for {seconds:.2f} s"


@fault("scale.drift")
def _drift(world: "World", fault: Fault) -> str:
    plant = world.rigs[fault.rig].plant
    rng = fault.rng()
    step_g, steps = rng.choice((-4, -1, 1, 4)), 1 + round(fault.scaled(0, 60))

    def drift(left: int) -> None:
        plant.jump_g = plant.jump_g + step_g if left else 0
        if left:
            world.ground.after(0.1, drift, left - 1)

    drift(steps)
    return f"the scale drifts by {step_g} g each 0.1 s, {steps} times"


@fault("scale.stuck")
def _stuck(world: "World", fault: Fault) -> str:
    plant = world.rigs[fault.rig].plant
    plant.stuck_scale = True
    seconds = fault.scaled(0.1, 4)
    _undo(world, seconds, lambda: setattr(plant, "stuck_scale", False), "the scale moves again")
    return f"the scale stands still for {seconds:.2f} s"


@fault("valve.leaks")
def _leaks(world: "World", fault: Fault) -> str:
    plant = world.rigs[fault.rig].plant
    plant.stuck_open = True
    seconds = fault.scaled(0.1, 6)
    _undo(world, seconds, lambda: setattr(plant, "stuck_open", False), "the valve is tight again")
    return f"the valve leaks for {seconds:.2f} s"


@fault("tag.lost")
def _tag_lost(world: "World", fault: Fault) -> str:
    rig = world.rigs[fault.rig]
    if rig.cylinder is None:
        return ""
    cylinder, seconds = rig.cylinder, fault.scaled(0.3, 8)
    rig.reader.tag_out(cylinder.epc)

    def back() -> None:
        if rig.cylinder is cylinder:
            rig.reader.tag_in(cylinder.epc)

    _undo(world, seconds, back, "the tag is seen again")
    return f"the tag is shadowed for {seconds:.2f} s"


@fault("tag.second")
def _tag_second(world: "World", fault: Fault) -> str:
    rig, rng = world.rigs[fault.rig], fault.rng()
    other = rng.choice(world.fleet.legal)
    if rig.cylinder is other:
        return ""
    rig.reader.tag_in(other.epc)
    seconds = fault.scaled(0.1, 5)
    _undo(world, seconds, lambda: rig.reader.tag_out(other.epc), "the second tag is gone")
    return f"another cylinder's tag is in the field for {seconds:.2f} s"


@fault("tag.swapped")
def _tag_swapped(world: "World", fault: Fault) -> str:
    rig, rng = world.rigs[fault.rig], fault.rng()
    if rig.cylinder is None:
        return ""
    other = rng.choice(world.fleet.illegal)
    rig.reader.tag_out(rig.cylinder.epc)
    rig.reader.tag_in(other.epc)
    seconds = fault.scaled(0.5, 6)
    _undo(world, seconds, lambda: rig.reader.tag_out(other.epc), "that tag is gone")
    return f"instead of its tag the reader sees that of a bad cylinder for {seconds:.2f} s"


@fault("reader.storm")
def _storm(world: "World", fault: Fault) -> str:
    reader = world.rigs[fault.rig].reader
    reader.faults.copies = 20
    seconds = fault.scaled(0.2, 3)
    _undo(world, seconds, lambda: setattr(reader.faults, "copies", 1), "the read storm is over")
    return f"every tag is reported 20 times a round for {seconds:.2f} s"


# --- the process, its disk and its clocks ---


@fault("process.kill")
def _kill(world: "World", fault: Fault) -> str:
    del fault
    if world.life is None:
        return ""
    world.kill()
    return "killed"


@fault("process.kill_at_disk")
def _kill_at_disk(world: "World", fault: Fault) -> str:
    number = 1 + fault.rng().randrange(12)
    world.plan.hooks.die_at_disk_op, world.plan.hooks.cut_power = number, None
    return f"the process will be killed at disk operation {number} from now"


@fault("process.kill_at_wire")
def _kill_at_wire(world: "World", fault: Fault) -> str:
    number = 1 + fault.rng().randrange(30)
    world.plan.hooks.die_at_piece, world.plan.hooks.cut_power = number, None
    return f"the process will be killed at piece {number} on the wires from now"


@fault("power.cut_at_disk")
def _cut_at_disk(world: "World", fault: Fault) -> str:
    rng = fault.rng()
    number = 1 + rng.randrange(12)
    world.plan.hooks.die_at_disk_op, world.plan.hooks.cut_power = number, rng
    return f"the power is cut at disk operation {number} from now: unsynced writes are lost or torn"


@fault("process.stall")
def _stall(world: "World", fault: Fault) -> str:
    if world.life is None:
        return ""
    seconds = fault.scaled(0.05, 6)
    world.life.loop.stall(seconds)
    return f"the process stands still for {seconds:.2f} s"


@fault("computer.sleeps")
def _sleeps(world: "World", fault: Fault) -> str:
    if world.life is None:
        return ""
    seconds = fault.scaled(0.1, 6)
    world.life.loop.sleep_through(seconds)
    return f"the computer sleeps for {seconds:.2f} s"


@fault("process.term")
def _term(world: "World", fault: Fault) -> str:
    del fault
    if world.life is None or world.life.stop is None or world.finished:
        return ""
    world.life.loop.call_soon(world.life.stop.set)
    return "the daemon is told to stop, and started again"


@fault("disk.full")
def _disk_full(world: "World", fault: Fault) -> str:
    world.disk_full = True
    if world.life is not None:
        world.life.disk.full = True
    seconds = fault.scaled(0.3, 8)

    def back() -> None:
        world.disk_full = False
        if world.life is not None:
            world.life.disk.full = False

    _undo(world, seconds, back, "there is room on the disk again")
    return f"the disk is full for {seconds:.2f} s"


@fault("disk.fsync")
def _fsync(world: "World", fault: Fault) -> str:
    if world.life is None:
        return ""
    count = 1 + round(fault.scaled(0, 8))
    world.life.disk.fsync_fails = count
    return f"the next {count} fsync fail"


@fault("disk.unreadable")
def _unreadable(world: "World", fault: Fault) -> str:
    if world.life is None:
        return ""
    count = 1 + round(fault.scaled(0, 20))
    world.life.disk.reads_fail = count
    return f"the next {count} pages cannot be read"


@fault("disk.slow")
def _slow(world: "World", fault: Fault) -> str:
    life = world.life
    if life is None:
        return ""
    life.hand.slow_s = fault.rng().choice((0.2, 0.6, 1.1, 2.5))
    seconds = fault.scaled(0.5, 8)
    _undo(world, seconds, lambda: setattr(life.hand, "slow_s", 0.0), "the disk is quick again")
    return f"every commit takes {life.hand.slow_s} s for {seconds:.2f} s"


@fault("clock.jump")
def _clock(world: "World", fault: Fault) -> str:
    rng = fault.rng()
    hours = rng.choice((-48, -8, -1, -0.01, 0.01, 1, 8, 48))
    world.clock.jumped += timedelta(hours=hours)
    return f"the wall clock jumps by {hours} h"


# --- the platform ---


@fault("platform.down")
def _down(world: "World", fault: Fault) -> str:
    platform = world.platform
    platform.down = True
    platform.cut()
    seconds = fault.scaled(0.5, 10)
    _undo(world, seconds, lambda: setattr(platform, "down", False), "the platform is back")
    return f"the platform is gone for {seconds:.2f} s"


@fault("platform.refuses")
def _refuses(world: "World", fault: Fault) -> str:
    world.platform.refuses = 1 + round(fault.scaled(0, 6))
    return f"the platform refuses {world.platform.refuses} times"


@fault("platform.slow")
def _platform_slow(world: "World", fault: Fault) -> str:
    platform = world.platform
    platform.slow_s = fault.scaled(0.1, 3)
    _undo(world, 6.0, lambda: setattr(platform, "slow_s", 0.0), "the platform is quick again")
    return f"the platform needs {platform.slow_s:.2f} s a record"


@fault("platform.dies_after_taking")
def _dies_after(world: "World", fault: Fault) -> str:
    world.platform.dies_after = 1 + fault.rng().randrange(4)
    return f"the platform dies right after taking record {world.platform.dies_after} from now"

"""Every fault a history may have: drawn from the seed, told in plain words, carried out, healed."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from tests.histories.rigs import Rig
    from tests.histories.world import World


MOMENTS = ("arrives", "permit", "permit", "opens", "opens", "closes", "leaves", "starts", "commits")
"""What faults like to follow; `commits` and `starts` are of the daemon, the others of a rig."""
AT_MOMENT = 0.7
THEMED = 0.6


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault: when, what, where. `part` of 0..1 sizes it, `seed` is for what else it draws.

    With a `moment` it comes `at_s` after the `nth` such moment at its rig, else after the beginning.
    `number` says at which operation it strikes; 0: its own chance says so.
    """

    at_s: float
    kind: str
    rig: str
    part: float
    seed: int
    moment: str = ""
    nth: int = 0
    number: int = 0

    def rng(self) -> random.Random:
        """Its own chance, whatever else was left out of the history."""
        return random.Random(self.seed)

    def scaled(self, low: float, high: float) -> float:
        """Its size between two numbers, small ones more often."""
        return low + (high - low) * self.part**2


@dataclass(slots=True)
class Hooks:
    """What is armed now. `counted` is how often each kind really happened.

    `disk_ops` and `pieces` are the operations of the disk and the pieces on wires before the healing.
    """

    counted: dict[str, int] = field(default_factory=dict)
    die_at_disk_op: int = 0
    die_at_piece: int = 0
    cut_power: random.Random | None = None
    disk_ops: int = 0
    pieces: int = 0
    _moments: dict[tuple[str, str], int] = field(default_factory=dict)

    def begin(self, world: "World") -> None:
        """Put every fault of the plan on the ground."""
        for fault in world.plan.faults:
            if not fault.moment:
                world.ground.after(fault.at_s, self._strike, world, fault)
        for wire in world.network.values():
            wire.on_piece = lambda _wire, _direction: self._on_piece(world)

    def _strike(self, world: "World", fault: Fault) -> None:
        if world.ground.at_s >= world.plan.seconds:
            return  # It was on its way when everything was healed.
        text = FAULTS[fault.kind](world, fault)
        if text:
            self.count(fault.kind)
            world.ground.note("fault", f"{fault.rig}: {text}")

    def moment(self, world: "World", name: str, rig: str) -> None:
        """A moment of the history; faults that follow it are on their way."""
        if world.ground.at_s >= world.plan.seconds:
            return
        number = self._moments[name, rig] = self._moments.get((name, rig), 0) + 1
        for fault in world.plan.faults:
            if (fault.moment, fault.nth) == (name, number) and rig in ("", fault.rig):
                world.ground.after(fault.at_s, self._strike, world, fault)

    def count(self, kind: str) -> None:
        """It happened."""
        self.counted[kind] = self.counted.get(kind, 0) + 1

    def on_disk(self, world: "World", _op: str, _name: str) -> None:
        """Before each operation of the disk."""
        self.disk_ops += world.ground.at_s < world.plan.seconds
        if self.die_at_disk_op > 0:
            self.die_at_disk_op -= 1
            if self.die_at_disk_op == 0:
                world.kill(power_cut=self.cut_power)

    def _on_piece(self, world: "World") -> None:
        self.pieces += world.ground.at_s < world.plan.seconds
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
        world.clock.jumped = timedelta()
        world.config.heal()
        world.ring()
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
    plc.faults.echo_offset = plc.faults.write_flips = plc.faults.report_lag_scans = 0
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


THEMES = (
    *("bytes.", "plc.", "unplug.", "pull.", "process.", "power.", "disk.", "tag.", "scale."),
    *("config.", "platform."),
)


def kinds_of(rng: random.Random) -> list[str]:
    """A few kinds that come again and again: of one theme or two, or from everywhere."""
    pool = sorted(FAULTS)
    if rng.random() < THEMED:
        themes = tuple(rng.sample(THEMES, k=2))
        pool = [kind for kind in pool if kind.startswith(themes)]
    return rng.sample(pool, k=min(len(pool), rng.randint(1, 6)))


def draw(rng: random.Random, kinds: list[str], rigs: tuple[str, ...], seconds: float) -> Fault:
    """One fault of these kinds."""
    kind, rig, part, seed = rng.choice(kinds), rng.choice(rigs), rng.random(), rng.getrandbits(32)
    if rng.random() < AT_MOMENT:
        delay_s = round(rng.choice((0.0, 0.01, 0.1, 0.5, 2.0)) * rng.random(), 4)
        return Fault(delay_s, kind, rig, part, seed, rng.choice(MOMENTS), rng.randint(1, 3))
    return Fault(round(rng.uniform(1.0, seconds - 1.0), 3), kind, rig, part, seed)


def undo_later(world: "World", seconds: float, undo: Callable[[], object], text: str) -> None:
    """Let a fault end by itself."""

    def back() -> None:
        undo()
        world.ground.note("world", text)

    world.ground.after(seconds, back)

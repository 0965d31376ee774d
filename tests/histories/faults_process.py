"""Faults of the process, its disk, its clocks and the platform."""

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.histories.damage import spoil
from tests.histories.faults import Fault, Strike, fault, undo_later
from tests.histories.life import STORE

if TYPE_CHECKING:
    from tests.histories.world import World


@fault("process.kill")
def _kill(world: "World", fault: Fault) -> str:
    del fault
    if world.life is None:
        return ""
    world.kill()
    return "killed"


@fault("process.kill_at_disk")
def _kill_at_disk(world: "World", fault: Fault) -> str:
    number = fault.number or 1 + fault.rng().randrange(12)
    world.plan.hooks.die_at_disk_op, world.plan.hooks.cut_power = number, None
    return f"the process will be killed at disk operation {number} from now"


@fault("process.kill_at_wire")
def _kill_at_wire(world: "World", fault: Fault) -> str:
    number = fault.number or 1 + fault.rng().randrange(30)
    world.plan.hooks.die_at_piece, world.plan.hooks.cut_power = number, None
    return f"the process will be killed at piece {number} on the wires from now"


@fault("power.cut_at_disk")
def _cut_at_disk(world: "World", fault: Fault) -> str:
    rng = fault.rng()
    number = fault.number or 1 + rng.randrange(12)
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

    undo_later(world, seconds, back, "there is room on the disk again")
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
    undo_later(world, seconds, lambda: setattr(life.hand, "slow_s", 0.0), "the disk is quick again")
    return f"every commit takes {life.hand.slow_s} s for {seconds:.2f} s"


@fault("disk.rots")
def _rots(world: "World", fault: Fault) -> str:
    """The disk spoils a page under the running daemon; somebody starts it again after a while."""
    life = world.life
    if life is None or not life.path.exists() or world.finished:
        return ""
    world.damage.struck = world.ledger.blind = True
    text = spoil(life.path, fault.rng())
    seconds = fault.scaled(0.1, 8)

    def again() -> None:
        if world.life is life and life.stop is not None and not world.finished:
            life.loop.call_soon(life.stop.set)

    undo_later(world, seconds, again, "the daemon is started again")
    return f"{text}; the daemon is started again in {seconds:.2f} s"


@fault("power.cut_rots")
def _cut_rots(world: "World", fault: Fault) -> str:
    """The power goes, and what is there afterwards is not what was written."""
    if world.life is None or world.life.loop.dead or not world.life.path.exists():
        return ""
    rng = fault.rng()
    world.kill(power_cut=rng)
    world.damage.struck = world.ledger.blind = True
    return f"behind the power cut {spoil(world.image / STORE, rng)}"


@fault("clock.jump")
def _clock(world: "World", fault: Fault) -> str:
    rng = fault.rng()
    hours = rng.choice((-48, -8, -1, -0.01, 0.01, 1, 8, 48))
    world.clock.jumped += timedelta(hours=hours)
    return f"the wall clock jumps by {hours} h"


@fault("clock.server")
def _server(world: "World", fault: Fault) -> str:
    kept = fault.rng().choice((True, False, None))
    world.clock.kept = kept
    says = {True: "a time server keeps the clock", False: "nobody keeps the clock"}
    return says[kept] if kept is not None else "the kernel does not say who keeps the clock"


@fault("platform.down")
def _down(world: "World", fault: Fault) -> str:
    platform = world.platform
    platform.down = True
    platform.cut()
    seconds = fault.scaled(0.5, 10)
    undo_later(world, seconds, lambda: setattr(platform, "down", False), "the platform is back")
    return f"the platform is gone for {seconds:.2f} s"


@fault("platform.refuses")
def _refuses(world: "World", fault: Fault) -> str:
    world.platform.refuses = 1 + round(fault.scaled(0, 6))
    return f"the platform refuses {world.platform.refuses} times"


@fault("platform.slow")
def _platform_slow(world: "World", fault: Fault) -> str:
    platform = world.platform
    platform.slow_s = fault.scaled(0.1, 3)
    undo_later(world, 6.0, lambda: setattr(platform, "slow_s", 0.0), "the platform is quick again")
    return f"the platform needs {platform.slow_s:.2f} s a record"


def _dies_after(*, answered: bool) -> Strike:
    def strike(world: "World", fault: Fault) -> str:
        platform = world.platform
        platform.dies_after, platform.dies_answered = 1 + fault.rng().randrange(4), answered
        when = "answering for" if answered else "taking"
        return f"the platform dies right after {when} record {platform.dies_after} from now"

    return strike


fault("platform.dies_after_taking")(_dies_after(answered=False))
fault("platform.dies_after_answer")(_dies_after(answered=True))

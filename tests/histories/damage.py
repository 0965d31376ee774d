"""A store whose pages rot: how they are spoilt, and what the people do that the alarm sends for.

A page or a sector becomes zeros or noise. A lost or a misdirected write, which leaves a page that is
whole in itself, is not among it: SQLite keeps no checksums that could tell.
"""

import asyncio
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gatewayd.ids import new_id
from gatewayd.store import orders
from gatewayd.store.orders import Order
from tests.histories.people import Script, until

if TYPE_CHECKING:
    from tests.histories.life import Life
    from tests.histories.world import World

PAGE_BYTES, SECTOR_BYTES = 4_096, 512
LOG_HEADER_BYTES, FRAME_BYTES = 32, 24
IN_LOG = 0.25
"""How often it is the log that rots, when there is one."""
AGAIN_WITHIN_S = 20.0


def spoil(path: Path, rng: random.Random) -> str:
    """Spoil a page of the store at `path`, or of its log; what was done."""
    log = path.with_name(f"{path.name}-wal")
    frames = _durable(log.read_bytes()) if log.exists() else []
    in_log = bool(frames) and rng.random() < IN_LOG
    pages = range(0, path.stat().st_size, PAGE_BYTES)
    at, size, what = rng.choice(frames if in_log else pages), PAGE_BYTES, "page"
    if rng.random() < 1 / 2:
        at, size, what = at + SECTOR_BYTES * rng.randrange(8), SECTOR_BYTES, "sector"
    noise = rng.random() < 1 / 2
    with (log if in_log else path).open("r+b") as handle:
        handle.seek(at)
        handle.write(rng.randbytes(size) if noise else bytes(size))
    kind, where = "noise" if noise else "zeros", "the log" if in_log else "the store"
    return f"a {what} of {where} at byte {at} is {kind}"


def _durable(log: bytes) -> list[int]:
    """Where the pages of a log's frames begin, but for those of its last commit.

    One torn commit at the end is what a power cut leaves: that it was durable once, nobody can tell.
    """
    step = FRAME_BYTES + PAGE_BYTES
    found = range(LOG_HEADER_BYTES + FRAME_BYTES, len(log) - PAGE_BYTES + 1, step)
    mine = [at for at in found if log[at - 16 : at - 8] == log[16:24]]
    ends = [at for at in mine if log[at - 20 : at - 16] != bytes(4)]
    return [at for at in mine if len(ends) > 1 and at <= ends[-2]]


@dataclass(slots=True)
class Damage:
    """`struck`: something rots that no start has found yet. `aside` are the stores put aside."""

    struck: bool = False
    aside: list[str] = field(default_factory=list)
    _mending: "asyncio.Task[None] | None" = None

    def began(self, world: "World", life: "Life") -> None:
        """A store is open: was another one put aside for it?"""
        found = sorted(
            file.name
            for file in life.folder.iterdir()
            if ".damaged-" in file.name and not file.name.endswith(("-wal", "-shm"))
        )
        for name in self.aside:
            if name not in found:
                world.judge.say(3, f"{name}, which was put aside, is gone")
        new = [name for name in found if name not in self.aside]
        self.aside += new
        for name in new:
            if not self.struck:
                world.judge.say(3, f"a store was put aside that nothing had spoilt: {name}")
            self.struck = False
            world.ledger.put_aside(life.path, life.folder / name)
        if new and "rigs" in world.ledger.groups_lost:
            world.judge.forgets_rigs()

    def found_at_last(self, world: "World") -> Script:
        """What rots and was not met: the daemon is started again, which looks at every page."""
        if not self.struck:
            return
        before = world.lives
        if world.life is not None and world.life.stop is not None:
            world.ground.note("world", "the daemon is started again, to have its store checked")
            world.life.loop.call_soon(world.life.stop.set)
        yield from until(
            world.ground,
            lambda: world.lives > before and world.life is not None and bool(world.life.house),
            AGAIN_WITHIN_S,
        )
        self.struck = False

    def made_good(self, world: "World") -> None:
        """People have read the alarm: they import the archive and unlock the rigs."""
        life = world.life
        if not self.aside or life is None or life.house is None:
            return
        world.ground.note("world", "the archive is imported, and the rigs are unlocked")
        self._mending = life.loop.create_task(self._import(world, life))

    async def _import(self, world: "World", life: "Life") -> None:
        assert life.house is not None
        store = life.house.store
        await store.import_cylinders(world.fleet.archive(), replace=True)
        for rig in world.rigs:
            order = Order(new_id(), rig, "looked at", "a person", "cli", world.clock.wall())
            await store.order(orders.unlock, order)

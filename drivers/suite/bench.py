"""A place to run one driver and keep everything it says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from drivers.contract import (
    CodeRead,
    Context,
    Direction,
    Driver,
    DriverError,
    MemoryArea,
    Reading,
    TagRead,
    Trouble,
)

WITHIN_S = 20.0
"""Ends a wait that would hang; none of these is a promise of a driver."""
LOOK_EVERY_S = 0.01
_SECOND_NS = 1_000_000_000


async def until(
    holds: Callable[[], object],
    within_s: float = WITHIN_S,
    *,
    instead: Callable[[], object] = lambda: "",
) -> None:
    """Return as soon as `holds()`; else fail with what there is `instead`."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + within_s
    while not holds():
        assert loop.time() < deadline_s, f"waited {within_s} s in vain {instead()}"
        await asyncio.sleep(LOOK_EVERY_S)


@dataclass
class Bench:
    """What one driver said."""

    readings: list[Reading] = field(default_factory=list)
    ups: list[str] = field(default_factory=list)
    noise: list[tuple[str, bytes]] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    frames: list[tuple[Direction, bytes]] = field(default_factory=list)
    error: DriverError | None = None
    memory: MemoryArea | None = None
    """What the driver is asked to read of every tag."""

    @property
    def context(self) -> Context:
        """What the driver is handed; its clock is the loop's."""
        loop = asyncio.get_running_loop()
        return Context(
            emit=self.readings.append,
            up=self.ups.append,
            noise=lambda reason, raw: self.noise.append((reason, raw)),
            monotonic_ns=lambda: int(loop.time() * _SECOND_NS),
            trouble=self.troubles.append,
            frame=lambda direction, raw: self.frames.append((direction, raw)),
            memory=self.memory,
        )

    @property
    def uids(self) -> set[str]:
        """Every tag read."""
        return {read.uid for read in self.readings if isinstance(read, TagRead)}

    @property
    def texts(self) -> list[str]:
        """Every code read, in order."""
        return [read.text for read in self.readings if isinstance(read, CodeRead)]

    @property
    def identities(self) -> set[str]:
        """Every tag and every code read."""
        return self.uids | set(self.texts)

    async def until(self, condition: Callable[[], object], within_s: float = WITHIN_S) -> None:
        """Wait for what must come; fails with what was said instead."""
        await until(condition, within_s, instead=lambda: self)


@asynccontextmanager
async def running(driver: Driver, bench: Bench | None = None) -> AsyncIterator[Bench]:
    """Run a driver until the block ends; a DriverError is kept in `bench.error`."""
    bench = bench or Bench()

    async def run() -> None:
        try:
            await driver.run(bench.context)
        except DriverError as exc:
            bench.error = exc

    async with asyncio.TaskGroup() as group:
        task = group.create_task(run())
        try:
            yield bench
        finally:
            task.cancel()

"""Faults that a daemon lives through, or is started again after: stopped, no disk, read-only disk.

Each comes at a drawn instant of real fills, lasts for a drawn time, is healed, and work goes on;
at the end everything is judged as after kills.
"""

import asyncio
import contextlib
import os
import random
import signal
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tests.soak.judge import judge
from tests.soak.moments import AT_ONCE, MOMENTS, UP_S_MAX, Instant, draw
from tests.soak.site import Site, SiteSpec, open_site
from tests.soak.tally import Tally
from tests.support.disks import Disk, Image, MountError, tmpfs
from tests.support.waiting import until

LIVING = tuple(each for each in MOMENTS if each.name not in AT_ONCE | {"asked"})
"""Moments in the life of a daemon that is not started anew for each fault."""
WELL_S = (0.5, 2.5)
"""So long it works between two faults."""


@dataclass(frozen=True, slots=True)
class Fault:
    """When it comes and how long it lasts; `chance` is for what else has to be drawn."""

    instant: Instant
    lasts_s: float
    well_s: float
    chance: float


class Trouble(ABC):
    """One kind of fault on one site."""

    name: ClassVar[str]
    leases: ClassVar[tuple[float, float]] = (0.2, 2.5)
    """How long it lasts, in leases."""

    def __init__(self, site: Site) -> None:
        self.site = site

    @abstractmethod
    async def hurt(self, fault: Fault) -> None:
        """Begin it, let it last, heal it."""

    async def revive(self) -> None:
        """The daemon, should it have ended, is started again, and every gate is asked."""
        process = self.site.daemon.process
        if process is not None and process.returncode is None:
            return
        self.site.daemon.process = None
        self.site.tally.add("starts after it")
        await self.site.start()
        await self.site.serving()


class Stopped(Trouble):
    """SIGSTOP: not dead, and not alive either."""

    name = "stop"

    async def hurt(self, fault: Fault) -> None:
        """Leases run out meanwhile or not; whatever was closed stays closed."""
        site = self.site
        site.daemon.send(signal.SIGSTOP)
        for truth in site.truths.values():
            site.tally.add(f"stopped while: {truth.phase}")
        await site.deaf(*site.truths.values())
        await asyncio.sleep(fault.lasts_s)
        site.daemon.send(signal.SIGCONT)
        long = fault.lasts_s * 1000 > site.spec.lease_ms
        site.tally.add("longer than the lease" if long else "shorter than the lease")
        if not long:
            for truth in site.truths.values():
                truth.wakes()


class FullDisk(Trouble):
    """Not a byte left, for the store and for the log; sometimes the daemon dies meanwhile."""

    name = "disk"
    leases = (0.5, 3.0)
    KILLED_SHARE = 0.3

    async def hurt(self, fault: Fault) -> None:
        """Fill it, and give the room back."""
        site, disk = self.site, Disk(self.site.config)
        disk.use_up()
        killed = fault.chance < self.KILLED_SHARE
        await asyncio.sleep(fault.lasts_s / 2)
        if killed:
            await site.kill()
            site.tally.add("killed on a full disk")
            await site.start()
        await asyncio.sleep(fault.lasts_s / 2)
        disk.clear()
        if killed:
            await until(site.started, UP_S_MAX)
            how = "served" if site.up() else f"ended with {site.daemon.end}"
            site.tally.add(f"a start on a full disk {how}")


class ReadOnly(Trouble):
    """The disk had an error and is read-only until somebody repairs it."""

    name = "readonly"
    leases = (1.0, 3.0)

    def __init__(self, site: Site, image: Image) -> None:
        super().__init__(site)
        self._image = image

    async def hurt(self, fault: Fault) -> None:
        """The daemon lives on for a while, then the machine is repaired and starts again."""
        site = self.site
        await asyncio.to_thread(self._image.fail)
        for truth in site.truths.values():
            site.tally.add(f"read-only while: {truth.phase}")
        await asyncio.sleep(fault.lasts_s)
        await site.kill()
        await asyncio.to_thread(self._image.repair)


def plan(rng: random.Random, count: int, leases: tuple[float, float], lease_ms: int) -> list[Fault]:
    """All faults of one station, each as long as some `leases`."""
    low, high = (edge * lease_ms / 1000 for edge in leases)
    return [
        Fault(draw(rng, LIVING), rng.uniform(low, high), rng.uniform(*WELL_S), rng.random())
        for _ in range(count)
    ]


KINDS: dict[str, type[Trouble]] = {each.name: each for each in (Stopped, FullDisk, ReadOnly)}


async def soak(
    name: str, directory: Path, spec: SiteSpec, count: int, told: Callable[[], None]
) -> Tally:
    """One station through `count` faults of a kind."""
    tally = Tally(name)
    with tally.surviving():
        try:
            async with _stage(name, directory, spec, tally) as trouble:
                await live_through(trouble, count, told)
        except MountError as exc:
            tally.skipped = str(exc)
    return tally


async def live_through(trouble: Trouble, count: int, told: Callable[[], None]) -> None:
    """Work, and be hurt `count` times; then rest and be judged."""
    site = trouble.site
    rng = random.Random(f"{trouble.name}/{site.spec.seed}")
    faults = plan(rng, count, trouble.leases, site.spec.lease_ms)
    await site.start()
    await site.serving()
    site.work()
    for fault in faults:
        await asyncio.sleep(fault.well_s)
        came = await site.moments.come(fault.instant, site.started)
        site.tally.add("faults")
        site.tally.add(f"after: {fault.instant.moment if came else 'no such moment came'}")
        await trouble.hurt(fault)
        await trouble.revive()
        await asyncio.to_thread(site.ledger.look, site.store)
        told()
    await site.rest()
    await judge(site)


@asynccontextmanager
async def _stage(
    name: str, directory: Path, spec: SiteSpec, tally: Tally
) -> AsyncIterator[Trouble]:
    """A site on the disk that the kind of fault wants."""
    config = directory / "config"
    config.mkdir()
    disk: AbstractContextManager[object] = contextlib.nullcontext()
    image = Image(directory / "disk.img", config)
    if name == FullDisk.name:
        disk = tmpfs(config)
    elif name == ReadOnly.name:
        disk = image
    with disk:
        async with open_site(directory, spec, tally, config) as site:
            await asyncio.to_thread(os.sync)  # Only what the daemon writes may be in the balance.
            yield ReadOnly(site, image) if name == ReadOnly.name else KINDS[name](site)

"""What the daemon weighs while it works much faster than life, and whether it grows."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

import psutil

from tests.bench.figures import percentile
from tests.soak.judge import judge
from tests.soak.site import SiteSpec, open_site
from tests.soak.tally import Tally

MIB = 1 << 20
SPEED = 60.0
"""A fill takes about a second."""
SAMPLES = 720
"""Over the whole time: each five seconds of an hour."""
WARM_SHARE = 0.2
"""The first part does not count: caches fill, the collector settles."""
RSS_MIB_MAX = 120
GROWTH_MIB_H_MAX = 1.0
TELLING_MINUTES = 30
"""A slope of less is the noise of single pages."""


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The slope of the straight line through (x, y) with the least squares; 0 for one point."""
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    together = sum((x - middle_x) * (y - middle_y) for x, y in points)
    return together / spread if spread else 0.0


async def soak(directory: Path, spec: SiteSpec, minutes: float, told: Callable[[], None]) -> Tally:
    """One station that fills as fast as it can for so long; every record is judged at the end."""
    tally, points = Tally("memory"), list[tuple[float, float]]()
    with tally.surviving():
        await _watch(directory, spec, minutes, points, tally=tally, told=told)
    if points:
        _say(tally, points, minutes)
    return tally


async def _watch(
    directory: Path,
    spec: SiteSpec,
    minutes: float,
    points: list[tuple[float, float]],
    *,
    tally: Tally,
    told: Callable[[], None],
) -> None:
    async with open_site(directory, spec, tally) as site:
        await site.start()
        await site.serving()
        site.work()
        assert site.daemon.process is not None
        process = psutil.Process(site.daemon.process.pid)
        began_s, every_s = monotonic(), minutes * 60 / SAMPLES
        for _ in range(SAMPLES):
            await asyncio.sleep(every_s)
            hours = (monotonic() - began_s) / 3600
            points.append((hours, process.memory_info().rss / MIB))
            told()
        await site.rest()
        await judge(site)


def _say(tally: Tally, points: list[tuple[float, float]], minutes: float) -> None:
    warm = points[int(len(points) * WARM_SHARE) :]
    weights = [weight for _, weight in points]
    growth = slope(warm)
    tally.at_most("minutes", minutes)
    tally.at_most("RSS, p50 (MiB)", percentile(weights, 50))
    tally.at_most("RSS, most (MiB)", max(weights), promise=f"<= {RSS_MIB_MAX}")
    tally.at_most("RSS at the end (MiB)", weights[-1])
    promise = f"<= {GROWTH_MIB_H_MAX}, told from {TELLING_MINUTES} minutes on"
    tally.at_most("growth after warm-up (MiB/h)", growth, promise=promise)
    if max(weights) > RSS_MIB_MAX:
        tally.say(f"the daemon weighs {max(weights):.0f} MiB")
    if minutes >= TELLING_MINUTES and growth > GROWTH_MIB_H_MAX:
        tally.say(f"the daemon grows by {growth:.1f} MiB an hour")

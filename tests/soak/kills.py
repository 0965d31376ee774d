"""`kill -9` at random instants of real fills, and what is left of truth afterwards."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.soak.judge import judge
from tests.soak.moments import Instant, draw
from tests.soak.site import Site, SiteSpec, open_site
from tests.soak.tally import Tally

LOOK_EVERY = 10
"""Kills between two looks into the store, from outside."""


@dataclass(frozen=True, slots=True)
class Kill:
    """When, and how long nobody runs afterwards."""

    instant: Instant
    dead_s: float


def plan(rng: random.Random, kills: int, lease_ms: int) -> list[Kill]:
    """All kills of one station: most are followed by a start at once, as systemd would."""
    return [Kill(draw(rng), _dead_s(rng, lease_ms / 1000)) for _ in range(kills)]


def _dead_s(rng: random.Random, lease_s: float) -> float:
    drawn = rng.random()
    if drawn < 0.8:
        return 0.0
    return rng.uniform(0, lease_s) if drawn < 0.95 else rng.uniform(lease_s, 2 * lease_s)


async def soak(
    directory: Path, spec: SiteSpec, kills: int, tally: Tally, told: Callable[[], None]
) -> None:
    """One station through all its kills; `told` is called after each."""
    with tally.surviving():
        await _soak(directory, spec, kills, tally, told)


async def _soak(
    directory: Path, spec: SiteSpec, kills: int, tally: Tally, told: Callable[[], None]
) -> None:
    planned = plan(random.Random(f"kills/{spec.seed}"), kills, spec.lease_ms)
    async with open_site(directory, spec, tally) as site:
        site.work()
        for number, kill in enumerate(planned):
            await _one(site, kill)
            if number % LOOK_EVERY == 0:
                await asyncio.to_thread(site.ledger.look, site.store)
            told()
        await site.start()
        await site.serving()
        await site.rest()
        await judge(site)


async def _one(site: Site, kill: Kill) -> None:
    await site.start()
    came = await site.moments.come(kill.instant, site.started)
    name = kill.instant.moment if came else "no such moment came"
    await site.kill()
    site.tally.add("kills")
    site.tally.add(f"killed after: {name}")
    await asyncio.sleep(kill.dead_s)

"""SIGKILL at any moment while records are committed and sent: nothing is lost, every kind."""

import asyncio
import json
import os
import random
import sys
from pathlib import Path

import pytest

from gatewayd.store.model import Record
from tests.support.outpost import Outpost, bodies, first_arrivals, running
from tests.support.platforms import DOUBLES, PLATFORMS, Platform, soon
from tests.support.waiting import until

CHILD = Path(__file__).parent / "committing_child.py"
KILLS = int(os.environ.get("GATEWAYD_KILLS", "3"))
"""A process takes a second to start; `GATEWAYD_KILLS=20` for the long run."""
DRAIN_S_MAX = 60


@pytest.mark.parametrize("kind", PLATFORMS, ids=lambda kind: kind.__name__)
async def test_a_process_killed_at_any_moment_loses_nothing(
    tmp_path: Path, kind: type[Platform]
) -> None:
    source = random.Random(KILLS)
    site = tmp_path / "site"
    site.mkdir()
    async with kind(tmp_path) as platform:
        for _ in range(KILLS):
            await one_life(platform, site, source.random() / 5)
        async with Outpost(site) as outpost:
            upstream = outpost.upstream_of(platform.kind, **platform.settings())
            async with running(upstream), asyncio.timeout(DRAIN_S_MAX):
                await upstream.drained()
            committed = everything(outpost)
        wanted = bodies(committed)
        assert len(wanted) > KILLS
        await until(lambda: len(first_arrivals(platform.arrived())) >= len(wanted))
        assert first_arrivals(platform.arrived()) == wanted
        if DOUBLES not in platform.can:
            assert platform.arrived() == wanted


async def one_life(platform: Platform, site: Path, seconds: float) -> None:
    """Start the process, let it work for so long from its first delivery on, kill it."""
    before = len(platform.arrived())
    command = [str(CHILD), str(site), platform.kind.name, json.dumps(platform.settings())]
    child = await asyncio.create_subprocess_exec(sys.executable, *command)
    try:
        await until(lambda: len(platform.arrived()) > before or child.returncode is not None)
        await soon(seconds)
    finally:
        if child.returncode is None:
            child.kill()
        assert await child.wait() == -9


def everything(outpost: Outpost) -> list[Record]:
    """Every record that was committed."""
    found: list[Record] = []
    while page := outpost.store.records(after_sequence=len(found), limit=100):
        found += page
    return found

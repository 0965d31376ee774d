"""SIGKILL of daemon and server at any moment while records are committed and sent, every kind.

Lost: none. What comes twice has the same id and bytes. The order, here of all rigs, is kept.
"""

import asyncio
import json
import os
import random
import sys
from collections import Counter
from pathlib import Path

import pytest

from gatewayd.store.model import Record
from tests.support.mapped_platforms import MAPPED
from tests.support.outpost import Outpost, first_arrivals, running
from tests.support.platforms import DOUBLES, PLATFORMS, ConfirmingPlatform, Platform, soon
from tests.support.waiting import until

CHILD = Path(__file__).parent / "committing_child.py"
LONG = "GATEWAYD_KILLS" in os.environ
KILLS = int(os.environ.get("GATEWAYD_KILLS", "3"))
"""A process takes a second to start; `GATEWAYD_KILLS=20` for the long run, of more kinds."""
KINDS = (*PLATFORMS, ConfirmingPlatform, *MAPPED) if LONG else PLATFORMS
DRAIN_S_MAX = 60
WORK_S_MAX = 0.2
"""How long daemon and server work together before one of them is killed, from an arrival on."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
async def test_daemon_and_server_killed_at_any_moment_lose_nothing(
    tmp_path: Path, kind: type[Platform], capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    async with kind(tmp_path) as platform:
        deaths = await killing(platform, site, random.Random(KILLS))
        async with Outpost(site) as outpost:
            upstream = outpost.upstream_of(
                platform.kind, mapping=platform.mapping, **platform.settings()
            )
            async with running(upstream), asyncio.timeout(DRAIN_S_MAX):
                await upstream.drained()
            committed = everything(outpost)
            assert outpost.store.dead_letters("platform") == ()
        wanted = platform.wanted(committed)
        assert len(wanted) > KILLS
        await until(lambda: len(first_arrivals(platform.arrived())) >= len(wanted))
        arrived = platform.arrived()
    if LONG:
        with capsys.disabled():
            print(f"\n{kind.__name__}: {told(deaths, wanted, arrived)}")  # noqa: T201 - the result
    assert first_arrivals(arrived) == wanted
    if DOUBLES not in platform.can:
        assert arrived == wanted


async def killing(platform: Platform, site: Path, source: random.Random) -> Counter[str]:
    """Kill daemon or server, whichever the dice say, until enough; at the end the daemon is dead."""
    deaths: Counter[str] = Counter()
    child = await life(platform, site)
    while deaths.total() < KILLS:
        await work(platform, child)
        await soon(source.random() * WORK_S_MAX)
        who = source.choice(("daemon", "server"))
        deaths[who] += 1
        if who == "server":
            await platform.killed()
            continue
        await death(child)
        child = await life(platform, site)
    await death(child)
    return deaths


async def life(platform: Platform, site: Path) -> asyncio.subprocess.Process:
    """Start a daemon that commits records and sends them."""
    command = (str(CHILD), str(site), platform.kind.name, json.dumps(platform.settings()))
    return await asyncio.create_subprocess_exec(sys.executable, *command, platform.mapping)


async def work(platform: Platform, child: asyncio.subprocess.Process) -> None:
    """Return once something more has arrived, or the daemon ended by itself, which it never should."""
    before = len(platform.arrived())
    await until(lambda: len(platform.arrived()) > before or done(child))


def done(child: asyncio.subprocess.Process) -> bool:
    """Whether it has ended."""
    return child.returncode is not None


async def death(child: asyncio.subprocess.Process) -> None:
    """Kill it; that it was alive until then is part of the promise."""
    if not done(child):
        child.kill()
    assert await child.wait() == -9


def everything(outpost: Outpost) -> list[Record]:
    """Every record that was committed."""
    found: list[Record] = []
    while page := outpost.store.records(after_sequence=len(found), limit=100):
        found += page
    return found


def told(deaths: Counter[str], wanted: list[bytes], arrived: list[bytes]) -> str:
    """One line of the table in tests/README.md."""
    lost = len(set(wanted) - set(arrived))
    who = f"{deaths['daemon']} kills of the daemon, {deaths['server']} of the server"
    return f"{who}: {len(wanted)} records, lost {lost}, twice {len(arrived) - len(set(arrived))}"

"""The contract of every kind of upstream, tried against the real platform.

Nothing is lost, what comes twice has the same id and bytes, the order (here of all rigs) is kept.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

import apsw
import pytest

from gatewayd.store.model import Record
from gatewayd.upstreams.contract import Upstream
from gatewayd.upstreams.pump import BATCH_MAX
from tests.support.outpost import Outpost, bodies, drained, first_arrivals, running
from tests.support.platforms import (
    ANSWERS,
    DOUBLES,
    HANG,
    PLATFORMS,
    REFUSE_ALL,
    REFUSE_ONE,
    TOO_LARGE_BYTES,
    Platform,
    soon,
)
from tests.support.waiting import until

KILLS = 20


@pytest.fixture
async def platform(request: pytest.FixtureRequest, outpost: Outpost) -> AsyncIterator[Platform]:
    async with request.param(outpost.directory) as made:
        yield made


def every(*needs: str) -> pytest.MarkDecorator:
    """Run with every kind of platform that knows such a thing."""
    kinds = [kind for kind in PLATFORMS if kind.can.issuperset(needs)]
    return pytest.mark.parametrize("platform", kinds, indirect=True, ids=lambda kind: kind.__name__)


def to(platform: Platform, outpost: Outpost) -> Upstream:
    return outpost.upstream_of(platform.kind, **platform.settings())


async def whole(platform: Platform, committed: Sequence[Record]) -> None:
    """Everything arrived in order; what came twice is the same, bytes and id."""
    wanted = bodies(committed)
    await until(lambda: len(first_arrivals(platform.arrived())) >= len(wanted))
    arrived = platform.arrived()
    assert first_arrivals(arrived) == wanted
    if DOUBLES not in platform.can:
        assert arrived == wanted


@every()
async def test_records_arrive_byte_for_byte_in_order(platform: Platform, outpost: Outpost) -> None:
    committed = await outpost.commit(2 * BATCH_MAX + 1)
    upstream = to(platform, outpost)
    async with running(upstream):
        await drained(upstream)
        committed += await outpost.commit(2, "refusal")
        await drained(upstream)
        await outpost.until_state("up")
    await whole(platform, committed)
    assert len(platform.arrived()) == len(committed)


@every(REFUSE_ONE)
async def test_one_that_is_refused_for_good_is_a_dead_letter_and_in_nobodys_way(
    platform: Platform, outpost: Outpost
) -> None:
    before = await outpost.commit(7)
    (large,) = await outpost.commit(1, note="x" * TOO_LARGE_BYTES)
    after = await outpost.commit(7)
    upstream = to(platform, outpost)
    async with running(upstream):
        await drained(upstream)
        await outpost.until(lambda: outpost.state()["dead_letters"] == 1)
    await whole(platform, before + after)
    (letter,) = outpost.store.dead_letters("platform")
    assert letter.record_id == large.id
    assert letter.reason


@every(REFUSE_ALL)
async def test_a_platform_that_takes_nothing_gets_everything_when_it_does_again(
    platform: Platform, outpost: Outpost
) -> None:
    platform.refuse_all(on=True)
    committed = await outpost.commit(15)
    upstream = to(platform, outpost)
    async with running(upstream):
        await outpost.until_state("refused")
        assert outpost.state()["error"]
        assert outpost.store.cursor("platform") == 0
        platform.refuse_all(on=False)
        await drained(upstream)
    await whole(platform, committed)
    assert outpost.store.dead_letters("platform") == ()


@every(HANG)
async def test_a_platform_that_hangs_for_a_while_holds_up_nobody_else(
    platform: Platform, outpost: Outpost
) -> None:
    upstream = to(platform, outpost)
    async with running(upstream):
        committed = await outpost.commit(5)
        await drained(upstream)
        platform.hang(on=True)
        committed += await outpost.commit(30)
        await soon(0.2)
        assert outpost.store.cursor("platform") == 5
        platform.hang(on=False)
        await drained(upstream)
    await whole(platform, committed)


@every(ANSWERS)
@pytest.mark.parametrize("after_bytes", [10, 70, 150])
async def test_answers_lost_after_the_platform_took_it_repeat_the_same_id(
    platform: Platform, outpost: Outpost, after_bytes: int
) -> None:
    committed = await outpost.commit(40)
    platform.lose_answers(after_bytes)
    upstream = to(platform, outpost)
    async with running(upstream):
        await drained(upstream)
    await whole(platform, committed)


@every()
async def test_a_platform_that_comes_back_gets_what_it_missed(
    platform: Platform, outpost: Outpost
) -> None:
    committed = await outpost.commit(3)
    upstream = to(platform, outpost)
    async with running(upstream):
        await drained(upstream)
        for _ in range(3):
            await platform.away()
            committed += await outpost.commit(12)
            await outpost.until_state("down")
            assert outpost.store.cursor("platform") < committed[-1].sequence
            await platform.back()
            await drained(upstream)
            await outpost.until_state("up")
    await whole(platform, committed)


@every()
async def test_garbage_settles_nothing(platform: Platform, outpost: Outpost) -> None:
    committed = await outpost.commit(5)
    upstream = to(platform, outpost)
    async with running(upstream):
        await drained(upstream)
        platform.garbage(on=True)
        committed += await outpost.commit(25)
        if ANSWERS in platform.can:
            await outpost.until_state("down")
            assert outpost.store.cursor("platform") == 5
        platform.garbage(on=False)
        await drained(upstream)
    await whole(platform, committed)
    assert outpost.store.dead_letters("platform") == ()


@every()
async def test_a_daemon_that_dies_before_it_noted_the_yes_repeats_the_same_id(
    platform: Platform, outpost: Outpost
) -> None:
    committed = await outpost.commit(BATCH_MAX + 20)
    other = apsw.Connection(str(outpost.store.path))
    other.execute("BEGIN IMMEDIATE")
    async with running(to(platform, outpost)):
        await until(lambda: len(platform.arrived()) >= BATCH_MAX)
        await outpost.until_state("refused")
    assert outpost.store.cursor("platform") == 0
    other.execute("ROLLBACK")
    other.close()
    upstream = to(platform, outpost)
    async with running(upstream):
        await drained(upstream)
    await whole(platform, committed)


@every()
@pytest.mark.parametrize("seed", [1, 2])
async def test_kills_of_platform_and_daemon_in_any_order_lose_nothing(
    platform: Platform, outpost: Outpost, seed: int
) -> None:
    source = random.Random(seed)
    committed: list[Record] = []
    for _ in range(KILLS // 2):
        upstream = to(platform, outpost)
        async with AsyncExitStack() as daemon:
            await daemon.enter_async_context(running(upstream))
            committed += await outpost.commit(source.randint(1, 20))
            await soon(source.random() / 20)
            await platform.away()
            committed += await outpost.commit(source.randint(1, 20))
            await soon(source.random() / 20)
            if source.random() < 0.5:
                await platform.back()
                await soon(source.random() / 20)
                await daemon.aclose()
            else:
                await daemon.aclose()
                await platform.back()
    upstream = to(platform, outpost)
    async with running(upstream), asyncio.timeout(30):
        await drained(upstream)
    await whole(platform, committed)

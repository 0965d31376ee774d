"""A paced replay is never faster than asked, never slower than it must be, and starts at once."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from gatewayd.clock import SECOND, ManualClock
from gatewayd.store.model import Record
from gatewayd.upstreams.backoff import Pace
from gatewayd.upstreams.contract import Outcome
from gatewayd.upstreams.pacing import Bucket
from gatewayd.upstreams.pump import Pump
from tests.support.outpost import WAIT_S_MAX, Outpost

INSTANT = Pace(first_s=0.001, max_s=0.002, look_s=0.01)


def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, tzinfo=UTC))


def test_without_a_rate_everything_goes_at_once() -> None:
    bucket = Bucket(clock(), None)
    for _ in range(3):
        assert bucket.wait_s(100) == 0
        assert bucket.granted(100) == 100
        bucket.spend(100)


def test_a_full_bucket_holds_one_second_and_refills_at_the_rate() -> None:
    time = clock()
    bucket = Bucket(time, 50)
    time.advance(seconds=3600)
    assert (bucket.wait_s(100), bucket.granted(100)) == (0, 50)
    bucket.spend(50)
    assert (bucket.wait_s(100), bucket.granted(100)) == (0.1, 0)
    time.advance(seconds=0.1)
    assert (bucket.wait_s(100), bucket.granted(100)) == (0, 5)


def test_the_slowest_rate_lets_one_record_a_second_through() -> None:
    time = clock()
    bucket = Bucket(time, 1)
    for _ in range(3):
        assert (bucket.wait_s(1), bucket.granted(1)) == (0, 1)
        bucket.spend(1)
        assert bucket.wait_s(1) == 1.0
        time.advance(seconds=1)


@pytest.mark.parametrize("rate", [1, 3, 7, 50, 999, 100_000])
def test_over_any_time_no_more_goes_than_the_rate_and_one_second(rate: int) -> None:
    time, source = clock(), random.Random(rate)
    bucket = Bucket(time, rate)
    begun_ns, sent = time.monotonic_ns(), 0
    for _ in range(500):
        wanted = source.randint(1, 100)
        wait_s = bucket.wait_s(wanted)
        time.advance(seconds=wait_s + 1e-9)
        granted = bucket.granted(wanted)
        assert granted >= 1
        bucket.spend(granted)
        sent += granted
        seconds = (time.monotonic_ns() - begun_ns) / SECOND
        assert sent <= rate * (seconds + 1) + 1
    assert sent >= rate * seconds * 0.9


class Taking:
    """Takes everything; remembers how many when."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self.offers: list[tuple[float, int]] = []

    async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:  # noqa: ARG002 - the contract's signature
        self.offers.append((asyncio.get_running_loop().time(), len(batch)))
        return Outcome(frozenset(record.sequence for record in batch))


async def test_a_backlog_is_replayed_at_the_rate(outpost: Outpost) -> None:
    await outpost.commit(150)
    pump = Pump(
        "platform", outpost.store, outpost.clock, lambda _: None, INSTANT, records_per_s=200
    )
    sink = Taking()
    begun = asyncio.get_running_loop().time()
    async with asyncio.timeout(WAIT_S_MAX), asyncio.TaskGroup() as tasks:
        tasks.create_task(pump.run(sink))
        await pump.drained()
        await outpost.commit(150)
        await pump.drained()
        sink.gone.set()
    for at, _ in sink.offers:
        assert sum(n for when, n in sink.offers if when <= at) <= 200 * (at - begun + 1) + 1
    assert sum(n for _, n in sink.offers) == 300


async def test_a_platform_that_asks_for_silence_is_left_alone_so_long(outpost: Outpost) -> None:
    await outpost.commit(1)
    pump = Pump("platform", outpost.store, outpost.clock, lambda _: None, INSTANT)
    at: list[float] = []

    class Busy:
        def __init__(self) -> None:
            self.gone = asyncio.Event()

        async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:  # noqa: ARG002 - the contract's signature
            at.append(asyncio.get_running_loop().time())
            return Outcome(frozenset({1})) if len(at) > 1 else Outcome(kept="busy", wait_s=0.2)

    sink = Busy()
    async with asyncio.timeout(WAIT_S_MAX), asyncio.TaskGroup() as tasks:
        tasks.create_task(pump.run(sink))
        await pump.drained()
        sink.gone.set()
    assert at[1] - at[0] >= 0.19

"""Waits grow, spread, stop growing, and are forgiven only for what lasted."""

import random
from datetime import UTC, datetime

from gatewayd.clock import ManualClock
from gatewayd.upstreams.backoff import Backoff


class Longest(random.Random):
    """Always draws the upper end."""

    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


def backoff(clock: ManualClock, source: random.Random, *, stable_s: float = 30) -> Backoff:
    return Backoff(clock, first_s=1, max_s=60, stable_s=stable_s, _random=source)


def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, tzinfo=UTC))


def test_the_ceiling_doubles_up_to_the_limit_and_stays() -> None:
    waits = backoff(clock(), Longest())
    assert [waits.failed() for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_year_of_failures_overflows_nothing() -> None:
    waits = backoff(clock(), Longest())
    assert max(waits.failed() for _ in range(100_000)) == 60


def test_waits_are_spread_over_the_whole_range() -> None:
    waits = backoff(clock(), random.Random(1))
    drawn = [waits.failed() for _ in range(1000)]
    assert min(drawn) < 1
    assert max(drawn) > 59
    assert 25 < sum(drawn) / len(drawn) < 35


def test_a_success_counts_only_when_it_lasted() -> None:
    time = clock()
    waits = backoff(time, Longest())
    assert [waits.failed(), waits.failed()] == [1, 2]
    waits.good()
    time.advance(seconds=29.9)
    assert waits.failed() == 4
    waits.good()
    time.advance(seconds=30)
    assert waits.failed() == 1


def test_a_success_that_is_repeated_counts_from_its_beginning() -> None:
    time = clock()
    waits = backoff(time, Longest())
    waits.failed()
    for _ in range(30):
        waits.good()
        time.advance(seconds=1)
    assert waits.failed() == 1

"""What shares a wire out, each on its own: turns, breakers, budget, pace."""

import asyncio
import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.links import SerialLink, TcpLink
from drivers.plc.breaker import (
    MISSES_MAX,
    NEIGHBOUR_S,
    OWED_GAPS_MAX,
    PROBES_SHARE,
    SILENT_S,
    STUMBLES_S_MAX,
    STUMBLES_SHARE,
    Breakers,
)
from drivers.plc.budget import (
    RTU_BYTES_MAX,
    WINDOW_S,
    Meter,
    lock_wait_s_max,
    miss_s,
)
from drivers.plc.polling import IDLE_AFTER_S, Pace, Schedule
from drivers.plc.turns import NO_DEADLINE, Rank, Turns
from tests.support.stopped_time import StoppedLoop, run

BUS = SerialLink(serial="/dev/ttyS0", baud=9600)
COST_S = miss_s(BUS, within_s=0.3, sent=8)


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Rank)), st.sampled_from([1.0, 2.0, NO_DEADLINE])),
        max_size=12,
    ),
    st.sets(st.integers(0, 11)),
)
def test_turns_go_by_rank_then_by_deadline_also_when_some_give_up(
    wanted: list[tuple[Rank, float]], leaving: set[int]
) -> None:
    async def walk() -> list[int]:
        turns, order = Turns(), list[int]()

        async def one(index: int, rank: Rank, due_s: float) -> None:
            async with turns.take(rank, due_s):
                order.append(index)

        await turns.acquire(Rank.POLL)
        tasks = [asyncio.ensure_future(one(i, *each)) for i, each in enumerate(wanted)]
        await asyncio.sleep(0)
        for index in leaving & set(range(len(tasks))):
            tasks[index].cancel()
        turns.release()
        await asyncio.gather(*tasks, return_exceptions=True)
        async with asyncio.timeout(1), turns.take(Rank.POLL):
            return order

    staying = [index for index in range(len(wanted)) if index not in leaving]
    assert asyncio.run(walk()) == sorted(staying, key=lambda index: (*wanted[index], index))


def test_a_wire_that_rests_is_given_to_the_best_of_those_who_came_meanwhile() -> None:
    loop, order = StoppedLoop(), list[tuple[str, float]]()

    async def walk() -> None:
        turns, began_s = Turns(), loop.time()

        async def one(name: str, rank: Rank, after_s: float) -> None:
            await asyncio.sleep(after_s)
            async with turns.take(rank):
                order.append((name, loop.time() - began_s))

        async with asyncio.TaskGroup() as group:
            async with turns.take(Rank.POLL):
                turns.rest(began_s + 0.3)
            for name, rank, after_s in (
                ("poll", Rank.POLL, 0.0),
                ("command", Rank.COMMAND, 0.1),
                ("lock", Rank.LOCK, 0.2),
            ):
                group.create_task(one(name, rank, after_s))

    run(walk(), loop)
    assert [name for name, _ in order] == ["lock", "command", "poll"]
    assert [at_s for _, at_s in order] == pytest.approx([0.3] * 3)


async def test_one_turn_given_again_lets_only_better_ones_go_between() -> None:
    turns, order = Turns(), list[str]()

    async def one(name: str, rank: Rank) -> None:
        async with turns.take(rank) as turn:
            order.append(name)
            if rank is Rank.LOCK:
                await turn.again(Rank.CONFIRM)
                order.append(f"{name} confirmed")

    await turns.acquire(Rank.POLL)
    async with asyncio.TaskGroup() as group:
        for name, rank in (("poll", Rank.POLL), ("a", Rank.LOCK), ("b", Rank.LOCK)):
            group.create_task(one(name, rank))
        await asyncio.sleep(0)
        turns.release()
    assert order == ["a", "b", "a confirmed", "b confirmed", "poll"]


async def test_a_turn_cancelled_between_two_requests_is_not_given_back_twice() -> None:
    turns = Turns()

    async def locks() -> None:
        async with turns.take(Rank.LOCK) as turn:
            other.set()
            await asyncio.sleep(0)
            await turn.again(Rank.CONFIRM)

    other = asyncio.Event()
    locking = asyncio.ensure_future(locks())
    await other.wait()
    holding = asyncio.ensure_future(turns.acquire(Rank.LOCK))
    await asyncio.sleep(0)
    await holding
    locking.cancel()
    await asyncio.gather(locking, return_exceptions=True)
    third = asyncio.ensure_future(turns.acquire(Rank.LOCK))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not third.done(), "the wire has an owner"
    turns.release()
    await asyncio.wait_for(third, 1)


def breakers(*, now_s: float = 100.0) -> Breakers:
    """Unit 1 lives."""
    made = Breakers()
    made.answered(1, now_s)
    return made


def test_a_unit_rests_after_so_many_misses_and_one_answer_ends_it() -> None:
    found = breakers()
    for miss in range(MISSES_MAX):
        assert found.ask_at_s(2, 100.0) == 100.0, miss
        found.missed(2, 100.0, cost_s=COST_S)
    assert found.ask_at_s(2, 100.0) == pytest.approx(100.0 + COST_S / PROBES_SHARE)
    assert found.resting(100.0) == (2,)
    assert found.ask_at_s(1, 100.0) == 100.0
    found.answered(2, 115.2)
    assert found.ask_at_s(2, 115.2) == 115.2
    assert found.resting(115.2) == ()


def test_a_unit_that_answered_a_moment_ago_is_still_asked() -> None:
    found = breakers()
    found.answered(2, 100.0)
    for _ in range(MISSES_MAX + 2):
        found.missed(2, 100.0 + SILENT_S / 2, cost_s=0.1)
    assert found.ask_at_s(2, 100.0 + SILENT_S / 2) == 100.0 + SILENT_S / 2
    found.missed(2, 100.0 + SILENT_S, cost_s=0.1)
    assert found.ask_at_s(2, 100.0 + SILENT_S) > 100.0 + SILENT_S


def test_without_a_neighbour_that_answers_no_unit_rests() -> None:
    alone = Breakers()
    for _ in range(9):
        alone.missed(2, 100.0, cost_s=1.0)
        alone.missed(3, 100.0, cost_s=1.0)
    assert alone.ask_at_s(2, 100.0) == 100.0
    alone.answered(1, 100.0)
    assert alone.ask_at_s(2, 100.0) == 100.0, "the bus is back: everybody is tried at once"
    alone.missed(2, 100.0, cost_s=1.0)
    assert alone.ask_at_s(2, 100.0) > 100.0
    assert alone.ask_at_s(3, 100.0) > 100.0
    assert alone.ask_at_s(2, 100.0 + NEIGHBOUR_S) == 100.0 + NEIGHBOUR_S


def test_units_of_a_bus_that_was_dead_for_a_moment_are_all_back_with_it() -> None:
    found, units = Breakers(), range(1, 9)
    for unit in units:
        found.answered(unit, 100.0)
    for now_s in (100.5, 101.0, 101.5, 102.0, 105.0):
        for unit in units:
            found.missed(unit, now_s, cost_s=0.6)
    assert found.resting(105.0) == tuple(units)
    found.answered(1, 105.5)
    assert [found.ask_at_s(unit, 105.5) for unit in units] == [105.5] * 8


def test_a_wire_opened_anew_forgets_what_was_missed() -> None:
    found = breakers()
    for _ in range(MISSES_MAX):
        found.missed(2, 100.0, cost_s=COST_S)
    found.forget()
    found.answered(1, 100.0)
    assert found.ask_at_s(2, 100.0) == 100.0
    assert found.resting(100.0) == ()


def test_locks_to_a_resting_unit_are_paid_for_by_later_probes() -> None:
    found = breakers()
    for _ in range(MISSES_MAX):
        found.missed(2, 100.0, cost_s=COST_S)
    gap_s = COST_S / PROBES_SHARE
    for _ in range(2):
        found.missed(2, 100.0, cost_s=COST_S)
    assert found.ask_at_s(2, 100.0) == pytest.approx(100.0 + 3 * gap_s)
    for _ in range(99):
        found.missed(2, 100.0, cost_s=COST_S)
    assert found.ask_at_s(2, 100.0) == pytest.approx(100.0 + (OWED_GAPS_MAX + 1) * gap_s)


def test_a_unit_that_answers_reads_and_no_writes_rests_for_writes_alone() -> None:
    found = breakers()
    for _ in range(MISSES_MAX):
        found.missed(2, 100.0, cost_s=COST_S, write=True)
        found.answered(2, 100.0)
    assert found.ask_at_s(2, 100.0) == 100.0
    assert found.ask_at_s(2, 100.0, write=True) > 100.0
    assert found.suspect(2)


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(0, 2), st.floats(0.02, 1.0))
def test_dead_units_cost_under_five_percent_and_liars_little_more(
    seed: int, dead: int, liars: int, cost_s: float
) -> None:
    """Everybody asks as soon as allowed, for 20 minutes; liars miss every third answer."""
    rng, found, now_s = random.Random(seed), Breakers(), 0.0
    units, wasted, probes = range(2, 2 + dead + liars), Counter[int](), Counter[int]()
    while now_s < 1200:
        found.answered(1, now_s)
        now_s += 0.2
        for unit in rng.sample(units, len(units)):
            if found.ask_at_s(unit, now_s) > now_s:
                continue
            probes[unit] += 1
            if unit >= 2 + dead and rng.random() > 1 / 3:
                found.answered(unit, now_s)
                continue
            now_s += cost_s
            wasted[unit] += 1
            found.missed(unit, now_s, cost_s=cost_s)
    before_it_rests_s = dead * MISSES_MAX * cost_s + liars * (STUMBLES_S_MAX + cost_s)
    bound_s = now_s * (PROBES_SHARE + liars * STUMBLES_SHARE) + before_it_rests_s
    assert sum(wasted.values()) * cost_s <= bound_s + cost_s
    assert PROBES_SHARE + STUMBLES_SHARE < 0.05
    assert min(probes[unit] for unit in units) > MISSES_MAX, "everybody is tried again"


def test_the_computed_budget_of_a_dead_unit_is_under_five_percent_at_every_baud() -> None:
    for baud in (9600, 19_200, 115_200):
        link = SerialLink(serial="/dev/ttyS0", baud=baud)
        for within_s in (0.05, 0.3, 5.0):
            cost_s = miss_s(link, within_s=within_s, sent=8)
            between_s = cost_s / PROBES_SHARE
            assert cost_s / (cost_s + between_s) < 0.05


def test_the_bound_of_a_lock_is_one_request_in_flight_and_its_silence() -> None:
    assert lock_wait_s_max(BUS, within_s=0.3, sent=8) == pytest.approx(0.6 + 80 / 9600)
    assert lock_wait_s_max(BUS, within_s=0.3) == pytest.approx(0.6 + RTU_BYTES_MAX * 10 / 9600)
    assert lock_wait_s_max(TcpLink(tcp="10.0.0.4:502"), within_s=0.3) == 0.3
    both_s = lock_wait_s_max(BUS, within_s=0.3, sent=8, requests=2)
    assert both_s == pytest.approx(0.9 + 2 * 80 / 9600)


def test_the_measured_budget_says_who_used_what_lately() -> None:
    meter = Meter(0.0)
    for second in range(100):
        meter.note(1, second + 0.5, 0.2, missed=False)
        if second < 50:
            meter.note(2, second + 0.5, 0.5, missed=True)
    found = meter.budget("serial:/dev/ttyS0", 100.0, (2,))
    assert found.used == pytest.approx(0.2)
    assert found.spare == pytest.approx(0.8)
    assert (set(found.by_unit), found.resting) == ({1}, (2,))
    assert found.by_unit[1].asked == WINDOW_S
    young = Meter(0.0)
    young.note(7, 1.0, 0.5, missed=True)
    share = young.budget("w", 2.0, ()).by_unit[7]
    assert (share.used, share.missed, share.asked, share.misses) == (0.25, 0.25, 1, 1)


def test_a_budget_that_is_overdrawn_shows_nothing_spare() -> None:
    meter = Meter(0.0)
    for _ in range(3):
        meter.note(1, 0.5, 0.9, missed=False)
    found = meter.budget("w", 1.0, ())
    assert (found.used, found.spare) == (1.0, 0.0)


def test_polling_is_fast_while_wanted_and_slow_when_idle() -> None:
    loop = StoppedLoop()

    async def walk() -> tuple[list[float], list[float]]:
        pace = Pace(0.1, 0.5)
        schedule = Schedule(pace.fast_s, 0)
        times: list[float] = []

        async def ticks(count: int) -> list[float]:
            times.clear()
            for _ in range(count):
                await schedule.next()
                times.append(loop.time())
                schedule.every(pace.period_s())
            return [b - a for a, b in pairwise(times)]

        await asyncio.sleep(IDLE_AFTER_S)
        idle = await ticks(5)
        pace.want()
        return idle, await ticks(5)

    idle, wanted = run(walk(), loop)
    assert idle[1:] == pytest.approx([0.5] * 3)
    assert wanted[1:] == pytest.approx([0.1] * 3)

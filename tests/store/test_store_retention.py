"""Retention: only what is old, and what every platform has; the chain proves itself all the same."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewayd.ids import new_id
from gatewayd.store import upkeep
from gatewayd.store.model import StoredAlarm
from gatewayd.store.pruning import LEAP_DAYS, LEAP_RECORDS
from gatewayd.store.reads import Reader
from gatewayd.store.store import Store
from gatewayd.store.upkeep import Keeping
from gatewayd.store.verifying import verify
from tests.support.stores import NOON, draft, open_store, permit

DAYS = 365
DB = "gatewayd.db"


def _keeping(*upstreams: str) -> Keeping:
    """For histories of a few records that lie years apart."""
    return Keeping(DAYS, lambda: upstreams, leap_days=10_000)


async def _write(store: Store, ages: Sequence[int]) -> None:
    """Records of these ages in days, the oldest of all first."""
    for age in ages:
        await store.append(replace(draft(), time=NOON - timedelta(days=age)))


async def _once(store: Store, keeping: Keeping, now: datetime = NOON) -> int:
    return await upkeep.once(store, keeping, lambda: now, pause_s=0)


def _kept(store: Store) -> list[int]:
    return [record.sequence for record in store.records(limit=10_000)]


async def test_what_is_old_and_delivered_goes_and_the_rest_still_proves_itself(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path)
    await _write(store, [900] * 250 + [400] * 50 + [10] * 5)
    right = permit()
    await store.issue(right)
    await store.resolve(right.id, "posted", draft(record_id=right.record_id))
    await store.acknowledge("platform", 280)
    assert await _once(store, _keeping("platform")) == 280
    assert _kept(store) == list(range(281, 307))
    await store.acknowledge("platform", 306)
    assert await _once(store, _keeping("platform")) == 20
    assert _kept(store) == list(range(301, 307))
    assert await _once(store, _keeping("platform")) == 0
    await store.close()
    with Reader.open(tmp_path / DB) as reader:
        found = verify(reader)
    assert (found.ok, found.records, found.pruned.head.sequence) == (True, 6, 300)
    store = open_store(tmp_path)
    assert (await store.append(draft())).sequence == 307
    await store.close()


async def test_nothing_goes_that_one_configured_platform_lacks(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await _write(store, [900] * 10 + [0])
    await store.acknowledge("platform", 11)
    await store.acknowledge("gone", 2)
    assert await _once(store, _keeping("platform", "new")) == 0
    await store.acknowledge("new", 4)
    assert await _once(store, _keeping("platform", "new")) == 4
    assert await _once(store, _keeping("platform")) == 6
    assert _kept(store) == [11]
    await _write(store, [0])
    assert await _once(store, _keeping(), NOON + timedelta(days=900)) == 0
    await store.close()


async def test_dead_letters_and_standing_alarms_keep_their_records(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    alarm = StoredAlarm("overfilled", "c1", "rig-1", "critical", NOON, new_id(), 1, "", {})
    old = NOON - timedelta(days=900)
    await _write(store, [900] * 3)
    await store.append(replace(draft("alarm", record_id=alarm.record_id), time=old, alarm=alarm))
    await _write(store, [900] * 3 + [0])
    await store.acknowledge("platform", 8, dead=[(2, "refused")])
    assert await _once(store, _keeping("platform")) == 5
    assert _kept(store) == [2, 4, 8]
    assert [letter.sequence for letter in store.dead_letters()] == [2]
    await store.retry_dead()
    await store.settle_retried("platform", [2])
    over = replace(alarm, cleared_at=NOON)
    await store.append(replace(draft("alarm"), alarm=over))
    assert await _once(store, _keeping("platform")) == 2
    assert _kept(store) == [8, 9]
    await store.close()
    with Reader.open(tmp_path / DB) as reader:
        assert verify(reader).ok


async def test_a_clock_that_jumped_ahead_makes_nothing_old(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await _write(store, [300] * 5 + [0])
    await store.acknowledge("platform", 6)
    assert await _once(store, _keeping("platform"), NOON + timedelta(days=4_000)) == 0
    await store.close()


async def test_a_start_with_a_clock_years_ahead_makes_nothing_old(tmp_path: Path) -> None:
    """Nothing speaks against it, and what is recorded then is believed."""
    store = open_store(tmp_path)
    await _write(store, range(40, -1, -1))
    await _write(store, [-4_000] * 20)
    assert await _once(store, Keeping(DAYS, tuple), NOON + timedelta(days=4_000)) == 0
    await store.close()


@pytest.mark.parametrize(
    ("days", "records", "gone"),
    [
        (LEAP_DAYS, 1, 3),
        (LEAP_DAYS + 1, 1, 0),
        (LEAP_DAYS + 1, LEAP_RECORDS, 0),
        (LEAP_DAYS + 1, LEAP_RECORDS + 1, 3),
    ],
)
async def test_a_leap_counts_once_enough_has_followed_it(
    tmp_path: Path, days: int, records: int, gone: int
) -> None:
    """A station whose season is over begins again, and its records go as they should."""
    store = open_store(tmp_path)
    await _write(store, [DAYS + 60] * 3 + [DAYS - 20, 280, 200, 120, days])
    async with asyncio.TaskGroup() as group:
        for _ in range(records):
            group.create_task(_write(store, [0]))
    assert await _once(store, Keeping(DAYS, tuple)) == gone
    await store.close()


async def test_commits_hardly_wait_for_it(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await asyncio.gather(*(_write(store, [900]) for _ in range(1_500)))
    await _write(store, [0])
    await store.acknowledge("platform", 1_501)
    loop, waits = asyncio.get_running_loop(), []
    task = asyncio.ensure_future(_once(store, _keeping("platform")))
    while not task.done():
        begun = loop.time()
        await store.append(draft())
        waits.append(loop.time() - begun)
    assert await task == 1_500
    assert sorted(waits)[len(waits) // 2] < 0.25
    await store.close()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 900)),
        st.tuples(st.just("take"), st.integers(0, 9)),
        st.tuples(st.just("refuse"), st.just(1)),
        st.tuples(st.just("prune"), st.just(0)),
    ),
    min_size=5,
    max_size=30,
)


@settings(max_examples=20, deadline=None)
@given(STEPS)
def test_no_walk_loses_what_is_young_untaken_or_refused(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    asyncio.run(_walk(tmp_path_factory.mktemp("walk"), steps))


async def _walk(folder: Path, steps: list[tuple[str, int]]) -> None:
    store = open_store(folder)
    await _write(store, [0])
    ages, cursor, dead = {1: 0}, 0, set()
    for step, number in steps:
        last = max(ages)
        if step == "write":
            await _write(store, [number])
            ages[last + 1] = number
        elif step == "prune":
            await _once(store, _keeping("platform"))
        elif (through := min(cursor + number, last)) > cursor:
            refused = [(through, "no")] if step == "refuse" else []
            await store.acknowledge("platform", through, dead=refused)
            cursor = through
            dead |= {through} if refused else set()
    await _once(store, _keeping("platform"))
    must = {n for n, age in ages.items() if age <= DAYS or n > cursor or n in dead} | {max(ages)}
    assert must <= set(_kept(store))
    due = next((n for n in sorted(ages) if ages[n] <= DAYS or n > cursor), max(ages))
    assert set(_kept(store)) == {n for n in ages if n >= due or n in dead} | {max(ages)}
    assert verify(store).ok
    await store.close()


async def test_what_was_written_by_a_clock_that_had_lost_its_battery_is_as_old_as_the_next(
    tmp_path: Path,
) -> None:
    """The first records of a station whose computer began in 2000."""
    store = open_store(tmp_path)
    for at in (datetime(2000, 1, 1, tzinfo=UTC), datetime(2019, 12, 31, tzinfo=UTC)):
        await store.append(replace(draft(), time=at))
    await _write(store, [400, 10, 10])
    assert await _once(store, _keeping(), NOON - timedelta(days=40)) == 0
    assert await _once(store, _keeping(), NOON) == 3
    await store.close()

"""The archive in the store: looked up by code and tag, merged or replaced as one."""

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewayd.errors import StoreError
from gatewayd.store import beside, rows
from gatewayd.store.model import Cylinder, ImportCounts
from gatewayd.store.store import Store
from tests.support.stores import STATION, chain_breaks, draft, open_store

TEXT = st.none() | st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
CYLINDERS = st.builds(
    Cylinder,
    code=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=64),
    tag_uids=st.lists(st.from_regex(r"[0-9A-F]{4}", fullmatch=True), unique=True).map(tuple),
    maker=TEXT,
    medium=TEXT,
    stamped_tare_g=st.none() | st.integers(0, 2**31),
    made_on=st.none() | st.dates(),
    next_inspection_on=st.none() | st.dates(),
    fills_done=st.none() | st.integers(0, 2**31),
    refurbished=st.none() | st.booleans(),
    embossed_mark=st.none() | st.booleans(),
)


@given(CYLINDERS)
def test_an_entry_comes_out_as_it_went_in(cylinder: Cylinder) -> None:
    assert rows.cylinder(rows.cylinder_row(cylinder)) == cylinder


async def test_a_tag_is_found_however_the_archive_spells_it(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    one = Cylinder("c1", tag_uids=("e2 80-11.70", "AABB"), made_on=date(2020, 1, 1))
    await store.import_cylinders([one], replace=False)
    assert store.cylinders_by_uid("E2801170") == store.cylinders_by_uid("AABB") == (one,)
    assert store.cylinders_by_uid("E280") == ()
    assert store.cylinder("c1") == one
    assert store.cylinder("c2") is None
    await store.close()


async def test_a_tag_on_two_cylinders_returns_both(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for code in ("c2", "c1"):
        await store.import_cylinders([Cylinder(code, tag_uids=("AABB",))], replace=False)
    assert [found.code for found in store.cylinders_by_uid("AABB")] == ["c1", "c2"]
    await store.close()


async def test_an_upsert_changes_what_differs_and_adds_the_new(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    old = [Cylinder("c1", tag_uids=("AA01",)), Cylinder("c2"), Cylinder("c3")]
    await store.import_cylinders(old, replace=False)
    new = [Cylinder("c1", tag_uids=("AA02",)), Cylinder("c2"), Cylinder("c4")]
    counts = await store.import_cylinders(new, replace=False)
    assert counts == ImportCounts(added=1, updated=1, unchanged=1, removed=0)
    assert store.cylinders_by_uid("AA01") == ()
    assert store.cylinders_by_uid("AA02") == (new[0],)
    assert store.cylinder("c3") == old[2]
    await store.close()


async def test_a_replacement_removes_everything_else(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    old = [Cylinder(f"c{n}", tag_uids=(f"AA0{n}",)) for n in range(4)]
    await store.import_cylinders(old, replace=False)
    counts = await store.import_cylinders([old[1], Cylinder("new")], replace=True)
    assert counts == ImportCounts(added=1, updated=0, unchanged=1, removed=3)
    assert [store.cylinder(f"c{n}") is not None for n in range(4)] == [False, True, False, False]
    assert [len(store.cylinders_by_uid(f"AA0{n}")) for n in range(4)] == [0, 1, 0, 0]
    await store.close()


async def test_columns_that_a_file_does_not_have_stay(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    held = Cylinder("c1", tag_uids=("AA01",), hold="recall", fills_allowed=9)
    await store.import_cylinders([held], replace=False)
    partial = [Cylinder("c1", maker="M"), Cylinder("c2", maker="N")]
    await store.import_cylinders(partial, replace=False, columns=("code", "maker"))
    assert store.cylinder("c1") == replace(held, maker="M")
    assert store.cylinders_by_uid("AA01") == (replace(held, maker="M"),)
    assert store.cylinder("c2") == partial[1]
    only_codes = [Cylinder("c1"), Cylinder("c3")]
    counts = await store.import_cylinders(only_codes, replace=False, columns=("code",))
    assert counts == ImportCounts(added=1, updated=0, unchanged=1, removed=0)
    await store.close()


async def test_an_unknown_count_of_fills_does_not_reset_the_stations_own(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.import_cylinders([Cylinder("c1")], replace=False)
    await store.append(draft(counts_fill_of="c1"))
    for whole in (False, True):
        await store.import_cylinders([Cylinder("c1", maker="M")], replace=whole)
        assert store.cylinder("c1") == Cylinder("c1", maker="M", fills_done=1)
    await store.import_cylinders([Cylinder("c1", fills_done=0)], replace=False)
    assert store.cylinder("c1") == Cylinder("c1", fills_done=0)
    assert store.last_filled("rig-1") == "c1"
    await store.close()


async def test_an_import_beside_the_daemon_is_seen_at_once(tmp_path: Path) -> None:
    store = open_store(tmp_path, busy_ms=5_000)
    entries = [Cylinder(f"c{n}", tag_uids=(f"{n:08X}",)) for n in range(20_000)]

    async def fill() -> None:
        for _ in range(200):
            await store.append(draft())

    _, counts = await asyncio.gather(
        fill(),
        asyncio.to_thread(
            beside.import_cylinders, store.path, entries, station_id=STATION, replace=True
        ),
    )
    assert counts == ImportCounts(added=20_000, updated=0, unchanged=0, removed=0)
    assert store.cylinders_by_uid("00004E1F") == (entries[-1],)
    assert chain_breaks(store) == []
    await store.close()


async def test_an_import_makes_the_store_that_the_daemon_then_owns(tmp_path: Path) -> None:
    path = tmp_path / "gatewayd.db"
    beside.import_cylinders(path, [Cylinder("c1")], station_id=STATION, replace=False)
    with pytest.raises(StoreError, match="belongs to station 3701000042, the config says other"):
        beside.import_cylinders(path, [Cylinder("c2")], station_id="other", replace=True)
    store = open_store(tmp_path)
    assert store.cylinder("c1") == Cylinder("c1")
    await store.close()


async def test_an_import_that_does_not_fit_changes_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.import_cylinders([Cylinder("c1")], replace=False)
    many = [Cylinder(f"{n:010}", hold="h" * 200) for n in range(20_000)]
    with pytest.raises(StoreError, match="full"):
        beside.import_cylinders(store.path, many, station_id=STATION, replace=True, quota_mb=2)
    assert (store.cylinder_count(), store.cylinder("c1")) == (1, Cylinder("c1"))
    await store.append(draft())
    await store.close()


async def test_a_smaller_archive_makes_room_again(tmp_path: Path) -> None:
    store = open_store(tmp_path, quota_mb=3)
    many = [Cylinder(f"{n:010}", hold="h" * 200) for n in range(5_000)]
    await store.import_cylinders(many, replace=False)
    await _fill_up(store)
    await store.import_cylinders(many[:10], replace=True)
    assert store.healthy
    await store.close()


async def _fill_up(store: Store) -> None:
    while store.healthy:
        await store.append(draft("alarm", data={"text": "x" * 40_000}))


async def test_dead_letters_are_released_from_beside_the_daemon(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for _ in range(3):
        await store.append(draft())
    await store.acknowledge("platform", 3, dead=[(1, "no"), (3, "no")])
    with pytest.raises(AssertionError):
        await store.acknowledge("platform", 4)

    def ask(upstream: str | None, *sequences: int) -> int:
        return beside.retry_dead(
            store.path, station_id=STATION, upstream=upstream, sequences=sequences
        )

    assert (ask("other"), ask("platform", 2), ask("platform", 3), ask(None)) == (0, 0, 1, 1)
    assert [record.sequence for record in store.dead_to_retry("platform")] == [1, 3]
    await store.settle_retried("platform", [1], dead=[(3, "still no")])
    (letter,) = store.dead_letters("platform")
    assert (letter.sequence, letter.reason, letter.retrying) == (3, "still no", False)
    await store.close()


def test_an_old_reader_never_sees_half_an_import(tmp_path: Path) -> None:
    path = tmp_path / "gatewayd.db"
    first = [Cylinder(f"a{n}") for n in range(1_000)]
    beside.import_cylinders(path, first, station_id=STATION, replace=False)
    reader = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    reader.execute("BEGIN")
    count = "SELECT count(*) FROM cylinders"
    assert reader.execute(count).get == 1_000
    beside.import_cylinders(path, [Cylinder("b")], station_id=STATION, replace=True)
    assert reader.execute(count).get == 1_000
    reader.execute("COMMIT")
    assert reader.execute(count).get == 1
    reader.close()

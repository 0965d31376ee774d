"""A code or tag that was scrapped or replaced never names a cylinder again (cylinders.md §3.2)."""

from dataclasses import replace
from pathlib import Path

import pytest

from gatewayd.clock import ManualClock
from gatewayd.errors import RejectedError
from gatewayd.store import beside
from gatewayd.store.model import Cylinder, ImportCounts
from gatewayd.store.reads import Reader, Reads
from gatewayd.store.staging import Staging
from tests.support.stores import NOON, STATION, open_store

OLD = Cylinder("c1", tag_uids=("aa:01", "AA02"), status="in_use")
SCRAPPED = replace(OLD, status="scrapped")
BOTH_WAYS = pytest.mark.parametrize("direct_max", [0, 100])


def _import(
    folder: Path, *entries: Cylinder, direct_max: int = 100, whole: bool = False, reuse: str = ""
) -> ImportCounts:
    path = folder / "gatewayd.db"
    with Staging.open(path) as staging:
        staging.add_cylinders(entries)
        staging.seal()
        options = beside.ImportOptions(
            STATION, replace=whole, direct_max=direct_max, origin="a.csv", reuse=reuse
        )
        return beside.import_staged(staging, options, clock=ManualClock(NOON))


def _retired(store: Reads, *values: str) -> list[str]:
    kinds = [(kind, value) for kind in ("code", "uid") for value in values]
    found = (store.retired(kind, value) for kind, value in kinds)
    return [each.value for each in found if each is not None]


@BOTH_WAYS
@pytest.mark.parametrize("status", ["scrapped", "cancelled"])
def test_what_ends_is_retired_with_its_tags(tmp_path: Path, direct_max: int, status: str) -> None:
    _import(tmp_path, OLD, Cylinder("c2", tag_uids=("AA03",), status="lost"))
    _import(tmp_path, replace(OLD, status=status), direct_max=direct_max)
    with Reader.open(tmp_path / "gatewayd.db") as store:
        assert _retired(store, "c1", "AA01", "AA02", "c2", "AA03") == ["c1", "AA01", "AA02"]
        found = store.retired("uid", "AA01")
        assert found is not None
        assert (found.code, found.reason, found.retired_at) == ("c1", status, NOON)


@BOTH_WAYS
def test_a_recoded_cylinder_retires_its_old_code_and_not_its_tag(
    tmp_path: Path, direct_max: int
) -> None:
    _import(tmp_path, OLD, Cylinder("sold", tag_uids=("AA09",)))
    _import(tmp_path, replace(OLD, code="c9"), whole=True, direct_max=direct_max)
    with Reader.open(tmp_path / "gatewayd.db") as store:
        assert _retired(store, "c1", "c9", "sold", "AA01", "AA02", "AA09") == ["c1"]


@BOTH_WAYS
def test_a_file_that_uses_something_retired_again_is_refused_with_row_and_column(
    tmp_path: Path, direct_max: int
) -> None:
    _import(tmp_path, SCRAPPED)
    news = (Cylinder("c0"), OLD, Cylinder("c2", tag_uids=("AA-02",), status="in_use"))
    with pytest.raises(RejectedError) as refused:
        _import(tmp_path, *news, direct_max=direct_max)
    first, second, last = str(refused.value).splitlines()
    assert first.startswith("a.csv:row 2, column code: c1 was retired with cylinder c1 (scrapped)")
    assert second.startswith("a.csv:row 3, column tag_uids: AA02 was retired with cylinder c1")
    assert "--reuse-retired" in first
    assert last == "a.csv: nothing was imported; rows with a retired code or tag: 2"
    with Reader.open(tmp_path / "gatewayd.db") as store:
        assert [each.code for each in store.cylinders()] == ["c1"]


@BOTH_WAYS
def test_a_person_may_take_it_back_and_may_end_it_again(tmp_path: Path, direct_max: int) -> None:
    _import(tmp_path, SCRAPPED)
    _import(tmp_path, OLD, direct_max=direct_max, reuse="scrapped by mistake, see letter 7")
    with Reader.open(tmp_path / "gatewayd.db") as store:
        assert _retired(store, "c1", "AA01", "AA02") == []
        assert store.cylinder("c1") == OLD
    _import(tmp_path, OLD, direct_max=direct_max)
    _import(tmp_path, SCRAPPED, direct_max=direct_max)
    with Reader.open(tmp_path / "gatewayd.db") as store:
        assert _retired(store, "c1", "AA01", "AA02") == ["c1", "AA01", "AA02"]


def test_what_stays_ended_may_be_imported_again_and_again(tmp_path: Path) -> None:
    for _ in range(2):
        assert _import(tmp_path, SCRAPPED, whole=True).retired == 0


async def test_an_upstream_is_told_and_the_code_stays_retired(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.import_cylinders([SCRAPPED], replace=False)
    counts = await store.import_cylinders([OLD, Cylinder("c2")], replace=False)
    assert (counts.updated, counts.added, counts.retired) == (1, 1, 1)
    assert _retired(store, "c1", "AA02") == ["c1", "AA02"]
    taken = await store.import_cylinders([Cylinder("c3", tag_uids=("aa 01",))], replace=False)
    assert taken.retired == 1
    await store.close()


async def test_removing_an_ended_entry_does_not_free_its_code(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.import_cylinders([SCRAPPED], replace=False)
    await store.import_cylinders([Cylinder("c2")], replace=True)
    assert (await store.import_cylinders([OLD], replace=False)).retired == 1
    await store.close()
    again = open_store(tmp_path)
    assert _retired(again, "c1", "AA01") == ["c1", "AA01"]
    await again.close()

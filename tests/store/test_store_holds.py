"""Holds: a held cylinder stays held until somebody releases it, whatever is imported."""

from pathlib import Path

from gatewayd.store import beside
from gatewayd.store.holds import FROM_IMPORT, REPLACED
from gatewayd.store.model import Cylinder, Hold
from gatewayd.store.staging import Staging
from gatewayd.store.store import Store
from tests.support.stores import NOON, STATION, open_store

BY = "market supervision"


async def _with_one(folder: Path, *, maker: str | None = None, hold: str | None = None) -> Store:
    store = open_store(folder)
    await store.import_cylinders([Cylinder("c1", maker=maker, hold=hold)], replace=True)
    return store


def _held(store: Store, code: str = "c1") -> str | None:
    cylinder = store.cylinder(code)
    assert cylinder is not None
    return cylinder.hold


async def test_a_hold_ends_with_its_release_and_both_are_kept(tmp_path: Path) -> None:
    store = await _with_one(tmp_path, maker="M")
    assert await store.hold("c1", "recall", by=BY)
    assert _held(store) == "recall"
    assert store.holds("c1") == (Hold("c1", "recall", BY, NOON),)
    assert await store.release("c1", by="inspector 7", reason="repaired")
    assert store.cylinder("c1") == Cylinder("c1", maker="M")
    ended = Hold("c1", "recall", BY, NOON, "inspector 7", NOON, "repaired")
    assert store.holds("c1") == (ended,)
    assert not await store.release("c1", by=BY)
    await store.close()


async def test_another_reason_takes_the_place_of_the_last_one(tmp_path: Path) -> None:
    store = await _with_one(tmp_path)
    for reason in ("recall", "recall", "theft"):
        await store.hold("c1", reason, by=BY)
    assert _held(store) == "theft"
    first, second = store.holds("c1")
    assert (first.reason, first.release_reason) == ("recall", REPLACED)
    assert (second.reason, second.released_at) == ("theft", None)
    await store.close()


async def test_no_import_ends_or_overrides_a_hold(tmp_path: Path) -> None:
    store = await _with_one(tmp_path)
    await store.hold("c1", "recall", by=BY)
    for whole in (False, True):
        for said in (None, "another"):
            for direct_max in (0, 10):
                with Staging.open(store.path) as staging:
                    staging.add_cylinders([Cylinder("c1", maker=str(said), hold=said)])
                    staging.seal()
                    options = beside.ImportOptions(STATION, replace=whole, direct_max=direct_max)
                    beside.import_staged(staging, options, clock=store._clock)
                assert _held(store) == "recall"
    await store.import_cylinders([Cylinder("c1")], replace=False)
    assert _held(store) == "recall"
    await store.release("c1", by=BY)
    await store.import_cylinders([Cylinder("c1", hold="from file")], replace=False)
    assert _held(store) == "from file"
    await store.close()


async def test_a_cylinder_is_held_before_and_after_the_archive_knows_it(tmp_path: Path) -> None:
    store = await _with_one(tmp_path)
    assert not await store.hold("c2", "stolen", by=BY)
    await store.import_cylinders([Cylinder("c2")], replace=True)
    assert _held(store, "c2") == "stolen"
    await store.import_cylinders([Cylinder("c1")], replace=True)
    await store.import_cylinders([Cylinder("c2")], replace=True)
    assert _held(store, "c2") == "stolen"
    await store.close()


async def test_a_hold_from_a_file_is_released_and_remembered_too(tmp_path: Path) -> None:
    store = await _with_one(tmp_path, hold="from file")
    assert await store.release("c1", by=BY, reason="settled")
    assert _held(store) is None
    (kept,) = store.holds("c1")
    assert (kept.reason, kept.held_by, kept.release_reason) == ("from file", FROM_IMPORT, "settled")
    await store.close()

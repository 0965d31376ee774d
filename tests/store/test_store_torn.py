"""A log torn in its middle: nothing durable is missed, and tables from before the tear are not believed."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from gatewayd.cli.root import main
from gatewayd.errors import StoreError
from gatewayd.ids import new_id
from gatewayd.store import copying, orders
from gatewayd.store.model import Cylinder
from gatewayd.store.orders import Order
from gatewayd.store.reads import Reader
from gatewayd.store.store import Store
from gatewayd.store.verifying import TORN, verify
from tests.support.damage import DB, PAGE, reopen
from tests.support.shapes import against_record
from tests.support.stores import NOON, draft, open_store, permit

FRAME = 24 + PAGE


def _copied(folder: Path) -> Path:
    """What a power cut leaves of a store that is open."""
    (folder / "copy").mkdir()
    for piece in ("", "-wal"):
        shutil.copyfile(folder / f"{DB}{piece}", folder / "copy" / f"{DB}{piece}")
    return folder / "copy"


def _log(folder: Path) -> Path:
    return folder / f"{DB}-wal"


def _frames(folder: Path) -> int:
    return (_log(folder).stat().st_size - 32) // FRAME


def _spoil(folder: Path, frame: int, *, from_byte: int = 512, size: int = 512) -> None:
    """A sector in the page of a frame is noise, or more of it."""
    with _log(folder).open("r+b") as file:
        file.seek(32 + frame * FRAME + 24 + from_byte)
        file.write(b"\xa5" * size)


async def _store_with(folder: Path) -> Store:
    store = open_store(folder)
    data = {"net_g": 1, "permit_no": 3, "total_after_g": 1_000}
    await store.append(draft(data=data, total_after_g=1_000))
    return store


async def test_commits_without_a_record_behind_the_tear_prove_that_it_is_one(
    tmp_path: Path,
) -> None:
    store = await _store_with(tmp_path)
    torn = _frames(tmp_path)
    await store.append(draft(data={"net_g": 2}))
    await store.set_total_g("rig-2", 5)
    copy = _copied(tmp_path)
    await store.close()
    _spoil(copy, torn)
    with pytest.raises(StoreError, match="its log is torn: 2 commits"):
        open_store(copy)


async def test_verify_says_that_a_log_is_torn(tmp_path: Path) -> None:
    """What SQLite still reads of it fits, and would be told as whole."""
    store = await _store_with(tmp_path)
    torn = _frames(tmp_path)
    for _ in range(2):
        await store.append(draft())
    copy = _copied(tmp_path)
    with Reader.open(tmp_path / DB) as beside:
        assert verify(beside).ok
    await store.close()
    with Reader.open(copy / DB) as reader:
        assert verify(reader).ok
    _spoil(copy, torn)
    for piece in copy.glob("*-shm"):
        piece.unlink()
    with Reader.open(copy / DB) as reader:
        assert (verify(reader).head.sequence, verify(reader).problem) == (1, TORN)


async def test_a_copy_without_its_log_says_so(tmp_path: Path) -> None:
    store = await _store_with(tmp_path)
    copy = _copied(tmp_path)
    for piece in copy.glob("*-*"):
        piece.unlink()
    copying.back_up(tmp_path / DB, tmp_path / "backup.db")
    await store.close()
    for words in (["verify", "--store"], ["salvage"]):
        for _ in range(2):  # SQLite has made an empty one by then
            told = CliRunner().invoke(main, ["records", *words, str(copy / DB)])
            assert f"its log, {copy / DB}-wal, is not beside it" in told.output
        whole = CliRunner().invoke(main, ["records", *words, str(tmp_path / "backup.db")])
        assert "is not beside it" not in whole.output


async def test_one_torn_commit_is_what_a_power_cut_leaves(tmp_path: Path) -> None:
    store = await _store_with(tmp_path)
    torn = _frames(tmp_path)
    await store.append(draft(data={"net_g": 2, "text": "x" * 9_000}))
    copy = _copied(tmp_path)
    await store.close()
    assert _frames(copy) > torn + 2
    for frame in range(torn, _frames(copy)):
        again = tmp_path / f"again-{frame}"
        shutil.copytree(copy, again)
        _spoil(again, frame)
        opened = open_store(again)
        assert opened.last_sequence() == 1
        await opened.close()


async def test_the_totaliser_follows_the_records_from_behind_the_tear(tmp_path: Path) -> None:
    store = await _store_with(tmp_path)
    torn = _frames(tmp_path)
    for total_g in (1_500, 2_100):
        data = {"net_g": 500, "permit_no": 4, "total_after_g": total_g}
        await store.append(draft(data=data, total_after_g=total_g))
    copy = _copied(tmp_path)
    await store.close()
    _spoil(copy, torn)
    fresh = reopen(copy)
    assert fresh.last_total_g("rig-1") == 2_100
    await fresh.issue(permit("rig-1", fresh.last_permit_no("rig-1") + 1))
    assert [each.permit_no for each in fresh.pending_permits("rig-1")] == [5]
    await fresh.close()


async def test_the_number_of_a_record_that_a_tear_took_is_not_given_again(tmp_path: Path) -> None:
    store = await _store_with(tmp_path)
    torn = _frames(tmp_path)
    taken = await store.append(draft(data={"net_g": 2}))
    behind = _frames(tmp_path)
    await store.set_total_g("rig-2", 5)
    await store.set_total_g("rig-2", 6)
    copy = _copied(tmp_path)
    await store.close()
    for frame in range(torn, behind):
        _spoil(copy, frame, from_byte=0, size=PAGE)
    fresh = reopen(copy)
    (alarm,) = (a for a in fresh.alarms(standing=True) if a.kind == "store_damaged")
    assert not alarm.values["last_sequence_sure"]
    (lost,) = alarm.values["lost"]
    assert lost[0] <= taken.sequence <= lost[1]
    assert taken.sequence not in {record.sequence for record in fresh.records()}
    await fresh.close()


async def test_what_was_written_behind_the_tear_is_not_believed_as_it_was_before(
    tmp_path: Path,
) -> None:
    store = await _store_with(tmp_path)
    await store.import_cylinders([Cylinder("0000000007")], replace=True)
    await store.issue(permit())
    torn = _frames(tmp_path)
    await store.order(orders.lock, Order(new_id(), "rig-2", "leak", "the bureau", "cli", NOON))
    await store.order(
        orders.hold, Order(new_id(), "0000000007", "recall", "the bureau", "cli", NOON)
    )
    await store.issue(permit("rig-2"))
    copy = _copied(tmp_path)
    await store.close()
    _spoil(copy, torn)
    fresh = reopen(copy)
    assert {lock.rig_id for lock in fresh.rig_locks()} == {"rig-1", "rig-2"}
    assert fresh.cylinder_count() == 0
    (alarm,) = (a for a in fresh.alarms(standing=True) if a.kind == "store_damaged")
    assert alarm.values["not_taken_over"] == ["archive", "locks"]
    assert alarm.values["from_before_the_tear"] == ["rigs"]
    assert "from before the tear: rigs" in alarm.detail
    told = [r for r in fresh.records() if r.kind == "lock" or "store_damaged" in r.body]
    assert len(told) >= 3
    assert [each for record in told for each in against_record(record.body)] == []
    assert len(fresh.pending_permits("rig-1")) == 1
    assert fresh.pending_permits("rig-2") == ()
    await fresh.close()

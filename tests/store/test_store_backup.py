"""Backup beside a running store, and restore: nothing numbered twice, nothing delivered forgotten."""

import asyncio
import contextlib
import json
import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import apsw
import pytest
from click.testing import CliRunner, Result

from gatewayd.alarms import damage
from gatewayd.cli.root import main
from gatewayd.errors import StoreError
from gatewayd.ids import new_id
from gatewayd.store import beside, copying, orders, people, restoring
from gatewayd.store.chain import Issuer
from gatewayd.store.model import Cylinder
from gatewayd.store.people_model import Check, Operator, Session
from gatewayd.store.reads import Reader
from gatewayd.store.rebirth import SEQUENCES_SKIPPED
from gatewayd.store.restoring import Restored, Restoring
from gatewayd.store.store import Store
from gatewayd.store.verifying import Verified, verify
from tests.support.damage import DB, RIGS, garbled
from tests.support.stores import NOON, STATION, ZONE, draft, open_store, permit

CONFIG = f"""\
station: {{id: "{STATION}", name: 示范站, region: "370100", media: [LPG]}}
store: {{path: gatewayd.db, quota_mb: 64}}
"""
ISSUER = Issuer(STATION, ZONE)
NO_BACKUP = r"bad\.db: no sound backup \(.+\); nothing was changed"
NOBODY = 65_534


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "gateway.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def _run(site: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "-c", str(site)])


def _json(site: Path, *words: str) -> dict[str, Any]:
    result = _run(site, *words, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def _restore(site: Path, backup: Path, issuer: Issuer = ISSUER) -> Restored:
    return restoring.restore(
        site / DB,
        backup,
        issuer=issuer,
        at=NOON,
        way=Restoring(
            lambda found: damage.restored(found, STATION, by="li"), damage.remedy(STATION, RIGS)
        ),
    )


def _files(folder: Path, begin: str) -> list[Path]:
    return list(folder.glob(f"{begin}*"))


def _verified(path: Path) -> Verified:
    with Reader.open(path) as reader:
        return verify(reader)


async def test_a_backup_beside_commits_is_of_one_moment(site: Path) -> None:
    store = open_store(site)
    await store.import_cylinders(
        [Cylinder(f"c{n}", maker="m" * 300) for n in range(8_000)], replace=False
    )
    for _ in range(20):
        await store.append(draft())
    stop = asyncio.Event()

    async def commit() -> int:
        count = 0
        while not stop.is_set():
            await store.append(draft())
            count += 1
        return count

    async with asyncio.TaskGroup() as group:
        committing = group.create_task(commit())
        done = await asyncio.to_thread(copying.back_up, site / DB, site / "copy.db")
        stop.set()
    assert committing.result() > 0
    assert 20 <= done.records < store.last_sequence()
    assert _files(site, "copy.db-") == []
    found = _verified(site / "copy.db")
    assert (found.ok, found.records, found.head) == (True, done.records, done.head)
    await store.close()


async def test_a_backup_is_named_and_never_written_over(site: Path) -> None:
    await open_store(site).close()
    told = _json(site, "backup", "--to", str(site / "b.db"))
    assert (told["records"], told["last_sequence"]) == (0, 0)
    again = _run(site, "backup", "--to", str(site / "b.db"))
    assert (again.exit_code, "exists already" in again.output) == (3, True)
    assert Path(_json(site, "backup")["file"]).name.startswith(f"{DB}.backup-")


async def test_a_medium_that_is_not_there_is_told(site: Path) -> None:
    await open_store(site).close()
    file = site / "a-file"
    file.touch()
    for folder, why in ((site / "no-stick", "No such file"), (file, "Not a dir")):
        told = _run(site, "backup", "--to", str(folder / "b.db"))
        assert told.exit_code == 3, told.output
        assert told.output.startswith(f"{folder / 'b.db'}: cannot be written: ")
        assert why in told.output


async def _life(site: Path) -> None:
    """A backup in the middle of a life; a hold, a lock, records and a fill came after it."""
    store = open_store(site)
    await store.import_cylinders([Cylinder("c1"), Cylinder("c2")], replace=False)
    first = permit()
    await store.issue(first)
    for n in range(5):
        await store.append(draft(total_after_g=n))
    await store.acknowledge("platform", 4)
    await asyncio.to_thread(copying.back_up, site / DB, site / "backup.db")
    await store.resolve(first.id, "posted", draft(record_id=first.record_id, total_after_g=9_000))
    await store.import_cylinders([Cylinder("wrong")], replace=True)
    await store.hold("c1", "recall", by="bureau")
    await store.order(orders.lock, orders.Order("x" * 8, "rig-2", "hose", "li", "cli", NOON))
    await store.append(draft())
    await store.acknowledge("platform", 8)
    await store.close()


async def test_what_is_newer_in_the_replaced_store_comes_over(site: Path) -> None:
    await _life(site)
    before = (site / DB).read_bytes()
    with Reader.open(site / DB) as reader:
        bodies = [record.body for record in reader.records()]
    told = _json(site, "restore", str(site / "backup.db"), "--by", "li")
    assert (told["backup_through"], told["replaced_records"]) == (5, len(bodies) - 5)
    assert (told["lost"], told["not_taken_over"]) == ([], [])
    assert (site / told["replaced"]).read_bytes() == before
    assert _verified(site / DB).ok
    store = open_store(site)
    assert [record.body for record in store.records()][: len(bodies)] == bodies
    assert [one.code for one in store.cylinders()] == ["c1", "c2"], "the backup's archive"
    held = store.cylinder("c1")
    assert held is not None
    assert held.hold == "recall", "a hold that came after the backup still stops the cylinder"
    assert [lock.rig_id for lock in store.rig_locks()] == ["rig-2"]
    assert store.pending_permits("rig-1") == ()
    assert (store.last_total_g("rig-1"), store.cursor("platform")) == (9_000, 8)
    (alarm,) = store.alarms(standing=True)
    assert (alarm.kind, alarm.values["by"]) == ("store_restored", "li")
    assert (await store.append(draft())).sequence == len(bodies) + 2
    await store.close()


def _check(*failed: str) -> Check:
    until = NOON + timedelta(minutes=30)
    return Check(
        *("c1", "valve", "prefill", "rig-1", new_id(), NOON, until), failed, facts={}, operator=None
    )


async def _answered(store: Store, check: Check) -> None:
    told = draft("check")
    await store.commit(lambda file, issuer: people.answer(file, issuer, check, "cylinder", told))


async def test_a_restore_lets_no_check_pass_that_has_failed_since(site: Path) -> None:
    store = open_store(site)
    await _answered(store, _check())
    await asyncio.to_thread(copying.back_up, site / DB, site / "backup.db")
    await _answered(store, _check("leaks"))
    await store.close()
    _restore(site, site / "backup.db")
    store = open_store(site)
    assert [check.failed for check in store.checks("c1")] == [("leaks",)]
    await store.close()


async def _employ(store: Store, *ids: str) -> None:
    all_of_them = [Operator(each, each) for each in ids]
    await store.commit(lambda file, _: people.upsert_operators(file, all_of_them, replace=True))


async def _log_in(store: Store, rig_id: str, who: str) -> None:
    here = Session(rig_id, who, who, None, NOON, NOON + timedelta(hours=8), "card")
    told = draft("session", rig_id=rig_id)
    await store.commit(lambda file, issuer: people.log_in(file, issuer, here, told))


async def test_a_restore_forgets_no_fill_of_a_cylinder_that_may_be_filled_so_often(
    site: Path,
) -> None:
    store = open_store(site)
    cylinders = [Cylinder(code, fills_allowed=100, fills_done=97) for code in ("c1", "c2", "c3")]
    await store.import_cylinders(cylinders, replace=False)
    await asyncio.to_thread(copying.back_up, site / DB, site / "backup.db")
    for code in ("c1", "c1", "c1", "c2"):
        await store.append(draft(data={"cylinder": {"code": code}}, counts_fill_of=code))
    await store.import_cylinders([Cylinder("wrong")], replace=True)
    await store.close()
    _restore(site, site / "backup.db")
    store = open_store(site)
    done = {one.code: one.fills_done for one in store.cylinders()}
    await store.close()
    assert done == {"c1": 100, "c2": 98, "c3": 97}


async def test_a_restore_logs_nobody_in_again(site: Path) -> None:
    store = open_store(site)
    await _employ(store, "li")
    await _log_in(store, "rig-1", "li")
    await asyncio.to_thread(copying.back_up, site / DB, site / "backup.db")
    told = draft("session")
    await store.commit(lambda file, issuer: people.log_out(file, issuer, told))
    await _employ(store, "li", "he")
    await _log_in(store, "rig-2", "li")
    await _log_in(store, "rig-3", "he")
    await store.close()
    _restore(site, site / "backup.db")
    store = open_store(site)
    here = [rig for rig in ("rig-1", "rig-2", "rig-3") if store.session(rig) is not None]
    assert here == ["rig-2"], "who logged out stays out, and who is not listed any more is out"
    await store.close()


@pytest.mark.parametrize("how", ["gone", "unreadable"])
async def test_without_the_replaced_store_no_sequence_is_used_twice(site: Path, how: str) -> None:
    await _life(site)
    if how == "gone":
        for file in _files(site, DB):
            file.unlink()
    else:
        for page in (1, 4, 5):
            garbled(site / DB, page)
        (site / DB).write_bytes((site / DB).read_bytes()[:4_096])
    done = _restore(site, site / "backup.db")
    assert done.replaced_records == 0
    assert done.carried.lost == ((6, 5 + SEQUENCES_SKIPPED),)
    store = open_store(site)
    assert [right.rig_id for right in store.pending_permits("rig-1")] == ["rig-1"]
    locked = 0 if how == "gone" else len(RIGS)  # Each lock is a record.
    assert (await store.append(draft())).sequence == 5 + SEQUENCES_SKIPPED + 2 + locked
    assert store.waiting(store.cursor("platform")) == 3 + locked
    await store.close()
    assert _verified(site / DB).problem is None


async def test_a_log_whose_file_is_gone_is_put_aside_and_read(site: Path) -> None:
    """Left where it lay, SQLite would take it for the log of the backup and write it over that."""
    await _life(site)
    store = open_store(site)
    made = [await store.append(draft()) for _ in range(3)]
    (site / "dead").mkdir()
    shutil.copy(site / f"{DB}-wal", site / "dead")
    await store.close()
    done = _restore(site / "dead", site / "backup.db")
    assert (done.replaced is not None, done.locked) == (True, RIGS)
    assert _files(site / "dead", f"{DB}-wal") == []
    assert _files(site / "dead", f"{done.replaced}-wal")
    store = open_store(site / "dead")
    assert [store.record(record.id) for record in made] == made
    await store.close()
    assert _verified(site / "dead" / DB).problem is None


async def test_a_store_that_is_no_continuation_is_not_mixed_in(site: Path) -> None:
    await _life(site)
    (site / "other").mkdir()
    store = open_store(site / "other")
    for _ in range(7):
        await store.append(draft())
    await store.acknowledge("platform", 7, dead=[(7, "refused")])
    await store.close()
    done = _restore(site / "other", site / "backup.db")
    assert done.carried.lost == ((6, 7),)
    await open_store(site / "other").close()
    assert _verified(site / "other" / DB).problem is None


async def test_over_a_store_without_records_nothing_is_lost(site: Path) -> None:
    await open_store(site).close()
    copying.back_up(site / DB, site / "backup.db")
    told = _run(site, "restore", str(site / "backup.db"), "--by", "li")
    assert told.exit_code == 0, told.output
    assert "lost" not in told.output
    assert "left out" not in told.output
    assert _verified(site / DB).ok


async def test_what_is_left_out_is_not_told_as_lost(site: Path) -> None:
    await _life(site)
    for file in _files(site, DB):
        file.unlink()
    told = _run(site, "restore", str(site / "backup.db"), "--by", "li")
    assert "lost:" not in told.output
    assert f"left out: 6 to {5 + SEQUENCES_SKIPPED}, so that no number is used twice" in told.output
    store = open_store(site)
    (alarm,) = (a for a in store.alarms(standing=True) if a.kind == "store_restored")
    await store.close()
    assert "缺失 / lost: -; 跳过的编号" in alarm.detail
    assert alarm.values["left_out"] == [6, 5 + SEQUENCES_SKIPPED]
    checked = _run(site, "records", "verify")
    assert checked.exit_code == 1
    assert f"6 to {5 + SEQUENCES_SKIPPED}: left out when a backup took an empty" in checked.output


async def test_where_the_replaced_store_cannot_say_what_was_forbidden_every_rig_is_locked(
    site: Path,
) -> None:
    await _life(site)
    assert _restore(site, site / "backup.db").locked == (), "all of it could be read"
    with (site / DB).open("r+b") as file:
        file.write(bytes(4_096))
    done = _restore(site, site / "backup.db")
    assert {"locks", "lives", "checks"} <= set(done.carried.groups_lost)
    assert done.locked == RIGS
    store = open_store(site)
    assert {lock.rig_id for lock in store.rig_locks()} == set(RIGS)
    assert [record.kind for record in store.records()][-len(RIGS) :] == ["lock", "lock"]
    await store.close()


async def test_a_backup_that_was_copied_into_place_is_told_and_restored(site: Path) -> None:
    """It would give numbers again that platforms have."""
    await _life(site)
    for file in _files(site, DB):
        file.unlink()
    shutil.copy(site / "backup.db", site / DB)
    with pytest.raises(StoreError, match="move it elsewhere, then `gatewayd restore FILE"):
        open_store(site)
    csv = site / "c.csv"
    csv.write_text("code\nc9\n", encoding="utf-8")
    told = _run(site, "import", "cylinders", str(csv))
    assert (told.exit_code, "a backup that was copied into the place" in told.output) == (3, True)
    (site / DB).rename(site / "moved.db")
    _restore(site, site / "moved.db")
    await open_store(site).close()


async def test_the_store_itself_is_no_backup(site: Path) -> None:
    await _life(site)
    before = (site / DB).read_bytes()
    with pytest.raises(StoreError, match="that is the store itself"):
        _restore(site, site / DB)
    assert (site / DB).read_bytes() == before


async def test_a_bad_backup_changes_nothing(site: Path) -> None:
    await _life(site)
    before = (site / DB).read_bytes()
    bad = site / "bad.db"
    bad.write_bytes((site / "backup.db").read_bytes())
    garbled(bad, 5)
    with pytest.raises(StoreError, match=NO_BACKUP):
        _restore(site, bad)
    for text in ("", "line after line of text\n" * 400):
        bad.write_text(text)
        with pytest.raises(StoreError, match=NO_BACKUP):
            _restore(site, bad)
    shutil.copy(site / "backup.db", bad)
    with contextlib.closing(apsw.Connection(str(bad))) as newer:
        newer.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    with pytest.raises(StoreError, match=r"bad\.db: written by a newer gatewayd \(schema 99"):
        _restore(site, bad)
    with pytest.raises(StoreError, match="belongs to station"):
        _restore(site, site / "backup.db", Issuer("1", ZONE))
    store = open_store(site)
    with pytest.raises(StoreError, match="in use by process"):
        _restore(site, site / "backup.db")
    await store.close()
    assert (site / DB).read_bytes() == before
    assert _files(site, f"{DB}.replaced-") + _files(site, f"{DB}.fresh") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root leaves what others cannot use")
async def test_what_root_makes_in_the_folder_of_the_daemon_is_the_daemons(site: Path) -> None:
    os.chown(site, NOBODY, NOBODY)
    beside.import_cylinders(site / DB, [Cylinder("c1")], station_id=STATION, replace=False)
    copying.back_up(site / DB, site / "backup.db")
    _restore(site, site / "backup.db")
    made = {file.name: file.stat().st_uid for file in _files(site, DB)}
    assert {f"{DB}", f"{DB}.lock", f"{DB}.import-lock"} < made.keys()
    assert set(made.values()) == {NOBODY}, made

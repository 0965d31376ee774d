"""Faults: full, locked, damaged, foreign, newer, owned: named, survived, and never papered over."""

import asyncio
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import apsw
import pytest
import rfc8785

from gatewayd.clock import ManualClock
from gatewayd.errors import StoreError
from gatewayd.store import database
from gatewayd.store.model import Cylinder
from gatewayd.store.reads import Reader
from gatewayd.store.store import Store
from gatewayd.store.writer import BATCH_MAX, JOBS_WAITING_MAX, PROBE_S
from tests.support.disks import no_file_grows
from tests.support.stores import NOON, chain_breaks, draft, open_store, permit
from tests.support.waiting import until

DB = "gatewayd.db"
STOP_S_MAX = 5
"""What the whole daemon has for its stop (contract §10)."""


def _many(count: int) -> list[Cylinder]:
    return [Cylinder(f"{n:010}", maker="m" * 200, hold="h" * 200) for n in range(count)]


def _healthy(store: Store) -> bool:
    return store.healthy


async def _until_healthy(store: Store) -> None:
    await until(lambda: store.healthy, 20 * PROBE_S)


async def test_a_full_store_says_so_and_recovers_when_there_is_room(tmp_path: Path) -> None:
    store = open_store(tmp_path, quota_mb=2)
    right = permit()
    await store.issue(right)
    with pytest.raises(StoreError, match=r"gatewayd\.db: the store is full.*store\.quota_mb"):
        await store.import_cylinders(_many(20_000), replace=False)
    assert (_healthy(store), store.cylinder_count()) == (False, 0)
    await store.append(draft())
    assert _healthy(store)
    while _healthy(store):
        await store.append(draft("alarm", data={"text": "x" * 40_000}))
    with pytest.raises(StoreError, match="the store is full"):
        await store.append(draft("alarm", data={"text": "x" * 1_100_000}))
    assert not _healthy(store)
    await store.close()

    store = open_store(tmp_path, quota_mb=4)
    await store.append(draft())
    assert _healthy(store)
    assert chain_breaks(store) == []
    await store.close()


async def test_nothing_begins_on_the_reserve_but_what_began_can_end(tmp_path: Path) -> None:
    store = open_store(tmp_path, quota_mb=2)
    right = permit()
    await store.issue(right)
    while _healthy(store):
        await store.append(draft("alarm", data={"text": "x" * 40_000}))
    for begin in (store.issue(permit("rig-2")), store.append(draft("refusal"))):
        with pytest.raises(StoreError, match="only the reserve for open fills is left"):
            await begin
    await store.resolve(right.id, "posted", draft(record_id=right.record_id))
    await store.acknowledge("platform", store.last_sequence())
    assert store.pending_permits("rig-1") == ()
    assert not _healthy(store)
    await store.close()


async def test_an_unhealthy_store_finds_out_by_itself_that_it_is_well(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    blocker = apsw.Connection(str(tmp_path / DB))
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked by another process"):
        await store.append(draft())
    assert not _healthy(store)
    blocker.execute("ROLLBACK")
    blocker.close()
    await _until_healthy(store)
    await store.append(draft())
    assert store.last_sequence() == 1
    await store.close()


async def test_closing_does_not_wait_for_another_process(tmp_path: Path) -> None:
    store = open_store(tmp_path, busy_ms=60_000)
    blocker = apsw.Connection(str(tmp_path / DB))
    blocker.execute("BEGIN IMMEDIATE")
    told = asyncio.gather(store.append(draft()), return_exceptions=True)
    await asyncio.sleep(0)
    await until(store._writer._jobs.empty)  # taken by the writer, which now waits for the blocker
    async with asyncio.timeout(STOP_S_MAX):
        await store.close()
    (answer,) = await told
    assert "locked by another process" in str(answer)
    blocker.execute("ROLLBACK")
    blocker.close()


async def test_every_waiter_of_a_failed_batch_is_told(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    blocker = apsw.Connection(str(tmp_path / DB))
    blocker.execute("BEGIN IMMEDIATE")
    told = await asyncio.gather(*(store.append(draft()) for _ in range(20)), return_exceptions=True)
    assert {type(answer) for answer in told} == {StoreError}
    blocker.execute("ROLLBACK")
    blocker.close()
    await asyncio.gather(*(store.append(draft()) for _ in range(20)))
    assert chain_breaks(store) == []
    await store.close()


async def test_one_job_that_fails_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    store = open_store(tmp_path, quota_mb=3)
    answers = await asyncio.gather(
        *(store.append(draft()) for _ in range(3)),
        store.resolve("no such permit", "posted", draft()),
        store.append(draft(data={"not JSON": object()})),
        store.import_cylinders(_many(50_000), replace=False),
        *(store.append(draft()) for _ in range(3)),
        return_exceptions=True,
    )
    failed = [type(answer).__name__ for answer in answers if isinstance(answer, Exception)]
    assert failed == ["AssertionError", "CanonicalizationError", "StoreError"]
    assert store.last_sequence() == 6
    assert chain_breaks(store) == []
    await store.close()


async def test_a_job_that_fails_half_way_leaves_nothing_of_itself(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    right, broken = permit(), draft("alarm", data={"not JSON": object()})
    await store.issue(right)
    half = replace(draft(record_id=right.record_id, total_after_g=5), also=(broken,))
    whole, failed = await asyncio.gather(
        store.append(draft("alarm")),
        store.resolve(right.id, "posted", half),
        return_exceptions=True,
    )
    assert isinstance(failed, rfc8785.CanonicalizationError)
    assert store.records() == (whole,)
    assert store.pending_permits("rig-1") == (right,)
    assert store.last_total_g("rig-1") is None
    await store.resolve(right.id, "posted", replace(half, also=()))
    assert chain_breaks(store) == []
    await store.close()


async def test_writes_that_wait_together_share_a_commit(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await asyncio.gather(*(store.append(draft()) for _ in range(3 * BATCH_MAX)))
    assert store._writer.batches <= 6
    assert store.last_sequence() == 3 * BATCH_MAX
    await store.close()


async def test_more_waiting_writes_than_the_limit_are_refused_at_once(tmp_path: Path) -> None:
    store = open_store(tmp_path, busy_ms=5_000)
    blocker = apsw.Connection(str(tmp_path / DB))
    blocker.execute("BEGIN IMMEDIATE")
    writes = [store.set_total_g("rig-1", n) for n in range(JOBS_WAITING_MAX + BATCH_MAX + 1)]
    waiting = asyncio.gather(*writes, return_exceptions=True)
    await asyncio.sleep(0)
    blocker.execute("ROLLBACK")
    answers = await waiting
    refused = [str(answer) for answer in answers if "writes wait for the disk" in str(answer)]
    assert refused
    assert str(JOBS_WAITING_MAX) in refused[0]
    blocker.close()
    await store.close()


async def test_an_io_error_is_named_and_survived(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.append(draft())
    with no_file_grows():
        with pytest.raises(StoreError, match=r"gatewayd\.db: the store .*check the disk"):
            await store.append(draft(data={"text": "x" * 100_000}))
        assert not _healthy(store)
    await _until_healthy(store)
    await store.append(draft())
    assert store.last_sequence() == 2
    assert chain_breaks(store) == []
    await store.close()


async def test_how_long_commits_fail_is_told_but_not_of_what_passes(tmp_path: Path) -> None:
    clock = ManualClock(NOON)
    store = open_store(tmp_path, clock=clock)
    with no_file_grows():
        with pytest.raises(StoreError, match="check the disk"):
            await store.append(draft(data={"text": "x" * 100_000}))
        clock.advance(seconds=9)
        assert store.broken_ms() == 9_000
    await _until_healthy(store)
    assert store.broken_ms() == 0
    blocker = apsw.Connection(str(tmp_path / DB))
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked by another process"):
        await store.append(draft())
    clock.advance(seconds=9)
    assert (_healthy(store), store.broken_ms()) == (False, 0)
    blocker.close()
    await store.close()


async def test_a_full_store_that_refuses_again_and_again_is_waited_for(tmp_path: Path) -> None:
    """A rig asks each second: the store has no time to try by itself."""
    clock = ManualClock(NOON)
    store = open_store(tmp_path, quota_mb=2, clock=clock)
    while _healthy(store):
        await store.append(draft("alarm", data={"text": "x" * 40_000}))
    for _ in range(3):
        with pytest.raises(StoreError, match="only the reserve"):
            await store.append(draft("refusal"))
        clock.advance(seconds=9)
        assert (store.full, store.broken_ms()) == (True, 0)
    await store.close()


async def test_a_cancelled_writer_does_not_stop_the_others(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    async with asyncio.TaskGroup() as group:
        cancelled = group.create_task(store.append(draft()))
        kept = group.create_task(store.append(draft()))
        await asyncio.sleep(0)
        cancelled.cancel()
    assert kept.result().sequence in {1, 2}
    await store.close()


async def test_closing_commits_what_waits_and_then_refuses(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    waiting = asyncio.gather(*(store.append(draft()) for _ in range(100)))
    await asyncio.sleep(0)
    await store.close()
    assert len(await waiting) == 100
    with pytest.raises(StoreError, match="the store is closed"):
        await store.append(draft())
    await store.close()
    with Reader.open(tmp_path / DB) as reader:
        assert reader.last_sequence() == 100


async def test_a_second_daemon_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.append(draft())
    code = (
        "from pathlib import Path; from tests.support.stores import open_store; "
        f"open_store(Path({str(tmp_path)!r}))"
    )
    other = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert f"the store is in use by process {os.getpid()}; one gatewayd per store" in other.stderr
    with Reader.open(tmp_path / DB) as reader:
        assert reader.last_sequence() == 1
        await store.append(draft())
        assert reader.last_sequence() == 2
        with pytest.raises(apsw.ReadOnlyError):
            reader._read.execute("DELETE FROM cylinders")
    await store.close()
    await open_store(tmp_path).close()


def _damage_page(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek(page * 4_096)
        file.write(b"\xa5" * 4_096)


async def test_a_damaged_store_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.import_cylinders(_many(500), replace=False)
    await store.close()
    pages = (tmp_path / DB).stat().st_size // 4_096
    for page in (0, pages // 2, pages - 1):
        good = (tmp_path / DB).read_bytes()
        _damage_page(tmp_path / DB, page)
        bad = (tmp_path / DB).read_bytes()
        with pytest.raises(StoreError, match=r"gatewayd\.db: the store is damaged; .*restore"):
            open_store(tmp_path)
        assert (tmp_path / DB).read_bytes() == bad
        (tmp_path / DB).write_bytes(good)
    await open_store(tmp_path).close()


async def test_a_page_damaged_while_open_is_named_by_the_read_that_meets_it(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path)
    await store.import_cylinders(_many(5_000), replace=False)
    await store.close()
    store = open_store(tmp_path)
    for page in range(20, (tmp_path / DB).stat().st_size // 4_096):
        _damage_page(tmp_path / DB, page)
    with pytest.raises(StoreError, match=r"gatewayd\.db: the store is damaged"):
        _ = [store.cylinder(f"{n:010}") for n in range(5_000)]
    await store.close()


def _refused(folder: Path) -> str:
    with pytest.raises(StoreError) as caught:
        open_store(folder)
    return str(caught.value).replace(f"{folder}/", "")


def test_what_is_no_store_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / DB).write_bytes(b"")
    assert "gatewayd.db: the store is damaged" in _refused(tmp_path)
    (tmp_path / DB).write_bytes(b"hello, I am a text file\n" * 500)
    assert "gatewayd.db: the store is damaged" in _refused(tmp_path)
    (tmp_path / DB).unlink()
    (tmp_path / f"{DB}-wal").write_bytes(b"left over")
    assert "missing, but gatewayd.db-wal is there" in _refused(tmp_path)
    (tmp_path / f"{DB}-wal").unlink()
    other = apsw.Connection(str(tmp_path / DB))
    other.execute("CREATE TABLE t (x)")
    other.close()
    assert (
        "a SQLite file, but no gatewayd store; give the right file, or correct store.path"
        in _refused(tmp_path)
    )
    assert "cannot create gatewayd.db.lock" in _refused(tmp_path / "no such folder")


async def test_a_newer_or_foreign_store_is_refused(tmp_path: Path) -> None:
    await open_store(tmp_path).close()
    connection = apsw.Connection(str(tmp_path / DB))
    connection.execute("UPDATE meta SET value = 'other' WHERE key = 'station_id'")
    assert "belongs to station other, the config says 3701000042" in _refused(tmp_path)
    connection.execute("UPDATE meta SET value = '4' WHERE key = 'schema_version'")
    connection.close()
    assert re.search(r"newer gatewayd \(schema 4, this one knows 3\)", _refused(tmp_path))


def test_a_creation_cut_short_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / f"{DB}.new").write_bytes(b"half a store")
    (tmp_path / f"{DB}.new-journal").write_bytes(b"and its journal")
    database.create(tmp_path / DB, station_id="1")
    assert sorted(path.name for path in tmp_path.iterdir()) == [DB]


def test_looking_at_a_store_that_is_not_there_says_who_makes_it(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store here yet"):
        Reader.open(tmp_path / DB)
    assert list(tmp_path.iterdir()) == []


async def test_a_commit_waits_for_the_disk_itself(tmp_path: Path) -> None:
    await open_store(tmp_path).close()
    connection = database.connect_to_write(tmp_path / DB, quota_mb=64)
    assert connection.execute("PRAGMA synchronous").get == 2
    assert connection.execute("PRAGMA journal_mode").get == "wal"
    connection.close()

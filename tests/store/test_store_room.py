"""A disk that is full, and one that fails: what has begun can end, nothing begins, and it recovers."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import apsw
import pytest

from gatewayd.clock import ManualClock
from gatewayd.errors import StoreError
from gatewayd.ids import new_id
from gatewayd.store import orders, requests, upkeep
from gatewayd.store.ballast import Ballast
from gatewayd.store.database import Ownership
from gatewayd.store.reads import Reader
from gatewayd.store.requests import Settled
from gatewayd.store.store import Store
from gatewayd.store.writer import PROBE_S
from tests.support.stores import NOON, STATION, ZONE, chain_breaks, draft, open_store, permit
from tests.support.waiting import until

DB = "gatewayd.db"
DISK_MB = 24
BALLAST_MB = 4


@contextlib.contextmanager
def _mounted(folder: Path) -> Iterator[None]:
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("may not mount a small file system here: needs root")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


def _open(folder: Path, *, quota_mb: int = 64) -> Store:
    return Store.open(
        folder / DB,
        station_id=STATION,
        zone=ZONE,
        clock=ManualClock(NOON),
        quota_mb=quota_mb,
        busy_ms=200,
        ballast_mb=BALLAST_MB,
    )


def _fill_disk(folder: Path) -> None:
    with (folder / "junk").open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4_096)):
            pass


async def _until_healthy(store: Store) -> None:
    await until(lambda: store.healthy, 20 * PROBE_S)


async def test_on_a_full_disk_what_began_ends_and_nothing_begins(tmp_path: Path) -> None:
    with _mounted(tmp_path):
        store = _open(tmp_path)
        ballast = tmp_path / f"{DB}.ballast"
        assert ballast.stat().st_size == BALLAST_MB * 2**20
        right = permit()
        await store.issue(right)
        _fill_disk(tmp_path)
        await store.append(draft("alarm", data={"text": "x" * 1_000_000}))
        assert ballast.stat().st_size == 0, "given away"
        assert (store.healthy, store.full) == (False, True)
        for begin in (store.issue(permit("rig-2")), store.append(draft("refusal"))):
            with pytest.raises(StoreError, match="the store is full"):
                await begin
        await store.resolve(right.id, "posted", draft(record_id=right.record_id))
        await store.acknowledge("platform", store.last_sequence())
        await store.close()

        store = _open(tmp_path)
        await store.append(draft("alarm"))
        with pytest.raises(StoreError, match="the store is full"):
            await store.issue(permit("rig-2"))
        (tmp_path / "junk").unlink()
        await _until_healthy(store)
        assert ballast.stat().st_size == BALLAST_MB * 2**20, "made again"
        assert store.used_percent < 80, "nobody hears that a store is filling that has room again"
        await store.issue(permit("rig-2"))
        assert chain_breaks(store) == []
        await store.close()


async def test_on_a_full_disk_gas_can_be_taken_away_and_not_given_back(tmp_path: Path) -> None:
    with _mounted(tmp_path):
        store = _open(tmp_path)
        _fill_disk(tmp_path)
        await store.append(draft("alarm", data={"text": "x" * 1_000_000}))
        assert store.used_percent == 100, "on its ballast a store has no room of its own"
        for carry_out, subject in ((orders.lock, "rig-1"), (orders.hold, "c1")):
            assert (await _order(store, carry_out, subject)).changed
        for carry_out, subject in ((orders.unlock, "rig-1"), (orders.release, "c1")):
            with pytest.raises(StoreError, match="the store is full"):
                await _order(store, carry_out, subject)
        assert store.rig_lock("rig-1") is not None
        await store.close()


async def test_what_closes_leaves_room_for_the_end_of_open_fills(tmp_path: Path) -> None:
    store = open_store(tmp_path, quota_mb=4)
    right = permit()
    await store.issue(right)
    while store.healthy:
        await store.append(draft("alarm", data={"text": "x" * 40_000}))
    held = 0
    with contextlib.suppress(StoreError):
        while held < 1_000:
            await _order(store, orders.hold, f"c{held}", "x" * 6_000)
            held += 1
    with pytest.raises(StoreError, match="only the reserve"):
        await _order(store, orders.lock, "rig-1", "x" * 6_000)
    assert held > 10
    for _ in range(8):
        await store.append(draft("alarm", data={"text": "x" * 40_000}))
    await store.resolve(right.id, "posted", draft(record_id=right.record_id))
    await store.close()


async def _order(
    store: Store, carry_out: orders.CarryOut, subject: str, why: str = "leak"
) -> orders.Done:
    told = orders.Order(new_id(), subject, why, "Li", "page", NOON)
    return await store.commit(lambda file, issuer: carry_out(file, issuer, told))


def test_a_full_disk_keeps_nobody_from_owning_a_store(tmp_path: Path) -> None:
    """The number in the lock is for people; a start must be able to end what has begun."""
    with _mounted(tmp_path):
        _fill_disk(tmp_path)
        owner = Ownership.take(tmp_path / DB)
        with pytest.raises(StoreError, match="in use by process"):
            Ownership.take(tmp_path / DB)
        owner.release()


async def test_a_disk_that_becomes_read_only_stops_everything_until_it_is_not(
    tmp_path: Path,
) -> None:
    with _mounted(tmp_path):
        store = _open(tmp_path)
        right = permit()
        await store.issue(right)
        # What holds a file open for writing keeps the disk from being remounted: shared, it does not.
        try:
            _remount(tmp_path, "ro")
        except subprocess.CalledProcessError:
            await store.close()
            _remount(tmp_path, "ro")
            with pytest.raises(StoreError, match=r"gatewayd\.db: "):
                _open(tmp_path)
            with Reader.open(tmp_path / DB) as reader:
                assert [p.id for p in reader.pending_permits("rig-1")] == [right.id]
            _remount(tmp_path, "rw")
            store = _open(tmp_path)
        await store.resolve(right.id, "voided", draft(record_id=right.record_id))
        assert chain_breaks(store) == []
        await store.close()


class _BadDisk(apsw.VFS):
    """Real files whose fsync fails on command, as that of a disk that is dying."""

    def __init__(self) -> None:
        self.failing = False
        super().__init__("bad-disk", "unix")

    def xOpen(  # noqa: N802 - SQLite's name
        self, name: "str | apsw.URIFilename | None", flags: list[int]
    ) -> "_BadFile":
        return _BadFile(self, name, flags)


class _BadFile(apsw.VFSFile):
    def __init__(
        self, disk: _BadDisk, name: "str | apsw.URIFilename | None", flags: list[int]
    ) -> None:
        self._disk = disk
        super().__init__("unix", name, flags)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        if self._disk.failing:
            raise apsw.IOError("fsync: Input/output error")
        super().xSync(flags)

    def xLock(self, level: int) -> None:  # noqa: N802 - SQLite's name
        """A file opened to be read alone cannot be locked to be written: as if another had it."""
        try:
            super().xLock(level)
        except apsw.IOError as exc:
            raise apsw.BusyError(str(exc)) from exc


async def test_an_fsync_that_fails_is_no_commit(tmp_path: Path) -> None:
    disk = _BadDisk()
    apsw.set_default_vfs("bad-disk")
    try:
        store = open_store(tmp_path)
        await store.append(draft())
        disk.failing = True
        lost = draft()
        with pytest.raises(StoreError, match="check the disk and the kernel log"):
            await store.append(lost)
        assert not store.healthy
        with pytest.raises(StoreError):
            await store.issue(permit())
        disk.failing = False
        await _until_healthy(store)
        assert (await store.append(lost)).sequence == 2
        assert store.pending_permits("rig-1") == ()
        assert chain_breaks(store) == []
        await store.close()
    finally:
        apsw.set_default_vfs("unix")
        disk.unregister()


async def test_how_full_it_is_is_known_and_the_order_of_shedding_is_kept(tmp_path: Path) -> None:
    store = open_store(tmp_path, quota_mb=4)
    assert store.used_percent < 20
    for n in range(200):
        right = permit(f"rig-{n}")
        await store.issue(right)
    pending = sum(len(store.pending_permits(f"rig-{n}")) for n in range(200))
    while store.used_percent < 60:
        await store.append(draft("refusal", data={"text": "x" * 40_000}))
    records = store.last_sequence()
    gone = await upkeep.shed(store, NOON + timedelta(days=9))
    assert list(gone) == [name for name, _ in upkeep.SHED_ORDER]
    assert gone["sightings"] == 200 - upkeep.SIGHTINGS_LEFT
    assert len(store.sightings()) <= upkeep.SIGHTINGS_LEFT
    assert (store.last_sequence(), len(store.records(limit=9_999))) == (records, records)
    assert sum(len(store.pending_permits(f"rig-{n}")) for n in range(200)) == pending == 200
    await store.close()


async def test_what_is_shed_counts_for_nothing_any_more(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for name, hours in (("over", -1), ("alive", 1)):
        until_ = NOON + timedelta(hours=hours)
        asked = Settled("platform", name, "rig.unlock", {"id": name}, until_, forget_before=None)
        await store.commit(partial(requests.settle, settled=asked, draft=None))
    assert (await upkeep.shed(store, NOON))["requests"] == 1
    assert store.first_reply("platform", "over", None) is None
    assert store.first_reply("platform", "alive", NOON) is not None, "or it is carried out again"
    await store.close()


async def test_a_disk_with_room_again_is_found_out_however_busy_the_store_is(
    tmp_path: Path,
) -> None:
    """Rigs that wait ask each second, a platform that catches up all the time."""
    store = _open(tmp_path)
    os.truncate(tmp_path / f"{DB}.ballast", 0)
    await store.append(draft("alarm"))
    assert (store.healthy, store.full) == (False, True)
    await store.append(draft("refusal"))
    assert (store.healthy, store.full) == (True, False)
    await store.close()


def test_a_ballast_that_is_not_wanted_goes_and_a_quota_releases_none(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / DB, mb=1)
    ballast.make()
    file = tmp_path / f"{DB}.ballast"
    assert (file.stat().st_size, ballast.missing) == (2**20, False)
    assert not ballast.release(), "the disk has room: it is the quota"
    Ballast(tmp_path / DB, mb=0)
    assert not file.exists()

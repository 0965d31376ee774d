"""Large imports: built beside the archive, switched at once, with fills going on meanwhile."""

import asyncio
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewayd.clock import SystemClock
from gatewayd.errors import StoreError
from gatewayd.store import beside, database, holds, merge, rebuild, rows, writes
from gatewayd.store.chain import Issuer
from gatewayd.store.model import Cylinder, ImportCounts
from gatewayd.store.reads import Reader, Reads
from gatewayd.store.staging import Staging
from tests.store.importing_child import COUNT, generation
from tests.support.stores import NOON, STATION, ZONE, chain_breaks, draft, open_store

CODES = [f"c{n}" for n in range(6)]
UIDS = [f"AA0{n}" for n in range(6)]
ENTRIES = st.lists(
    st.builds(
        Cylinder,
        code=st.sampled_from(CODES),
        tag_uids=st.lists(st.sampled_from(UIDS), unique=True, max_size=2).map(tuple),
        maker=st.sampled_from([None, "m1", "m2"]),
        hold=st.sampled_from([None, "h1"]),
        fills_done=st.sampled_from([None, 3]),
    ),
    unique_by=lambda one: one.code,
    max_size=6,
)
COLUMNS = st.sampled_from([rows.CYLINDER_COLUMNS, ("code", "maker"), ("code", "tag_uids", "hold")])
LIVE = st.tuples(
    st.sampled_from(["fill", "hold", "release", "upsert"]), st.sampled_from(CODES), ENTRIES
)
IMPORTS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0, 100]), COLUMNS, ENTRIES, st.lists(LIVE)),
    min_size=1,
    max_size=4,
)


@dataclass
class _Model:
    """The archive as one would write it in a minute."""

    entries: dict[str, Cylinder] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)

    def merge(self, entries: list[Cylinder], columns: tuple[str, ...], *, whole: bool) -> None:
        old = self.entries
        self.entries = {} if whole else dict(old)
        for entry in entries:
            known = old.get(entry.code, Cylinder(entry.code))
            new = replace(known, **{name: getattr(entry, name) for name in columns})
            if new.fills_done is None:
                new = replace(new, fills_done=known.fills_done)
            hold = self.held.get(entry.code, new.hold)
            self.entries[entry.code] = replace(new, hold=hold)

    def live(self, step: str, code: str, entries: list[Cylinder]) -> None:
        known = self.entries.get(code)
        if step == "hold":
            self.held[code] = "held"
        elif step == "release":
            self.held.pop(code, None)
        elif step == "upsert":
            self.merge(entries, rows.CYLINDER_COLUMNS, whole=False)
        if known is None:
            return
        if step == "fill":
            self.entries[code] = replace(known, fills_done=(known.fills_done or 0) + 1)
        elif step in {"hold", "release"}:
            self.entries[code] = replace(known, hold=self.held.get(code))


def _live(path: Path, step: str, code: str, entries: list[Cylinder]) -> None:
    """What a daemon does to the archive while an import is on."""
    connection = database.connect_to_write(path, quota_mb=64)
    at = rows.utc(NOON)
    connection.execute("BEGIN IMMEDIATE")
    if step == "hold":
        holds.hold(connection, code, "held", "b", at)
    elif step == "release":
        holds.release(connection, code, "b", at, "")
    elif step == "upsert":
        some = [rows.cylinder_row(one) for one in entries]
        merge.upsert(connection, some, columns=rows.CYLINDER_COLUMNS, replace=False, at=at)
    else:
        issuer = Issuer(STATION, ZONE)
        writes.append(connection, draft(counts_fill_of=code), issuer)
    connection.execute("COMMIT")
    connection.close()


def _import(
    path: Path,
    entries: list[Cylinder],
    *,
    whole: bool,
    columns: tuple[str, ...] = rows.CYLINDER_COLUMNS,
    direct_max: int = 0,
    progress: Callable[[str, int, int], None] = lambda _what, _done, _total: None,
    quota_mb: int = 64,
) -> ImportCounts:
    with Staging.open(path) as staging:
        staging.begin(columns)
        staging.add_cylinders(entries)
        staging.seal()
        options = beside.ImportOptions(
            STATION,
            replace=whole,
            direct_max=direct_max,
            quota_mb=quota_mb,
            reuse="the model knows of no retired codes",
        )
        return beside.import_staged(staging, options, clock=SystemClock(), progress=progress)


@settings(max_examples=25, deadline=None)
@given(IMPORTS)
def test_imports_agree_with_a_naive_model_whatever_happens_meanwhile(
    steps: list[
        tuple[bool, int, tuple[str, ...], list[Cylinder], list[tuple[str, str, list[Cylinder]]]]
    ],
) -> None:
    model = _Model()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gatewayd.db"
        beside.import_cylinders(path, [], station_id=STATION, replace=False)
        for whole, direct_max, columns, entries, live in steps:
            full = rows.CYLINDER_COLUMNS if whole else columns
            waiting = iter(live)

            def meanwhile(_what: str, _done: int, _total: int) -> None:
                for step in waiting:  # noqa: B023 - called within this turn only
                    model.live(*step)
                    _live(path, *step)
                    return

            _import(
                path, entries, whole=whole, columns=full, direct_max=direct_max, progress=meanwhile
            )
            model.merge(entries, full, whole=whole)
            with Reader.open(path) as store:
                _agree(model, store)


def _agree(model: _Model, store: Reads) -> None:
    assert {one.code: one for one in store.cylinders()} == model.entries
    for uid in UIDS:
        carrying = [code for code, one in sorted(model.entries.items()) if uid in one.tag_uids]
        assert [one.code for one in store.cylinders_by_uid(uid)] == carrying
    assert _leftovers(store) == []


def _leftovers(store: Reads) -> list[str]:
    sql = "SELECT name FROM sqlite_schema WHERE name LIKE '%next' OR name LIKE '%old' OR name LIKE '%touched%'"
    return [str(name) for (name,) in store._read.execute(sql)]


def _said_before_kill(path: Path, first: int, *, after_s: float) -> tuple[int, int]:
    """The last generation that was begun and the last that was done when the process was killed."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.store.importing_child", str(path), str(first)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    began = child.stdout.readline()
    timer = threading.Timer(after_s, child.kill)
    timer.start()
    said = [line.split() for line in (began, *child.stdout) if line.endswith("\n")]
    child.wait()
    child.stdout.close()
    timer.join()
    return (
        max(int(n) for word, n in said if word == "began"),
        max((int(n) for word, n in said if word == "done"), default=first - 1),
    )


@pytest.mark.parametrize("seed", range(3))
def test_kill_9_at_any_moment_leaves_one_whole_archive(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "gatewayd.db"
    beside.import_cylinders(path, generation(0), station_id=STATION, replace=True)
    chance, here = random.Random(seed), 0
    for _ in range(5):
        began, done = _said_before_kill(path, here + 1, after_s=chance.uniform(0.0, 0.5))
        with Reader.open(path) as store:
            found = list(store.cylinders())
            here = int(found[0].maker or -1)
            assert done <= here <= began
            assert found == generation(here)
            for one in found[:: COUNT // 20]:
                assert [store.cylinders_by_uid(uid) for uid in one.tag_uids] == [(one,), (one,)]
            assert store.cylinders_by_uid(generation(here + 3)[-1].tag_uids[0]) == ()
    assert here > 0
    beside.import_cylinders(path, generation(here), station_id=STATION, replace=True)
    with Reader.open(path) as store:
        assert _leftovers(store) == []
    assert not path.with_name("gatewayd.db.import").exists()


def test_a_second_import_is_refused_by_name_until_the_first_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "gatewayd.db"
    refusal = r"process [0-9]+ is importing into this store; wait"
    with Staging.open(path), pytest.raises(StoreError, match=refusal):
        Staging.open(path)
    Staging.open(path).close()


async def test_fills_go_on_while_a_large_import_is_built(tmp_path: Path) -> None:
    store = open_store(tmp_path, quota_mb=256)
    entries = [Cylinder(f"c{n:06}", tag_uids=(f"{n:08X}",), maker="m") for n in range(20_000)]
    await asyncio.to_thread(_import, store.path, entries, whole=True)
    done = asyncio.Event()
    waited_s: list[float] = []

    async def fill() -> None:
        while not done.is_set():
            began = perf_counter()
            await store.append(draft(counts_fill_of="c000007"))
            waited_s.append(perf_counter() - began)

    async with asyncio.TaskGroup() as group:
        group.create_task(fill())
        changed = [replace(one, maker="n") for one in entries]
        clock_import = asyncio.to_thread(_import, store.path, changed, whole=True, quota_mb=256)
        counts = await clock_import
        done.set()
    assert counts == ImportCounts(added=0, updated=20_000, unchanged=0, removed=0)
    kept = store.cylinder("c000007")
    assert kept == replace(changed[7], fills_done=len(waited_s))
    assert len(waited_s) > 20
    assert max(waited_s) < database.BUSY_MS / 1_000 / 2
    assert chain_breaks(store) == []
    assert store.healthy
    await store.close()


def test_a_build_that_does_not_fit_leaves_the_archive_and_the_room_as_they_were(
    tmp_path: Path,
) -> None:
    path = tmp_path / "gatewayd.db"
    beside.import_cylinders(path, [Cylinder("c1")], station_id=STATION, replace=False)
    many = [Cylinder(f"{n:010}", hold="h" * 200) for n in range(60_000)]
    with pytest.raises(StoreError, match=r"full: while a new archive is built both need room"):
        _import(path, many, whole=True, quota_mb=20)
    with Reader.open(path) as store:
        assert list(store.cylinders()) == [Cylinder("c1")]
        assert _leftovers(store) == []
    connection = database.connect_to_write(path, quota_mb=20)
    assert database.has_room(connection, kept=rebuild.ROOM_BYTES_KEPT)
    connection.close()


@pytest.mark.parametrize("limit_kib", [64, 256, 1_024, 2_048])
def test_a_disk_that_fills_up_leaves_the_archive_as_it_was(tmp_path: Path, limit_kib: int) -> None:
    path = tmp_path / "gatewayd.db"
    beside.import_cylinders(path, [Cylinder("c1")], station_id=STATION, replace=False)
    many = [Cylinder(f"{n:010}", maker="m" * 100, tag_uids=(f"{n:08X}",)) for n in range(10_000)]
    with _no_file_grows_beyond(limit_kib * 1_024), pytest.raises(StoreError):
        _import(path, many, whole=True)
    with Reader.open(path) as store:
        assert list(store.cylinders()) == [Cylinder("c1")]
    assert _import(path, many, whole=True).added == 10_000
    with Reader.open(path) as store:
        assert _leftovers(store) == []


@contextmanager
def _no_file_grows_beyond(count: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_power_off_after_any_slice_leaves_the_old_archive_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "gatewayd.db"
    beside.import_cylinders(path, generation(0), station_id=STATION, replace=True)
    copies: list[Path] = []

    def power_off(_what: str, _done: int, _total: int) -> None:
        copy = tmp_path / f"copy-{len(copies)}"
        copy.mkdir()
        for name in ("gatewayd.db", "gatewayd.db-wal"):
            shutil.copy(tmp_path / name, copy / name)
        copies.append(copy)

    _import(path, generation(1), whole=True, progress=power_off)
    assert len(copies) >= 3
    for copy in copies:
        with Reader.open(copy / "gatewayd.db") as store:
            assert list(store.cylinders()) == generation(0)
        beside.import_cylinders(
            copy / "gatewayd.db", generation(2), station_id=STATION, replace=True
        )
        with Reader.open(copy / "gatewayd.db") as store:
            assert list(store.cylinders()) == generation(2)
            assert _leftovers(store) == []


def test_slices_hold_the_lock_for_a_short_time_only(tmp_path: Path) -> None:
    path = tmp_path / "gatewayd.db"
    clock = SystemClock()
    beside.import_cylinders(path, [], station_id=STATION, replace=True)
    held_ns: list[int] = []
    other = apsw.Connection(str(path))

    def lock(_what: str, _done: int, _total: int) -> None:
        began = clock.monotonic_ns()
        other.execute("BEGIN IMMEDIATE; COMMIT")
        held_ns.append(clock.monotonic_ns() - began)

    entries = [Cylinder(f"{n:06}", tag_uids=(f"{n:08X}",)) for n in range(30_000)]
    _import(path, entries, whole=True, progress=lock)
    assert len(held_ns) > 5  # between slices the lock is free: nobody waits at all
    assert max(held_ns) < rebuild.SLICE_MS * 1_000_000
    other.close()

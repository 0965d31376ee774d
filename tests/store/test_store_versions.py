"""Versions: what changed since when, what an upstream said last, and old stores brought up to date."""

from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from gatewayd.alarms import damage
from gatewayd.clock import ManualClock
from gatewayd.errors import StoreError
from gatewayd.store import beside, copying, database, restoring, rows
from gatewayd.store.chain import Issuer
from gatewayd.store.model import Cylinder, ImportCounts
from gatewayd.store.reads import Reader, Reads
from gatewayd.store.staging import Staging
from tests.support.stores import NOON, STATION, ZONE, chain_breaks, draft, open_store


def _changed(store: Reads, after: int) -> list[str]:
    return [entry.cylinder.code for entry in store.entries(after_version=after)]


async def test_who_asks_since_a_version_gets_every_later_change(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert store.archive().confirmed_at is None
    await store.import_cylinders([Cylinder("c1"), Cylinder("c2")], replace=False)
    first = store.archive()
    assert (first.cylinders, first.confirmed_at, first.removed_version) == (2, NOON, 0)
    assert _changed(store, 0) == ["c1", "c2"]
    await store.import_cylinders([Cylinder("c1"), Cylinder("c2", maker="M")], replace=False)
    assert _changed(store, first.version) == ["c2"]
    await store.hold("c1", "recall", by="b")
    assert _changed(store, first.version) == ["c2", "c1"]
    (entry,) = store.entries(after_version=store.archive().version - 1)
    assert (entry.cylinder.hold, entry.changed_at) == ("recall", NOON)
    await store.import_cylinders([Cylinder("c1")], replace=True)
    assert store.archive().removed_version == store.archive().version > first.version
    await store.close()


async def test_changes_are_asked_for_in_pages(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for n in range(3):
        entries = [Cylinder(f"c{n}{k}") for k in range(3)]
        await store.import_cylinders(entries, replace=False)
    found: list[str] = []
    version, code = 0, ""
    while page := store.entries(after_version=version, after_code=code, limit=2):
        found += [entry.cylinder.code for entry in page]
        version, code = page[-1].version, page[-1].cylinder.code
    assert found == [f"c{n}{k}" for n in range(3) for k in range(3)]
    await store.close()


async def test_the_same_again_and_a_fill_change_no_version(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.import_cylinders([Cylinder("c1")], replace=False)
    before = store.archive().version
    await store.append(draft(counts_fill_of="c1"))
    await store.import_cylinders([Cylinder("c1")], replace=True)
    assert store.archive().version == before
    await store.close()


async def test_a_few_columns_do_not_confirm_the_archive(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.import_cylinders([Cylinder("c1")], replace=False, columns=("code", "maker"))
    assert store.archive().confirmed_at is None
    await store.import_cylinders([Cylinder("c1")], replace=False)
    assert store.archive().confirmed_at == NOON
    await store.close()


@pytest.mark.parametrize("direct_max", [0, 10])
async def test_what_an_upstream_said_before_does_not_undo_what_it_said_later(
    tmp_path: Path, direct_max: int
) -> None:
    store = open_store(tmp_path)
    new = Cylinder("c1", tag_uids=("AA02",), maker="new")
    await store.import_cylinders([new], replace=False, source_version=7)
    old = replace(new, tag_uids=("AA01",), maker="old")
    counts = await store.import_cylinders([old], replace=False, source_version=6)
    assert counts == ImportCounts(0, 0, 0, 0, outdated=1)
    with Staging.open(store.path) as staging:
        staging.add_cylinders([old, Cylinder("c2")])
        staging.seal()
        options = beside.ImportOptions(
            STATION, replace=True, source_version=6, direct_max=direct_max
        )
        counts = beside.import_staged(staging, options, clock=ManualClock(NOON))
    assert counts == ImportCounts(added=1, updated=0, unchanged=0, removed=0, outdated=1)
    assert store.cylinders_by_uid("AA02") == (new,)
    assert store.cylinders_by_uid("AA01") == ()
    with Staging.open(store.path) as staging:
        staging.add_cylinders([Cylinder("c3")])
        staging.seal()
        options = replace(options, source_version=6)
        assert beside.import_staged(staging, options, clock=ManualClock(NOON)).removed == 1
    assert [one.code for one in store.cylinders()] == ["c1", "c3"]
    await store.close()


VERSION_1 = {
    "meta": "key value",
    "records": "sequence id rig kind time prevhash hash body",
    "permits": "id record_id rig permit_no cylinder_code target_g limit_gross_g tare_g lease_ms "
    "total_before_g fills_before issued_at expires_at judged state",
    "rigs": "rig last_permit_no last_total_g last_filled",
    "cylinders": " ".join(rows.CONTRACT_COLUMNS),
    "cylinder_tags": "uid code",
    "cursors": "upstream sequence acknowledged_at",
    "dead_letters": "upstream sequence reason refused_at retrying",
}
"""Tables and columns of the first released store."""
TRIGGERS_1 = {"records_never_change", "records_are_never_lost"}
INDEXES_1 = {"permits_pending"}
NEVER_LOST_1 = (
    "CREATE TRIGGER records_are_never_lost BEFORE DELETE ON records "
    "BEGIN SELECT RAISE(ABORT, 'a committed record is never lost'); END"
)

NEVER_CHANGE_1 = (
    "CREATE TRIGGER records_never_change BEFORE UPDATE ON records "
    "BEGIN SELECT RAISE(ABORT, 'a committed record never changes'); END"
)
RECORDS = 300
"""More than a start looks at."""


def _make_version_1(path: Path) -> None:
    """Undo everything that came since the first version."""
    connection = apsw.Connection(str(path))
    named = "SELECT name FROM sqlite_schema WHERE type = ? AND sql IS NOT NULL"
    for kind, old in (("trigger", TRIGGERS_1), ("index", INDEXES_1), ("table", VERSION_1.keys())):
        for name in (str(row[0]) for row in connection.execute(named, (kind,)).fetchall()):
            if name not in old and not name.startswith("sqlite_"):
                connection.execute(f"DROP {kind} {name}")
    connection.execute(f"DROP TRIGGER records_are_never_lost; {NEVER_LOST_1}")
    for table, columns in VERSION_1.items():
        for row in connection.execute(f"PRAGMA table_info({table})").fetchall():
            if row[1] not in columns.split():
                connection.execute(f"ALTER TABLE {table} DROP COLUMN {row[1]}")
    connection.execute("CREATE INDEX cylinder_tags_by_code ON cylinder_tags (code)")
    connection.execute("UPDATE meta SET value = '1' WHERE key = 'schema_version'")
    connection.close()


def _schema(path: Path) -> set[str]:
    connection = apsw.Connection(str(path))
    sql = "SELECT type || ' ' || name, name, type FROM sqlite_schema WHERE sql IS NOT NULL"
    found = connection.execute(sql).fetchall()
    columns = {
        f"{table}.{row[1]} {row[2]} {row[3]} {row[4]}"
        for _, table, kind in found
        if kind == "table"
        for row in connection.execute(f"PRAGMA table_info({table})")
    }
    connection.close()
    return {str(name) for name, _, _ in found} | columns


async def test_a_store_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    path = store.path
    wanted = _schema(path)
    one = Cylinder("c1", tag_uids=("AA01",), hold="h")
    await store.import_cylinders([one], replace=False)
    await store.append(draft())
    await store.close()
    _make_version_1(path)
    with pytest.raises(StoreError, match=r"written by an older gatewayd .*brings it up to date"):
        Reader.open(path)
    store = open_store(tmp_path)
    assert store.cylinders_by_uid("AA01") == (one,)
    assert store.archive().version == 0
    assert chain_breaks(store) == []
    await store.close()
    assert _schema(path) == wanted
    _make_version_1(path)
    beside.import_cylinders(path, [Cylinder("c2")], station_id=STATION, replace=False)
    assert _schema(path) == wanted


async def test_a_damaged_record_of_old_keeps_no_store_from_being_brought_up_to_date(
    tmp_path: Path,
) -> None:
    """It is told by `records verify`; the fills around it are remembered all the same."""
    store = open_store(tmp_path)
    path = store.path
    for number in range(RECORDS):
        data = {"cylinder": {"code": f"c{number}"}, "outcome": "completed", "net_g": 14_000}
        await store.append(draft(data=data))
    await store.close()
    _make_version_1(path)
    connection = apsw.Connection(str(path))
    connection.execute("DROP TRIGGER records_never_change")
    connection.execute("UPDATE records SET body = substr(body, 1, 60) WHERE sequence = 1")
    connection.execute(NEVER_CHANGE_1)
    connection.close()
    store = open_store(tmp_path)
    assert store.life("c0").filled_sequence == 0
    assert store.life("c1").filled_sequence == 2
    assert store.life(f"c{RECORDS - 1}").filled_g == 14_000
    await store.close()


def _kept(folder: Path) -> list[Path]:
    return list(folder.glob("gatewayd.db.before-schema-2-*"))


async def test_a_copy_is_kept_before_a_store_is_brought_up_to_date(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    path = store.path
    for _ in range(5):
        await store.append(draft())
    await store.close()
    for turn in range(copying.BACKUPS_KEPT + 2):
        _make_version_1(path)
        old = path.read_bytes()
        await open_store(tmp_path).close()
        kept = _kept(tmp_path)
        assert len(kept) == min(turn + 1, copying.BACKUPS_KEPT)
        newest = max(kept, key=lambda file: file.stat().st_mtime_ns)
        restored = apsw.Connection(str(newest))
        assert restored.execute("SELECT count(*) FROM records").get == 5
        assert database.version(restored) == 1
        restored.close()
        assert path.read_bytes() != old
    told = damage.restored
    done = restoring.restore(
        path,
        newest,
        issuer=Issuer(STATION, ZONE),
        at=NOON,
        way=restoring.Restoring(
            lambda found: told(found, STATION, by="li"), damage.remedy(STATION, ())
        ),
    )
    assert (done.backup.records, done.carried.lost) == (5, ())
    assert len(_kept(tmp_path)) == copying.BACKUPS_KEPT, "none is made of a copy"
    store = open_store(tmp_path)
    assert (chain_breaks(store), store.last_sequence()) == ([], 6)
    await store.close()


async def test_without_room_for_a_copy_nothing_is_brought_up_to_date(tmp_path: Path) -> None:
    await open_store(tmp_path).close()
    _make_version_1(tmp_path / "gatewayd.db")
    # A file with holes: larger than any disk, and it takes no room.
    with (tmp_path / "gatewayd.db").open("r+b") as file:
        file.truncate(2**43)
    with pytest.raises(
        StoreError, match=r"no room for a second file .*: [0-9.]+ MB must be free, [0-9.]+ MB are"
    ):
        copying.before_change(tmp_path / "gatewayd.db", version=1, at=NOON)
    assert _kept(tmp_path) == []


async def test_an_older_daemon_that_runs_is_not_upgraded_under_its_feet(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    _make_version_1(store.path)
    with pytest.raises(StoreError, match=r"in use by process .* older gatewayd; restart it first"):
        beside.import_cylinders(store.path, [Cylinder("c1")], station_id=STATION, replace=False)
    await store.close()
    with pytest.raises(StoreError, match="written by an older"):
        database.connect_to_read(store.path)
    known = {each.split()[0] for each in _schema(store.path)}
    assert {f"cylinders.{name}" for name in rows.CONTRACT_COLUMNS} <= known

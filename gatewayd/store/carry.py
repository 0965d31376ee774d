"""From a store that is given up into a fresh one: what is sound goes along, group by group.

What belongs together comes whole or not at all: an archive without its holds would fill what the
regulator stopped. Records come one by one, each by its own proof.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw

from gatewayd.errors import StoreError
from gatewayd.store import gaps, recover, rows
from gatewayd.store.behind import SETTLED, catch_up, older_tables
from gatewayd.store.chain import FIRST_PREVHASH
from gatewayd.store.checking import FITTED, require_readable
from gatewayd.store.database import SCHEMA_VERSION
from gatewayd.store.gaps import Gap

ARCHIVE: Final = "archive"
LOCKS: Final = "locks"
RIGS: Final = "rigs"
UPSTREAMS: Final = "upstreams"
GROUPS: Final = {
    ARCHIVE: ("cylinders", "cylinder_tags", "archive", "holds", "retired", "lives", "snapshots"),
    LOCKS: ("rig_locks",),
    RIGS: ("rigs", "permits", "shifts"),
    UPSTREAMS: ("cursors", "dead_letters", "sent_ahead", "resends", "requests"),
    "alarms": ("alarms",),
    "operators": ("operators", "operator_cards", "sessions"),
    "checks": ("checks", "postchecks_due", "batches"),
    "clock": ("clock",),
}
"""What is carried together. A table that no group names is a group of its own."""

_OWN_WAY: Final = frozenset({"records", "pruned", "gaps", "meta", "sqlite_sequence"})
_KEPT_ROWS: Final = rows.KEPT.format("%")
_INSERT_RECORD = (
    "INSERT OR IGNORE INTO records (sequence, id, rig, kind, time, prevhash, hash, body) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)

_UNFIT: Final = (
    "DELETE FROM records WHERE sequence IN (SELECT sequence FROM from_pages) AND (EXISTS ("
    "SELECT 1 FROM records AS next WHERE next.sequence = records.sequence + 1 "
    "AND next.prevhash <> records.hash) OR EXISTS ("
    "SELECT 1 FROM records AS before WHERE before.sequence = records.sequence - 1 "
    "AND before.hash <> records.prevhash AND before.sequence NOT IN from_pages))"
)


class _UnsoundError(Exception):
    """A group that cannot be trusted."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What a fresh store took over: how many records, which were `lost`, which groups not.

    `last` is the highest sequence that anything in the old store named; `sure` that it is right.
    `groups_older` came, but without what commits behind a tear in the log wrote there.
    """

    records: int
    lost: tuple[tuple[int, int], ...]
    groups_lost: tuple[str, ...]
    last: int
    sure: bool
    groups_older: tuple[str, ...] = ()

    @property
    def left_out(self) -> tuple[int, int] | None:
        """Numbers at the end that nobody may ever have given; None when it is known where it ended."""
        if self.sure or not self.lost:
            return None
        first, last = self.lost[-1]
        return max(first, self.last + 1), last

    @property
    def known_lost(self) -> tuple[tuple[int, int], ...]:
        """`lost` without `left_out`."""
        end = self.last if self.left_out is None else self.left_out[0] - 1
        known = ((first, min(last, end)) for first, last in self.lost)
        return tuple((first, last) for first, last in known if first <= last)


@dataclass(frozen=True, slots=True)
class Source:
    """The store that is given up. `connection` is None when SQLite cannot open it."""

    path: Path
    connection: apsw.Connection | None
    name: str
    """What the file will be called from now on."""


def carry(source: Source, fresh: apsw.Connection, *, at: str, skipped: int, first: int) -> Carried:
    """Fill an empty store inside its transaction. May raise apsw.Error of the fresh one.

    Where the old one's end is not sure, `skipped` sequences are left out, and none below `first`
    is given when it names none at all: nothing that was ever sent may be used again.
    """
    last = recover.highest(source.path, source.connection)
    _take_over_mark(source.connection, fresh)
    count = records(source, fresh)
    tail = max(last.sequence, last_record(fresh))
    sure = last.sure and tail == last.sequence
    if not sure:
        tail = max(tail + skipped, first) if not tail else tail + skipped
    lost = note_gaps(fresh, source, tail, at)
    older = older_tables(source.path, source.connection)
    groups_lost = tuple(_groups(source.connection, fresh, older))
    catch_up(fresh, 0 if RIGS in groups_lost else last.sequence)
    groups_older = (name for name, tables in GROUPS.items() if not older.isdisjoint(tables))
    told = tuple(name for name in groups_older if name not in groups_lost)
    return Carried(count, lost, groups_lost, last.sequence, sure, told)


def records(source: Source, fresh: apsw.Connection) -> int:
    """Take over every record that is not there and proves itself; how many there are then."""
    pruned = fresh.execute("SELECT sequence FROM pruned").get
    fresh.execute("CREATE TEMP TABLE from_pages (sequence INTEGER PRIMARY KEY)")
    for found in recover.recover(source.path, source.connection):
        proof = found.link
        if found.from_page and proof.sequence <= pruned:
            continue  # Deleted for its age, only its bytes are still there.
        values = (proof.sequence, proof.id, proof.place, proof.kind, proof.time)
        fresh.execute(_INSERT_RECORD, (*values, proof.prevhash, proof.hash, found.body))
        if found.from_page and fresh.changes():
            fresh.execute("INSERT INTO from_pages VALUES (?)", (proof.sequence,))
    _drop_what_does_not_fit(fresh)
    fresh.execute("DROP TABLE temp.from_pages")
    return int(fresh.execute("SELECT count(*) FROM records").get)


def _drop_what_does_not_fit(fresh: apsw.Connection) -> None:
    """A page may hold a record that was never committed: it does not fit one that was."""
    trigger = _take_trigger(fresh, "records_are_never_lost")
    fresh.execute(_UNFIT)
    fresh.execute(trigger)


def _take_trigger(fresh: apsw.Connection, name: str) -> str:
    """Drop a trigger of a store that nobody uses yet; its text makes it again."""
    sql = "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?"
    text = str(fresh.execute(sql, (name,)).get)
    fresh.execute(f"DROP TRIGGER {name}")
    return text


def _take_over_mark(old: apsw.Connection | None, fresh: apsw.Connection) -> None:
    """Where records were deleted for their age, and which were lost before."""
    if old is None:
        return
    trigger = _take_trigger(fresh, "pruned_moves_forward")
    try:
        mark = old.execute("SELECT sequence, hash, upstreams, pruned_at FROM pruned").fetchone()
        if mark is not None and isinstance(json.loads(mark[2]), list):
            fresh.execute("UPDATE pruned SET sequence=?, hash=?, upstreams=?, pruned_at=?", mark)
        for row in old.execute(
            "SELECT from_sequence, sequence, hash, noted_at, file FROM gaps"
        ).fetchall():
            lost: tuple[Any, ...] = row
            gaps.note(fresh, Gap(*lost))
    except (apsw.Error, UnicodeDecodeError, ValueError, AssertionError):
        pass  # What is missing is then told as lost, which is true of what can be proven.
    fresh.execute(trigger)


def last_record(fresh: apsw.Connection) -> int:
    """The highest sequence that is there; 0 when there is none."""
    return int(fresh.execute("SELECT coalesce(max(sequence), 0) FROM records").get)


def note_gaps(
    fresh: apsw.Connection, source: Source, tail: int, at: str
) -> tuple[tuple[int, int], ...]:
    """Name every stretch that is missing, also behind the last record up to `tail`."""
    mark, digest = fresh.execute("SELECT sequence, hash FROM pruned").fetchone() or (0, "")
    known = {row[0]: row[1] for row in fresh.execute("SELECT from_sequence, sequence FROM gaps")}
    lost, before, hash_before = [], int(mark), str(digest or FIRST_PREVHASH)
    sql = "SELECT sequence, prevhash, hash FROM records WHERE sequence > ? ORDER BY sequence"
    for sequence, prevhash, own in fresh.execute(sql, (mark,)):
        if sequence != before + 1 and known.get(before + 1) != sequence - 1:
            lost.append(Gap(before + 1, sequence - 1, prevhash, at, source.name))
        before, hash_before = int(sequence), str(own)
    if tail > before:
        lost.append(Gap(before + 1, tail, hash_before, at, source.name))
    for gap in lost:
        fresh.execute("DELETE FROM gaps WHERE from_sequence >= ? AND sequence <= ?", gap_ends(gap))
        gaps.note(fresh, gap)
    return tuple(gap_ends(gap) for gap in lost)


def gap_ends(gap: Gap) -> tuple[int, int]:
    """First and last missing sequence."""
    return gap.from_sequence, gap.sequence


def _groups(
    old: apsw.Connection | None, fresh: apsw.Connection, older: frozenset[str]
) -> Iterable[str]:
    """Carry every group; yields the names of those that are not sound.

    Locks and the archive are not sound either when the log took away what was last written there.
    """
    tables = {
        str(name)
        for (name,) in fresh.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    }
    named = {table for group in GROUPS.values() for table in group}
    alone = {name: (name,) for name in sorted(tables - named - _OWN_WAY)}
    for group, members in (GROUPS | alone).items():
        stale = group in (ARCHIVE, LOCKS) and not older.isdisjoint(members)
        if old is None or stale or not carry_group(old, fresh, group, members):
            yield group


def carry_group(
    old: apsw.Connection,
    fresh: apsw.Connection,
    group: str,
    tables: Sequence[str],
    *,
    anew: bool = False,
) -> bool:
    """Take over tables that belong together, all or none; `anew`: in the place of what is there."""
    fresh.execute("SAVEPOINT carried")
    try:
        for table in tables:
            if anew and _columns(old, table):
                fresh.execute(f"DELETE FROM {table}")  # noqa: S608 - our names
            _carry_table(old, fresh, table)
        if group == ARCHIVE:
            _check_archive(old, fresh)
        if group == RIGS:
            _carry_kept(old, fresh)
        if group == UPSTREAMS:
            fresh.execute(FITTED)
        require_readable(fresh, group)
    except (apsw.Error, StoreError, ValueError, TypeError, _UnsoundError):
        fresh.execute("ROLLBACK TO carried; RELEASE carried")
        return False
    fresh.execute("RELEASE carried")
    return True


def _carry_table(old: apsw.Connection, fresh: apsw.Connection, table: str) -> None:
    """Every row of the columns that both know. A table that an older store lacks is an empty one."""
    theirs = _columns(old, table)
    if not theirs:
        if _older(old):
            return
        raise _UnsoundError(f"{table} is gone")
    found = old.execute(f"PRAGMA quick_check('{table}')").get
    if found != "ok":
        raise _UnsoundError(found)
    columns = [name for name in _columns(fresh, table) if name in theirs]
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    where = " WHERE state = 'pending'" if table == "permits" else ""
    sql = f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - our names
    for row in old.execute(f"SELECT {names} FROM {table}{where}"):  # noqa: S608 - same
        fresh.execute(sql, row)


def _older(old: apsw.Connection) -> bool:
    """Whether it says that it is of an older program; a file that was emptied says nothing."""
    told = str(old.execute("SELECT value FROM meta WHERE key = 'schema_version'").get)
    return told.isdecimal() and int(told) < SCHEMA_VERSION


def _columns(connection: apsw.Connection, table: str) -> list[str]:
    return [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})").fetchall()]


def _carry_kept(old: apsw.Connection, fresh: apsw.Connection) -> None:
    """What a rig's own gate keeps."""
    found = old.execute("SELECT key, value FROM meta WHERE key LIKE ?", (_KEPT_ROWS,)).fetchall()
    for key, value in found:
        fresh.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
    fresh.execute(SETTLED)


def _check_archive(old: apsw.Connection, fresh: apsw.Connection) -> None:
    """Every entry reads as one, and the tags that are looked up are those of the entries."""
    columns = ", ".join(rows.CYLINDER_COLUMNS)
    tags = 0
    for row in fresh.execute(f"SELECT {columns} FROM cylinders"):  # noqa: S608 - our names
        entry = rows.cylinder(row)
        for uid in {rows.normal_uid(tag) for tag in entry.tag_uids}:
            tags += 1
            sql = "SELECT 1 FROM cylinder_tags WHERE uid = ? AND code = ?"
            if not fresh.execute(sql, (uid, entry.code)).get:
                raise _UnsoundError(uid)
    count: Any = fresh.execute("SELECT count(*) FROM cylinder_tags").get
    if count != tags or not old.execute("SELECT count(*) FROM archive").get:
        raise _UnsoundError(count)

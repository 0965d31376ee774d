"""Every question that the store answers. Plain calls, microseconds each, on one connection."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import apsw

from gatewayd.errors import StoreError
from gatewayd.store import behind, clock, database, rows
from gatewayd.store.ahead import AheadReads
from gatewayd.store.alarm_reads import AlarmReads
from gatewayd.store.clock import Mark
from gatewayd.store.gaps import GapReads
from gatewayd.store.in_force import InForceReads
from gatewayd.store.model import (
    ArchiveState,
    Cursor,
    Cylinder,
    DeadLetter,
    Entry,
    Permit,
    Record,
)
from gatewayd.store.order_reads import OrderReads
from gatewayd.store.page_reads import PageReads
from gatewayd.store.passing_reads import PassingReads
from gatewayd.store.people_reads import PeopleReads
from gatewayd.store.requests import RequestReads
from gatewayd.store.shifts import ShiftReads

RECORDS_PER_READ = 500
"""Records returned at once when the caller names no limit."""

_CYLINDER = ", ".join(rows.CYLINDER_COLUMNS)
_CYLINDER_BY_CODE = f"SELECT {_CYLINDER} FROM cylinders WHERE code = ?"  # noqa: S608 - our names
_CYLINDERS = f"SELECT {_CYLINDER} FROM cylinders ORDER BY code"  # noqa: S608 - our names
_CYLINDERS_BY_UID = (
    f"SELECT {_CYLINDER} FROM cylinders WHERE code IN "  # noqa: S608 - our names
    "(SELECT code FROM cylinder_tags WHERE uid = ?) ORDER BY code"
)
_RECORDS = f"SELECT {rows.RECORD_COLUMNS} FROM records"  # noqa: S608 - our names
_AT_TOTAL = (
    "SELECT rigs.rig FROM rigs LEFT JOIN permits p ON p.rig = rigs.rig AND p.state = 'pending' "
    "WHERE ?1 BETWEEN last_total_g - ?2 AND last_total_g + ?2 "
    "+ coalesce(max(0, p.limit_gross_g - p.tare_g), 0) AND rigs.rig <> ?3 ORDER BY rigs.rig"
)
_DEAD = (
    "SELECT d.upstream, d.sequence, r.id, r.kind, d.reason, d.refused_at, d.retrying "
    "FROM dead_letters d JOIN records r USING (sequence)"
)


class Reads(
    PeopleReads,
    OrderReads,
    PassingReads,
    InForceReads,
    ShiftReads,
    RequestReads,
    AheadReads,
    AlarmReads,
    GapReads,
    PageReads,
):
    """The store as it is committed right now. Every method raises StoreError when it cannot read.

    Not thread-safe: belongs to the thread that asks.
    """

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self.path = path
        self._read = connection

    def cylinder(self, code: str) -> Cylinder | None:
        """The archive entry of `code`, or None when it is not registered."""
        found = self._rows(_CYLINDER_BY_CODE, (code,))
        return rows.cylinder(found[0]) if found else None

    def cylinders_by_uid(self, uid: str) -> tuple[Cylinder, ...]:
        """Every cylinder that carries the tag `uid` (upper-case hex): none, one, or a conflict."""
        return tuple(rows.cylinder(row) for row in self._rows(_CYLINDERS_BY_UID, (uid,)))

    def cylinder_count(self) -> int:
        """How many cylinders the archive has; counts them, 10 ms at a million."""
        return int(self._one("SELECT count(*) FROM cylinders"))

    def cylinders(self) -> Iterator[Cylinder]:
        """Every cylinder by code, as the archive was when the first was taken."""
        try:
            for row in self._read.execute(_CYLINDERS):
                yield rows.cylinder(row)
        except apsw.Error as exc:
            raise database.store_error(self.path, exc) from exc

    def log_torn(self) -> bool:
        """Whether its log holds commits, durable once, that SQLite cannot reach."""
        try:
            return behind.torn(self.path, self._read)
        except apsw.Error as exc:
            raise database.store_error(self.path, exc) from exc

    def archive(self) -> ArchiveState:
        """What the archive is now: its version, how many cylinders, when last confirmed."""
        sql = "SELECT version, removed_version, confirmed_at FROM archive"
        version, removed, at = self._rows(sql)[0]
        return ArchiveState(version, removed, self.cylinder_count(), _time(at))

    def archive_confirmed_at(self) -> datetime | None:
        """When the archive's source last said that it is right (aware UTC); None = never."""
        return _time(self._one("SELECT confirmed_at FROM archive"))

    def entries(
        self, *, after_version: int, after_code: str = "", limit: int = RECORDS_PER_READ
    ) -> tuple[Entry, ...]:
        """Entries that changed after a version, by version and code; `after_code` goes on.

        To go on after the last entry of an answer, ask with its version and its code.
        """
        sql = (
            f"SELECT {_CYLINDER}, version, changed_at FROM cylinders "  # noqa: S608 - our names
            "WHERE (version, code) > (?, ?) ORDER BY version, code LIMIT ?"
        )
        first = (after_version, after_code) if after_code else (after_version + 1, "")
        found = self._rows(sql, (*first, limit))
        return tuple(Entry(rows.cylinder(row[:-2]), row[-2], _time(row[-1])) for row in found)

    def pending_permits(self, rig_id: str) -> tuple[Permit, ...]:
        """The permits of a rig that are not resolved: none or one."""
        sql = (
            f"SELECT {rows.PERMIT_COLUMNS} FROM permits "  # noqa: S608 - our names
            "WHERE rig = ? AND state = 'pending'"
        )
        return tuple(rows.permit(row) for row in self._rows(sql, (rig_id,)))

    def rigs_with_pending_permits(self) -> tuple[str, ...]:
        """Every rig that has a permit to be settled, also rigs that no configuration names."""
        sql = "SELECT DISTINCT rig FROM permits WHERE state = 'pending' ORDER BY rig"
        return tuple(str(row[0]) for row in self._rows(sql))

    def last_permit_no(self, rig_id: str) -> int:
        """The number of the rig's last permit; 0 when it never had one."""
        return int(self._one("SELECT last_permit_no FROM rigs WHERE rig = ?", (rig_id,)) or 0)

    def last_total_g(self, rig_id: str) -> int | None:
        """The rig's totaliser at its last record or baseline; None when never recorded."""
        total_g = self._one("SELECT last_total_g FROM rigs WHERE rig = ?", (rig_id,))
        return None if total_g is None else int(total_g)

    def rigs_at_total(self, total_g: int, *, within_g: int, besides: str) -> tuple[str, ...]:
        """Other rigs whose totaliser was last recorded at `total_g`, or near it; by name.

        Or below it by no more than the permit that is pending there allows.
        """
        return tuple(str(row[0]) for row in self._rows(_AT_TOTAL, (total_g, within_g, besides)))

    def kept(self, rig_id: str) -> str | None:
        """What the rig's gate kept last; None when it never did."""
        text = self._one("SELECT value FROM meta WHERE key = ?", (rows.KEPT.format(rig_id),))
        return None if text is None else str(text)

    def last_filled(self, rig_id: str) -> str | None:
        """The code of the cylinder that last took gas at this rig; None when none did."""
        code = self._one("SELECT last_filled FROM rigs WHERE rig = ?", (rig_id,))
        return None if code is None else str(code)

    def clock_mark(self) -> Mark:
        """What the store knows of the clock."""
        sql = "SELECT latest_at, believed, moved_s, vouched FROM clock"
        return clock.mark(self._rows(sql)[0])

    def records(
        self,
        *,
        after_sequence: int = 0,
        limit: int = RECORDS_PER_READ,
        kind: str | None = None,
        rig: str | None = None,
    ) -> tuple[Record, ...]:
        """The first `limit` records after a sequence, in order, of one kind or rig when named."""
        where, values = _filter(kind, rig)
        sql = f"{_RECORDS} WHERE sequence > ?{where} ORDER BY sequence LIMIT ?"
        return tuple(rows.record(row) for row in self._rows(sql, (after_sequence, *values, limit)))

    def newest_records(
        self, *, limit: int = RECORDS_PER_READ, kind: str | None = None, rig: str | None = None
    ) -> tuple[Record, ...]:
        """The last `limit` records, in order, of one kind or rig when named."""
        where, values = _filter(kind, rig)
        sql = f"{_RECORDS} WHERE sequence > 0{where} ORDER BY sequence DESC LIMIT ?"
        found = self._rows(sql, (*values, limit))
        return tuple(rows.record(row) for row in reversed(found))

    def record(self, id_or_sequence: str | int) -> Record | None:
        """One record by its id (text) or sequence (integer); None when there is none."""
        column = "sequence" if isinstance(id_or_sequence, int) else "id"
        found = self._rows(f"{_RECORDS} WHERE {column} = ?", (id_or_sequence,))
        return rows.record(found[0]) if found else None

    def last_sequence(self) -> int:
        """The highest sequence committed; 0 when there is no record."""
        return int(self._one("SELECT max(sequence) FROM records") or 0)

    def highest_sequence_given(self) -> int:
        """The highest sequence ever given out; above `last_sequence` when the tail was cut off."""
        return int(self._one("SELECT seq FROM sqlite_sequence WHERE name = 'records'") or 0)

    def cursor(self, upstream: str) -> int:
        """The sequence through which an upstream has acknowledged; 0 when it is new."""
        return int(self._one("SELECT sequence FROM cursors WHERE upstream = ?", (upstream,)) or 0)

    def cursors(self) -> tuple[Cursor, ...]:
        """Every upstream that ever acknowledged, by name."""
        found = self._rows("SELECT upstream, sequence, acknowledged_at FROM cursors")
        return tuple(Cursor(name, seq, datetime.fromisoformat(at)) for name, seq, at in found)

    def dead_letters(
        self, upstream: str | None = None, *, limit: int = RECORDS_PER_READ
    ) -> tuple[DeadLetter, ...]:
        """The first `limit` records refused by one upstream, or by any; with those retrying."""
        where = "WHERE ?1 IS NULL OR d.upstream = ?1"
        sql = f"{_DEAD} {where} ORDER BY d.upstream, d.sequence LIMIT ?2"
        found = self._rows(sql, (upstream, limit))
        return tuple(
            DeadLetter(name, seq, rid, kind, reason, datetime.fromisoformat(at), bool(retrying))
            for name, seq, rid, kind, reason, at, retrying in found
        )

    def dead_count(self, upstream: str | None = None, *, retrying: bool) -> int:
        """How many dead letters an upstream has, or all have: retrying, or waiting for a person."""
        sql = (
            "SELECT count(*) FROM dead_letters "
            "WHERE (?1 IS NULL OR upstream = ?1) AND retrying = ?2"
        )
        return int(self._one(sql, (upstream, retrying)))

    def dead_to_retry(self, upstream: str, *, limit: int = RECORDS_PER_READ) -> tuple[Record, ...]:
        """Dead letters of an upstream that a person asked to send again, in order."""
        sql = (
            f"{_RECORDS} WHERE sequence IN (SELECT sequence FROM dead_letters "  # noqa: S608 - our names
            "WHERE upstream = ? AND retrying = 1) ORDER BY sequence LIMIT ?"
        )
        return tuple(rows.record(row) for row in self._rows(sql, (upstream, limit)))

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[rows.Row]:
        try:
            return self._read.execute(sql, values).fetchall()
        except apsw.Error as exc:
            raise database.store_error(self.path, exc) from exc

    def _one(self, sql: str, values: Sequence[Any] = ()) -> Any:
        found = self._rows(sql, values)
        return found[0][0] if found else None


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _filter(kind: str | None, rig: str | None) -> tuple[str, tuple[str, ...]]:
    named = {"kind": kind, "rig": rig}
    wanted = {column: value for column, value in named.items() if value is not None}
    return "".join(f" AND {column} = ?" for column in wanted), tuple(wanted.values())


class Reader(Reads):
    """A store opened to look, alone or beside the running daemon; it cannot write."""

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open for reading; raises StoreError, also when there is no store yet."""
        if not database.exists(path):
            raise StoreError(f"{path}: no store here yet; `gatewayd run` or `import` creates it")
        return cls(path, database.connect_to_read(path))

    @contextmanager
    def at_one_moment(self) -> Iterator[None]:
        """Everything read inside is the store as it was at the first question. Raises StoreError."""
        try:
            self._read.execute("BEGIN")
            yield
            self._read.execute("COMMIT")
        except apsw.Error as exc:
            raise database.store_error(self.path, exc) from exc
        finally:
            database.roll_back(self._read)

    def close(self) -> None:
        """Let go of the file."""
        self._read.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

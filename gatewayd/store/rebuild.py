"""A large import: a new table of cylinders is built beside the old one, then they change places.

The build goes in slices, each a transaction of about SLICE_MS, with pauses in which the daemon's
own commits go through; the switch is one short transaction. A crash before it leaves the old
archive, a crash after it the new one, and in both cases a table that the next import clears away.
What changes in the archive meanwhile is noted by triggers and carried over in the switch.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from gatewayd.clock import MS, Clock
from gatewayd.errors import StoreError
from gatewayd.store import database, retiring
from gatewayd.store.merge import COLUMNS, Merge, retag, tag_rows
from gatewayd.store.model import ImportCounts
from gatewayd.store.rows import normal_uids
from gatewayd.store.staging import require_disk

SLICE_MS = 50
"""How long a slice aims to hold the write lock."""
PAUSE_S = 0.025
"""Between slices; longer than a step in which the daemon's writer asks for the lock again."""
ROWS_FIRST = 1_000
ROWS_MIN = 50
ROWS_MAX = 20_000
ROOM_BYTES_KEPT = 8_388_608
"""Room under the quota that a slice leaves above the reserve, so that the daemon stays healthy."""
VERSIONS_RESERVED = 1_000_000
"""Changes of the archive that may happen while a new one is built."""

_LEFTOVERS = (
    ("cylinders_next", "code"),
    ("cylinder_tags_next", "uid"),
    ("cylinders_old", "code"),
    ("cylinder_tags_old", "uid"),
)
_TOUCHED = """
CREATE TABLE cylinders_touched (code TEXT NOT NULL, tag_uids TEXT NOT NULL) STRICT;
CREATE TRIGGER cylinders_touched_insert AFTER INSERT ON cylinders
BEGIN INSERT INTO cylinders_touched VALUES (new.code, new.tag_uids); END;
CREATE TRIGGER cylinders_touched_update AFTER UPDATE ON cylinders
BEGIN INSERT INTO cylinders_touched
VALUES (old.code, old.tag_uids), (new.code, new.tag_uids); END;
CREATE TRIGGER holds_touched_insert AFTER INSERT ON holds
BEGIN INSERT INTO cylinders_touched VALUES (new.code, ''); END;
CREATE TRIGGER holds_touched_update AFTER UPDATE ON holds
BEGIN INSERT INTO cylinders_touched VALUES (new.code, ''); END;
"""
_UNTOUCH = """
DROP TRIGGER IF EXISTS cylinders_touched_insert;
DROP TRIGGER IF EXISTS cylinders_touched_update;
DROP TRIGGER IF EXISTS holds_touched_insert;
DROP TRIGGER IF EXISTS holds_touched_update;
DROP TABLE IF EXISTS cylinders_touched;
"""
_TOUCHED_CODES = "SELECT code FROM cylinders_touched"
_INTO_TAGS = "INSERT OR IGNORE INTO cylinder_tags_next"
_END = b"\xff"
"""Sorts after every text."""

Progress = Callable[[str, int, int], None]
"""Hears what is being done, how many entries of it are done, and of how many."""


Also = Callable[[apsw.Connection, ImportCounts], None]
"""What else is written in the transaction in which the archive changes."""


class Rebuild:
    """One large import on a connection that has the staged entries attached as `staged`."""

    def __init__(
        self,
        connection: apsw.Connection,
        merge: Merge,
        clock: Clock,
        progress: Progress,
        *,
        reuse: str = "",
        also: Also | None = None,
    ) -> None:
        self._path = Path(connection.db_filename("main"))
        self._connection = connection
        self.merge = merge
        self._reuse = reuse
        self._also = also
        self._clock = clock
        self._progress = progress
        self._never = threading.Event()
        self._rows = ROWS_FIRST
        self._held_ms = 0.0

    def run(self, counts: ImportCounts) -> None:
        """Make the planned import so. Raises StoreError or apsw.Error; then nothing changed."""
        self.clear()
        switched = False
        try:
            self._begin()
            self._cylinders()
            if "tag_uids" in self.merge.columns:
                self._tags()
            self._switch(counts)
            switched = True
        finally:
            if not switched:
                database.roll_back(self._connection)
            # A failure to tidy up must hide neither success nor the failure before it.
            with suppress(apsw.Error, StoreError):
                self.clear()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """A short transaction, then a pause for the daemon's own; room is kept for those."""
        require_disk(self._path)
        self._connection.execute("BEGIN IMMEDIATE")
        began_ns = self._clock.monotonic_ns()
        yield
        self._connection.execute("COMMIT")
        took_ms = (self._clock.monotonic_ns() - began_ns) / MS
        share = min(2.0, SLICE_MS / max(took_ms, 1.0))
        self._rows = max(ROWS_MIN, min(ROWS_MAX, int(self._rows * share)))
        self._held_ms += took_ms
        if self._held_ms > SLICE_MS / 2:
            self._held_ms = 0.0
            self._never.wait(PAUSE_S)

    def clear(self) -> None:
        """Remove what an import left behind, in slices."""
        if self._exists("cylinders_touched"):
            with self._transaction():
                self._connection.execute(_UNTOUCH)
        for table, key in _LEFTOVERS:
            if self._exists(table):
                self._remove(table, key)

    def _exists(self, table: str) -> bool:
        sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?"
        return bool(self._connection.execute(sql, (table,)).get)

    def _remove(self, table: str, key: str) -> None:
        names = self._connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? "
            "AND sql IS NOT NULL",
            (table,),
        )
        for (name,) in names.fetchall():
            with self._transaction():
                self._connection.execute(f'DROP INDEX "{name}"')
        low: str | bytes = ""
        while low != _END:
            high = self._bound(low, ((table, key),))
            with self._transaction():
                self._connection.execute(f"DELETE FROM {table} WHERE {key} <= ?", (high,))  # noqa: S608 - our names
            low = high
        with self._transaction():
            self._connection.execute(f"DROP TABLE {table}")

    def _begin(self) -> None:
        """Make the empty tables, and note from now on what is touched."""
        with self._transaction():
            for table in ("cylinders", "cylinder_tags"):
                made = self._connection.execute(
                    "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", (table,)
                ).get
                self._connection.execute(
                    re.sub(rf'^CREATE TABLE "?{table}"?', f"CREATE TABLE {table}_next", made)
                )
            name = f"cylinders_by_version_{self.merge.version}"
            self._connection.execute(f"CREATE INDEX {name} ON cylinders_next (version)")
            self._connection.execute(_TOUCHED)

    def _cylinders(self) -> None:
        sources = (("incoming", "code"), ("cylinders", "code"))
        into = f"INSERT INTO cylinders_next ({COLUMNS})"
        steps = (
            f"{into} {self.merge.staying('c.code > :low AND c.code <= :high')}",
            f"{into} {self.merge.taken('i.code > :low AND i.code <= :high')}",
        )
        self._copy("cylinders", sources, steps)

    def _tags(self) -> None:
        """Tags follow their entries: from the file where it was taken, else as they were."""
        kept = "coalesce(n.source_version > :source, 0)"
        staying = (
            f"{_INTO_TAGS} SELECT t.uid, t.code FROM cylinder_tags t "  # noqa: S608 - our names
            "CROSS JOIN cylinders_next n ON n.code = t.code LEFT JOIN incoming i ON i.code = t.code "
            f"WHERE t.uid > :low AND t.uid <= :high AND (i.code IS NULL OR {kept})"
        )
        taken = (
            f"{_INTO_TAGS} SELECT t.uid, t.code FROM incoming_tags t "  # noqa: S608 - our names
            "CROSS JOIN cylinders_next n ON n.code = t.code "
            f"WHERE t.uid > :low AND t.uid <= :high AND NOT {kept} ORDER BY t.uid, t.code"
        )
        sources = (("incoming_tags", "uid"), ("cylinder_tags", "uid"))
        self._copy("tags", sources, (staying, taken))

    def _copy(
        self, what: str, sources: tuple[tuple[str, str], ...], steps: tuple[str, ...]
    ) -> None:
        """Fill a table from sorted sources, slice by slice."""
        total = sum(
            int(self._connection.execute(f"SELECT count(*) FROM {table}").get)  # noqa: S608 - our names
            for table, _ in sources
        )
        low: str | bytes = ""
        done = 0
        while low != _END:
            high = self._bound(low, sources)
            done = total if high == _END else min(total, done + self._rows)
            with self._transaction():
                for step in steps:
                    self._connection.execute(step, self.merge.values(low=low, high=high))
                self._require_room()
            low = high
            self._progress(what, done, total)

    def _bound(self, low: str | bytes, sources: tuple[tuple[str, str], ...]) -> str | bytes:
        """Where a slice of `_rows` entries of each source ends."""
        found = [
            self._connection.execute(
                f"SELECT {key} FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT 1 OFFSET ?",  # noqa: S608 - our names
                (low, self._rows),
            ).get
            for table, key in sources
        ]
        return min((key for key in found if key is not None), default=_END)

    def _require_room(self) -> None:
        if not database.has_room(self._connection, kept=ROOM_BYTES_KEPT):
            raise StoreError(
                f"{self._path}: the store is full: while a new archive is "
                "built both need room; raise store.quota_mb"
            )

    def _switch(self, counts: ImportCounts) -> None:
        """Carry over what was touched, then let the new tables take the places of the old."""
        with self._transaction():
            self._carry_over()
            retiring.apply(self._connection, self.merge.at, reuse=self._reuse)
            self._connection.execute(_UNTOUCH)
            self._connection.execute("ALTER TABLE cylinders RENAME TO cylinders_old")
            self._connection.execute("ALTER TABLE cylinders_next RENAME TO cylinders")
            if "tag_uids" in self.merge.columns:
                self._connection.execute("ALTER TABLE cylinder_tags RENAME TO cylinder_tags_old")
                self._connection.execute("ALTER TABLE cylinder_tags_next RENAME TO cylinder_tags")
            self.merge.confirm(self._connection, counts)
            if self._also is not None:
                self._also(self._connection, counts)

    def _carry_over(self) -> None:
        connection, merge = self._connection, self.merge
        touched = connection.execute("SELECT code, tag_uids FROM cylinders_touched").fetchall()
        if not touched:
            return
        before = tag_rows(connection, "cylinders_next", _TOUCHED_CODES)
        before += [(uid, str(code)) for code, text in touched for uid in normal_uids(str(text))]
        connection.execute(f"DELETE FROM cylinders_next WHERE code IN ({_TOUCHED_CODES})")  # noqa: S608 - our names
        into = f"INSERT INTO cylinders_next ({COLUMNS})"
        for sql in (
            merge.staying(f"c.code IN ({_TOUCHED_CODES})"),
            merge.taken(f"i.code IN ({_TOUCHED_CODES})"),
        ):
            connection.execute(f"{into} {sql}", merge.values())
        if "tag_uids" in merge.columns:
            after = tag_rows(connection, "cylinders_next", _TOUCHED_CODES)
            retag(connection, "cylinder_tags_next", before, after)

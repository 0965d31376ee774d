"""Archive entries on their way in: a scratch file beside the store that locks nobody out.

Whoever has begun is the only import into that store. A scratch file that a crash left behind is
removed by the next import; nothing in it was ever part of the archive.
"""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import apsw

from gatewayd.errors import StoreError
from gatewayd.store import database, merge, rows
from gatewayd.store.model import Cylinder

ROWS_A_WRITE = 1_000
DISK_BYTES_KEPT = 67_108_864
"""An import leaves this much of the disk free: the records of the fills meanwhile need it."""
CACHE_KIB = 32_768


@dataclass(frozen=True, slots=True)
class Repeat:
    """A row that repeats what an earlier one has: a `code`, or a `uid` in any spelling."""

    row: int
    first: int
    column: str
    value: str


class Staging:
    """Entries staged for one import; `columns` are those that they say something about."""

    def __init__(
        self, path: Path, file: Path, connection: apsw.Connection, owner: database.Ownership
    ) -> None:
        self.path = path
        self.file = file
        self.columns: tuple[str, ...] = rows.CYLINDER_COLUMNS
        self.count = 0
        self._connection = connection
        self._owner = owner
        self._rows: list[Sequence[Any]] = []
        self._tags: list[tuple[str, str | None, int]] = []
        self._add = ""
        self.begin(self.columns)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Begin an import into the store at `path`; raises StoreError when another one is on."""
        owner = database.Ownership.take_import(path)
        file = path.with_name(f"{path.name}.import")
        try:
            file.unlink(missing_ok=True)
            connection = apsw.Connection(str(file))
            # Scratch: a crash throws it away, so nothing in it need survive one.
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            connection.execute(merge.STAGE.format(schema="main"))
            connection.execute("BEGIN")
        except (apsw.Error, OSError) as exc:
            owner.release()
            raise StoreError(f"{file}: cannot stage the import: {exc}") from exc
        return cls(path, file, connection, owner)

    def begin(self, columns: Sequence[str]) -> None:
        """Say which columns the values of `add` are, in order; the others are unknown."""
        self.columns = tuple(columns)
        names = ", ".join(('"row"', *self.columns))
        marks = ", ".join("?" * (len(self.columns) + 1))
        self._add = f"INSERT INTO incoming ({names}) VALUES ({marks})"  # noqa: S608 - our names

    def add(self, row: int, code: str | None, values: Sequence[Any], uids: Iterable[str]) -> None:
        """Stage one entry as SQLite keeps it, with its normalised uids. Raises StoreError."""
        self._rows.append((row, *values))
        self._tags += [(uid, code, row) for uid in uids]
        self.count += 1
        if len(self._rows) >= ROWS_A_WRITE:
            self._write()

    def add_cylinders(self, cylinders: Iterable[Cylinder]) -> None:
        """Stage whole entries; after `begin` with other columns only those are taken."""
        for value in cylinders:
            row = dict(zip(rows.CYLINDER_COLUMNS, rows.cylinder_row(value), strict=True))
            uids = map(rows.normal_uid, value.tag_uids)
            self.add(self.count + 1, value.code, [row[name] for name in self.columns], uids)

    def _write(self) -> None:
        require_disk(self.file)
        try:
            self._connection.executemany(self._add, self._rows)
            self._connection.executemany("INSERT INTO incoming_tags VALUES (?, ?, ?)", self._tags)
        except apsw.Error as exc:
            raise StoreError(f"{self.file}: cannot stage the import: {exc}") from exc
        self._rows.clear()
        self._tags.clear()

    def seal(self) -> None:
        """No more entries come: sort what there is. Raises StoreError."""
        self._write()
        try:
            self._connection.execute(merge.INDEX.format(schema="main"))
            self._connection.execute("COMMIT")
        except apsw.Error as exc:
            raise StoreError(f"{self.file}: cannot stage the import: {exc}") from exc

    def repeats(self, limit: int) -> tuple[int, list[Repeat]]:
        """How many rows repeat a code or a tag, and the first `limit` of each, by row."""
        count, found = 0, []
        for column, key, table in (("code", "code", "incoming"), ("uid", "uid", "incoming_tags")):
            several = (
                f'SELECT {key} AS key, min("row") AS first FROM {table} '  # noqa: S608 - our names
                f"WHERE {key} IS NOT NULL GROUP BY {key} HAVING count(*) > 1"
            )
            sql = f'FROM ({several}) s JOIN {table} t ON t.{key} = s.key WHERE t."row" > s.first'
            count += self._connection.execute(f"SELECT count(*) {sql}").get
            rest = f'SELECT t."row", s.first, s.key {sql} ORDER BY t."row" LIMIT ?'
            for row, first, value in self._connection.execute(rest, (limit,)):
                found.append(Repeat(row, first, column, str(value)))
        return count, found

    def attach(self, connection: apsw.Connection) -> None:
        """Show the sealed entries to a connection of the store, as schema `staged`."""
        self._connection.close()
        connection.execute("ATTACH ? AS staged", (str(self.file),))
        connection.execute("PRAGMA staged.journal_mode = OFF")
        connection.execute("PRAGMA staged.synchronous = OFF")
        for schema in ("main", "staged"):
            connection.execute(f"PRAGMA {schema}.cache_size = -{CACHE_KIB}")

    def close(self) -> None:
        """Throw the scratch file away and let the next import begin."""
        self._connection.close()
        self.file.unlink(missing_ok=True)
        self._owner.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def require_disk(path: Path) -> None:
    """Refuse to fill the disk under `path`; raises StoreError."""
    free = shutil.disk_usage(path.parent).free
    if free < DISK_BYTES_KEPT:
        raise StoreError(
            f"{path}: the disk is nearly full ({free // 1_048_576} MiB left); an import leaves "
            f"{DISK_BYTES_KEPT // 1_048_576} MiB for the records of the fills: free space"
        )

"""What the store answers about holds, locks and one cylinder's life; a part of `Reads`."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gatewayd.store import rows
from gatewayd.store.model import Hold, Record, RigLock

HOLDS_PER_READ = 500
"""Holds or locks returned at once when the caller names no limit."""
OF_CYLINDER = "iif(json_valid(body), json_extract(body, '$.data.cylinder.code'), NULL)"
"""The words of the index records_by_cylinder; SQLite uses it for these words only."""

_HOLD = "code, reason, held_by, held_at, released_by, released_at, release_reason"
_LOCK = "rig, reason, locked_by, locked_at, unlocked_by, unlocked_at, unlock_reason"


class OrderReads(ABC):
    """Every method raises StoreError when the store cannot be read."""

    @abstractmethod
    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[rows.Row]:
        """The rows of a query."""

    def holds(self, code: str, *, limit: int = HOLDS_PER_READ) -> tuple[Hold, ...]:
        """The newest `limit` holds of a cylinder, oldest first; the last one may be open."""
        sql = f"SELECT {_HOLD} FROM holds WHERE code = ? ORDER BY id DESC LIMIT ?"  # noqa: S608 - our names
        return tuple(rows.hold(row) for row in reversed(self._rows(sql, (code, limit))))

    def open_holds(self, *, limit: int = HOLDS_PER_READ) -> tuple[Hold, ...]:
        """The newest `limit` holds that nobody has released, oldest first."""
        sql = f"SELECT {_HOLD} FROM holds WHERE released_at IS NULL ORDER BY id DESC LIMIT ?"  # noqa: S608 - our names
        return tuple(rows.hold(row) for row in reversed(self._rows(sql, (limit,))))

    def holds_of_the_archive(self, *, limit: int = HOLDS_PER_READ) -> tuple[tuple[str, str], ...]:
        """Code and reason of entries that came with a hold; looks at all, 0.2 s a million."""
        sql = (
            "SELECT code, hold FROM cylinders c WHERE hold IS NOT NULL AND NOT EXISTS (SELECT 1 "
            "FROM holds h WHERE h.code = c.code AND released_at IS NULL) ORDER BY code LIMIT ?"
        )
        return tuple((str(code), str(hold)) for code, hold in self._rows(sql, (limit,)))

    def rig_lock(self, rig_id: str) -> RigLock | None:
        """The lock that is on a rig; None = it is not locked."""
        sql = f"SELECT {_LOCK} FROM rig_locks WHERE rig = ? AND unlocked_at IS NULL"  # noqa: S608 - our names
        found = self._rows(sql, (rig_id,))
        return _lock(found[0]) if found else None

    def rig_locks(self) -> tuple[RigLock, ...]:
        """Every lock that is on a rig now, by rig; also of rigs that no configuration names."""
        sql = f"SELECT {_LOCK} FROM rig_locks WHERE unlocked_at IS NULL ORDER BY rig"  # noqa: S608 - our names
        return tuple(map(_lock, self._rows(sql)))

    def entry_version(self, code: str) -> tuple[int, datetime | None]:
        """When an entry changed last: the archive's version then, and the time (aware UTC)."""
        sql = "SELECT version, changed_at FROM cylinders WHERE code = ?"
        found = self._rows(sql, (code,))
        version, at = found[0] if found else (0, None)
        return int(version), None if at is None else datetime.fromisoformat(at)

    def archive_version(self) -> int:
        """The version of the last change of the archive."""
        return int(self._rows("SELECT version FROM archive")[0][0])

    def data_version(self) -> int:
        """Another number whenever anybody else has written into the store since the last question."""
        return int(self._rows("PRAGMA data_version")[0][0])

    def records_of(
        self, code: str, *, after_sequence: int = 0, limit: int = HOLDS_PER_READ
    ) -> tuple[Record, ...]:
        """The first `limit` records about a cylinder after a sequence, in order."""
        sql = (
            f"SELECT {rows.RECORD_COLUMNS} FROM records WHERE {OF_CYLINDER} = ? "  # noqa: S608 - our names
            "AND sequence > ? ORDER BY sequence LIMIT ?"
        )
        return tuple(rows.record(row) for row in self._rows(sql, (code, after_sequence, limit)))

    def has_further_columns(self) -> bool:
        """Whether any cylinder has a value beyond the contract's columns; 0.1 s a million."""
        known = " OR ".join(f"{name} IS NOT NULL" for name in rows.FURTHER_COLUMNS)
        return bool(self._rows(f"SELECT EXISTS (SELECT 1 FROM cylinders WHERE {known})")[0][0])  # noqa: S608 - our names


def _lock(row: rows.Row) -> RigLock:
    """A row of `rig_locks` in the order of the fields of RigLock."""
    rig, reason, by, at, unlocked_by, unlocked_at, why = row
    ended = None if unlocked_at is None else datetime.fromisoformat(unlocked_at)
    return RigLock(rig, reason, by, datetime.fromisoformat(at), unlocked_by, ended, why)

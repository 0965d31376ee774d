"""What a page of records asks: newest first, a page at a time, never through the whole store."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from gatewayd.store import rows
from gatewayd.store.model import Record
from gatewayd.store.order_reads import OF_CYLINDER

LOOKED_THROUGH_MAX = 20_000
"""Records that one page looks through for a kind or a rig; the next page goes on where it ended."""


class PageReads(ABC):
    """Part of `Reads`; every method raises StoreError when the store cannot be read."""

    @abstractmethod
    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[rows.Row]:
        """The rows of a query."""

    def records_before(
        self, before: int, *, limit: int, kind: str | None = None, rig: str | None = None
    ) -> tuple[Record, ...]:
        """The newest `limit` records before a sequence, newest first, of one kind or rig if named.

        Looks at no more than `LOOKED_THROUGH_MAX` sequences below `before`.
        """
        named = {"kind": kind, "rig": rig}
        wanted = {column: value for column, value in named.items() if value is not None}
        where = "".join(f" AND {column} = ?" for column in wanted)
        sql = (
            f"SELECT {rows.RECORD_COLUMNS} FROM records "  # noqa: S608 - our names
            f"WHERE sequence < ? AND sequence >= ?{where} ORDER BY sequence DESC LIMIT ?"
        )
        values = (before, before - LOOKED_THROUGH_MAX, *wanted.values(), limit)
        return tuple(rows.record(row) for row in self._rows(sql, values))

    def records_of_before(self, code: str, before: int, *, limit: int) -> tuple[Record, ...]:
        """The newest `limit` records about a cylinder before a sequence, newest first."""
        sql = (
            f"SELECT {rows.RECORD_COLUMNS} FROM records WHERE {OF_CYLINDER} = ? "  # noqa: S608 - our names
            "AND sequence < ? ORDER BY sequence DESC LIMIT ?"
        )
        return tuple(rows.record(row) for row in self._rows(sql, (code, before, limit)))

"""What the store answers about a cylinder's way and about retired codes; a part of `Reads`."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gatewayd.errors import StoreError
from gatewayd.store import rows
from gatewayd.store.passing import Life, Retired, Seen


class PassingReads(ABC):
    """Every method raises StoreError when the store cannot be read."""

    @abstractmethod
    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[rows.Row]:
        """The rows of a query."""

    def life(self, code: str) -> Life:
        """What is known of a cylinder's way, also when its records are gone."""
        sql = (
            "SELECT filled_at, filled_sequence, filled_g, crossed_at, crossed_sequence "
            "FROM lives WHERE code = ?"
        )
        for filled_at, filled, filled_g, crossed_at, crossed in self._rows(sql, (code,)):
            times = _time(filled_at, code), _time(crossed_at, code)
            return Life(times[0], filled or 0, filled_g, times[1], crossed or 0)
        return Life()

    def sightings(self) -> tuple[Seen, ...]:
        """The sightings that are remembered, oldest first."""
        found = self._rows("SELECT code, place, seen_at FROM sightings ORDER BY id")
        return tuple(Seen(code, place, datetime.fromisoformat(at)) for code, place, at in found)

    def retired(self, kind: str, value: str) -> Retired | None:
        """Why a `code`, or a `uid` in upper-case hex, must not be used; None = it may be."""
        sql = (
            "SELECT kind, value, code, reason, retired_at FROM retired "
            "WHERE kind = ? AND value = ? AND reused_at IS NULL"
        )
        for its_kind, its_value, code, reason, at in self._rows(sql, (kind, value)):
            since = _time(at, code)
            assert since is not None, its_value
            return Retired(its_kind, its_value, code, reason, since)
        return None

    def retired_all(self, value: str | None = None, *, limit: int) -> tuple[Retired, ...]:
        """The newest `limit` codes and tags that are out of use; with `value` only what names it."""
        sql = "SELECT kind, value, code, reason, retired_at FROM retired WHERE reused_at IS NULL"
        named: tuple[str, ...] = ()
        if value is not None:
            sql += " AND (value = ?1 OR code = ?1)"
            named = (value,)
        sql += f" ORDER BY retired_at DESC, kind, value LIMIT {int(limit)}"
        return tuple(
            Retired(kind, what, code, reason, datetime.fromisoformat(at))
            for kind, what, code, reason, at in self._rows(sql, named)
        )


def _time(text: str | None, code: str) -> datetime | None:
    """Raises StoreError: a start does not look at what is known of each cylinder."""
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError as exc:
        why = f"what is known of cylinder {code} cannot be read ({exc})"
        raise StoreError(f"{why}; `gatewayd restore` the last backup") from exc

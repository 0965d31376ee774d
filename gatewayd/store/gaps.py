"""Records that are not here any more: deleted for their age, or lost with a damaged store.

The chain is whole when every missing stretch is named here and fits its neighbours.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import apsw

from gatewayd.store import rows
from gatewayd.store.chain import FIRST_PREVHASH, Head


@dataclass(frozen=True, slots=True)
class Pruned:
    """Records through `head.sequence` may be gone: old enough, and taken by all `upstreams`."""

    head: Head
    upstreams: tuple[str, ...]
    at: str | None


@dataclass(frozen=True, slots=True)
class Gap:
    """Records that were lost with `file`; the next one names `hash`. `noted_at` is RFC 3339, UTC.

    `file` is empty where no store was there, and a backup took its place.
    """

    from_sequence: int
    sequence: int
    hash: str
    noted_at: str
    file: str

    @property
    def records(self) -> int:
        """How many are missing at the most."""
        return self.sequence - self.from_sequence + 1


_HEAD = (
    "SELECT * FROM (SELECT sequence, hash FROM records ORDER BY sequence DESC LIMIT 1) UNION ALL "
    "SELECT * FROM (SELECT sequence, hash FROM gaps ORDER BY sequence DESC LIMIT 1) "
    "ORDER BY 1 DESC LIMIT 1"
)


def head(connection: apsw.Connection) -> Head:
    """What the next record follows; may raise apsw.Error."""
    found = connection.execute(_HEAD).fetchone()
    return Head(*found) if found else Head(0, FIRST_PREVHASH)


def note(connection: apsw.Connection, gap: Gap) -> None:
    """Remember that records are missing."""
    assert 0 < gap.from_sequence <= gap.sequence, gap
    connection.execute(
        "INSERT INTO gaps (from_sequence, sequence, hash, noted_at, file) VALUES (?, ?, ?, ?, ?)",
        (gap.from_sequence, gap.sequence, gap.hash, gap.noted_at, gap.file),
    )


class GapReads(ABC):
    """Every method raises StoreError when the store cannot be read."""

    @abstractmethod
    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[rows.Row]:
        """The rows of a query."""

    def pruned(self) -> Pruned:
        """Through where records were deleted for their age."""
        sequence, digest, upstreams, at = self._rows(
            "SELECT sequence, hash, upstreams, pruned_at FROM pruned"
        )[0]
        return Pruned(Head(sequence, digest), tuple(json.loads(upstreams)), at)

    def gaps(self, *, after_sequence: int = 0) -> tuple[Gap, ...]:
        """Every stretch of records that was lost above a sequence, in order."""
        sql = (
            "SELECT from_sequence, sequence, hash, noted_at, file FROM gaps WHERE sequence > ? "
            "ORDER BY sequence"
        )
        return tuple(Gap(*row) for row in self._rows(sql, (after_sequence,)))

    def waiting(self, through_sequence: int) -> int:
        """How many records an upstream has not taken that has taken all through a sequence."""
        last = int(self._rows("SELECT coalesce(max(sequence), 0) FROM records")[0][0])
        lost = (
            gap.sequence - max(gap.from_sequence - 1, through_sequence)
            for gap in self.gaps(after_sequence=through_sequence)
        )
        return max(0, last - through_sequence - sum(lost))

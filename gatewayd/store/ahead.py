"""Records that leave out of turn: alarms that overtake a backlog, and what a platform asks for again.

Neither moves a cursor. What was sent ahead is remembered until the cursor has passed it.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import apsw

from gatewayd.store import rows
from gatewayd.store.model import Record

AHEAD_MAX = 1_000
"""Alarms of one upstream that are ahead of its cursor; more of them wait for their turn."""
RESENDS_WAITING_MAX = 16
"""Ranges that an upstream may have waiting."""
RESEND_RECORDS_MAX = 100_000
"""Records of one range."""

_RECORDS = f"SELECT {rows.RECORD_COLUMNS} FROM records"  # noqa: S608 - our names


@dataclass(frozen=True, slots=True)
class Resend:
    """A range that an upstream wants again; `next_sequence` is where it goes on."""

    id: int
    next_sequence: int
    to_sequence: int


def sent_ahead(connection: apsw.Connection, upstream: str, sequences: Sequence[int]) -> None:
    """An upstream has taken these before their turn."""
    connection.executemany(
        "INSERT OR IGNORE INTO sent_ahead VALUES (?, ?)",
        ((upstream, sequence) for sequence in sequences),
    )


def passed(connection: apsw.Connection, upstream: str, through_sequence: int) -> None:
    """The cursor has passed what was sent ahead up to here."""
    connection.execute(
        "DELETE FROM sent_ahead WHERE upstream = ? AND sequence <= ?", (upstream, through_sequence)
    )


def ask(connection: apsw.Connection, upstream: str, from_sequence: int, to_sequence: int) -> bool:
    """Have a range sent again; False = too many wait already. The caller knows that it exists."""
    sql = "SELECT count(*) FROM resends WHERE upstream = ?"
    if connection.execute(sql, (upstream,)).get >= RESENDS_WAITING_MAX:
        return False
    connection.execute(
        "INSERT INTO resends (upstream, next_sequence, to_sequence) VALUES (?, ?, ?)",
        (upstream, from_sequence, to_sequence),
    )
    return True


def resent(connection: apsw.Connection, resend: Resend, next_sequence: int) -> None:
    """A range goes on at `next_sequence`; beyond its end it is done."""
    if next_sequence > resend.to_sequence:
        connection.execute("DELETE FROM resends WHERE id = ?", (resend.id,))
        return
    connection.execute(
        "UPDATE resends SET next_sequence = ? WHERE id = ?", (next_sequence, resend.id)
    )


class AheadReads(ABC):
    """Every method raises StoreError when the store cannot be read."""

    @abstractmethod
    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[rows.Row]:
        """The rows of a query."""

    def alarm_records(self, *, after_sequence: int, limit: int) -> tuple[Record, ...]:
        """The first alarms after a sequence, in order; costs nothing where there are none."""
        sql = f"{_RECORDS} WHERE kind = 'alarm' AND sequence > ? ORDER BY sequence LIMIT ?"
        return tuple(rows.record(row) for row in self._rows(sql, (after_sequence, limit)))

    def ahead(self, upstream: str) -> frozenset[int]:
        """The sequences above its cursor that an upstream has already."""
        found = self._rows("SELECT sequence FROM sent_ahead WHERE upstream = ?", (upstream,))
        return frozenset(int(row[0]) for row in found)

    def next_resend(self, upstream: str) -> Resend | None:
        """The oldest range that an upstream waits for; None = none."""
        sql = (
            "SELECT id, next_sequence, to_sequence FROM resends WHERE upstream = ? "
            "ORDER BY id LIMIT 1"
        )
        found = self._rows(sql, (upstream,))
        return Resend(*found[0]) if found else None

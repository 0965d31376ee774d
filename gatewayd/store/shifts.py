"""Through which record a rig's shifts are reconciled, and what its records say since."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import apsw

from gatewayd.store import rows, writes
from gatewayd.store.chain import Issuer
from gatewayd.store.model import Record, RecordDraft

_LAST = "SELECT rig, ended_at, total_g, sequence FROM shifts WHERE rig = ?"
_BOOKED = (
    "SELECT count(*), coalesce(sum(json_extract(body, '$.data.net_g')), 0), "
    "coalesce(sum(CASE json_extract(body, '$.data.outcome') WHEN 'unauthorised' "
    "THEN json_extract(body, '$.data.net_g') ELSE 0 END), 0), "
    "coalesce(max(sequence), 0) FROM records WHERE sequence > ? AND rig = ? AND kind = 'fill'"
)
_SET = "INSERT OR REPLACE INTO shifts (rig, ended_at, total_g, sequence) VALUES (?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The end of a rig's last reconciled shift: when, its totaliser, and its last record."""

    rig_id: str
    ended_at: datetime
    total_g: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Booked:
    """What a rig's fill records say: how many, their grams, and those nobody had permitted."""

    fills: int
    net_g: int
    unauthorised_g: int
    sequence: int


class ShiftReads(ABC):
    """What the store answers about shifts; a part of `Reads`. All raise StoreError."""

    @abstractmethod
    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[rows.Row]:
        """The rows of a query."""

    def reconciled(self, rig_id: str) -> Reconciled | None:
        """The end of the last shift of a rig that was reconciled; None = never."""
        found = self._rows(_LAST, (rig_id,))
        return _row(found[0]) if found else None

    def booked(self, rig_id: str, after_sequence: int) -> Booked:
        """The fills of a rig behind a record."""
        fills, net_g, unauthorised_g, last = self._rows(_BOOKED, (after_sequence, rig_id))[0]
        return Booked(fills, net_g, unauthorised_g, max(last, after_sequence))


def begin(connection: apsw.Connection, first: Reconciled) -> None:
    """From here on the records of a rig are counted for its next shift."""
    row = (first.rig_id, rows.utc(first.ended_at), first.total_g, first.sequence)
    connection.execute(_SET, row)


def close(
    connection: apsw.Connection,
    issuer: Issuer,
    before: Reconciled,
    after: Reconciled,
    draft: RecordDraft,
) -> Record | None:
    """Commit the record of a shift, once: None when it is closed already or a fill came since."""
    found = connection.execute(_LAST, (before.rig_id,)).fetchone()
    newer = "SELECT 1 FROM records WHERE sequence > ? AND rig = ? AND kind = 'fill'"
    more = connection.execute(newer, (after.sequence, before.rig_id)).fetchone()
    if found is None or _row(found) != before or more is not None:
        return None
    begin(connection, after)
    return writes.append(connection, draft, issuer)


def _row(row: rows.Row) -> Reconciled:
    rig_id, ended_at, total_g, sequence = row
    return Reconciled(rig_id, datetime.fromisoformat(ended_at), total_g, sequence)

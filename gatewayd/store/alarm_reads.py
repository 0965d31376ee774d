"""What the store answers about alarms; a part of `Reads`."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from gatewayd.store import rows
from gatewayd.store.model import StoredAlarm

_ALL = (
    f"SELECT {rows.ALARM_COLUMNS} FROM alarms "  # noqa: S608 - our names
    "WHERE cleared_at IS NULL OR NOT ? ORDER BY raised_at DESC, kind, subject"
)
_ANSWERED = (
    f"SELECT {rows.ALARM_COLUMNS} FROM json_each(?) CROSS JOIN alarms "  # noqa: S608 - our names
    "ON kind = json_each.value->>0 AND subject = json_each.value->>1 "
    "WHERE acknowledged_at IS NOT NULL"
)


class AlarmReads(ABC):
    """Every method raises StoreError when the store cannot be read."""

    @abstractmethod
    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[rows.Row]:
        """The rows of a query."""

    def alarm_stands(self, kind: str, subject: str) -> bool:
        """Whether one alarm waits for its cause to end or for a person."""
        sql = "SELECT 1 FROM alarms WHERE kind = ? AND subject = ? AND cleared_at IS NULL"
        return bool(self._rows(sql, (kind, subject)))

    def alarms(self, *, standing: bool) -> tuple[StoredAlarm, ...]:
        """The alarms that stand, or the last life of every alarm there ever was; newest first."""
        return tuple(rows.alarm(row) for row in self._rows(_ALL, (standing,)))

    def answered(self, alarms: Iterable[tuple[str, str]]) -> tuple[StoredAlarm, ...]:
        """Those of these alarms, by kind and subject, that a person has answered; looks at no other."""
        found = self._rows(_ANSWERED, (json.dumps(list(alarms)),))
        return tuple(rows.alarm(row) for row in found)

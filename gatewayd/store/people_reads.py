"""What the store answers about people and checks; a part of `Reads`."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

from gatewayd.store import people_rows, rows
from gatewayd.store.people_model import Batch, Check, Due, Operator, Session

_OPERATOR = ", ".join(people_rows.OPERATOR_COLUMNS)
_CHECK = people_rows.CHECK_COLUMNS.removeprefix("scope, ")
_DUE = "SELECT fill_id, rig, cylinder, form, filled_at FROM postchecks_due"
_BATCH = "SELECT rig, number, opened_at, automatic, closed_at, fills, net_g FROM batches"


class PeopleReads(ABC):
    """Every method raises StoreError when the store cannot be read."""

    @abstractmethod
    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[rows.Row]:
        """The rows of a query."""

    def operator(self, operator_id: str) -> Operator | None:
        """The operator of that id, also one who is barred."""
        sql = f"SELECT {_OPERATOR} FROM operators WHERE id = ?"  # noqa: S608 - our names
        found = self._rows(sql, (operator_id,))
        return people_rows.operator(found[0]) if found else None

    def operators(self) -> Iterator[Operator]:
        """Every operator by id."""
        sql = f"SELECT {_OPERATOR} FROM operators ORDER BY id"  # noqa: S608 - our names
        yield from map(people_rows.operator, self._rows(sql))

    def operator_of_card(self, card: str) -> str | None:
        """The id of the operator whose card this is, in any spelling; None = no card of ours."""
        sql = "SELECT operator FROM operator_cards WHERE card = ?"
        found = self._rows(sql, (people_rows.card_key(card),))
        return str(found[0][0]) if found else None

    def session(self, rig_id: str) -> Session | None:
        """The last session of a rig that nobody has ended; its time may be over."""
        sql = f"SELECT {people_rows.SESSION_COLUMNS} FROM sessions WHERE rig = ?"  # noqa: S608 - our names
        found = self._rows(sql, (rig_id,))
        return people_rows.session(found[0]) if found else None

    def checks(self, subject: str, *, scope: str = "cylinder") -> tuple[Check, ...]:
        """The newest check of every form for a cylinder's code, or for a batch."""
        sql = f"SELECT {_CHECK} FROM checks WHERE scope = ? AND subject = ? ORDER BY form"  # noqa: S608 - our names
        return tuple(people_rows.check(row) for row in self._rows(sql, (scope, subject)))

    def due_at(self, rig_id: str) -> tuple[Due, ...]:
        """The fills of a rig whose post-fill check is open, oldest first."""
        sql = f"{_DUE} WHERE rig = ? ORDER BY filled_at, fill_id"
        return tuple(people_rows.due(row) for row in self._rows(sql, (rig_id,)))

    def due_for(self, cylinder_code: str) -> tuple[Due, ...]:
        """The fills of a cylinder whose post-fill check is open, oldest first."""
        sql = f"{_DUE} WHERE cylinder = ? ORDER BY filled_at, fill_id"
        return tuple(people_rows.due(row) for row in self._rows(sql, (cylinder_code,)))

    def open_batch(self, rig_id: str) -> Batch | None:
        """The batch that is open at a rig."""
        found = self._rows(f"{_BATCH} WHERE rig = ? AND closed_at IS NULL", (rig_id,))
        return people_rows.batch(found[0]) if found else None

    def all_sessions(self) -> tuple[Session, ...]:
        """The last session of every rig."""
        sql = f"SELECT {people_rows.SESSION_COLUMNS} FROM sessions"  # noqa: S608 - our names
        return tuple(map(people_rows.session, self._rows(sql)))

    def all_checks(self) -> tuple[Check | Due | Batch, ...]:
        """Every check that is kept, every one that is due, and every batch."""
        checks = self._rows(f"SELECT {_CHECK} FROM checks")  # noqa: S608 - our names
        due, batches = map(people_rows.due, self._rows(_DUE)), self._rows(_BATCH)
        return (*map(people_rows.check, checks), *due, *map(people_rows.batch, batches))

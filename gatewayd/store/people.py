"""People and checks inside the writer's transaction: a change and its record, together or not at all."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import apsw

from gatewayd.errors import RejectedError
from gatewayd.store import database, rows, writes
from gatewayd.store.chain import Issuer
from gatewayd.store.model import ImportCounts, Record, RecordDraft
from gatewayd.store.people_model import Batch, Check, Operator, Session
from gatewayd.store.people_rows import (
    CHECK_COLUMNS,
    OPERATOR_COLUMNS,
    SESSION_COLUMNS,
    card_key,
    check_row,
    operator,
    operator_row,
    session_row,
)

_OPERATOR = ", ".join(OPERATOR_COLUMNS)
_MARKS = ", ".join("?" * len(OPERATOR_COLUMNS))
_SET_OPERATOR = f"INSERT OR REPLACE INTO operators VALUES ({_MARKS})"  # noqa: S608 - our names
_SET_SESSION = (
    f"INSERT OR REPLACE INTO sessions ({SESSION_COLUMNS}) "  # noqa: S608 - our names
    f"VALUES ({'?, ' * SESSION_COLUMNS.count(',')}?)"
)
_SET_CHECK = (
    f"INSERT OR REPLACE INTO checks ({CHECK_COLUMNS}) "  # noqa: S608 - our names
    f"VALUES ({'?, ' * CHECK_COLUMNS.count(',')}?)"
)


def log_in(
    connection: apsw.Connection, issuer: Issuer, session: Session, draft: RecordDraft
) -> Record:
    """Somebody is logged in at a rig from now on, whoever was before."""
    connection.execute(_SET_SESSION, session_row(session))
    return writes.append(connection, draft, issuer)


def log_out(connection: apsw.Connection, issuer: Issuer, draft: RecordDraft) -> Record:
    """Nobody is logged in at the draft's rig any more."""
    connection.execute("DELETE FROM sessions WHERE rig = ?", (draft.rig_id,))
    return writes.append(connection, draft, issuer)


def answer(
    connection: apsw.Connection, issuer: Issuer, check: Check, scope: str, draft: RecordDraft
) -> Record:
    """A check was answered: it takes the place of the last one, and ends the wait for a fill's."""
    connection.execute(_SET_CHECK, (scope, *check_row(check)))
    if check.fill_id is not None:
        connection.execute("DELETE FROM postchecks_due WHERE fill_id = ?", (check.fill_id,))
    return writes.append(connection, draft, issuer)


def open_batch(
    connection: apsw.Connection,
    issuer: Issuer,
    batch: Batch,
    *,
    closed: RecordDraft | None,
    opened: RecordDraft,
) -> None:
    """A batch is open at its rig, and no other; one that was closed goes on counting.

    `closed` is the record of the one before, where there is one.
    """
    if closed is not None:
        close_batch(connection, issuer, closed)
    connection.execute(
        "INSERT INTO batches (rig, number, opened_at, automatic) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (rig, number) DO UPDATE SET closed_at = NULL",
        (batch.rig_id, batch.number, rows.utc(batch.opened_at), batch.automatic),
    )
    writes.append(connection, opened, issuer)


def close_batch(connection: apsw.Connection, issuer: Issuer, draft: RecordDraft) -> None:
    """No batch is open at the draft's rig any more; its record says what the batch holds."""
    found = connection.execute(
        "UPDATE batches SET closed_at = ? WHERE rig = ? AND closed_at IS NULL "
        "RETURNING fills, net_g",
        (rows.utc(draft.time), draft.rig_id),
    ).fetchone()
    fills, net_g = found or (0, 0)
    data = {**draft.data, "fills": fills, "net_g": net_g}
    writes.append(connection, dataclasses.replace(draft, data=data), issuer)


NAMELESS_SHOWN_MAX = 10
"""Ids of operators without a name that a refusal lists."""


@dataclass(frozen=True, slots=True)
class Change:
    """Operators as somebody lists them: only their `columns` are said; `replace`: and no others."""

    operators: Sequence[Operator]
    replace: bool = False
    columns: Sequence[str] = OPERATOR_COLUMNS


def carry_out(connection: apsw.Connection, change: Change, *, dry_run: bool) -> ImportCounts:
    """Make the change, or with `dry_run` only count what it would do."""
    connection.execute("SAVEPOINT dry")
    columns = change.columns
    counts = upsert_operators(connection, change.operators, replace=change.replace, columns=columns)
    _require_names(connection, change.operators)
    if dry_run:
        connection.execute("ROLLBACK TO dry")
    database.require_room(connection)
    return counts


def _require_names(connection: apsw.Connection, operators: Iterable[Operator]) -> None:
    """Who fills must be known by name: a record names them. Raises RejectedError; undo then."""
    listed = {each.id for each in operators}
    found = connection.execute("SELECT id FROM operators WHERE coalesce(name, '') = '' ORDER BY id")
    nameless = [str(number) for (number,) in found if number in listed]
    if nameless:
        shown = ", ".join(nameless[:NAMELESS_SHOWN_MAX])
        raise RejectedError(
            f"operators without a name: {len(nameless)} ({shown}); nothing was imported; add the "
            "column name"
        )


def upsert_operators(
    connection: apsw.Connection,
    operators: Iterable[Operator],
    *,
    replace: bool,
    columns: Sequence[str] = OPERATOR_COLUMNS,
) -> ImportCounts:
    """Operators by id, only their `columns`, or with `replace` these and no others.

    Whoever is gone is logged out. Raises RejectedError when a card belongs to somebody else: the
    caller's transaction is undone.
    """
    rows_before = connection.execute(f"SELECT {_OPERATOR} FROM operators")  # noqa: S608 - our names
    before = {row[0]: operator(row) for row in rows_before}
    given = {each.id: _merged(before.get(each.id), each, columns) for each in operators}
    gone = sorted(before.keys() - given.keys()) if replace else []
    for operator_id in gone:
        connection.execute("DELETE FROM operators WHERE id = ?", (operator_id,))
    for operator_id in (*gone, *given):
        connection.execute("DELETE FROM operator_cards WHERE operator = ?", (operator_id,))
    changed = [one for one in given.values() if before.get(one.id) != one]
    connection.executemany(_SET_OPERATOR, map(operator_row, changed))
    for each in given.values():
        _give_cards(connection, each)
    connection.execute("DELETE FROM sessions WHERE operator NOT IN (SELECT id FROM operators)")
    added = sum(one.id not in before for one in changed)
    return ImportCounts(added, len(changed) - added, len(given) - len(changed), len(gone))


def _merged(before: Operator | None, given: Operator, columns: Sequence[str]) -> Operator:
    """What is said of an operator on top of what was known; other columns stay as they are."""
    if before is None:
        return given
    return dataclasses.replace(before, **{name: getattr(given, name) for name in columns})


def _give_cards(connection: apsw.Connection, operator: Operator) -> None:
    for card in operator.cards:
        key = card_key(card)
        owner = connection.execute("SELECT operator FROM operator_cards WHERE card = ?", (key,)).get
        if owner is not None and owner != operator.id:
            raise RejectedError(
                f"card {card} of operator {operator.id!r} belongs to {owner!r} already; "
                "expected each card once; nothing was changed"
            )
        connection.execute(
            "INSERT OR REPLACE INTO operator_cards VALUES (?, ?)", (key, operator.id)
        )

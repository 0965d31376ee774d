"""A code or a tag that a person takes out of use by hand, or back into it, with its record.

What an import retires by itself is in `retiring.py`; the table is the same, and so is the refusal.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, TypeAlias

import apsw

from gatewayd.store import passing, rows, writes
from gatewayd.store.chain import Issuer
from gatewayd.store.model import ImportCounts, RecordDraft
from gatewayd.store.orders import CarryOut, Done, Order

Kind: TypeAlias = Literal["code", "uid"]

_IN_FORCE = "kind = ? AND value = ? AND reused_at IS NULL"


def retire(kind: Kind) -> CarryOut:
    """Never use `order.subject` again, a code or a uid in upper-case hex, known or not."""
    return partial(_retire, kind)


def reinstate(kind: Kind) -> CarryOut:
    """Take it back into use, whoever retired it; nothing retired it = nothing changed."""
    return partial(_reinstate, kind)


def carry_out(
    connection: apsw.Connection,
    issuer: Issuer,
    named: Sequence[tuple[Kind, Order]],
    *,
    dry_run: bool,
) -> ImportCounts:
    """Retire each with a record of its own, or with `dry_run` only count what that would do."""
    connection.execute("SAVEPOINT dry")
    done = [_retire(kind, connection, issuer, order).changed for kind, order in named]
    if dry_run:
        connection.execute("ROLLBACK TO dry")
    return ImportCounts(added=sum(done), updated=0, unchanged=len(done) - sum(done), removed=0)


def _retire(kind: Kind, connection: apsw.Connection, issuer: Issuer, order: Order) -> Done:
    code = _cylinder(connection, kind, order.subject)
    known = code is not None
    if _found(connection, kind, order.subject) or _repeated(connection, order):
        return Done(changed=False, known=known)
    named = (kind, order.subject, code or order.subject, order.reason)
    passing.retire(connection, [named], rows.utc(order.at))
    _record(connection, issuer, order, kind, {"event": "retired", "code": named[2]})
    return Done(changed=True, known=known)


def _reinstate(kind: Kind, connection: apsw.Connection, issuer: Issuer, order: Order) -> Done:
    found = _found(connection, kind, order.subject)
    if found is None or _repeated(connection, order):
        return Done(changed=False)
    code, reason = found
    connection.execute(
        f"UPDATE retired SET reused_at = ?, reuse_reason = ? WHERE {_IN_FORCE}",  # noqa: S608 - our names
        (rows.utc(order.at), order.reason, kind, order.subject),
    )
    told = {"event": "reinstated", "code": code, "held_for": reason}
    _record(connection, issuer, order, kind, told)
    return Done(changed=True)


def _cylinder(connection: apsw.Connection, kind: Kind, value: str) -> str | None:
    """The code of the cylinder that has it, None when the archive knows none."""
    sql = {
        "code": "SELECT code FROM cylinders WHERE code = ?",
        "uid": "SELECT code FROM cylinder_tags WHERE uid = ? ORDER BY code LIMIT 1",
    }
    found = connection.execute(sql[kind], (value,)).get
    return None if found is None else str(found)


def _found(connection: apsw.Connection, kind: Kind, value: str) -> tuple[str, str] | None:
    sql = f"SELECT code, reason FROM retired WHERE {_IN_FORCE}"  # noqa: S608 - our names
    found = connection.execute(sql, (kind, value)).fetchone()
    return None if found is None else (str(found[0]), str(found[1]))


def _repeated(connection: apsw.Connection, order: Order) -> bool:
    """Whether this very order was carried out before; its record says so."""
    return bool(connection.execute("SELECT 1 FROM records WHERE id = ?", (order.id,)).get)


def _record(
    connection: apsw.Connection, issuer: Issuer, order: Order, kind: Kind, told: dict[str, Any]
) -> None:
    """A record of kind `hold`: a code out of use is a hold that no release ends."""
    data = {
        "station_id": issuer.station_id,
        "event": told["event"],
        "cylinder": {"code": told["code"]},
        "retired": {"kind": kind, "value": order.subject},
        "reason": order.reason,
        "by": {"who": order.by, "how": order.how, "why": order.reason},
    }
    if "held_for" in told:
        data["held_for"] = told["held_for"]
    writes.append(connection, RecordDraft(order.id, "hold", "", order.at, data), issuer)

"""Holds of cylinders and locks of rigs, each with its record, inside one transaction.

What the daemon and a command beside it write is the same: `Order` says who, why and when, and has
the id of the record it will be. An order that changes nothing leaves no record. An order that was
carried out already is not carried out again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import apsw

from gatewayd.shapes.kinds import RecordKind
from gatewayd.store import holds, rows, writes
from gatewayd.store.chain import Issuer
from gatewayd.store.model import RecordDraft

REPLACED = "locked for another reason"
GATEWAY = "gatewayd"
"""Who locks what the gateway itself found: PLCs that changed places, a store that lost what forbids."""

_OPEN = "rig = ? AND unlocked_at IS NULL"
_OWN = (
    "SELECT reason FROM rig_locks WHERE rig = ?1 AND locked_by = ?2 AND id > coalesce((SELECT max(id) "
    "FROM rig_locks WHERE rig = ?1 AND unlock_reason <> ?3), 0) ORDER BY id DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody decided about `subject`, a cylinder's code or a rig's name.

    `id` is that of the record, made once; `how` it reached us: `cli`, `mqtt`, `page`; `at` is aware.
    """

    id: str
    subject: str
    reason: str
    by: str
    how: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an order: `changed` nothing when it was so already; `known` to the archive."""

    changed: bool
    known: bool = True


CarryOut: TypeAlias = Callable[[apsw.Connection, Issuer, Order], Done]


def hold(connection: apsw.Connection, issuer: Issuer, order: Order) -> Done:
    """Hold a cylinder, known or not; another reason takes the place of the last one."""
    known = bool(connection.execute("SELECT 1 FROM cylinders WHERE code = ?", (order.subject,)).get)
    held = connection.execute(
        "SELECT reason FROM holds WHERE code = ? AND released_at IS NULL", (order.subject,)
    ).get
    if held == order.reason or _repeated(connection, order):
        return Done(changed=False, known=known)
    holds.hold(connection, order.subject, order.reason, order.by, rows.utc(order.at))
    data = _data(order, "held", issuer) | {"cylinder": {"code": order.subject}}
    _record(connection, issuer, order, kind="hold", data=data)
    return Done(changed=True, known=known)


def release(connection: apsw.Connection, issuer: Issuer, order: Order) -> Done:
    """Let a cylinder go; nothing held it = nothing changed."""
    if _repeated(connection, order):
        return Done(changed=False)
    was = connection.execute(
        "SELECT reason FROM holds WHERE code = ?1 AND released_at IS NULL UNION ALL "
        "SELECT hold FROM cylinders WHERE code = ?1 AND hold IS NOT NULL LIMIT 1",
        (order.subject,),
    ).get
    if not holds.release(connection, order.subject, order.by, rows.utc(order.at), order.reason):
        return Done(changed=False)
    data = _data(order, "released", issuer) | {"held_for": was}
    data |= {"cylinder": {"code": order.subject}}
    _record(connection, issuer, order, kind="hold", data=data)
    return Done(changed=True)


def lock(connection: apsw.Connection, issuer: Issuer, order: Order) -> Done:
    """Lock a rig; another reason takes the place of the last one.

    What the gateway itself found stands on beside it: who mends that reason has not looked at this.
    """
    found = connection.execute(
        f"SELECT reason FROM rig_locks WHERE {_OPEN}",  # noqa: S608 - our names
        (order.subject,),
    ).get
    own = connection.execute(_OWN, (order.subject, GATEWAY, REPLACED)).get
    alone = own is None or order.by == GATEWAY
    reason = order.reason if alone else f"{own}; {order.reason}"
    if found == reason or _repeated(connection, order):
        return Done(changed=False)
    _unlock(connection, order, REPLACED)
    connection.execute(
        "INSERT INTO rig_locks (rig, reason, locked_by, locked_at) VALUES (?, ?, ?, ?)",
        (order.subject, reason, order.by, rows.utc(order.at)),
    )
    data = _data(order, "locked", issuer) | {"rig_id": order.subject, "reason": reason}
    _record(connection, issuer, order, kind="lock", data=data)
    return Done(changed=True)


def unlock(connection: apsw.Connection, issuer: Issuer, order: Order) -> Done:
    """Unlock a rig; nothing locked it = nothing changed."""
    if _repeated(connection, order):
        return Done(changed=False)
    was = connection.execute(
        f"SELECT reason FROM rig_locks WHERE {_OPEN}",  # noqa: S608 - our names
        (order.subject,),
    ).get
    if not _unlock(connection, order, order.reason):
        return Done(changed=False)
    data = _data(order, "unlocked", issuer) | {"rig_id": order.subject, "locked_for": was}
    _record(connection, issuer, order, kind="lock", data=data)
    return Done(changed=True)


def _unlock(connection: apsw.Connection, order: Order, reason: str) -> bool:
    connection.execute(
        f"UPDATE rig_locks SET unlocked_by = ?, unlocked_at = ?, unlock_reason = ? WHERE {_OPEN}",  # noqa: S608 - our names
        (order.by, rows.utc(order.at), reason, order.subject),
    )
    return connection.changes() > 0


def _repeated(connection: apsw.Connection, order: Order) -> bool:
    """Whether this very order was carried out before; its record says so."""
    return bool(connection.execute("SELECT 1 FROM records WHERE id = ?", (order.id,)).get)


def _data(order: Order, event: str, issuer: Issuer) -> dict[str, Any]:
    return {
        "station_id": issuer.station_id,
        "event": event,
        "reason": order.reason,
        "by": {"who": order.by, "how": order.how, "why": order.reason},
    }


def _record(
    connection: apsw.Connection,
    issuer: Issuer,
    order: Order,
    *,
    kind: RecordKind,
    data: dict[str, Any],
) -> None:
    rig_id = order.subject if kind == "lock" else ""
    writes.append(connection, RecordDraft(order.id, kind, rig_id, order.at, data), issuer)

"""Rows of people and checks to frozen values and back."""

import json
import re
from datetime import date, datetime
from typing import Any, Final, TypeVar

from gatewayd.store import rows
from gatewayd.store.people_model import Batch, Check, Due, Operator, Session

OPERATOR_COLUMNS: Final = (
    "id",
    "name",
    "certificate",
    "certificate_until",
    "media",
    "roles",
    "cards",
    "active",
)
SESSION_COLUMNS: Final = "rig, operator, name, certificate, since, until, how"
CHECK_COLUMNS: Final = (
    "scope, subject, form, stage, rig, record_id, answered_at, valid_until, failed, facts, "
    "operator, fill_id, spent_by"
)
T = TypeVar("T")
_HEX = re.compile(r"(?:[0-9A-F]{2})+\Z")


def card_key(card: str) -> str:
    """A card as it is looked up: hex in any spelling as upper-case hex, any other text as it is."""
    plain = rows.normal_uid(card)
    return plain if _HEX.match(plain) else card.strip()


def operator(row: rows.Row) -> Operator:
    """A row of OPERATOR_COLUMNS."""
    number, name, certificate, until, media, roles, cards, active = row
    return Operator(
        number,
        name,
        certificate,
        None if until is None else date.fromisoformat(until),
        _listed(media),
        _listed(roles),
        _listed(cards),
        None if active is None else bool(active),
    )


def operator_row(value: Operator) -> rows.Row:
    """The columns of `value` as SQLite keeps them."""
    return tuple(rows.stored(getattr(value, name)) for name in OPERATOR_COLUMNS)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split(rows.TAG_SEPARATOR)) if text else ()


def session(row: rows.Row) -> Session:
    """A row of SESSION_COLUMNS."""
    rig, who, name, certificate, since, until, how = row
    times = datetime.fromisoformat(since), datetime.fromisoformat(until)
    return Session(rig, who, name, certificate, *times, how)


def session_row(value: Session) -> rows.Row:
    """The columns of `value` in the order of SESSION_COLUMNS."""
    who = (value.rig_id, value.operator_id, value.name, value.certificate)
    return (*who, rows.utc(value.since), rows.utc(value.until), value.how)


def check(row: rows.Row) -> Check:
    """A row of CHECK_COLUMNS without its scope."""
    subject, form, stage, rig, record_id, answered, valid, failed, facts, by, fill_id, spent = row
    return Check(
        subject=subject,
        form=form,
        stage=stage,
        rig_id=rig,
        record_id=record_id,
        answered_at=datetime.fromisoformat(answered),
        valid_until=datetime.fromisoformat(valid),
        failed=tuple(_plain(failed, list)),
        facts=_plain(facts, dict),
        operator=json.loads(by),
        fill_id=fill_id,
        spent_by=spent,
    )


def _plain(text: str, kind: type[T]) -> T:
    """What JSON says, which must be of that kind: an empty anything else is no passed check."""
    value = json.loads(text)
    if not isinstance(value, kind):
        raise TypeError(f"{text[:40]!r} is no {kind.__name__}")
    return value


def check_row(value: Check) -> rows.Row:
    """The columns of `value` in the order of CHECK_COLUMNS without its scope."""
    return (
        value.subject,
        value.form,
        value.stage,
        value.rig_id,
        value.record_id,
        rows.utc(value.answered_at),
        rows.utc(value.valid_until),
        _json(value.failed),
        _json(value.facts),
        _json(value.operator),
        value.fill_id,
        value.spent_by,
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def due(row: rows.Row) -> Due:
    """A row of `postchecks_due`."""
    fill_id, rig, cylinder, form, filled_at = row
    return Due(fill_id, rig, cylinder, form, datetime.fromisoformat(filled_at))


def batch(row: rows.Row) -> Batch:
    """A row of `batches`."""
    rig, number, opened_at, automatic, closed_at, fills, net_g = row
    closed = None if closed_at is None else datetime.fromisoformat(closed_at)
    opened = datetime.fromisoformat(opened_at)
    return Batch(rig, number, opened, bool(automatic), closed, fills, net_g)

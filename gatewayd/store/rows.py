"""Rows to frozen values and back, for every table that has both."""

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any, Final

from gatewayd.errors import StoreError
from gatewayd.store.model import Cylinder, Hold, Permit, Record, StoredAlarm

Row = tuple[Any, ...]

CYLINDER_COLUMNS: Final = tuple(field.name for field in fields(Cylinder))
FURTHER_COLUMNS: Final = ("kind", "working_pressure_kpa", "registered", "maker_licensed", "taxi")
CONTRACT_COLUMNS: Final = CYLINDER_COLUMNS[: -len(FURTHER_COLUMNS)]
"""The columns of contract §9, which a whole file has; a file may have further ones."""
KEPT: Final = "gate/{}"
"""The key in `meta` under which a rig's own gate keeps what it must not forget."""

PERMIT_COLUMNS: Final = (
    "id, record_id, rig, permit_no, cylinder_code, target_g, limit_gross_g, tare_g, lease_ms, "
    "total_before_g, fills_before, issued_at, expires_at, judged"
)
ALARM_COLUMNS: Final = (
    "kind, subject, rig, severity, raised_at, record_id, count, detail, vals, "
    "cleared_at, acknowledged_at, acknowledged_by, note"
)
RECORD_COLUMNS: Final = "sequence, id, kind, rig, body"

TAG_SEPARATOR = ";"
_SEPARATORS: Final = str.maketrans("", "", " :-.\t")


def normal_uid(uid: str) -> str:
    """A tag uid as it is looked up: upper-case hex without separators."""
    return uid.translate(_SEPARATORS).upper()


def _tags(text: str) -> tuple[str, ...]:
    return tuple(text.split(TAG_SEPARATOR)) if text else ()


_READ: Final[dict[Any, Callable[[Any], Any]]] = {
    tuple[str, ...]: _tags,
    date | None: date.fromisoformat,
    bool | None: bool,
}
_READERS: Final = tuple(_READ.get(field.type) for field in fields(Cylinder))


def cylinder(row: Row) -> Cylinder:
    """A row of CYLINDER_COLUMNS. Raises StoreError: a start does not look at each of a million."""
    try:
        return Cylinder(
            *(
                value if value is None or read is None else read(value)
                for read, value in zip(_READERS, row, strict=True)
            )
        )
    except (ValueError, TypeError) as exc:
        why = f"the entry of cylinder {row[0]} cannot be read ({exc}); import it again"
        raise StoreError(why) from exc


def cylinder_row(value: Cylinder) -> Row:
    """The columns of `value` as SQLite keeps them."""
    return tuple(stored(getattr(value, name)) for name in CYLINDER_COLUMNS)


def stored(value: Any) -> Any:
    """One value of an entry as SQLite keeps it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, date):
        return value.isoformat()
    return TAG_SEPARATOR.join(value) if isinstance(value, tuple) else value


def normal_uids(tag_uids: str) -> list[str]:
    """The tags of a `tag_uids` column as they are looked up."""
    return [normal_uid(uid) for uid in _tags(tag_uids)]


def hold(row: Row) -> Hold:
    """A row of a hold in the order of its fields."""
    code, reason, by, at, released_by, released_at, release_reason = row
    released = None if released_at is None else datetime.fromisoformat(released_at)
    held_at = datetime.fromisoformat(at)
    return Hold(code, reason, by, held_at, released_by, released, release_reason)


def permit(row: Row) -> Permit:
    """A row of PERMIT_COLUMNS."""
    issued_at, expires_at, judged = row[-3:]
    values = (
        *row[:-3],
        datetime.fromisoformat(issued_at),
        datetime.fromisoformat(expires_at),
        json.loads(judged),
    )
    return Permit(*values)


def permit_row(value: Permit) -> Row:
    """The columns of `value` in the order of PERMIT_COLUMNS."""
    return (
        value.id,
        value.record_id,
        value.rig_id,
        value.permit_no,
        value.cylinder_code,
        value.target_g,
        value.limit_gross_g,
        value.tare_g,
        value.lease_ms,
        value.total_before_g,
        value.fills_before,
        utc(value.issued_at),
        utc(value.expires_at),
        json.dumps(dict(value.judged), ensure_ascii=False),
    )


def alarm(row: Row) -> StoredAlarm:
    """A row of ALARM_COLUMNS."""
    values = (
        *row[:4],
        datetime.fromisoformat(row[4]),
        *row[5:8],
        json.loads(row[8]),
        *(None if at is None else datetime.fromisoformat(at) for at in row[9:11]),
        *row[11:],
    )
    return StoredAlarm(*values)


def alarm_row(value: StoredAlarm) -> Row:
    """The columns of `value` in the order of ALARM_COLUMNS."""
    return (
        value.kind,
        value.subject,
        value.rig_id,
        value.severity,
        utc(value.raised_at),
        value.record_id,
        value.count,
        value.detail,
        json.dumps(dict(value.values), ensure_ascii=False),
        None if value.cleared_at is None else utc(value.cleared_at),
        None if value.acknowledged_at is None else utc(value.acknowledged_at),
        value.acknowledged_by,
        value.note,
    )


def record(row: Row) -> Record:
    """A row of RECORD_COLUMNS."""
    return Record(*row)


def utc(time: datetime) -> str:
    """An aware time as the store keeps it."""
    assert time.tzinfo is not None, time
    return time.astimezone(UTC).isoformat()

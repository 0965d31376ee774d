"""Points of a device as the object of `probe --json`; the screen shows the same."""

from typing import Any

from gatewayd.commission.maps import Mapped
from gatewayd.commission.points import Look, Row


def as_json(device: Mapped, seen: Look) -> dict[str, Any]:
    """The `points` of `probe --json`."""
    return {
        "profile": device.profile.id,
        "unit": device.unit,
        "requests": len(seen.answers),
        "rows": [_row(row) for row in seen.rows],
        "weight": _weight(seen),
        "total": _total(seen),
    }


def _row(row: Row) -> dict[str, Any]:
    point = row.point
    return {
        "name": point.name,
        "table": point.table,
        "register": point.number,
        "type": point.type,
        "words": None if row.words is None else list(row.words),
        "raw": row.raw,
        "value": None if point.type.startswith("float") else row.values.get(point.name),
        "mass_g": row.mass_g,
        "unit": row.unit,
        "bits": {name: row.values[name] for name, _ in point.bits if name in row.values},
        "fields": row.fields,
        "why": row.why,
        "writable": point.writable,
        "doc": point.doc,
    }


def _weight(seen: Look) -> dict[str, Any] | None:
    found = seen.weighing
    if found is None:
        return None
    return {
        "gross_g": found.gross_g,
        "net_g": found.net_g,
        "stable": found.stable,
        "why": found.why,
    }


def _total(seen: Look) -> dict[str, Any] | None:
    found = seen.total
    if found is None:
        return None
    return {
        "total_g": found.total_g,
        "step_g": found.step_g,
        "wraps_g": found.wraps_g,
        "why": found.why,
    }

"""The fixed set: the same records, bytes and hashes at every run. Pure.

Examples are made from the published schemas, so that every kind of record and topic is among them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from gatewayd.shapes.catalogue import RECORDS, TOPICS
from gatewayd.shapes.documents import record_schema, topic_schema
from gatewayd.store.chain import Head, Issuer, Sealed, seal
from gatewayd.store.model import Record, RecordDraft

BEGAN: Final = datetime(2026, 8, 1, 4, 0, tzinfo=UTC)
LARGEST_BYTES: Final = 100_000
"""Longer than any record of a station, shorter than any broker's default limit."""
TEXT: Final = '济南 №1 𠮷 é ﷺ \\ " 	 \u2028'
"""Letters of four bytes, right-to-left, a combining sign, a tab: what breaks in a database."""
ROUNDS: Final = 3
NAMES: Final = ("rig-1", "rig-2")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a subscriber must have at the end, repetitions dropped, in order of sequence."""

    records: int
    sha256_bodies: str
    sha256_ids: str


def records(station: str) -> tuple[Record, ...]:
    """Every kind `ROUNDS` times, and one that is as large as they come."""
    issuer, head, made = Issuer(station, ZoneInfo("Asia/Shanghai")), Head(), list[Record]()
    kinds = [kind for _ in range(ROUNDS) for kind in RECORDS]
    for number, kind in enumerate([*kinds, "alarm"], start=1):
        schema = record_schema(kind)
        data = _example(schema["$defs"]["Data"], schema["$defs"])
        if number > len(kinds):
            data["detail"] = "长" * (LARGEST_BYTES // 3)
        sealed = _sealed(number, kind, data, issuer, head)
        head = Head(number, sealed.hash)
        made.append(sealed.record)
    return tuple(made)


def board() -> dict[str, dict[str, Any]]:
    """An example of every retained topic but `status`."""
    shown = {}
    for topic in TOPICS:
        if topic.retained and topic.name != "status":
            schema = topic_schema(topic)
            parts = [
                NAMES[0] if part.startswith("{") else part for part in topic.address.split("/")
            ]
            shown["/".join(parts)] = _example(schema, schema.get("$defs", {}))
    return shown


def expected(of: Sequence[Record]) -> Expected:
    """Hashes over `body LF` and over `id LF` of every record."""
    bodies = hashlib.sha256("".join(f"{one.body}\n" for one in of).encode()).hexdigest()
    ids = hashlib.sha256("".join(f"{one.id}\n" for one in of).encode()).hexdigest()
    return Expected(len(of), bodies, ids)


def _sealed(number: int, kind: str, data: dict[str, Any], issuer: Issuer, head: Head) -> Sealed:
    record_id = f"0198f3a0-0000-7000-8000-{number:012x}"
    at, rig = BEGAN + timedelta(seconds=number), NAMES[number % len(NAMES)]
    draft = RecordDraft(record_id, kind, rig, at, data)  # type: ignore[arg-type] # a kind of RECORDS
    return seal(draft, data, issuer=issuer, head=head)


def _example(schema: dict[str, Any], parts: dict[str, Any]) -> Any:
    """A value that a schema of ours takes."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return _example(parts[name], {key: part for key, part in parts.items() if key != name})
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], parts)
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    match schema.get("type"):
        case "object":
            required = {key: schema["properties"][key] for key in schema.get("required", ())}
            return {key: _example(part, parts) for key, part in required.items()}
        case "array":
            return [_example(schema["items"], parts)]
        case "string":
            return {"date-time": "2026-08-01T12:00:00.000+08:00", "date": "2026-08-01"}.get(
                schema.get("format", ""), TEXT
            )
        case "boolean":
            return True
        case kind:
            assert kind in {"integer", "number"}, schema
            return 14_500

"""What records and the archive tell of one cylinder or one record: for the terminal and the page.

Everything comes from the store, so it reads the same when packs and archive are long gone.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gatewayd.rigs.identity import by_code, by_uid, plain_uid
from gatewayd.store.model import Cylinder, Hold
from gatewayd.store.reads import Reads
from gatewayd.texts import TEXTS, Language, text

RECORDS_AT_ONCE = 500
JUDGED_TO_FILL = frozenset({"fill", "refusal", "check"})
"""Kinds of records whose verdict, if any, is one on a permit; the `stage` of a check is its form's."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a cylinder; `record` None = not a record, `at` aware or unknown."""

    at: datetime | None
    kind: str
    gist: str
    sequence: int | None
    detail: dict[str, Any]


def kind_of(envelope: Mapping[str, Any]) -> str:
    """`fill` of `gatewayd.fill.v1`."""
    return str(envelope["type"]).split(".")[1]


def stage_of(envelope: Mapping[str, Any]) -> str:
    """What the verdict of a record was about: a scan at a point says, all others a permit."""
    kind = kind_of(envelope)
    named = envelope["data"].get("stage") if kind not in JUDGED_TO_FILL else None
    return str(named or "permit")


def gist_of(envelope: Mapping[str, Any], language: Language) -> str:
    """What became of it, in a few words of the catalogue; empty when the kind says it all."""
    data = envelope["data"]
    parts = [_word("outcome", data.get("outcome"), language)]
    if data.get("outcome") and data.get("end_reason"):
        parts.append(f"({data['end_reason']})")
    if isinstance(data.get("net_g"), int):
        parts.append(f"{data['net_g']} g")
    parts.append(_word("event", data.get("event"), language))
    parts += _about(data, language)
    message = data.get("message")
    if isinstance(message, Mapping):
        parts.append(str(message.get(language) or ""))
    findings = (data.get("verdict") or {}).get("findings") or []
    if not data.get("outcome"):
        parts += [each["code"] for each in findings if each["severity"] == "deny"]
    by = data.get("by")
    if isinstance(by, Mapping):
        parts.append(": ".join(str(by[key]) for key in ("who", "why") if by.get(key)))
    return "  ".join(part for part in parts if part)


def _about(data: Mapping[str, Any], language: Language) -> Iterator[str]:
    """Who, which batch, which check and how it came out, which scan: what its kind is about."""
    title, operator = data.get("title"), data.get("operator")
    if data.get("result"):
        yield str(title.get(language) if isinstance(title, Mapping) else data.get("form"))
        yield _word("result", data["result"], language)
        yield ", ".join(data.get("failed") or ())
    if data.get("result") or data.get("event"):
        yield (
            str(operator.get("name") or operator.get("id")) if isinstance(operator, Mapping) else ""
        )
    if data.get("event") and data.get("batch"):
        yield str(data["batch"])
    if data.get("point_kind"):
        accepted = data.get("accepted")
        yield text(f"point.{data['point_kind']}" if accepted else "point.refused", language)


def codes(store: Reads, given: str, region: str | None) -> tuple[str, ...]:
    """The cylinders meant: by code, by what was scanned, by tag; else the text as a code."""
    found = [each.code for each in by_code(store, given, region)]
    found += [each.code for each in by_uid(store, plain_uid(given))]
    return tuple(dict.fromkeys(found or [given]))


def life(store: Reads, code: str, language: Language) -> list[Event]:
    """One cylinder's life, oldest first: records, holds without a record, its archive entry."""
    return sorted(_life(store, code, language), key=_order)


def _life(store: Reads, code: str, language: Language) -> Iterator[Event]:
    recorded: set[tuple[str, str]] = set()
    after = 0
    while batch := store.records_of(code, after_sequence=after, limit=RECORDS_AT_ONCE):
        for record in batch:
            envelope = json.loads(record.body)
            after, kind, data = record.sequence, kind_of(envelope), envelope["data"]
            at = datetime.fromisoformat(envelope["time"])
            if kind == "hold":
                recorded.add((data["event"], data["reason"]))
            yield Event(at, kind, gist_of(envelope, language), record.sequence, envelope)
    for hold in store.holds(code):
        yield from _hold(hold, recorded, language)
    if (cylinder := store.cylinder(code)) is not None:
        yield _entry(store, cylinder, language)


def _hold(hold: Hold, recorded: set[tuple[str, str]], language: Language) -> Iterator[Event]:
    """Holds of older programs, and those that came with an import, have no record."""
    if ("held", hold.reason) not in recorded:
        said = f"{text('event.held', language)}  {hold.held_by}: {hold.reason}"
        yield Event(hold.held_at, "hold", said, None, {"by": hold.held_by, "reason": hold.reason})
    released = ("released", hold.release_reason or "")
    if hold.released_at is not None and released not in recorded:
        by, why = hold.released_by, hold.release_reason
        said = f"{text('event.released', language)}  {by}: {why}"
        yield Event(hold.released_at, "hold", said, None, {"by": by, "reason": why})


def _entry(store: Reads, cylinder: Cylinder, language: Language) -> Event:
    """The archive entry as it is now, where it changed last."""
    version, at = store.entry_version(cylinder.code)
    said = text("trace.entry", language, version=version)
    return Event(at, "archive", said, None, {"version": version, **cylinder.known()})


def _order(event: Event) -> tuple[float, int]:
    """By time, records that share one by their sequence; what nobody timed comes first."""
    return (event.at.timestamp() if event.at else 0.0, event.sequence or 0)


def _word(group: str, value: object, language: Language) -> str:
    if not value:
        return ""
    key = f"{group}.{value}"
    return text(key, language) if key in TEXTS else str(value)

"""The vocabulary of records: every variable that a mapping may read, with type and meaning.

One source for the type checker, for the values, for `gatewayd upstreams words` and for messages.
Names follow the record's own keys (contract §7); what a record does not have is absent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any, Literal, TypeAlias

from gatewayd.shapes import kinds
from rules_engine.cel import ValueKind
from rules_engine.facts import parse_date, sound
from rules_engine.vocabulary import FACTS

WordType: TypeAlias = Literal["bool", "int", "text", "date", "time", "texts"]
"""A `date` is a text in ISO form, a `time` an aware moment."""

KINDS = kinds.KINDS
"""Every kind of record."""
SCANNED = ("movement", "issue", "inspection", "repair")
JUDGED = ("fill", "refusal")
OF_A_RIG = (*JUDGED, "alarm", "session", "check", "batch", "acknowledgement", "lock")
WITH_A_CYLINDER = (*JUDGED, *SCANNED, "check", "hold", "acknowledgement")
WITH_A_VERDICT = (*JUDGED, *SCANNED)
WITH_AN_OPERATOR = (*JUDGED, *SCANNED, "session", "check")
WITH_A_PERSON = ("session", "check", "batch", "acknowledgement", "hold", "lock")


@dataclass(frozen=True, slots=True)
class Word:
    """One variable: its type, the kinds of records that have it, and how it is found in one."""

    type: WordType
    kinds: tuple[str, ...]
    doc: str
    find: Callable[[Mapping[str, Any]], Any]

    @property
    def kind(self) -> ValueKind:
        """The type of the variable in expressions."""
        return "text" if self.type == "date" else self.type


def _at(*path: str) -> Callable[[Mapping[str, Any]], Any]:
    def find(event: Mapping[str, Any]) -> Any:
        value: Any = event
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    return find


def _data(type_: WordType, kinds: tuple[str, ...], doc: str, *path: str) -> tuple[str, Word]:
    return ".".join(path), Word(type_, kinds, doc, _at("data", *path))


def _findings(part: str, *keys: str) -> Callable[[Mapping[str, Any]], Any]:
    """One text of every finding of a verdict, in their order."""
    find_findings, find_text = _at("data", part, "findings"), _at(*keys)

    def find(event: Mapping[str, Any]) -> Any:
        found = find_findings(event)
        return [find_text(each) for each in found] if isinstance(found, list) else None

    return find


def _codes(event: Mapping[str, Any]) -> Any:
    """The reason codes in their order; two packs that say the same say it once."""
    found = _findings("verdict", "code")(event)
    if found is None:
        return None
    return [code for index, code in enumerate(found) if code not in found[:index]]


def _kind_of(event: Mapping[str, Any]) -> Any:
    """`fill` out of `gatewayd.fill.v1`."""
    parts = str(event.get("type", "")).split(".")
    return parts[1] if len(parts) == 3 else None  # noqa: PLR2004 - gatewayd.KIND.VERSION


def _whole_seconds(event: Mapping[str, Any]) -> Any:
    """Seconds as a whole number: a float ends here."""
    found = _at("data", "seconds")(event)
    known = isinstance(found, int | float) and not isinstance(found, bool)
    return round(found) if known and isfinite(found) else None


def _grams(name: str, doc: str) -> tuple[str, Word]:
    return _data("int", ("fill",), f"{doc}, g", name)


_ARCHIVE: Mapping[str, WordType] = {
    name: fact.type
    for name, fact in FACTS.items()
    if name.startswith("cylinder.")
    and not fact.derived
    and name not in {"cylinder.code", "cylinder.tag_uids"}
}

WORDS: Mapping[str, Word] = {
    "record.id": Word("text", KINDS, "id, made once (UUIDv7)", _at("id")),
    "record.kind": Word("text", KINDS, "kind of the record", _kind_of),
    "record.sequence": Word("int", KINDS, "number of the record, without a gap", _at("sequence")),
    "record.time": Word("time", KINDS, "when it was made", _at("time")),
    "record.source": Word("text", KINDS, "station and rig, as a path", _at("source")),
    "record.hash": Word("text", KINDS, "SHA-256 of the record", _at("hash")),
    **dict(
        (
            _data("text", KINDS, "licence number of the station", "station_id"),
            _data("text", OF_A_RIG, "rig", "rig_id"),
            _data("text", SCANNED, "scan point", "point_id"),
            _data("text", SCANNED, "kind of the scan point", "point_kind"),
            _data("text", SCANNED, "in, out or within", "direction"),
            _data("bool", SCANNED, "whether it was let through", "accepted"),
            _data("time", SCANNED, "when it was scanned", "scanned_at"),
            _data("text", WITH_A_CYLINDER, "cylinder code", "cylinder", "code"),
            _data("text", WITH_A_CYLINDER, "tag uid that was read", "cylinder", "tag_uid"),
            _data("text", WITH_A_VERDICT, "what the scanner sent", "cylinder", "scanned"),
        )
    ),
    **{
        name: Word(kind, WITH_A_VERDICT, FACTS[name].doc.en, _at("data", *name.split(".")))
        for name, kind in _ARCHIVE.items()
    },
    **dict(
        (
            _data("text", WITH_AN_OPERATOR, "id of the operator", "operator", "id"),
            _data("text", WITH_AN_OPERATOR, "name of the operator", "operator", "name"),
            _data("text", WITH_AN_OPERATOR, "certificate no.", "operator", "certificate"),
            _data("text", (*JUDGED, "check", "batch"), "batch number", "batch"),
            _data("text", WITH_A_VERDICT, "allow or deny", "verdict", "decision"),
            _data("text", JUDGED, "form of the pre-fill check", "precheck", "form"),
            _data("bool", JUDGED, "whether the pre-fill check was done", "precheck", "done"),
            _data("texts", JUDGED, "what failed the pre-fill check", "precheck", "failed"),
            _data("text", JUDGED, "record of the pre-fill check", "precheck", "record_id"),
            _data("text", JUDGED, "who checked, id", "precheck", "operator", "id"),
            _data("text", JUDGED, "who checked, name", "precheck", "operator", "name"),
            _data("text", JUDGED, "number of the platform's fill voucher", "voucher", "number"),
            _data("bool", JUDGED, "whether that voucher is valid", "voucher", "valid"),
            _data("text", JUDGED, "the platform's answer code", "voucher", "code"),
        )
    ),
    "seconds": Word("int", ("fill",), "seconds that gas flowed, rounded", _whole_seconds),
    "verdict.codes": Word(
        "texts", WITH_A_VERDICT, "reason codes of the findings, each once", _codes
    ),
    "verdict.messages_zh": Word(
        "texts", WITH_A_VERDICT, "the findings in Chinese", _findings("verdict", "message", "zh")
    ),
    "verdict.messages_en": Word(
        "texts", WITH_A_VERDICT, "the findings in English", _findings("verdict", "message", "en")
    ),
    **dict(
        (
            _data("text", ("fill",), "permit", "permit_id"),
            _data("int", ("fill",), "number of the permit at the gate", "permit_no"),
            _data("time", ("fill",), "when the permit was given", "issued_at"),
            _data("text", ("fill",), "device that held the gate", "gate"),
            _grams("tare_stamped_g", "stamped tare"),
            _grams("tare_g", "measured tare"),
            _grams("residual_g", "residue that was deducted"),
            _grams("target_g", "target net"),
            _grams("limit_gross_g", "gross at which the gate trips"),
            _grams("safe_net_g", "the most the cylinder still took"),
            _grams("gross_end_g", "gross at the end"),
            _grams("net_g", "net that flowed"),
            _grams("total_before_g", "totaliser before"),
            _grams("total_after_g", "totaliser after"),
            _data("time", ("fill",), "when gas began to flow", "started_at"),
            _data("time", ("fill",), "when it ended", "ended_at"),
            _data("text", ("fill",), "completed, underfilled, ...", "outcome"),
            _data("text", ("fill",), "why it ended", "end_reason"),
            _data("text", ("fill",), "what the times are worth", "time_quality"),
            _data("text", ("check",), "form that was answered", "form"),
            _data("text", ("check",), "prefill or postfill", "stage"),
            _data("text", ("check",), "passed or failed", "result"),
            _data("texts", ("check",), "what failed", "failed"),
            _data("text", ("check",), "record of the fill it is about", "fill_id"),
            _data("time", ("check",), "when it was answered", "answered_at"),
            _data("text", ("alarm",), "kind of the alarm", "code"),
            _data("text", ("alarm",), "raised, again, cleared, acknowledged", "action"),
            _data("text", ("alarm",), "what it is about", "subject"),
            _data("text", ("alarm",), "critical, warning, info", "severity"),
            _data("text", ("alarm",), "particulars", "detail"),
            _data("text", ("alarm",), "title in Chinese", "title", "zh"),
            _data("text", ("alarm",), "title in English", "title", "en"),
            _data("text", ("session", "batch", "hold", "lock", "clock"), "what happened", "event"),
            _data("text", ("hold", "lock", "clock"), "why", "reason"),
            _data("text", WITH_A_PERSON, "who did it", "by", "who"),
            _data("int", ("batch",), "fills of the batch", "fills"),
        )
    ),
}
"""The whole vocabulary. A name that is not here fails when a mapping is loaded."""


def values(event: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """What a record has of these names; what is not there, or is no such value, is absent."""
    found = {name: _typed(WORDS[name].type, WORDS[name].find(event)) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _typed(kind: WordType, value: Any) -> Any:
    if value is None:
        return None
    if kind == "time":
        return _time(value)
    if kind == "date":
        return value if isinstance(value, str) and _is_date(value) else None
    return value if sound(kind, value) else None


def _time(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo is not None else None


def _is_date(text: str) -> bool:
    try:
        return parse_date(text).isoformat() == text
    except ValueError:
        return False

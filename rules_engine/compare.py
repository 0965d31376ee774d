"""What differs between two texts of one pack, rule by rule, parameter by parameter, and which way.

`looser` is what a person has to look at: `yes` lets through what was refused, `maybe` cannot be told
from the text (another condition, another stage), `no` is the same or stricter.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

from rules_engine.facts import Value
from rules_engine.pack_model import Pack, Parameter, Rule
from rules_engine.verdict import Override, weaker

Action: TypeAlias = Literal["added", "removed", "changed"]
Looser: TypeAlias = Literal["yes", "maybe", "no"]
Kind: TypeAlias = Literal["rule", "parameter", "override"]


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that differs, as text or number; None = it is not there."""

    key: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """One rule, parameter or override that differs; `code` is the reason of a rule, else empty."""

    kind: Kind
    name: str
    action: Action
    looser: Looser
    parts: tuple[Part, ...]
    code: str = ""

    def as_json(self) -> dict[str, Any]:
        """As `config plan --json` prints it."""
        return {
            "kind": self.kind,
            "name": self.name,
            "action": self.action,
            "looser": self.looser,
            "code": self.code or None,
            "parts": [{"key": each.key, "old": each.old, "new": each.new} for each in self.parts],
        }


def compare(old: Pack, new: Pack) -> tuple[Difference, ...]:
    """Everything that decides and differs, overrides first, then parameters, then rules."""
    return (*_overrides(old, new), *_parameters(old, new), *_rules(old, new))


def _pairs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in dict.fromkeys((*old, *new)):
        yield name, old.get(name), new.get(name)


def _action(old: object, new: object) -> Action:
    if old is None:
        return "added"
    return "removed" if new is None else "changed"


def _parts(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Part, ...]:
    return tuple(Part(key, a, b) for key, a, b in _pairs(old, new) if a != b)


# --- rules ---


def _rules(old: Pack, new: Pack) -> Iterator[Difference]:
    before, after = ({rule.id: rule for rule in pack.rules} for pack in (old, new))
    for name, was, now in _pairs(before, after):
        parts = _parts(_told(was), _told(now))
        if parts:
            code = (now or was).code
            yield Difference("rule", name, _action(was, now), _rule_looser(was, now), parts, code)


def _told(rule: Rule | None) -> dict[str, Any]:
    """What a rule says; the note of an override in its basis is told with the override."""
    if rule is None:
        return {}
    return {
        "code": rule.code,
        "severity": rule.severity,
        "stage": rule.stage,
        "given": None if rule.given is None else rule.given.source,
        "applies_if_known": ", ".join(rule.applies_if_known) or None,
        "when": rule.when.source,
        "message.zh": rule.message.zh,
        "message.en": rule.message.en,
        "basis": rule.basis if rule.override is None else rule.basis.rpartition(" [")[0],
        "verified": rule.verified,
    }


def _rule_looser(was: Rule | None, now: Rule | None) -> Looser:
    if was is None:
        return "no"
    if now is None:
        return "no" if was.severity == "observe" else "yes"
    if weaker(now.severity, was.severity):
        return "yes"
    before, after = _told(was), _told(now)
    same = all(before[key] == after[key] for key in ("code", "stage", "given", "when"))
    optional = set(now.applies_if_known) <= set(was.applies_if_known)
    return "no" if same and optional else "maybe"


# --- parameters ---


def _parameters(old: Pack, new: Pack) -> Iterator[Difference]:
    for name, was, now in _pairs(old.parameters, new.parameters):
        parts = _parts(_valued(was), _valued(now))
        if parts:
            looser = _value_looser(was, now)
            yield Difference("parameter", name, _action(was, now), looser, parts)


def _valued(item: Parameter | None) -> dict[str, Any]:
    if item is None:
        return {}
    said = {"value": _plain(item.value), "unit": item.unit, "source": item.source}
    return {**said, "verified": item.verified, "tighter": item.tighter}


def _value_looser(was: Parameter | None, now: Parameter | None) -> Looser:
    if was is None:
        return "no"
    if now is None or now.unit != was.unit or type(now.value) is not type(was.value):
        return "maybe"
    if not was.loosened_by(now.value):
        return "no"
    return "maybe" if was.tighter is None or isinstance(was.value, str) else "yes"


def _plain(value: Value) -> Any:
    return value.isoformat() if isinstance(value, date) else value


# --- overrides ---


def _overrides(old: Pack, new: Pack) -> Iterator[Difference]:
    before, after = ({each.rule: each for each in pack.ref.overrides} for pack in (old, new))
    for name, was, now in _pairs(before, after):
        parts = _parts(_allowed(old, was), _allowed(new, now))
        if parts:
            looser = _override_looser(was, now, parts)
            yield Difference("override", name, _action(was, now), looser, parts)


def _allowed(pack: Pack, item: Override | None) -> dict[str, Any]:
    """What an override puts in the place of the law, and who said so until when."""
    if item is None:
        return {}
    said: dict[str, Any] = {
        "until": item.until.isoformat(),
        "reason": item.reason,
        "approved_by": item.approved_by,
    }
    name = item.rule.removeprefix("param.")
    if item.rule != name:
        return {**said, "value": _plain(pack.loosened[name][1].value)}
    loosened = next(rule.loosened for rule in pack.rules if rule.id == name)
    assert loosened is not None, name
    return {**said, "severity": loosened.severity, "when": loosened.when.source}


def _override_looser(was: Override | None, now: Override | None, parts: tuple[Part, ...]) -> Looser:
    if now is None:
        return "no"
    if was is None or now.until > was.until:
        return "yes"
    return "maybe" if any(part.key in {"value", "severity", "when"} for part in parts) else "no"

"""A verdict as a record keeps it, told again: no pack, no archive and no rule is needed for it.

What was written down decides, also where the rules have changed since or are gone.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rules_engine.verdict import Finding, Message, Override, PackRef, Verdict


def verdict(kept: Mapping[str, Any]) -> Verdict:
    """The verdict that `as_json` wrote. Raises ValueError when this is none."""
    try:
        return Verdict(
            decision=_decision(kept),
            findings=tuple(_finding(each) for each in kept["findings"]),
            packs=tuple(_pack(each) for each in kept["packs"]),
        )
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError(f"no verdict as a record keeps it: {exc!r}") from exc


def _decision(kept: Mapping[str, Any]) -> Any:
    """The decision as kept; one that its findings contradict was not written by this program."""
    denied = any(each["severity"] == "deny" for each in kept["findings"])
    if kept["decision"] != ("deny" if denied else "allow"):
        raise ValueError(f"decision {kept['decision']!r} contradicts its findings")
    return kept["decision"]


def _finding(kept: Mapping[str, Any]) -> Finding:
    message = Message(kept["message"]["zh"], kept["message"]["en"])
    values = dict(kept["values"])
    return Finding(kept["code"], kept["severity"], message, kept["basis"], kept["rule"], values)


def _pack(kept: Mapping[str, Any]) -> PackRef:
    extends = kept.get("extends")
    loosened: Sequence[Mapping[str, Any]] = kept.get("overrides", ())
    overrides = tuple(
        Override(
            each["rule"], each["reason"], each["approved_by"], date.fromisoformat(each["until"])
        )
        for each in loosened
    )
    return PackRef(
        id=kept["id"],
        version=kept["version"],
        hash=kept["hash"],
        extends=None if extends is None else _pack(extends),
        overrides=overrides,
        today=min(_applied(loosened), default=None),
    )


def _applied(loosened: Sequence[Mapping[str, Any]]) -> Iterator[date]:
    """The last days of what was in force then: the earliest is a day on which the same was."""
    for each in loosened:
        if each["applied"]:
            yield date.fromisoformat(each["until"])


def text_of(found: Finding, packs: Sequence[PackRef]) -> PackRef | None:
    """The text that the rule of a finding stands in; None = the program itself."""
    owner = found.rule.partition(".")[0]
    for pack in packs:
        for text in (pack, pack.extends):
            if text is not None and text.id == owner:
                return text
    return None

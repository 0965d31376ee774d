"""What differs inside a rule pack, in words: for who decides whether it may come into force."""

from collections.abc import Iterator

from gatewayd.settings.plan import Change
from gatewayd.texts import Language, text
from rules_engine.compare import Difference, Part
from rules_engine.explain import title

MARKS = {"added": "+", "removed": "-", "changed": "~"}


def lines(change: Change, language: Language) -> Iterator[str]:
    """One line a rule, parameter or override, and one for each thing that differs in it."""
    if not change.part.startswith("rules/") or change.action != "changed":
        return
    if not change.rules:
        key = "plan.rules.unknown" if change.rules is None else "plan.rules.same"
        yield f"    {text(key, language)}"
    for each in change.rules or ():
        yield _headed(each, language)
        for part in each.parts:
            yield f"        {_part(part, each, language)}"


def _headed(each: Difference, language: Language) -> str:
    kind = text(f"plan.kind.{each.kind}", language)
    named = f"{each.name} ({each.code} {title(each.code, language)})" if each.code else each.name
    looser = "" if each.looser == "no" else "  " + text(f"plan.looser.{each.looser}", language)
    done = text(f"plan.{each.action}", language)
    return f"    {MARKS[each.action]} {kind} {named}  {done}{looser}"


def _part(part: Part, of: Difference, language: Language) -> str:
    old, new = (_shown(value, part.key, language) for value in (part.old, part.new))
    said = {"added": new, "removed": old, "changed": f"{old} -> {new}"}[of.action]
    return f"{text(f'plan.part.{part.key}', language)}: {said}"


def _shown(value: object, key: str, language: Language) -> str:
    if value is None:
        return "-"
    if key == "severity":
        return text(f"plan.severity.{value}", language)
    if isinstance(value, bool):
        return text(f"demo.{'yes' if value else 'no'}", language)
    return str(value)

"""A form and what a person answered: is it an answer, who may give it, and what does it say. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from gatewayd.desk.terms import No, no
from gatewayd.settings.checks import Answer, FormSettings, Item


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the answers come to: items that failed, numbers for the rules, and every item as asked."""

    failed: tuple[str, ...]
    facts: Mapping[str, int]
    items: tuple[Mapping[str, Any], ...]


def weigh(
    form: FormSettings, answers: Mapping[str, Answer], *, roles: Collection[str], who: str
) -> Outcome | No:
    """What the answers come to, or what is wrong with them.

    Every item must be answered, unless it is optional or another one speaks against the cylinder
    already: then nobody has to look on. `roles` are those of the person who answers, `who` it is.
    """
    known = {item.id: item for item in form.items}
    for name, answer in answers.items():
        if name not in known:
            return no("unknown_item", item=name, known=", ".join(known))
        if expected := known[name].objection(answer):
            return no("bad_answer", item=name, answer=answer, expected=expected)
    answered = [item for item in form.items if item.id in answers]
    if refusal := _roles(form, answered, roles, who):
        return refusal
    blocked = [item for item in answered if item.blocked(answers[item.id])]
    missing = [item.id for item in form.items if item.id not in answers and not item.optional]
    if not answers or (missing and not blocked):
        return no("unanswered", items=", ".join(missing or known))
    return Outcome(
        failed=tuple(dict.fromkeys(item.failure for item in blocked)),
        facts=_facts(answered, answers),
        items=tuple(_shown(item, answers.get(item.id)) for item in form.items),
    )


def _roles(
    form: FormSettings, answered: Collection[Item], roles: Collection[str], who: str
) -> No | None:
    asked = [set(form.who), *(set(item.who) for item in answered)]
    lacking = [wanted for wanted in asked if wanted and not wanted & set(roles)]
    if not lacking:
        return None
    return no("may_not_answer", operator=who or "-", roles=", ".join(sorted(lacking[0])))


def _facts(answered: Collection[Item], answers: Mapping[str, Answer]) -> dict[str, int]:
    named = {item.id: getattr(item, "fact", None) for item in answered}
    return {fact: int(answers[name]) for name, fact in named.items() if fact is not None}


def _shown(item: Item, answer: Answer | None) -> dict[str, Any]:
    """One item as the record keeps it: the question as it was asked, so that it stands by itself."""
    return {
        "id": item.id,
        "text": {"zh": item.text.zh, "en": item.text.en},
        "kind": item.kind,
        "answer": answer,
        "unit": getattr(item, "unit", None),
        "failed": answer is not None and item.blocked(answer),
        "fails": item.failure,
    }


def all_good(form: FormSettings) -> dict[str, Answer]:
    """The answers of a cylinder without a fault, for a form that a printed code may answer."""
    good = ((item.id, item.good()) for item in form.items)
    return {name: answer for name, answer in good if answer is not None}

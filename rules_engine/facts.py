"""Values of facts: read from text and JSON, checked against their type, some derived.

Facts are a plain mapping from name to value; an unknown fact is absent (or None). A date is a
whole day in the station's time zone: what is valid until a day is valid through that day.
"""

import calendar
import difflib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeAlias

from rules_engine.vocabulary import FACTS, MEDIA, Fact, Kind, remedy

__all__ = [
    "FACTS",
    "MEDIA",
    "Fact",
    "Facts",
    "Kind",
    "Value",
    "derive",
    "from_json",
    "group",
    "life_ends_on",
    "nearest",
    "of_kind",
    "parse",
    "parse_date",
    "remedy",
    "sound",
]

INT_MAX = 2**63 - 1
TEXT_CHARS_MAX = 4_096
ITEMS_MAX = 1_000

Value: TypeAlias = bool | int | str | date | tuple[str, ...]
Facts: TypeAlias = Mapping[str, Any]
"""Fact name -> Value. What is unknown is absent or None."""


def group(prefix: str, columns: Mapping[str, Any]) -> dict[str, Value]:
    """The facts `prefix.*` from plain columns; dates may be ISO text, lists any sequence.

    None is left out. Raises ValueError on an unknown column or a value of the wrong type.
    """
    named = ((f"{prefix}.{name}", value) for name, value in columns.items() if value is not None)
    return {name: from_json(name, value) for name, value in named}


def from_json(name: str, value: Any) -> Value:
    """One fact from a JSON or YAML value. Raises ValueError saying what was expected."""
    return of_kind(name, _known(name).type, value)


def of_kind(name: str, kind: Kind, value: Any) -> Value:
    """A JSON or YAML value as the type `kind`. Raises ValueError saying what was expected."""
    if kind == "date" and isinstance(value, str):
        return parse_date(value)
    if kind == "texts" and isinstance(value, list):
        value = tuple(value)
    if not sound(kind, value):
        raise ValueError(f"{name} is {kind}; got {value!r}")
    sure: Value = value
    return sure


def parse(name: str, text: str) -> Value | None:
    """One fact from the text after `--set name=`; empty text is None, meaning unknown.

    Lists are separated by `;`. Raises ValueError saying what was expected, with a hint.
    """
    fact = _known(name)
    if fact.derived:
        raise ValueError(f"{name} is derived from other facts; {remedy(name).en}")
    text = text.strip()
    if not text:
        return None
    if fact.choices and text not in fact.choices:
        near = _near(text, fact.choices)
        raise ValueError(f"{name} is one of {', '.join(sorted(fact.choices))}; got {text!r}{near}")
    if fact.type == "date":
        return parse_date(text)
    if fact.type in {"bool", "int"}:
        return _scalar(name, fact, text)
    items = tuple(part.strip() for part in text.split(";") if part.strip())
    value = text if fact.type == "text" else items
    if not sound(fact.type, value):
        raise ValueError(f"{name} is too long or holds half a character")
    return value


def _scalar(name: str, fact: Fact, text: str) -> bool | int:
    if fact.type == "bool" and text in {"true", "false"}:
        return text == "true"
    digits = text.removeprefix("-")
    if fact.type == "int" and digits.isascii() and digits.isdigit() and sound("int", int(text)):
        return int(text)
    expected = "true or false" if fact.type == "bool" else f"a whole number {fact.unit}".strip()
    raise ValueError(f"{name} is {expected}; got {text!r}")


def parse_date(text: str) -> date:
    """`YYYY-MM-DD`, or `YYYY-MM` = the last day of that month. Raises ValueError."""
    try:
        if len(text) == len("YYYY-MM"):
            first = date.fromisoformat(f"{text}-01")
            return first.replace(day=calendar.monthrange(first.year, first.month)[1])
        if len(text) == len("YYYY-MM-DD"):
            return date.fromisoformat(text)
    except ValueError as exc:
        raise ValueError(f"no such day: {text!r}; expected YYYY-MM-DD or YYYY-MM") from exc
    raise ValueError(f"not a date: {text!r}; expected YYYY-MM-DD or YYYY-MM")


def sound(kind: Kind, value: object) -> bool:
    """Whether `value` is of the fact type `kind`; a bool is no int, a datetime is no date."""
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= INT_MAX
    if kind == "text":
        return isinstance(value, str) and _encodable(value)
    if kind == "date":
        return isinstance(value, date) and not isinstance(value, datetime)
    if not isinstance(value, tuple | list) or len(value) > ITEMS_MAX:
        return False
    return all(sound("text", item) for item in value)


def _encodable(text: str) -> bool:
    """Whether text is short and whole: half a character would stop the rule engine.

    The library behind it reads a text up to its first NUL: another text than the one that is there.
    """
    if len(text) > TEXT_CHARS_MAX or "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def derive(facts: Facts) -> dict[str, Any]:
    """The known facts with `cylinder.fills_done` defaulted and the derived ones computed.

    A derived fact that was given is computed anew, so changing a base fact is enough.
    """
    known = {name: value for name, value in facts.items() if value is not None}
    if known.get("code.known") is True:
        known.setdefault("cylinder.fills_done", 0)
    computed = {
        "cylinder.life_ends_on": life_ends_on(known),
        "cylinder.age_years": _years_begun(known, "cylinder.made_on"),
        "cylinder.inspection_age_years": _years_begun(known, "cylinder.last_inspection_on"),
    }
    for name, value in computed.items():
        known.pop(name, None)
        if value is not None:
            known[name] = value
    return known


def _years_begun(facts: Facts, since: str) -> int | None:
    """Years begun between a day and today: 4 through the day four years later, then 5.

    29 February becomes the 28th in a year without it. None when either day is unknown, or today
    lies before the day.
    """
    day, today = facts.get(since), facts.get("clock.today")
    if day is None or today is None or today < day:
        return None
    years: int = today.year - day.year
    reached = _years_later(day, years)
    return years if reached is not None and today <= reached else years + 1


def life_ends_on(facts: Facts) -> date | None:
    """The last day of service life (contract §9), or None when it cannot be decided.

    `life_extended_to` if set, else the earlier of what is known of `scrap_on` and
    `made_on` + `design_life_years`.
    """
    extended_to: date | None = facts.get("cylinder.life_extended_to")
    if extended_to is not None:
        return extended_to
    ends: list[date] = []
    if (scrap_on := facts.get("cylinder.scrap_on")) is not None:
        ends.append(scrap_on)
    made_on, years = facts.get("cylinder.made_on"), facts.get("cylinder.design_life_years")
    if made_on is not None and years is not None:
        designed = _years_later(made_on, years)
        if designed is None:
            return None
        ends.append(designed)
    return min(ends, default=None)


def _years_later(day: date, years: int) -> date | None:
    """The same day `years` later, 29 February becoming the 28th; None when no such year exists."""
    year = day.year + years
    if years < 0 or year > date.max.year:
        return None
    return day.replace(year=year, day=min(day.day, calendar.monthrange(year, day.month)[1]))


def nearest(name: str, also: frozenset[str] = frozenset()) -> str:
    """The known fact (or name in `also`) most like `name`, or empty."""
    pool = [*FACTS, *also]
    close = difflib.get_close_matches(name, pool, n=1, cutoff=0.6)
    tails = [known for known in pool if known.partition(".")[2] == name.rpartition(".")[2]]
    return (tails or close or [""])[0]


def _known(name: str) -> Fact:
    if name not in FACTS:
        near = nearest(name)
        hint = f"; did you mean {near!r}?" if near else f"; one of {', '.join(FACTS)}"
        raise ValueError(f"unknown fact {name!r}{hint}")
    return FACTS[name]


def _near(text: str, choices: frozenset[str]) -> str:
    close = difflib.get_close_matches(text, choices, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""

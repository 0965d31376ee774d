"""Every rule of a day, in every shipped pack: the day before, the day, the day after.

The last legal day is told here by hand from the date on file and the years of the pack, on days that
calendars get wrong: a leap day, the end of a year, and months of which only the name is on file.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from rules_engine.engine import judge
from rules_engine.facts import parse_date
from rules_engine.pack import Rule
from tests.rules_engine.cases import CASES
from tests.support.rules import LEGAL_FOR, SHIPPED, shipped

DAY = timedelta(days=1)
RESTS_ON = {
    "cylinder.next_inspection_on": "cylinder.next_inspection_on",
    "cylinder.life_ends_on": "cylinder.scrap_on",
    "operator.certificate_until": "operator.certificate_until",
    "cylinder.inspection_age_years": "cylinder.last_inspection_on",
    "cylinder.age_years": "cylinder.made_on",
}
"""What a rule reads, and the date on file behind it."""
OTHERWISE = {"repeat-fill", "no-embossed-mark"}
"""Rules of a day that do not end with one; each has its own test below."""
ON_FILE = {
    "2025-07-01": date(2025, 7, 1),
    "2024-02-29": date(2024, 2, 29),
    "2024-12-31": date(2024, 12, 31),
    "2024-02": date(2024, 2, 29),
    "2025-02": date(2025, 2, 28),
    "2025-12": date(2025, 12, 31),
}
"""As a file has it, and the day that it means."""


def _dated(name: str) -> Iterator[Rule]:
    for rule in shipped(name).rules:
        if {"clock.today", *RESTS_ON} & rule.reads:
            yield rule


ENDING = [
    pytest.param(name, rule, written, id=f"{name}.{rule.id}.{written}")
    for name in SHIPPED
    for rule in _dated(name)
    if rule.id not in OTHERWISE
    for written in ON_FILE
]


def _years(name: str, rule: Rule) -> int:
    """The interval or life that the pack gives; 0 where the date on file is the last day itself."""
    params = shipped(name).parameters
    found = [params[each.removeprefix("param.")] for each in rule.reads if "param." in each]
    assert [each.unit for each in found] in ([], ["years"]), rule.name
    years = found[0].value if found else 0
    assert isinstance(years, int), rule.name
    return years


def _anniversary(day: date, years: int) -> date:
    """That many years later; in a year without it, 29 February is the 28th."""
    year = day.year + years
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return date(year, 2, 28) if (day.month, day.day) == (2, 29) and not leap else day.replace(year)


def _holds(name: str, rule: Rule, changes: dict[str, Any]) -> bool:
    facts = {**LEGAL_FOR[name], **CASES[name][rule.id][0], **changes}
    return rule.name in {found.rule for found in judge([shipped(name)], facts).findings}


@pytest.mark.parametrize(("name", "rule", "written"), ENDING)
def test_a_day_is_legal_through_its_end_and_not_a_day_longer(
    name: str, rule: Rule, written: str
) -> None:
    (fact,) = {RESTS_ON[each] for each in rule.reads if each in RESTS_ON}
    last = _anniversary(ON_FILE[written], _years(name, rule))
    told = {
        days: _holds(name, rule, {fact: parse_date(written), "clock.today": last + days * DAY})
        for days in (-366, -1, 0, 1, 366)
    }
    assert told == {-366: False, -1: False, 0: False, 1: True, 366: True}


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("written", ON_FILE)
def test_a_second_fill_is_refused_on_its_day_alone(name: str, written: str) -> None:
    (rule,) = (each for each in _dated(name) if each.id == "repeat-fill")
    day = ON_FILE[written]
    left = {"history.last_filled_on": parse_date(written), "history.left_since_fill": False}
    told = [_holds(name, rule, {**left, "clock.today": day + n * DAY}) for n in (-1, 0, 1)]
    assert told == [False, True, False]


@pytest.mark.parametrize(
    ("made", "asked"),
    [
        ("2021-05-31", False),
        ("2021-06-01", True),
        ("2021-06-02", True),
        ("2021-05", False),
        ("2021-06", True),
        ("2020-02-29", False),
        ("2024-02", True),
    ],
)
def test_the_embossed_mark_is_asked_for_from_its_first_day(made: str, *, asked: bool) -> None:
    (rule,) = (each for each in shipped("cn-lpg").rules if each.id == "no-embossed-mark")
    changes = {"cylinder.embossed_mark": False, "cylinder.made_on": parse_date(made)}
    assert _holds("cn-lpg", rule, changes) == asked


@pytest.mark.parametrize("name", SHIPPED)
def test_every_rule_that_knows_a_date_has_its_table(name: str) -> None:
    """A rule that reads a date in another way than those above has to be added here."""
    dates = {"clock.today", "cylinder.made_on", "history.last_filled_on", *RESTS_ON}
    knows = {rule.id for rule in shipped(name).rules if rule.reads & dates}
    tabled = {rule.id for rule in _dated(name)} | OTHERWISE
    assert knows <= tabled
    for rule in _dated(name):
        if rule.id not in OTHERWISE:
            assert len(rule.reads & set(RESTS_ON)) == 1, rule.id

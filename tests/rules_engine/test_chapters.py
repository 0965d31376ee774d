"""The rules of a stage on a day are sorted out once: they are what sorting them out each time says."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules_engine.engine import JUDGED, in_force, judge
from rules_engine.pack import Pack, load
from rules_engine.pack_model import CHAPTERS_MAX, Rule
from rules_engine.verdict import Override, Stage
from tests.support.rules import LEGAL, SHIPPED, TODAY, cn_lpg, shipped

STAGES: tuple[Stage, ...] = tuple(JUDGED)
SITE = """\
id: site
extends: cn-lpg
version: "1"
title: {zh: 测试, en: test}
basis: test
rules: []
override:
  - {rule: overdue, severity: observe, reason: flood, approved_by: the inspector, until: 2026-07-01}
"""


def naive(pack: Pack, stage: Stage, today: date | None) -> tuple[Rule, ...]:
    """Each rule in the text of the day, asked one by one."""
    texts = [rule.on(today) for rule in pack.rules]
    return tuple(text for text in texts if text.stage in JUDGED[stage])


def overridden(pack: Pack, days: list[date]) -> Pack:
    """A pack where one rule after the other is loosened until one of these days."""
    rules = list(pack.rules)
    for at, day in enumerate(days):
        rule = rules[at % len(rules)]
        stage = STAGES[at % len(STAGES)]
        override = Override(rule.id, "flood", "the inspector", day)
        rules[at % len(rules)] = replace(
            rule, override=override, loosened=replace(rule, stage=stage, severity="observe")
        )
    return replace(pack, rules=tuple(rules))


DAYS = st.integers(-3, 3).map(lambda days: TODAY + timedelta(days=days))
ASKED = st.lists(st.tuples(st.sampled_from(STAGES), DAYS | st.none()), min_size=1, max_size=30)


@given(st.sampled_from(SHIPPED), st.lists(DAYS, max_size=12), ASKED)
def test_whatever_was_asked_before_a_stage_has_the_rules_of_its_day(
    name: str, until: list[date], asked: list[tuple[Stage, date | None]]
) -> None:
    pack = overridden(shipped(name), until)
    for stage, today in asked:
        rules = in_force(pack, stage, today)
        assert rules == naive(pack, stage, today)
        reads = pack.chapter(JUDGED[stage], today).reads
        assert reads == frozenset(fact for rule in rules for fact in rule.reads)


def test_no_more_than_so_many_days_are_remembered_and_the_next_is_right_all_the_same() -> None:
    pack = overridden(cn_lpg(), [TODAY])
    for back in range(CHAPTERS_MAX * 2, -3, -1):
        day = TODAY - timedelta(days=back)
        assert in_force(pack, "permit", day) == naive(pack, "permit", day)


def test_a_pack_made_of_another_remembers_nothing_of_it() -> None:
    pack = cn_lpg()
    assert in_force(pack, "fill", None)
    assert in_force(replace(pack, rules=()), "fill", None) == ()


@pytest.mark.parametrize(("day", "decision"), [(TODAY, "allow"), (date(2026, 7, 2), "deny")])
def test_a_loosened_rule_counts_again_on_the_day_after(day: date, decision: str) -> None:
    site = load(SITE, "site.yaml", base=cn_lpg())
    overdue = {"cylinder.next_inspection_on": date(2026, 6, 1), "cylinder.scrap_on": day}
    for today in (TODAY - timedelta(days=1), day):
        verdict = judge([site], {**LEGAL, **overdue, "clock.today": today})
    assert verdict.decision == decision

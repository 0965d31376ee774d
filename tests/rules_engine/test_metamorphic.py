"""What must hold of any facts and every shipped pack: bad news never helps, order never matters."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules_engine.engine import judge
from rules_engine.facts import FACTS, derive
from rules_engine.pack import Pack, Rule
from rules_engine.verdict import Finding, Stage
from tests.rules_engine.cases import CASES
from tests.support.rules import LEGAL_FOR, SHIPPED, TODAY, shipped

DAYS = st.integers(-3, 3).map(lambda days: TODAY + timedelta(days=days)) | st.dates(
    date(1990, 1, 1), date(2040, 1, 1)
)
BY_TYPE: Mapping[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "int": st.integers(-10, 100_000),
    "text": st.sampled_from(["", "x", "3701000042", "seamless", "DOT-3T", "GB 5842-2006"]),
    "date": DAYS,
    "texts": st.lists(st.sampled_from(["stamp", "body", "LPG", "3701000042"]), max_size=2).map(
        tuple
    ),
}
GIVEN = sorted(name for name, fact in FACTS.items() if not fact.derived)


def values(name: str) -> st.SearchStrategy[Any]:
    fact = FACTS[name]
    usual = st.sampled_from(sorted(fact.choices)) if fact.choices else BY_TYPE[fact.type]
    return usual | BY_TYPE[fact.type]


CHANGES = st.lists(st.sampled_from(GIVEN), max_size=6, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: values(name) for name in names})
)
PACKS = st.sampled_from(SHIPPED)


STAND_IN = frozenset(
    f"cylinder.{name}"
    for name in (
        *("life_extended_to", "scrap_on", "made_on", "design_life_years"),
        *("allowed_net_g", "water_capacity_ml", "fills_done"),
    )
)
"""Columns for which another stands in when they are empty (contract §9): the end of life from those
that are known, the allowed mass from the other figure, no fills from no count."""


MADE_OF_SEVERAL = {"cylinder.life_ends_on", "cylinder.net_limit_g", "cylinder.fills_done"}


def optional(pack: Pack) -> set[str]:
    """Facts without which some rule of the pack does not apply: the pack says so itself."""
    return {name for rule in pack.rules for name in rule.applies_if_known}


def excused(rule: Rule) -> frozenset[str]:
    """The facts whose absence the rule itself, or what it is derived from, makes up for."""
    stand_in = STAND_IN if rule.reads & MADE_OF_SEVERAL else frozenset()
    return stand_in | frozenset(rule.applies_if_known)


def denies(pack: Pack, facts: Mapping[str, Any]) -> list[Finding]:
    return [each for each in judge([pack], facts).findings if each.severity == "deny"]


@given(PACKS, CHANGES, st.data())
def test_adding_a_bad_fact_never_turns_deny_into_allow(
    name: str, changes: dict[str, Any], data: st.DataObject
) -> None:
    """A bad fact is one that makes a rule refuse a legal cylinder; it replaces none that is known."""
    pack = shipped(name)
    facts = {**LEGAL_FOR[name], **changes}
    rule = data.draw(st.sampled_from(sorted(CASES[name])))
    bad = {k: v for k, v in CASES[name][rule][0].items() if k not in facts}
    if judge([pack], {**facts, **bad}).allowed:
        assert judge([pack], facts).allowed, bad


@given(PACKS, CHANGES, st.sets(st.sampled_from(GIVEN), min_size=1, max_size=5))
def test_taking_a_fact_away_never_turns_deny_into_allow(
    name: str, changes: dict[str, Any], gone: set[str]
) -> None:
    """Except where every rule that refused says itself that it does not apply without the fact.

    `clock.trusted` is one as well: nobody says yet whether the clock is to be believed.
    """
    pack = shipped(name)
    facts = {**LEGAL_FOR[name], **changes}
    rest = {fact: value for fact, value in facts.items() if fact not in gone}
    if not judge([pack], rest).allowed:
        return
    rules = {rule.name: rule for rule in pack.rules}
    for finding in denies(pack, facts):
        names = [finding.rule, *finding.values.get("rules", ())]
        asked = {fact for each in names if each in rules for fact in excused(rules[each])}
        assert (asked | {"clock.trusted"}) & gone, finding


@given(PACKS, CHANGES, st.data())
def test_taking_a_fact_away_that_no_rule_calls_optional_never_allows_more(
    name: str, changes: dict[str, Any], data: st.DataObject
) -> None:
    pack = shipped(name)
    facts = {**LEGAL_FOR[name], **changes}
    needed = sorted(facts.keys() - optional(pack) - STAND_IN - {"clock.trusted"})
    gone = data.draw(st.sampled_from(needed))
    rest = {fact: value for fact, value in facts.items() if fact != gone}
    assert judge([pack], facts).allowed or not judge([pack], rest).allowed, gone


AFTER: st.SearchStrategy[Stage] = st.sampled_from(["fill", "postfill", "dispatch"])
FILLED = {
    "scale.net_g": 14_900,
    "scale.tare_g": 16_500,
    "cylinder.stamped_tare_g": 16_500,
    "checks.settled_kpa": 15_000,
    "checks.gas_temperature_dc": 200,
    "history.overfilled": False,
}


@given(PACKS, AFTER, CHANGES, st.sets(st.sampled_from(GIVEN), min_size=1, max_size=5))
def test_taking_a_fact_away_after_the_fill_never_turns_deny_into_allow(
    name: str, stage: Stage, changes: dict[str, Any], gone: set[str]
) -> None:
    """As before the fill: only where the rule that refused says that it may lack the fact."""
    pack = shipped(name)
    facts = {**LEGAL_FOR[name], **FILLED, **changes}
    rest = {fact: value for fact, value in facts.items() if fact not in gone}
    if not judge([pack], rest, stage).allowed:
        return
    rules = {rule.name: rule for rule in pack.rules}
    for finding in judge([pack], facts, stage).findings:
        names = [finding.rule, *finding.values.get("rules", ())]
        asked = {fact for each in names if each in rules for fact in excused(rules[each])}
        if finding.severity == "deny":
            assert (asked | {"clock.trusted"}) & gone, finding


BAD_AFTER: tuple[Mapping[str, Any], ...] = (
    {"scale.net_g": 14_901},
    {"scale.tare_g": 17_000},
    {"checks.settled_kpa": 15_001},
    {"checks.postcheck_failed": ("leak",)},
    {"rig.postcheck_required": True, "checks.postcheck_done": False},
    {"history.overfilled": True},
)


@given(PACKS, AFTER, CHANGES, st.sampled_from(BAD_AFTER), st.sets(st.sampled_from(sorted(FILLED))))
def test_adding_a_bad_fact_after_the_fill_never_turns_deny_into_allow(
    name: str, stage: Stage, changes: dict[str, Any], bad: Mapping[str, Any], untold: set[str]
) -> None:
    pack = shipped(name)
    filled = {fact: value for fact, value in FILLED.items() if fact not in untold}
    facts = {**LEGAL_FOR[name], **filled, **changes}
    news = {fact: value for fact, value in bad.items() if fact not in facts}
    if judge([pack], {**facts, **news}, stage).allowed:
        assert judge([pack], facts, stage).allowed or _only_untold(pack, facts, stage, news)


def _only_untold(
    pack: Pack, facts: Mapping[str, Any], stage: Stage, news: Mapping[str, Any]
) -> bool:
    """Whether nothing refused but that nobody knew what is known now, and it is within its limit."""
    refused = (each for each in judge([pack], facts, stage).findings if each.severity == "deny")
    return all(each.code == "DATA_MISSING" and each.values.keys() & news.keys() for each in refused)


@given(PACKS, st.sampled_from(["permit"]) | AFTER, CHANGES, st.randoms())
def test_the_order_of_rules_and_facts_never_matters(
    name: str, stage: Stage, changes: dict[str, Any], random: Any
) -> None:
    pack = shipped(name)
    rules, facts = list(pack.rules), list({**LEGAL_FOR[name], **FILLED, **changes}.items())
    expected = judge([pack], dict(facts), stage)
    random.shuffle(rules)
    random.shuffle(facts)
    assert judge([replace(pack, rules=tuple(rules))], dict(facts), stage) == expected


@given(st.lists(PACKS, min_size=1, max_size=3), CHANGES, st.randoms())
def test_of_several_packs_the_order_never_matters_and_one_deny_is_enough(
    names: list[str], changes: dict[str, Any], random: Any
) -> None:
    facts = {**LEGAL_FOR["cn-lpg"], **changes}
    packs = [shipped(name) for name in names]
    together = judge(packs, facts)
    random.shuffle(packs)
    assert judge(packs, facts).findings == together.findings
    assert judge([*packs, shipped("cn-lpg")], facts).allowed <= together.allowed


@given(PACKS, CHANGES)
def test_a_fact_that_was_derived_is_never_believed(name: str, changes: dict[str, Any]) -> None:
    """Giving a derived fact changes nothing: it is computed anew from what it comes from."""
    facts = {**LEGAL_FOR[name], **changes}
    flattering = {"cylinder.life_ends_on": date(2099, 1, 1), "cylinder.net_limit_g": 1}
    flattering |= {"cylinder.age_years": 0, "cylinder.inspection_age_years": 0}
    assert judge([shipped(name)], {**facts, **flattering}) == judge([shipped(name)], facts)
    assert derive(derive(facts)) == derive(facts)


@given(PACKS, CHANGES)
def test_what_only_advises_never_decides(name: str, changes: dict[str, Any]) -> None:
    pack = shipped(name)
    facts = {**LEGAL_FOR[name], **changes}
    strict = replace(pack, rules=tuple(r for r in pack.rules if r.severity == "deny"))
    assert judge([strict], facts).decision == judge([pack], facts).decision


@pytest.mark.parametrize("name", SHIPPED)
def test_what_a_pack_calls_optional_is_what_not_every_station_has(name: str) -> None:
    """The columns of the archive that `config/rules/README.md` says may stay empty, and no others."""
    columns = {each for each in optional(shipped(name)) if each in LEGAL_FOR[name]}
    assert columns == set(), "a legal cylinder needs what these rules read"

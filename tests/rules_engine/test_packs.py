"""The shipped packs, as tables of small facts: what is legal, and each way not to be."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from gatewayd.rigs.findings import BASIS
from protocols.documents import parse
from rules_engine import examples
from rules_engine.engine import JUDGED, judge
from rules_engine.pack import Pack, Rule
from rules_engine.reasons import FROM_ENGINE, FROM_RIG, REASONS
from rules_engine.verdict import Stage
from tests.rules_engine.cases import CASES, FULL, OPERATOR, OVER, SPEAK_TOGETHER
from tests.support.rules import LEGAL_FOR, RULES, SHIPPED, TODAY, shipped

DAY = timedelta(days=1)
FROM_BOTH = frozenset(
    {
        "RESIDUAL",
        "CODE_UNKNOWN",
        "CODE_DUPLICATE",
        "TAG_MISMATCH",
        "ARCHIVE_STALE",
        "REGULATOR_LOCK",
    }
)
"""Rules say them, and the rig or a scan point by itself where no rule can."""


def _cases() -> Iterator[Any]:
    for name, rules in CASES.items():
        for rule, changes in rules.items():
            for number, change in enumerate(changes):
                yield pytest.param(name, rule, change, id=f"{name}.{rule}.{number}")


def named(pack: Pack, rule: str) -> Rule:
    return next(each for each in pack.rules if each.id == rule)


def test_these_are_the_packs_that_are_shipped() -> None:
    assert sorted(path.stem for path in RULES.glob("*.yaml")) == list(SHIPPED)
    assert [shipped(name).id for name in SHIPPED] == list(SHIPPED), "a file is named after its id"
    assert set(CASES) == set(LEGAL_FOR) == set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_example_holds_and_every_rule_has_them(name: str) -> None:
    assert examples.run(shipped(name)) == ()


@pytest.mark.parametrize("name", SHIPPED)
def test_a_legal_cylinder_is_allowed_on_its_last_day_without_a_word(name: str) -> None:
    verdict = judge([shipped(name)], LEGAL_FOR[name])
    assert (verdict.decision, verdict.findings) == ("allow", ())


@pytest.mark.parametrize(("name", "rule", "change"), list(_cases()))
def test_each_way_to_be_illegal_has_its_reason(
    name: str, rule: str, change: Mapping[str, Any]
) -> None:
    pack, facts = shipped(name), {**LEGAL_FOR[name], **change}
    found = {finding.rule: finding for finding in judge([pack], facts).findings}
    law = named(pack, rule)
    assert (found[law.name].code, found[law.name].severity) == (law.code, law.severity)
    others = {each.rpartition(".")[2] for each in found} - {rule}
    also = {f"{other}-cng" for other in SPEAK_TOGETHER.get(rule, ())} | SPEAK_TOGETHER.get(
        rule, frozenset()
    )
    assert others <= also, found


@pytest.mark.parametrize("name", SHIPPED)
def test_the_table_has_every_rule_before_a_permit_and_notices_one_taken_out(name: str) -> None:
    pack = shipped(name)
    before = {rule.id for rule in pack.rules if rule.stage in JUDGED["permit"]}
    untold = {"tare-high", "residue-not-deducted"}  # only where a site deducts no residue
    assert set(CASES[name]) == before - untold
    for rule, changes in CASES[name].items():
        rest = replace(pack, rules=tuple(each for each in pack.rules if each.id != rule))
        for change in changes:
            facts = {**LEGAL_FOR[name], **change}
            assert judge([rest], facts).findings != judge([pack], facts).findings, rule


MASS_PACKS = ("cn-lpg", "eu-adr", "us-dot")
AFTER: tuple[Stage, ...] = ("fill", "postfill", "dispatch")


@pytest.mark.parametrize("stage", AFTER)
@pytest.mark.parametrize("name", MASS_PACKS)
def test_a_gram_too_much_is_refused_at_every_stage_after_the_permit(
    name: str, stage: Stage
) -> None:
    legal = LEGAL_FOR[name]
    assert judge([shipped(name)], {**legal, **FULL}, stage).allowed
    over = judge([shipped(name)], {**legal, **OVER}, stage)
    assert [finding.code for finding in over.findings] == ["OVERFILL_RISK"]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_leak_found_after_the_fill_keeps_the_cylinder_here(name: str) -> None:
    facts = {**LEGAL_FOR[name], **FULL, "checks.postcheck_failed": ("leak",)}
    verdict = judge([shipped(name)], facts, "dispatch")
    assert [finding.code for finding in verdict.findings] == ["BODY_DEFECT"]
    required = {**LEGAL_FOR[name], **FULL, "rig.postcheck_required": True}
    for done, allowed in ((True, True), (False, False), (None, False)):
        facts = {**required, "checks.postcheck_done": done}
        assert judge([shipped(name)], facts, "dispatch").allowed == allowed


DATED = ("cylinder.next_inspection_on", "cylinder.scrap_on", "operator.certificate_until")


@pytest.mark.parametrize("fact", DATED)
@pytest.mark.parametrize("name", SHIPPED)
def test_a_day_is_legal_through_its_end(name: str, fact: str) -> None:
    legal = {**LEGAL_FOR[name], **OPERATOR}
    for days in range(-2, 3):
        verdict = judge([shipped(name)], {**legal, fact: TODAY + days * DAY})
        assert verdict.allowed == (days >= 0), days


LEAP = date(2028, 2, 29)


@pytest.mark.parametrize(
    ("fact", "value", "last"),
    [
        ("cylinder.next_inspection_on", LEAP, LEAP),
        ("cylinder.scrap_on", LEAP, LEAP),
        ("cylinder.scrap_on", date(2027, 2, 28), date(2027, 2, 28)),
        ("cylinder.next_inspection_on", date(2026, 12, 31), date(2026, 12, 31)),
    ],
)
@pytest.mark.parametrize("name", SHIPPED)
def test_leap_days_and_new_year_are_days_like_others(
    name: str, fact: str, value: date, last: date
) -> None:
    far = date(2030, 1, 1)
    legal = {**LEGAL_FOR[name], "cylinder.next_inspection_on": far, "cylinder.scrap_on": far}
    for days, allowed in ((-1, True), (0, True), (1, False)):
        facts = {**legal, fact: value, "clock.today": last + days * DAY}
        assert judge([shipped(name)], facts).allowed == allowed


def test_a_life_that_began_on_a_leap_day_ends_on_the_28th() -> None:
    born = {"cylinder.scrap_on": None, "cylinder.made_on": date(2016, 2, 29)}
    far = {"cylinder.next_inspection_on": date(2040, 1, 1), "cylinder.design_life_years": 15}
    facts = {**LEGAL_FOR["cn-lpg"], **born, **far}
    for today, allowed in ((date(2031, 2, 28), True), (date(2031, 3, 1), False)):
        assert judge([shipped("cn-lpg")], {**facts, "clock.today": today}).allowed == allowed


FROM_BOTH = frozenset(
    {"RESIDUAL", "ARCHIVE_STALE", "REGULATOR_LOCK", "CODE_DUPLICATE", "TAG_MISMATCH"}
    | {"CODE_UNKNOWN"}
)
"""A rule says these, and so does the rig where no rule may loosen them or none was asked."""


def test_every_reason_comes_from_a_rule_the_engine_or_the_rig() -> None:
    by_rules = {rule.code for name in SHIPPED for rule in shipped(name).rules}
    assert set(REASONS) >= FROM_ENGINE
    assert set(REASONS) >= FROM_RIG
    assert not FROM_ENGINE & FROM_RIG
    assert set(REASONS) - FROM_ENGINE - FROM_RIG <= by_rules
    assert by_rules & FROM_RIG == set(), "nobody but the rig can see these"
    assert set(BASIS) - FROM_BOTH <= FROM_RIG | FROM_ENGINE
    assert by_rules >= FROM_BOTH


def test_a_rule_of_one_name_says_the_same_in_every_pack() -> None:
    texts: dict[str, set[Any]] = {}
    for name in SHIPPED:
        for rule in shipped(name).rules:
            given = rule.given.source if rule.given else ""
            text = (rule.code, rule.stage, rule.severity, given, rule.when.source)
            texts.setdefault(rule.id, set()).add((*text, rule.applies_if_known))
    assert {rule for rule, said in texts.items() if len(said) > 1} == set()


@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_claims_to_be_verified_before_somebody_read_the_text(name: str) -> None:
    pack = shipped(name)
    assert all("not verified" in rule.basis for rule in pack.rules)
    for parameter in pack.parameters.values():
        assert (parameter.verified, bool(parameter.source)) == (False, True)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_number_of_law_is_a_parameter(name: str) -> None:
    """A number inside an expression is zero or one; the rest has a name, a unit and a source."""
    value = parse((RULES / f"{name}.yaml").read_text(encoding="utf-8"), name).value
    for rule in value["rules"]:
        text = rule["when"] + rule.get("given", "")
        numbers = [word for word in text.replace("(", " ").split() if word.strip(")").isdigit()]
        assert set(numbers) <= {"0", "1"}, rule["id"]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_site_knows_which_way_each_number_is_tighter(name: str) -> None:
    untold = {n for n, item in shipped(name).parameters.items() if item.tighter is None}
    assert untold <= {"small_net_g_max"}, "the border between two classes is neither"

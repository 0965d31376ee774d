"""The shipped pack, as a table of small facts: what is legal, and each way not to be."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules_engine import examples
from rules_engine.engine import judge
from rules_engine.facts import MEDIA
from tests.support.rules import LEGAL, TODAY, cn_lpg

TOMORROW = TODAY + timedelta(days=1)
YESTERDAY = TODAY - timedelta(days=1)

LEGAL_CHANGES: list[dict[str, Any]] = [
    {},
    {"cylinder.next_inspection_on": TOMORROW},
    {"cylinder.scrap_on": TOMORROW},
    {"cylinder.scrap_on": YESTERDAY, "cylinder.life_extended_to": TODAY},
    {"cylinder.scrap_on": None, "cylinder.life_extended_to": TODAY},
    {
        "cylinder.scrap_on": None,
        "cylinder.made_on": date(2018, 7, 1),
        "cylinder.design_life_years": 8,
    },
    {"cylinder.owner": "B", "station.owners": ("A", "B")},
    {"cylinder.hold": ""},
    {"cylinder.fills_allowed": 1},
    {"cylinder.fills_allowed": 100, "cylinder.fills_done": 99},
    {"cylinder.fills_done": 1_000_000},
    {"cylinder.allowed_net_g": None, "cylinder.water_capacity_ml": 35_500},
    {"cylinder.medium": "O2", "rig.medium": "O2"},
]

ILLEGAL: list[tuple[str, dict[str, Any], list[str]]] = [
    ("code-unknown", {"code.known": False}, ["CODE_UNKNOWN"]),
    ("not-own", {"cylinder.owner": "3702000001"}, ["NOT_OWN"]),
    ("not-own", {"cylinder.owner": ""}, ["NOT_OWN"]),
    ("not-own", {"station.owners": ()}, ["NOT_OWN"]),
    ("wrong-gas", {"cylinder.medium": "O2"}, ["WRONG_GAS"]),
    ("wrong-gas", {"rig.medium": "N2"}, ["WRONG_GAS"]),
    ("wrong-gas", {"cylinder.medium": "lpg"}, ["WRONG_GAS"]),
    ("overdue", {"cylinder.next_inspection_on": YESTERDAY}, ["OVERDUE"]),
    ("overdue", {"clock.today": TOMORROW, "cylinder.scrap_on": TOMORROW}, ["OVERDUE"]),
    ("inspection-failed", {"cylinder.inspection_result": "failed"}, ["INSPECTION_FAILED"]),
    ("inspection-failed", {"cylinder.inspection_result": "maybe"}, ["INSPECTION_FAILED"]),
    ("life-exceeded", {"cylinder.scrap_on": YESTERDAY}, ["LIFE_EXCEEDED"]),
    ("life-exceeded", {"cylinder.life_extended_to": YESTERDAY}, ["LIFE_EXCEEDED"]),
    (
        "life-exceeded",
        {"cylinder.made_on": date(2018, 6, 30), "cylinder.design_life_years": 8},
        ["LIFE_EXCEEDED"],
    ),
    ("scrapped", {"cylinder.status": "scrapped"}, ["SCRAPPED"]),
    ("cancelled", {"cylinder.status": "cancelled"}, ["CANCELLED"]),
    ("not-enabled", {"cylinder.status": "not_enabled"}, ["NOT_ENABLED"]),
    ("not-enabled", {"cylinder.status": "IN_USE"}, ["NOT_ENABLED"]),
    ("lost", {"cylinder.status": "lost"}, ["NOT_ENABLED"]),
    ("regulator-lock", {"cylinder.hold": "事故调查"}, ["REGULATOR_LOCK"]),
    ("fill-count", {"cylinder.fills_allowed": 0}, ["FILL_COUNT"]),
    (
        "fill-count",
        {"cylinder.fills_allowed": 100, "cylinder.fills_done": 100},
        ["FILL_COUNT"],
    ),
    ("net-limit", {"cylinder.allowed_net_g": 0}, ["OVERFILL_RISK"]),
    ("net-limit", {"cylinder.water_capacity_ml": 0}, ["OVERFILL_RISK"]),
]

UNDECIDABLE = [
    "cylinder.owner",
    "cylinder.medium",
    "cylinder.allowed_net_g",
    "cylinder.next_inspection_on",
    "cylinder.inspection_result",
    "cylinder.status",
    "cylinder.scrap_on",
    "rig.medium",
    "station.owners",
    "clock.today",
]


@pytest.mark.parametrize("change", LEGAL_CHANGES)
def test_a_legal_cylinder_is_filled_through_its_last_day(change: dict[str, Any]) -> None:
    verdict = judge([cn_lpg()], {**LEGAL, **change})
    assert (verdict.decision, verdict.findings) == ("allow", ())


@pytest.mark.parametrize(("rule", "change", "codes"), ILLEGAL)
def test_each_way_to_be_illegal_has_its_one_reason(
    rule: str, change: dict[str, Any], codes: list[str]
) -> None:
    verdict = judge([cn_lpg()], {**LEGAL, **change})
    assert verdict.decision == "deny"
    assert [finding.code for finding in verdict.findings] == codes
    assert verdict.findings[0].rule == f"cn-lpg.{rule}"


@pytest.mark.parametrize("name", UNDECIDABLE)
def test_without_a_needed_fact_the_answer_is_data_missing(name: str) -> None:
    verdict = judge([cn_lpg()], {**LEGAL, name: None})
    assert verdict.decision == "deny"
    assert [finding.code for finding in verdict.findings] == ["DATA_MISSING"]


@given(st.sets(st.sampled_from([*UNDECIDABLE, "code.known"]), min_size=1))
def test_taking_needed_facts_away_never_allows(removed: set[str]) -> None:
    facts = {name: value for name, value in LEGAL.items() if name not in removed}
    assert judge([cn_lpg()], facts).decision == "deny"


@pytest.mark.parametrize("gone", sorted({rule for rule, _change, _codes in ILLEGAL}))
def test_the_table_notices_when_a_rule_is_taken_out(gone: str) -> None:
    pack = cn_lpg()
    without = replace(pack, rules=tuple(rule for rule in pack.rules if rule.id != gone))
    changes = [change for rule, change, _codes in ILLEGAL if rule == gone]
    assert changes, f"no illegal case for {gone}"
    for change in changes:
        facts = {**LEGAL, **change}
        assert judge([without], facts).findings != judge([pack], facts).findings


def test_every_example_of_the_pack_holds_and_every_rule_has_them() -> None:
    assert examples.run(cn_lpg()) == ()


def test_no_rule_claims_to_be_verified_before_somebody_read_the_clause() -> None:
    for rule in cn_lpg().rules:
        assert rule.verified or "not verified" in rule.basis
    assert not any(parameter.verified for parameter in cn_lpg().parameters.values())


@pytest.mark.parametrize("medium", sorted(MEDIA - {"LPG"}))
def test_a_medium_without_a_coefficient_needs_its_allowed_mass_on_file(medium: str) -> None:
    facts = {**LEGAL, "cylinder.medium": medium, "rig.medium": medium}
    assert judge([cn_lpg()], facts).allowed
    by_capacity = {**facts, "cylinder.allowed_net_g": None, "cylinder.water_capacity_ml": 40_000}
    (finding,) = judge([cn_lpg()], by_capacity).findings
    assert (finding.code, finding.values["missing"]) == ("DATA_MISSING", "cylinder.net_limit_g")

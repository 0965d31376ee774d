"""Masses and reasons of one judgement (contract §10), with the shipped pack."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gatewayd.rigs.assess import assess, denied, gather
from gatewayd.rigs.findings import finding, reason_at_rig
from gatewayd.rigs.model import NOBODY, Identity, Plan
from gatewayd.store.model import Cylinder
from gatewayd.texts import FINDINGS
from rules_engine.facts import FACTS, sound
from rules_engine.verdict import Verdict
from tests.rigs.bench import LEGAL, OVERDUE, STATION, bench, planned, standing

WALL = datetime(2026, 8, 1, 20, 0, tzinfo=UTC)
COMPUTED_G = 35_500 * 420 // 1_000
UNSTAMPED = replace(LEGAL, stamped_tare_g=None)


def judged(
    cylinder: Cylinder = LEGAL, *, rig: dict[str, Any] | None = None, **sample: Any
) -> tuple[Verdict, Plan | None]:
    made = bench(**(rig or {}))
    who = Identity("one", cylinder, uid="E2806801", code=None)
    gate = replace(standing(), **sample)
    return assess(made, gather(made, who, gate, WALL))


def test_a_cylinder_whose_residue_cannot_be_known_is_not_filled() -> None:
    """A full cylinder put back on the scale weighs like an empty one of unknown tare."""
    verdict, plan = judged(UNSTAMPED, gross_g=31_400)
    assert plan is None
    assert [f.code for f in verdict.findings] == ["DATA_MISSING"]
    assert verdict.findings[0].values == {"missing": "cylinder.stamped_tare_g"}


@pytest.mark.parametrize(
    ("cylinder", "nominal_g", "gross_g", "expected"),
    [
        (LEGAL, None, 16_500, planned(16_500, 0, COMPUTED_G, 16_500 + COMPUTED_G)),
        (LEGAL, None, 16_300, planned(16_300, 0, COMPUTED_G, 16_300 + COMPUTED_G)),
        (LEGAL, None, 17_000, planned(17_000, 500, COMPUTED_G - 500, 17_000 + COMPUTED_G)),
        (LEGAL, 14_000, 17_000, planned(17_000, 500, 13_500, 17_000 + COMPUTED_G)),
        (LEGAL, 99_000, 16_500, planned(16_500, 0, COMPUTED_G, 16_500 + COMPUTED_G)),
        (
            replace(LEGAL, allowed_net_g=14_500),
            None,
            16_500,
            planned(16_500, 0, 14_500, 16_500 + 14_500),
        ),
        (
            replace(LEGAL, allowed_net_g=99_000),
            None,
            16_500,
            planned(16_500, 0, COMPUTED_G, 16_500 + COMPUTED_G),
        ),
        (
            replace(LEGAL, allowed_net_g=14_500, water_capacity_ml=None),
            None,
            16_500,
            planned(16_500, 0, 14_500, 16_500 + 14_500),
        ),
    ],
)
def test_target_and_limit_are_those_of_the_contract(
    cylinder: Cylinder, nominal_g: int | None, gross_g: int, expected: Plan
) -> None:
    verdict, plan = judged(cylinder, rig={"nominal_g": nominal_g}, gross_g=gross_g)
    assert verdict.allowed, verdict
    assert plan == expected


def test_an_allowed_cylinder_waits_for_a_stable_weight() -> None:
    verdict, plan = judged(stable=False)
    assert (verdict.allowed, plan) == (True, None)


@pytest.mark.parametrize("gross_g", [0, -300])
def test_a_tare_of_nothing_is_not_believed(gross_g: int) -> None:
    verdict, plan = judged(gross_g=gross_g)
    assert plan is None
    (found,) = verdict.findings
    assert (found.code, found.severity, dict(found.values)) == (
        "TARE_UNKNOWN",
        "deny",
        {"tare_g": gross_g},
    )
    assert str(gross_g) in found.message.zh


@pytest.mark.parametrize(("over_g", "allowed"), [(-1, True), (0, False), (5_000, False)])
def test_residue_that_leaves_nothing_is_refused(over_g: int, *, allowed: bool) -> None:
    verdict, plan = judged(gross_g=16_500 + COMPUTED_G + over_g)
    assert verdict.allowed == allowed
    assert (plan is None) != allowed
    if not allowed:
        (found,) = (f for f in verdict.findings if f.severity == "deny")
        assert found.code == "RESIDUAL"
        assert found.values == {
            "residual_g": COMPUTED_G + over_g,
            "allowed_g": COMPUTED_G,
        }


def test_a_refused_cylinder_gets_no_masses() -> None:
    verdict, plan = judged(OVERDUE)
    assert ([f.code for f in verdict.findings], plan) == (["OVERDUE"], None)


def test_without_any_allowed_mass_nothing_is_filled() -> None:
    verdict, plan = judged(replace(LEGAL, water_capacity_ml=None))
    assert plan is None
    assert "DATA_MISSING" in [f.code for f in verdict.findings]


def test_every_fact_is_in_the_vocabulary_and_of_its_type() -> None:
    full = replace(LEGAL, hold="h", serial_no="s", scrap_on=LEGAL.made_on, fills_done=1)
    made = bench(nominal_g=14_000)
    for who in (Identity("one", full, uid="AA", code="B"), Identity("one", None, code="B"), NOBODY):
        for sample in (standing(), standing(stable=False), None):
            facts = gather(made, who, sample, WALL)
            unsound = {n: v for n, v in facts.items() if not sound(FACTS[n].type, v)}
            assert not unsound
            assert None not in facts.values()


def test_facts_know_the_station_its_day_and_its_owners() -> None:
    facts = gather(bench(), NOBODY, standing(stable=False), WALL)
    assert facts["clock.today"].isoformat() == "2026-08-02", "20:00 UTC is the next day there"
    assert facts["clock.now"] == "2026-08-02T04:00:00+08:00"
    assert facts["station.owners"] == [STATION.id, *STATION.associated_owners]
    assert (facts["code.known"], "scale.tare_g" in facts) == (False, False)


@pytest.mark.parametrize("code", sorted(key.removeprefix("finding.") for key in FINDINGS))
def test_every_reason_of_the_rig_has_both_texts_and_a_basis(code: str) -> None:
    found = finding(code)
    assert found.message.zh
    assert found.message.en
    assert found.basis
    verdict = denied(bench().packs, found)
    assert (verdict.allowed, verdict.packs[0].id) == (False, "cn-lpg")


def test_reasons_say_what_was_seen_and_weighed() -> None:
    many = Identity("many", shown=("AA", "BB"))
    assert "AA, BB" in reason_at_rig("AMBIGUOUS", many, None).message.en
    one = Identity("one", LEGAL, uid="AA", code="C")
    assert reason_at_rig("AMBIGUOUS", one, None).values == {"seen": "AA, C"}
    assert reason_at_rig("TARE_UNKNOWN", one, standing()).values == {"tare_g": 16_600}
    assert reason_at_rig("NO_TAG", NOBODY, None).values == {}

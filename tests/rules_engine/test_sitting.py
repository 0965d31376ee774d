"""A judgement of which most is prepared says what the whole judgement says, whatever the facts."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules_engine.engine import JUDGED, judge
from rules_engine.facts import FACTS
from rules_engine.pack import Pack
from rules_engine.sitting import MOVING, Sitting
from rules_engine.verdict import Stage
from tests.support.rules import LEGAL, SHIPPED, TODAY, pack_of, shipped

SAID = {
    "bool": st.booleans(),
    "int": st.integers(-10, 60_000),
    "text": st.sampled_from(["", "x", "LPG", "CO2", "in_use", "3701000042"]),
    "date": st.integers(-400, 400).map(lambda days: TODAY + timedelta(days=days)),
    "texts": st.lists(st.sampled_from(["stamp", "body", "LPG"]), max_size=2).map(tuple),
}
WRONG = st.sampled_from([None, "yes", 1.5, 2**63, True, "\ud800", "a\0b", (1,), date(2026, 7, 1)])
NAMES = [*sorted(FACTS), "scale.nonsense", "zzz"]


def said(name: str) -> st.SearchStrategy[Any]:
    """Mostly what such a fact may be, now and then what none may be."""
    fact = FACTS.get(name)
    return WRONG if fact is None else SAID[fact.type] | SAID[fact.type] | WRONG


FEW = st.lists(st.sampled_from(NAMES), max_size=8, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: said(name) for name in names})
)
SCALE = st.fixed_dictionaries({name: said(name) for name in sorted(MOVING)})
OWN = [
    pack_of("scale.net_g > cylinder.net_limit_g", "OVERFILL_RISK"),
    pack_of("scale.gross_g - scale.net_g > 100 || !scale.stable"),
    pack_of("1 / scale.net_g == 1"),
    pack_of("clock.today > cylinder.scrap_on", severity="warn"),
]
"""Permit rules that read the scale: judged over and over at another stage, they must agree too."""
PACKS = st.lists(st.sampled_from([*map(shipped, SHIPPED), *OWN]), max_size=3).map(tuple)


@given(PACKS, st.sampled_from(tuple(JUDGED)), FEW, st.lists(SCALE, min_size=1, max_size=4))
def test_a_sitting_says_at_every_sample_what_the_whole_judgement_says(
    packs: tuple[Pack, ...], stage: Stage, facts: dict[str, Any], scales: list[dict[str, Any]]
) -> None:
    facts = {**LEGAL, "scale.tare_g": 16_600, "cylinder.stamped_tare_g": 16_500, **facts}
    sitting = Sitting(packs, facts, stage)
    for scale in [*scales, *scales[-1:], *scales]:
        assert sitting.judge(scale) == judge(packs, {**facts, **scale}, stage)


def test_what_python_holds_for_equal_is_another_scale() -> None:
    sitting = Sitting((shipped("cn-lpg"),), LEGAL, "fill")
    for net_g, sound in ((1, True), (True, False), (1.0, False), (1, True), (None, False)):
        scale = {"scale.net_g": net_g, "scale.gross_g": 16_601, "scale.stable": False}
        assert sitting.judge(scale).allowed is sound


def test_the_gram_that_is_too_much_is_told_at_its_sample_and_only_there() -> None:
    sitting = Sitting((shipped("cn-lpg"),), LEGAL, "fill")
    for net_g, allowed in ((14_900, True), (14_901, False), (14_900, True)):
        scale = {"scale.net_g": net_g, "scale.gross_g": 31_500, "scale.stable": False}
        assert sitting.judge(scale).allowed is allowed


def test_what_moves_is_told_whole() -> None:
    """A fact that was left out would be the one of some sample before."""
    sitting = Sitting((shipped("cn-lpg"),), LEGAL, "fill")
    with pytest.raises(AssertionError):
        sitting.judge({"scale.net_g": 1})


def test_facts_that_change_afterwards_are_not_those_of_the_sitting() -> None:
    facts = dict(LEGAL)
    sitting = Sitting((shipped("cn-lpg"),), facts, "fill")
    facts["clock.trusted"] = False
    scale = {"scale.net_g": 1, "scale.gross_g": 16_601, "scale.stable": False}
    assert sitting.judge(scale) == judge((shipped("cn-lpg"),), {**LEGAL, **scale}, "fill")

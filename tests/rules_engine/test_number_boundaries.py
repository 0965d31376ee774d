"""Every rule of a number, in every shipped pack: one less, the limit, one more, and far beyond.

The limit is told here by hand, from what the sentence of the rule says. Rules of a day have their
table in `test_boundaries.py`; a rule that compares neither has no boundary, and the last test says
so of each: a new rule that compares something needs its row here or there.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from rules_engine.engine import judge
from rules_engine.pack import Pack, Rule
from rules_engine.vocabulary import FACTS
from tests.rules_engine.cases import C2H2, CO2
from tests.rules_engine.test_boundaries import OTHERWISE, RESTS_ON
from tests.support.rules import LEGAL_FOR, SHIPPED, shipped

LPG_CAR = {"cylinder.medium": "LPG", "rig.medium": "LPG"}
SMALL = {"cylinder.allowed_net_g": 15_000, "cylinder.stamped_tare_g": 16_500}
LARGE = {"cylinder.allowed_net_g": 15_001, "cylinder.stamped_tare_g": 16_500}
ON_RESIDUE = {"scale.tare_g": 17_000, "cylinder.stamped_tare_g": 16_500}
SETTLED = {"cylinder.working_pressure_kpa": 15_000, "checks.gas_temperature_dc": 200}


@dataclass(frozen=True, slots=True)
class Edge:
    """`fact` is legal up to `last`, a step of `step` further it is not; `beside` are other facts.

    `keeps`: the site fills on top of what is left in a cylinder, which the shipped packs deduct.
    """

    fact: str
    last: int
    step: int = 1
    beside: Mapping[str, Any] = field(default_factory=dict)
    keeps: bool = False


OVERFILLED = Edge("scale.net_g", 14_900)
OVERFILLED_CO2 = replace(OVERFILLED, beside=CO2)
ALL_OF_IT = Edge("cylinder.allowed_net_g", 1, -1)
TOPPED_UP = Edge("scale.tare_g", 16_500, beside={"cylinder.stamped_tare_g": 16_500}, keeps=True)
EDGES: Mapping[str, tuple[Edge, ...]] = {
    "fill-count": (Edge("cylinder.fills_done", 2, beside={"cylinder.fills_allowed": 3}),),
    "net-limit": (ALL_OF_IT,),
    "net-limit-mass": (replace(ALL_OF_IT, beside=CO2),),
    "net-limit-vehicle": (replace(ALL_OF_IT, beside=LPG_CAR),),
    "pressure-class": (
        Edge("cylinder.working_pressure_kpa", 15_000, -1),
        Edge("rig.fill_pressure_kpa", 15_000),
    ),
    "pressure-class-cng": (
        Edge("cylinder.working_pressure_kpa", 15_000, -1),
        Edge("rig.fill_pressure_kpa", 15_000),
    ),
    "no-residual-pressure": (Edge("checks.residual_kpa", 1, -1),),
    "acetylene-solvent": (
        Edge("scale.tare_g", 60_000, -1, {**C2H2, "cylinder.stamped_tare_g": 60_000}),
    ),
    "residue-not-deducted": (TOPPED_UP,),
    "archive-stale": (
        Edge("station.archive_age_s", 172_800, beside={"station.archive_age_s_max": 172_800}),
    ),
    "tare-low": (
        Edge("scale.tare_g", 16_200, -1, SMALL),
        Edge("scale.tare_g", 15_900, -1, LARGE),
    ),
    "tare-far-too-low": (
        Edge("scale.tare_g", 15_500, -1, SMALL),
        Edge("scale.tare_g", 14_500, -1, LARGE),
    ),
    "tare-heavy": (
        Edge("scale.tare_g", 16_800, beside=SMALL),
        Edge("scale.tare_g", 17_100, beside=LARGE),
    ),
    "tare-high": (
        Edge("scale.tare_g", 17_500, beside=SMALL, keeps=True),
        Edge("scale.tare_g", 18_500, beside=LARGE, keeps=True),
    ),
    "overfilling": (OVERFILLED,),
    "overfilled": (OVERFILLED,),
    "overfilled-stays": (OVERFILLED,),
    "overfilling-mass": (OVERFILLED_CO2,),
    "overfilled-mass": (OVERFILLED_CO2,),
    "overfilled-stays-mass": (OVERFILLED_CO2,),
    "overfilling-on-residue": (Edge("scale.net_g", 14_400, beside=ON_RESIDUE),),
    "overfilled-on-residue": (Edge("scale.net_g", 14_400, beside=ON_RESIDUE),),
    "overfilling-on-residue-mass": (Edge("scale.net_g", 14_400, beside={**CO2, **ON_RESIDUE}),),
    "overfilled-on-residue-mass": (Edge("scale.net_g", 14_400, beside={**CO2, **ON_RESIDUE}),),
    "overfilled-pressure": (Edge("checks.settled_kpa", 15_000, beside=SETTLED),),
    "overfilled-stays-pressure": (Edge("checks.settled_kpa", 15_000, beside=SETTLED),),
}
FAR = 500
"""So many steps further nothing else may become of it: less than what would be another cylinder."""
ORDERED = {"int", "date"}
COMPARES = re.compile(r"[<>]")
HOLDS_SOMETHING = re.compile(r"size\([a-z_.]+\) > 0")
"""A list with anything in it: there is no number between."""


def _numbers(rule: Rule) -> set[str]:
    """What a rule reads that has an order, except what a day decides."""
    facts = {each for each in rule.reads if not each.startswith("param.")}
    of_days = {"clock.today", "cylinder.made_on", "history.last_filled_on", *RESTS_ON}
    return {each for each in facts - of_days if FACTS[each].type in ORDERED}


def _edges() -> Iterator[Any]:
    for name in SHIPPED:
        for rule in shipped(name).rules:
            for number, edge in enumerate(EDGES.get(rule.id, ())):
                yield pytest.param(name, rule, edge, id=f"{name}.{rule.id}.{number}")


def _pack(name: str, edge: Edge) -> Pack:
    """The shipped pack; where the site keeps what is left, with that parameter turned."""
    pack = shipped(name)
    return replace(pack, values={**pack.values, "param.deduct_residue": not edge.keeps})


@pytest.mark.parametrize(("name", "rule", "edge"), list(_edges()))
def test_a_number_is_legal_up_to_its_limit_and_not_one_further(
    name: str, rule: Rule, edge: Edge
) -> None:
    pack = _pack(name, edge)
    facts = {**LEGAL_FOR[name], "checks.postcheck_failed": (), **edge.beside}

    def holds(steps: int) -> bool:
        moved = {**facts, edge.fact: edge.last + steps * edge.step}
        return rule.name in {found.rule for found in judge([pack], moved, rule.stage).findings}

    assert {steps: holds(steps) for steps in (-1, 0, 1)} == {-1: False, 0: False, 1: True}
    assert holds(FAR), "further out it does not become legal again"


@pytest.mark.parametrize("name", SHIPPED)
def test_every_rule_that_compares_numbers_has_its_table(name: str) -> None:
    compares = {rule.id for rule in shipped(name).rules if _numbers(rule)}
    assert compares == EDGES.keys() & {rule.id for rule in shipped(name).rules}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_rule_without_a_table_compares_nothing(name: str) -> None:
    """Yes or no, one word of a list, a text that is there: they have no day before and no gram more."""
    dated = OTHERWISE | {rule.id for rule in shipped(name).rules if rule.reads & RESTS_ON.keys()}
    for rule in shipped(name).rules:
        if rule.id not in dated | EDGES.keys():
            rest = HOLDS_SOMETHING.sub("", rule.when.source)
            assert not COMPARES.search(rest), rule.name
            assert {FACTS[each].type for each in rule.reads if each in FACTS} <= {
                "bool",
                "text",
                "texts",
            }, rule.name


def test_every_table_is_of_a_rule_that_is_shipped() -> None:
    assert EDGES.keys() <= {rule.id for name in SHIPPED for rule in shipped(name).rules}

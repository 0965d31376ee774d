"""The examples inside the shipped packs notice every small mistake in what a rule decides.

A sample on each run; `python tests/support/mutants.py` makes all of them and prints the shares.
"""

from random import Random

import pytest

from tests.support.mutants import FLIPPED, Mutant, mutants, without_one_key
from tests.support.rules import RULES, SHIPPED

SAMPLED = 60
"""Of each pack, each kind: some seconds for all packs."""


def sample(name: str, random: Random) -> list[Mutant]:
    """Some mutants of a pack that change what it decides."""
    deciding = [each for each in mutants(RULES / f"{name}.yaml") if each.kind == "decides"]
    flips = [each for each in deciding if " at " in each.where]
    keys = [each for each in deciding if " at " not in each.where]
    assert len(flips) > SAMPLED // 2
    assert len(keys) > SAMPLED
    return [*random.sample(flips, SAMPLED // 2), *random.sample(keys, SAMPLED)]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_removed_key_or_a_flipped_operator_is_noticed(name: str) -> None:
    seed = Random().randrange(2**32)
    survivors = [each.where for each in sample(name, Random(seed)) if not each.noticed]
    assert survivors == [], f"seed {seed}"


def test_mutants_are_of_every_key_and_every_operator() -> None:
    value = {"a": {"b": [{"c": 1}, {"d": 2}]}, "e": 3}
    assert [where for _, where in without_one_key(value)] == ["a", "a.b", "a.b.0.c", "a.b.1.d", "e"]
    made = list(mutants(RULES / "cn-lpg.yaml"))
    assert {each.kind for each in made} == {"decides", "cites", "proves"}
    flipped = {each.where.split()[1] for each in made if " at " in each.where}
    assert flipped == set(FLIPPED) - {"||"}, "operators that no rule uses"

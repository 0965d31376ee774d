"""Coverage of the rig machine: every pair of state and event is met, or declared impossible."""

import pytest

from tests.histories.pairs import EVENTS, STATES, impossible
from tests.histories.walk import SCENES, walk


@pytest.fixture(scope="module")
def met() -> set[tuple[str, str]]:
    return walk()


def test_every_pair_is_met_or_declared_impossible(met: set[tuple[str, str]]) -> None:
    possible = {(s, e) for s in STATES for e in EVENTS if not impossible(s, e)}
    assert sorted(possible - met) == []


def test_nothing_that_is_declared_impossible_is_met(met: set[tuple[str, str]]) -> None:
    assert {(s, e): impossible(s, e) for s, e in met if impossible(s, e)} == {}


def test_the_walk_begins_in_every_state() -> None:
    assert set(SCENES) == set(STATES)

"""Death at some places of one short story; `make sim ARGS=--everywhere` takes every one of them."""

from functools import cache

import pytest

from tests.histories.everywhere import deaths, died, places
from tests.histories.history import live
from tests.histories.plan import Plan
from tests.histories.shrink import told

DEATHS = 16


@cache
def chosen() -> tuple[Plan, ...]:
    """So many, from all kinds and all parts of the story."""
    every = list(deaths(places()))
    return tuple(every[number * len(every) // DEATHS] for number in range(DEATHS))


@pytest.mark.parametrize("number", range(DEATHS))
def test_who_dies_anywhere_is_settled_and_the_rig_fills_again(number: int) -> None:
    result = live(chosen()[number])
    assert died(result)
    assert not result.wrong, told(result)

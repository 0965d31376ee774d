"""The four invariants of contract §5 in a fixed set of simulated histories, and one seed lived twice."""

import pytest

from tests.histories.history import live
from tests.histories.plan import Plan
from tests.histories.shrink import shrink, told

SEEDS = 60


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_unsafe_fill_no_lost_gram_no_lost_record(seed: int) -> None:
    result = live(Plan.of(seed))
    assert not result.wrong, told(shrink(result))


@pytest.mark.parametrize("seed", [2, 61])
def test_a_seed_is_one_history_to_the_last_byte(seed: int) -> None:
    first, second = live(Plan.of(seed)), live(Plan.of(seed))
    assert first.story == second.story
    assert first.fingerprint == second.fingerprint

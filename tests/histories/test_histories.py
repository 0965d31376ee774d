"""The four invariants of contract §5 in a fixed set of simulated histories, and seeds lived twice."""

import pytest

from tests.histories.faults import FAULTS
from tests.histories.history import live
from tests.histories.plan import Plan
from tests.histories.seeds import SEEDS, firsts, keep_all_promises


@pytest.mark.parametrize("first", firsts(0))
def test_no_unsafe_fill_no_lost_gram_no_lost_record(first: int) -> None:
    keep_all_promises(first)


def test_every_kind_of_fault_is_in_the_fixed_set() -> None:
    drawn = {fault.kind for seed in range(SEEDS) for fault in Plan.of(seed).faults}
    assert sorted(FAULTS.keys() - drawn) == []


@pytest.mark.parametrize("seed", [2, 61])
def test_a_seed_is_one_history_to_the_last_byte(seed: int) -> None:
    first, second = live(Plan.of(seed)), live(Plan.of(seed))
    assert first.story == second.story
    assert first.fingerprint == second.fingerprint

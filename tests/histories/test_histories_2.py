"""Another share of the fixed set: see test_histories.py."""

import pytest

from tests.histories.seeds import firsts, keep_all_promises


@pytest.mark.parametrize("first", firsts(1))
def test_no_unsafe_fill_no_lost_gram_no_lost_record(first: int) -> None:
    keep_all_promises(first)

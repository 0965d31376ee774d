"""The fixed seeds of `make test`, in shares: one file a share, so that workers divide them."""

from tests.histories.history import live
from tests.histories.plan import Plan
from tests.histories.shrink import shrink, told

SEEDS = 320
SHARES = 4
SEEDS_A_TEST = 4


def firsts(share: int) -> range:
    """Where the tests of a share begin."""
    size = SEEDS // SHARES
    return range(share * size, (share + 1) * size, SEEDS_A_TEST)


def keep_all_promises(first: int) -> None:
    """Live some seeds; a failure is told as a short story."""
    for seed in range(first, first + SEEDS_A_TEST):
        result = live(Plan.of(seed))
        assert not result.wrong, told(shrink(result))

"""Counting how long things take, without a library: cheap enough for every poll of every device."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

QUICK_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Bounds for what a computer does, in seconds."""
SLOW_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)
"""Bounds for what a device or a person does, in seconds."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A `Spread` at one moment: how many were at most each bound, of how many, and their sum."""

    bounds: tuple[float, ...]
    at_most: tuple[int, ...]
    count: int
    total: float


class Spread:
    """How many of a kind took how long. Noted by one thread; whoever looks may be a step behind."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._total = 0.0

    def note(self, value: float) -> None:
        """One more; half a microsecond."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def look(self) -> Seen:
        """What was noted so far."""
        *at_most, count = accumulate(self._counts)
        return Seen(self._bounds, tuple(at_most), count, self._total)

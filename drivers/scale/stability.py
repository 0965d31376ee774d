"""When a weight is still, for scales that do not say it, and when one that says it cannot be believed.

Pure: times come in as nanoseconds, nothing here waits.
"""

from collections import deque
from dataclasses import dataclass

SAMPLES_MAX = 4096
"""Weights kept of one window; a window that would need more is never still."""
LIES_MAX = 5
"""So many clear steps in a row called still are no accident."""
STEP_WITHIN_NS = 300_000_000
"""Two weights further apart in time may differ because the scale was asked too rarely."""


@dataclass(frozen=True, slots=True)
class _At:
    """One weight with its number in the row."""

    number: int
    at_ns: int
    weight_g: int


class StillWindow:
    """Still: for `window_ns` the weight moved by at most `within_g`, peak to peak.

    The weight at the start of the window is the last one before it. A gap longer than half the
    window starts it anew, so at least three weights make one. Give `at_ns` in order.
    """

    def __init__(self, window_ns: int, within_g: int) -> None:
        assert window_ns > 0, window_ns
        self._window_ns = window_ns
        self._within_g = within_g
        self._number = 0
        self._kept: deque[_At] = deque()
        self._lowest: deque[_At] = deque()
        self._highest: deque[_At] = deque()

    def add(self, at_ns: int, weight_g: int) -> bool:
        """Take one weight; whether it is still now."""
        if self._kept and 2 * (at_ns - self._kept[-1].at_ns) > self._window_ns:
            self.reset()
        self._number += 1
        new = _At(self._number, at_ns, weight_g)
        self._kept.append(new)
        while self._lowest and self._lowest[-1].weight_g >= weight_g:
            self._lowest.pop()
        while self._highest and self._highest[-1].weight_g <= weight_g:
            self._highest.pop()
        self._lowest.append(new)
        self._highest.append(new)
        self._forget(at_ns - self._window_ns)
        covered = at_ns - self._kept[0].at_ns >= self._window_ns
        return covered and self._highest[0].weight_g - self._lowest[0].weight_g <= self._within_g

    def reset(self) -> None:
        """Forget everything: the weight was unknown for a while."""
        self._kept.clear()
        self._lowest.clear()
        self._highest.clear()

    def _forget(self, start_ns: int) -> None:
        """Let go what the window does not need: all but the last weight at or before its start."""
        while len(self._kept) > 1 and self._kept[1].at_ns <= start_ns:
            self._kept.popleft()
        while len(self._kept) > SAMPLES_MAX:
            self._kept.popleft()
        oldest = self._kept[0].number
        for extremes in (self._lowest, self._highest):
            while extremes[0].number < oldest:
                extremes.popleft()


class MotionWatch:
    """Whether a scale that says still or moving has it the wrong way round.

    A step of more than `step_g` within STEP_WITHIN_NS is a motion that anybody sees. LIES_MAX of
    them in a row called still make the scale's word worthless, until the watch is made anew.
    """

    def __init__(self, step_g: int) -> None:
        self._step_g = step_g
        self._before: tuple[int, int] | None = None
        self._lies = 0
        self.lies = False

    def add(self, at_ns: int, weight_g: int, *, still: bool) -> bool:
        """Take one weight with the scale's word; whether the word can still be believed."""
        if self._before is not None:
            before_ns, before_g = self._before
            near = 0 <= at_ns - before_ns <= STEP_WITHIN_NS
            if near and abs(weight_g - before_g) > self._step_g:
                self._lies = self._lies + 1 if still else 0
        self._before = (at_ns, weight_g)
        self.lies = self.lies or self._lies >= LIES_MAX
        return not self.lies

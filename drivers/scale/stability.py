"""When a weight is still, for scales that do not say it, and what a scale says that cannot be true.

Pure: times come in as nanoseconds, nothing here waits.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

SAMPLES_MAX = 4096
"""Weights kept of one window; a window that would need more is never still."""
MOVES_MAX = 3
"""More moves than this in a row, each of them called stable, and `stable` is not believed."""
LIE_NS = 250_000_000
"""Nor sooner than so long after the first of them: an honest motion bit may come a little late."""
STILL_NS = 1_000_000_000
"""Two moves further apart than this have nothing to do with each other."""


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


@dataclass(slots=True)
class Standstill:
    """Notices a `stable` that is set while the weight moves: inverted, or stuck.

    A move is a change beyond `noise_g` between two weights, both called stable. One jump between
    two weighings is honest; more than MOVES_MAX over LIE_NS, none of them STILL_NS after the last,
    are not. Believed again once the device says unstable or the weight rests; with `for_good` not
    before the watch is made anew, for scales whose bit could only be inverted.
    """

    noise_g: int
    for_good: bool = False
    _last_g: int | None = None
    _moves: int = 0
    _began_ns: int = 0
    _moved_ns: int = 0
    _said: str = ""

    def doubt(self, gross_g: int, at_ns: int, *, stable: bool) -> str:
        """Why `stable` is not believed, empty when it is. Give `at_ns` in order."""
        last_g, self._last_g = self._last_g, gross_g if stable else None
        if not stable or at_ns - self._moved_ns >= STILL_NS:
            self._moves = 0
            self._said = self._said if self.for_good else ""
        if stable and last_g is not None and abs(gross_g - last_g) > self.noise_g:
            self._began_ns = self._began_ns if self._moves else at_ns
            self._moves += 1
            self._moved_ns = at_ns
            if self._moves > MOVES_MAX and at_ns - self._began_ns >= LIE_NS:
                self._said = f"stable is set while the weight moves, {last_g} to {gross_g} g"
        return self._said


@dataclass(slots=True)
class Constancy:
    """What cannot change while a scale runs (unit, decimals, ...) must stay as it was first told."""

    _first: dict[str, object] = field(default_factory=dict)

    def doubt(self, told: Mapping[str, object]) -> str:
        """What changed, empty when nothing did; believed again when it is as at the start."""
        self._first = self._first or dict(told)
        return "; ".join(
            f"{name} changed while running, {self._first[name]} to {now}"
            for name, now in told.items()
            if self._first[name] != now
        )

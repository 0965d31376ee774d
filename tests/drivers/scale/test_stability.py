"""Stillness against a naive model, and a motion bit that lies."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.scale.stability import (
    LIE_NS,
    MOVES_MAX,
    SAMPLES_MAX,
    STILL_NS,
    Standstill,
    StillWindow,
)

WINDOW = 100


@dataclass
class Naive:
    """What still means, word for word, over everything ever weighed."""

    within_g: int
    seen: list[tuple[int, int]] = field(default_factory=list)

    def add(self, at: int, weight: int) -> bool:
        if self.seen and at - self.seen[-1][0] > WINDOW / 2:
            self.seen.clear()
        self.seen.append((at, weight))
        start = at - WINDOW
        before = [pair for pair in self.seen if pair[0] <= start]
        inside = [pair for pair in self.seen if pair[0] > start]
        weights = [weight for _, weight in before[-1:] + inside]
        return bool(before) and max(weights) - min(weights) <= self.within_g


STEPS = st.tuples(st.integers(0, 70), st.integers(-3, 3) | st.integers(-200, 200))


@given(st.lists(STEPS, max_size=60), st.integers(0, 5), st.sets(st.integers(0, 60), max_size=2))
def test_still_is_what_the_naive_model_says(
    steps: list[tuple[int, int]], within_g: int, resets: set[int]
) -> None:
    window, naive, at = StillWindow(WINDOW, within_g), Naive(within_g), 0
    for number, (pause, weight) in enumerate(steps):
        at += pause
        if number in resets:
            window.reset()
            naive.seen.clear()
        assert window.add(at, weight) == naive.add(at, weight), (at, weight)


def test_nothing_is_still_before_a_whole_window_was_seen() -> None:
    window = StillWindow(WINDOW, 20)
    assert [window.add(at, 15_000) for at in range(0, 121, 40)] == [False, False, False, True]
    window.reset()
    assert not window.add(130, 15_000)


def test_a_gap_starts_anew_and_one_gram_too_much_is_not_still() -> None:
    window = StillWindow(WINDOW, 20)
    assert [window.add(at, 0) for at in (0, 50, 100)][-1]
    assert not window.add(151, 0), "a gap of more than half the window"
    assert [window.add(at, weight) for at, weight in ((200, 20), (250, 20), (251, 20))][-1]
    assert [window.add(at, weight) for at, weight in ((300, 41), (350, 41))] == [False, False]


def test_a_window_of_more_weights_than_are_kept_is_never_still() -> None:
    window = StillWindow(SAMPLES_MAX * 2, 0)
    assert not any(window.add(at, 5) for at in range(3 * SAMPLES_MAX))
    window = StillWindow(SAMPLES_MAX - 1, 0)
    assert [window.add(at, 5) for at in range(SAMPLES_MAX)][-1]


FRAME_NS = 20_000_000


def test_an_inverted_bit_is_not_believed_any_more_for_good() -> None:
    watch = Standstill(noise_g=50, for_good=True)
    doubts = [bool(watch.doubt(100 * n, n * FRAME_NS, stable=True)) for n in range(20)]
    assert doubts == [(n - 1) * FRAME_NS >= LIE_NS for n in range(20)]
    assert watch.doubt(0, 10 * STILL_NS, stable=False)
    assert watch.doubt(0, 20 * STILL_NS, stable=True)


def test_a_bit_that_comes_late_is_honest() -> None:
    """A cylinder that lands: many fast frames before the indicator says that it moves."""
    watch = Standstill(noise_g=50, for_good=True)
    late = LIE_NS // FRAME_NS
    assert late > MOVES_MAX
    assert not any(watch.doubt(900 * n, n * FRAME_NS, stable=True) for n in range(late))
    assert not watch.doubt(15_000, late * FRAME_NS, stable=False)
    assert not watch.doubt(15_000, STILL_NS, stable=True)


@pytest.mark.parametrize(
    ("step_g", "pause_ns", "honest_every"),
    [(51, STILL_NS, 0), (50, FRAME_NS, 0), (500, FRAME_NS, MOVES_MAX)],
    ids=["asked rarely", "small steps", "told now and then"],
)
def test_an_honest_scale_is_believed(step_g: int, pause_ns: int, honest_every: int) -> None:
    watch = Standstill(noise_g=50, for_good=True)
    for number in range(100):
        still = not honest_every or number % honest_every > 0
        assert not watch.doubt(number * step_g, number * pause_ns, stable=still)

"""A rig's weight on the board: told on change, a trembling scale within the dead-band seldom."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import GateSample
from gatewayd.clock import MS, SECOND
from gatewayd.rigs.weight_band import TELL_AGAIN_NS, WeightBand
from tests.rigs.bench import QUIET


def sample(at_ms: int, gross_g: int, *, net_g: int = 0, stable: bool = True) -> GateSample:
    return replace(QUIET, at_ns=at_ms * MS, gross_g=gross_g, net_g=net_g, stable=stable)


def test_without_a_band_every_change_is_told_and_nothing_twice() -> None:
    band = WeightBand(0)
    told = [band.worth(sample(at, gross)) for at, gross in ((0, 100), (10, 101), (20, 101))]
    assert told == [True, True, False]
    assert not band.worth(sample(20 + 10 * TELL_AGAIN_NS // MS, 101))


def test_what_is_within_the_band_is_told_seldom() -> None:
    band = WeightBand(20)
    assert band.worth(sample(0, 16_500))
    assert not band.worth(sample(100, 16_520))
    assert not band.worth(sample(200, 16_480))
    assert band.worth(sample(300, 16_521)), "beyond the band"
    assert band.worth(sample(400, 16_521, stable=False)), "it began to move"
    assert band.worth(sample(500, 16_521, net_g=21, stable=False)), "the net counts, too"
    assert not band.worth(sample(1_499, 16_530, net_g=21, stable=False))
    assert band.worth(sample(1_500, 16_530, net_g=21, stable=False)), "and not for ever"


@given(st.integers(0, 50), st.lists(st.integers(-60, 60), min_size=1, max_size=60))
def test_what_was_told_is_never_further_off_than_the_band(band_g: int, steps: list[int]) -> None:
    band, gross_g, told_g = WeightBand(band_g), 16_500, 16_500
    for number, step in enumerate(steps):
        gross_g += step
        if band.worth(sample(number * 10, gross_g)):
            told_g = gross_g
        assert abs(told_g - gross_g) <= band_g
    last = sample(len(steps) * 10 + SECOND // MS, gross_g)
    assert band.worth(last) == (told_g != gross_g)

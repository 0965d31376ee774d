"""Masses become integer grams exactly, and what is no mass is refused."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.masses import (
    FLOAT_MASS_G_MAX,
    GRAMS,
    MASS_G_MAX,
    MassError,
    Unit,
    float_grams,
    float_pattern,
    grams,
    raw_mass,
)

UNITS: tuple[Unit, ...] = ("g", "kg", "t", "lb")


@pytest.mark.parametrize(
    ("raw", "unit", "decimals", "expected_g"),
    [
        (12_345, "kg", 3, 12_345),
        (-1, "kg", 2, -10),
        (14_995, "g", 0, 14_995),
        (15, "t", 3, 15_000),
        (1, "lb", 0, 454),
        (100_000, "lb", 0, 45_359_237),
        (5, "kg", 4, 0),
        (15, "kg", 4, 2),
        (-15, "kg", 4, -2),
    ],
)
def test_a_number_of_the_device_is_grams(
    raw: int, unit: Unit, decimals: int, expected_g: int
) -> None:
    assert grams(raw, unit, decimals) == expected_g


@given(st.integers(-MASS_G_MAX, MASS_G_MAX), st.sampled_from(UNITS), st.integers(0, 6))
def test_a_mass_written_never_grows_and_loses_less_than_one_step(
    mass_g: int, unit: Unit, decimals: int
) -> None:
    raw = raw_mass(mass_g, unit, decimals)
    back = Fraction(raw, 10**decimals) * GRAMS[unit]
    assert abs(back) <= abs(mass_g)
    assert abs(mass_g) - abs(back) < GRAMS[unit] / 10**decimals


@given(st.integers(-FLOAT_MASS_G_MAX, FLOAT_MASS_G_MAX), st.sampled_from(UNITS))
def test_a_float_keeps_every_gram(mass_g: int, unit: Unit) -> None:
    assert float_grams(float_pattern(mass_g, unit), unit) == mass_g


@pytest.mark.parametrize("mass_g", [FLOAT_MASS_G_MAX, 1 - FLOAT_MASS_G_MAX])
@pytest.mark.parametrize("unit", UNITS)
def test_a_float_keeps_every_gram_up_to_its_limit(mass_g: int, unit: Unit) -> None:
    for near in (mass_g - 1, mass_g, mass_g + 1):
        if abs(near) <= FLOAT_MASS_G_MAX:
            assert float_grams(float_pattern(near, unit), unit) == near


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (0x7FC00000, "not a number"),
        (0xFFFFFFFF, "not a number"),
        (0x7F800000, "infinite"),
        (0xFF800000, "infinite"),
        (0x7F7FFFFF, "beyond"),
        (0x45FA0100, "beyond 8000000 g"),
    ],
)
def test_a_float_that_is_no_mass_is_refused(pattern: int, expected: str) -> None:
    with pytest.raises(MassError, match=expected):
        float_grams(pattern, "kg")


def test_an_integer_beyond_every_scale_is_refused() -> None:
    assert grams(MASS_G_MAX, "g", 0) == MASS_G_MAX
    with pytest.raises(MassError, match="beyond 100000000 g"):
        grams(MASS_G_MAX + 1, "g", 0)
    with pytest.raises(MassError):
        grams(0xFFFF_FFFF, "kg", 2)

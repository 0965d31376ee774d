"""Masses as devices hold them, to integer grams and back; no float leaves this file.

A pound is 0.45359237 kg exactly (international yard and pound agreement of 1959; NIST HB 44).
"""

import math
from collections.abc import Mapping
from fractions import Fraction
from struct import Struct
from typing import Literal, TypeAlias

Unit: TypeAlias = Literal["g", "kg", "t", "lb"]

GRAMS: Mapping[Unit, Fraction] = {
    "g": Fraction(1),
    "kg": Fraction(1000),
    "t": Fraction(1_000_000),
    "lb": Fraction(45_359_237, 100_000),
}
DECIMALS_MAX = 6
MASS_G_MAX = 100_000_000
"""No filling scale weighs more than 100 t: beyond it a register is no mass."""
FLOAT_MASS_G_MAX = 8_000_000
"""Up to here neighbouring float32 numbers are less than a gram apart, in each of the four units."""

_FLOAT = Struct(">f")


class MassError(Exception):
    """A number that is no mass; the text says why."""


def grams(raw: int, unit: Unit, decimals: int) -> int:
    """An integer of `unit` with `decimals` places as grams, rounded half to even.

    Exact for whole grams. Raises MassError beyond MASS_G_MAX.
    """
    return _bounded(round(Fraction(raw, 10**decimals) * GRAMS[unit]), MASS_G_MAX)


def float_grams(pattern: int, unit: Unit) -> int:
    """The 32 bits of a float32 of `unit` as grams, rounded to the gram.

    Raises MassError for NaN, infinity, and beyond FLOAT_MASS_G_MAX.
    """
    (value,) = _FLOAT.unpack(pattern.to_bytes(4, "big"))
    if not math.isfinite(value):
        raise MassError("not a number" if math.isnan(value) else "infinite")
    return _bounded(round(Fraction(value) * GRAMS[unit]), FLOAT_MASS_G_MAX)


def raw_mass(mass_g: int, unit: Unit, decimals: int) -> int:
    """Grams as an integer of `unit` with `decimals` places, toward zero: a target never grows."""
    return int(mass_g / GRAMS[unit] * 10**decimals)


def float_pattern(mass_g: int, unit: Unit) -> int:
    """The 32 bits of the float32 of `unit` nearest to these grams."""
    assert abs(mass_g) <= FLOAT_MASS_G_MAX, mass_g
    return int.from_bytes(_FLOAT.pack(float(mass_g / GRAMS[unit])), "big")


def _bounded(mass_g: int, limit_g: int) -> int:
    if abs(mass_g) > limit_g:
        raise MassError(f"beyond {limit_g} g")
    return mass_g

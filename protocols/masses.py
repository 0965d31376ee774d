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

TOTAL_G_MAX = 1_000_000_000_000_000
"""No meter ever counted a thousand million tonnes; below it JSON keeps every gram (RFC 8259, 6)."""

_FLOAT = Struct(">f")
_DOUBLE = Struct(">d")
_MANTISSA = {32: (23, 127), 64: (52, 1023)}
"""Bits of the fraction, and the bias of the exponent (IEEE 754, binary32 and binary64)."""


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


def total_grams(raw: int, unit: Unit, decimals: int) -> tuple[int, int]:
    """An integer totaliser in grams, and how many grams one of its steps is, rounded up.

    Raises MassError beyond TOTAL_G_MAX.
    """
    step = GRAMS[unit] / 10**decimals
    return _bounded(round(raw * step), TOTAL_G_MAX), math.ceil(step)


def float_total(pattern: int, bits: int, unit: Unit) -> tuple[int, int]:
    """A totaliser that is a float of so many bits: its grams, and those to the next such number.

    Raises MassError for NaN, infinity, and beyond TOTAL_G_MAX.
    """
    fraction, bias = _MANTISSA[bits]
    exponent = pattern >> fraction & 2 * bias + 1
    if exponent == 2 * bias + 1:
        raise MassError("not a number" if pattern & (1 << fraction) - 1 else "infinite")
    (value,) = (_FLOAT if bits == _FLOAT.size * 8 else _DOUBLE).unpack(
        pattern.to_bytes(bits // 8, "big")
    )
    step = Fraction(2) ** (max(1, exponent) - bias - fraction) * GRAMS[unit]
    return _bounded(round(Fraction(value) * GRAMS[unit]), TOTAL_G_MAX), math.ceil(step)


def total_pattern(total_g: int, bits: int, unit: Unit) -> int:
    """The bits of the float of `unit` nearest to these grams."""
    assert abs(total_g) <= TOTAL_G_MAX, total_g
    packed = (_FLOAT if bits == _FLOAT.size * 8 else _DOUBLE).pack(float(total_g / GRAMS[unit]))
    return int.from_bytes(packed, "big")


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

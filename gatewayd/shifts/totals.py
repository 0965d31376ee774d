"""Totalisers of 32 bits that wrap. Pure."""

from typing import Final

UINT32: Final = 2**32
SHIFT_G_MAX: Final = 2**31
"""More than flows in any shift: a totaliser that seems to have moved further went back."""


def moved_g(before_g: int, after_g: int) -> int:
    """Grams between two readings of a 32-bit totaliser; negative = it went backwards."""
    delta = (after_g - before_g) % UINT32
    return delta if delta < SHIFT_G_MAX else delta - UINT32

"""Totalisers that wrap, or never do. Pure."""

from typing import Final

UINT32: Final = 2**32
"""Where the totaliser of a gate or a filler starts again."""


def moved_g(before_g: int, after_g: int, wraps_g: int | None = UINT32) -> int:
    """Grams between two readings of a totaliser; negative = it went backwards.

    It starts again from 0 at `wraps_g`, None = never: half of that is more than ever flows at once.
    """
    if wraps_g is None:
        return after_g - before_g
    delta = (after_g - before_g) % wraps_g
    return delta if delta < wraps_g // 2 else delta - wraps_g

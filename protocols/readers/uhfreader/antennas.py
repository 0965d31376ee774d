"""What the antenna byte of dialect 288 means; antennas count from 1 everywhere else."""

from typing import Literal, TypeAlias

Encoding: TypeAlias = Literal["mask", "index"]
"""`mask`: one bit an antenna, readers with 1, 4 or 8 ports. `index`: 0-based, 12 or 16 ports."""

ONLY_ANTENNA = 1
"""A reader that reports no antenna serves this one."""


def antennas(raw: int | None, encoding: Encoding) -> tuple[int, ...]:
    """The antennas that saw the tag, never empty: 0x05 as a mask is (1, 3).

    0 is no antenna of a mask; both encodings then mean the first.
    """
    if not raw:
        return (ONLY_ANTENNA,)
    if encoding == "index":
        return (raw + 1,)
    return tuple(bit + 1 for bit in range(8) if raw >> bit & 1)

"""A totaliser that goes backwards: something is wrong with the device or its map, gas never flows back."""

from drivers.contract import Trouble
from drivers.troubles import weight_unknown
from protocols.register_block import Point
from protocols.register_values import place

UINT32 = 1 << 32
JITTER_G = 20
"""A totaliser of a PLC that computes may tremble by so much."""


class Total:
    """The 32-bit totaliser of one gate, for as long as it is connected; it wraps at 2^32.

    What happened between two connections is the rig's to find out: it remembers.
    """

    def __init__(self, device: str, point: Point) -> None:
        self._device = device
        self._point = point
        self._last_g: int | None = None

    def doubt(self, total_g: int) -> Trouble | None:
        """What is wrong with this reading, None when nothing is; the next is compared with it."""
        last_g, self._last_g = self._last_g, total_g
        if last_g is None:
            return None
        back_g = (last_g - total_g) % UINT32
        if not JITTER_G < back_g < UINT32 // 2:
            return None
        where = f"{self._point.name} at {place(self._point)} = 0x{total_g:08X}"
        return weight_unknown(f"{self._device}: the totaliser went back by {back_g} g: {where}")

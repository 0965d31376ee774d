"""The antennas of a reader and which of them miss their load, as the reader tells round by round."""

from drivers import troubles
from drivers.contract import Context
from drivers.dialog import now

MISSING_ROUNDS_MAX = 3
"""Rounds in a row without a load after which an antenna counts as missing."""
MISSING_AGAIN_S = 10.0
"""How often a missing antenna is tried again."""
TELL_EVERY_S = 1.0
"""How often a missing antenna is named while it misses."""


class Antennas:
    """Which antennas are polled: one without a load is named, and left out for a while."""

    def __init__(self, numbers: tuple[int, ...]) -> None:
        assert numbers
        self.numbers = numbers
        self._missed = dict.fromkeys(numbers, 0)
        self._again_s: dict[int, float] = {}
        self._told_s = -TELL_EVERY_S

    def due(self) -> tuple[int, ...]:
        """Those to poll now; those that miss only from time to time."""
        return tuple(n for n in self.numbers if self._again_s.get(n, 0.0) <= now())

    def heard(self, number: int, *, missing: bool) -> None:
        """How a round on an antenna ended."""
        if not missing:
            self._missed[number] = 0
            self._again_s.pop(number, None)
            return
        self._missed[number] += 1
        if self._missed[number] >= MISSING_ROUNDS_MAX:
            self._again_s[number] = now() + MISSING_AGAIN_S

    @property
    def missing(self) -> tuple[int, ...]:
        """Those that count as missing."""
        return tuple(n for n in self.numbers if self._missed[n] >= MISSING_ROUNDS_MAX)

    @property
    def doubtful(self) -> bool:
        """Whether none of them has a load at the moment."""
        return all(self._missed.values())

    def tell(self, context: Context) -> None:
        """Name the missing ones while they miss."""
        if self.missing and now() - self._told_s >= TELL_EVERY_S:
            self._told_s = now()
            for number in self.missing:
                context.trouble(troubles.antenna_missing(number))

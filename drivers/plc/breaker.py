"""Which units of a wire may be asked: one that does not answer costs its neighbours next to nothing.

A unit rests after MISSES_MAX answers missed in a row, and when what it wasted adds up. A resting
unit is asked once in a while, half open: one good answer and it is served as before, one more miss
and it rests again. What resting units cost together is PROBES_SHARE of the time of their wire.

Alone on its wire a unit never rests: it has no neighbours, and supervision spaces its attempts.
Times are seconds of the loop; nothing here waits.
"""

import math
from dataclasses import dataclass

MISSES_MAX = 3
"""So many answers missed in a row, and none for SILENT_S: the unit rests."""
SILENT_S = 1.0
"""A unit that answered so lately is still asked: one disturbance spoils several answers."""
PROBES_SHARE = 0.04
"""What all resting units of a wire may take of its time, together."""
STUMBLES_SHARE = 0.005
STUMBLES_S_MAX = 3.0
"""What a unit that answers now and then may waste: so much at once, and this share of the time."""
NEIGHBOUR_S = 10.0
"""Who answered so lately is a neighbour to be spared. On a dead bus nobody is, and nobody rests."""


@dataclass(slots=True)
class _Health:
    """What is known of one unit."""

    answered_s: float = -math.inf
    misses: int = 0
    wasted_s: float = 0.0
    wasted_at_s: float = 0.0
    ask_at_s: float = 0.0

    def waste_s(self, now_s: float) -> float:
        """What it wasted and has not made good yet."""
        return max(0.0, self.wasted_s - (now_s - self.wasted_at_s) * STUMBLES_SHARE)

    def rests(self, now_s: float) -> bool:
        """Whether it is asked only half open."""
        silent = self.misses >= MISSES_MAX and now_s - self.answered_s >= SILENT_S
        return silent or self.waste_s(now_s) > STUMBLES_S_MAX


class Breakers:
    """The circuit breakers of one wire, one a unit."""

    def __init__(self) -> None:
        self._units: dict[int, _Health] = {}
        self._probe_at_s = 0.0

    def answered(self, unit: int, now_s: float) -> None:
        """The unit gave an answer that may be used, or refused in so many words."""
        health = self._units.get(unit) or self._units.setdefault(unit, _Health())
        health.answered_s = now_s
        health.misses = 0

    def missed(self, unit: int, now_s: float, *, cost_s: float) -> None:
        """No usable answer; the wire lost `cost_s` with it."""
        health = self._units.setdefault(unit, _Health())
        health.misses += 1
        health.wasted_s = health.waste_s(now_s) + cost_s
        health.wasted_at_s = now_s
        if health.rests(now_s):
            gap_s = cost_s / PROBES_SHARE
            self._probe_at_s = now_s + gap_s
            health.ask_at_s = now_s + gap_s * len(self.resting(now_s))

    def rests(self, unit: int, now_s: float) -> bool:
        """Whether the unit has neighbours to spare and is asked only half open."""
        health = self._units.get(unit)
        if health is None or not health.rests(now_s):
            return False
        lately_s = now_s - NEIGHBOUR_S
        return any(
            other.answered_s > lately_s for other in self._units.values() if other is not health
        )

    def suspect(self, unit: int) -> bool:
        """Whether the last request to the unit was missed."""
        health = self._units.get(unit)
        return health is not None and health.misses > 0

    def ask_at_s(self, unit: int, now_s: float) -> float:
        """When the unit may be asked: `now_s`, or later when it rests."""
        if not self.rests(unit, now_s):
            return now_s
        return max(now_s, self._probe_at_s, self._units[unit].ask_at_s)

    def resting(self, now_s: float) -> tuple[int, ...]:
        """The units that rest now."""
        return tuple(unit for unit, health in self._units.items() if health.rests(now_s))

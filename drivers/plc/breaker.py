"""Which units of a wire may be asked: one that does not answer costs its neighbours next to nothing.

A unit rests after MISSES_MAX answers missed in a row, and when what it wasted adds up; reads and
writes apart, for there are units that answer the ones and not the others. A resting unit is asked
once in a while, half open: one good answer and it is served as before, one more miss and it rests
again. What resting units cost together is PROBES_SHARE of the time of their wire.

Alone on its wire a unit never rests: it has no neighbours, and supervision spaces its attempts.
Times are seconds of the loop; nothing here waits.
"""

import math
from dataclasses import dataclass

MISSES_MAX = 3
"""So many answers missed in a row, and none for SILENT_S: the unit rests."""
SILENT_S = 1.0
"""A unit that answered so lately is still asked: one disturbance spoils several answers."""
PROBES_SHARE = 0.03
"""What all resting units of a wire may take of its time, together."""
STUMBLES_SHARE = 0.005
STUMBLES_S_MAX = 3.0
"""What a unit that answers now and then may waste: so much at once, and this share of the time."""
OWED_GAPS_MAX = 8
"""So many requests to a resting unit that could not wait are made good; more are not counted."""
NEIGHBOUR_S = 10.0
NEIGHBOUR_MISSES_MAX = 1
"""Who answered so lately, and missed no more since, is a neighbour to be spared.

On a bus that is dead as a whole nobody is, nobody rests, and all are back as soon as it is.
"""


@dataclass(slots=True)
class _Health:
    """What is known of the reads or the writes of one unit."""

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
    """The circuit breakers of one wire, two a unit: one for reads, one for writes."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, bool], _Health] = {}
        self._probe_at_s = 0.0

    def forget(self) -> None:
        """The wire was opened anew: whatever was missed, perhaps the wire was the reason."""
        self._known.clear()
        self._probe_at_s = 0.0

    def answered(self, unit: int, now_s: float, *, write: bool = False) -> None:
        """The unit gave an answer that may be used, or refused in so many words."""
        health = self._health(unit, write=write)
        health.answered_s = now_s
        health.misses = 0

    def missed(self, unit: int, now_s: float, *, cost_s: float, write: bool = False) -> None:
        """No usable answer; the wire lost `cost_s` with it."""
        health = self._health(unit, write=write)
        rested = health.rests(now_s)
        health.misses += 1
        health.wasted_s = health.waste_s(now_s) + cost_s
        health.wasted_at_s = now_s
        if health.rests(now_s) and self._neighbours(unit, now_s):
            self._rest(health, now_s, cost_s / PROBES_SHARE, again=rested)

    def _rest(self, health: _Health, now_s: float, gap_s: float, *, again: bool) -> None:
        """Space the probes of the wire. A lock is not asked whether it may: it is paid for later."""
        due_s = max(now_s, min(self._probe_at_s, now_s + OWED_GAPS_MAX * gap_s))
        self._probe_at_s = gap_s + (due_s if again else now_s)
        resting = sum(each.rests(now_s) for each in self._known.values())
        health.ask_at_s = now_s + gap_s * resting

    def ask_at_s(self, unit: int, now_s: float, *, write: bool = False) -> float:
        """When the unit may be asked: `now_s`, or later when it rests and has neighbours."""
        health = self._known.get((unit, write))
        if health is None or not health.rests(now_s) or not self._neighbours(unit, now_s):
            return now_s
        return max(now_s, self._probe_at_s, health.ask_at_s)

    def suspect(self, unit: int) -> bool:
        """Whether the last read or the last write of the unit was missed."""
        both = (self._known.get((unit, write)) for write in (False, True))
        return any(health is not None and health.misses > 0 for health in both)

    def resting(self, now_s: float) -> tuple[int, ...]:
        """The units that rest now, be it for writes alone."""
        found = {unit for (unit, _), health in self._known.items() if health.rests(now_s)}
        return tuple(sorted(found))

    def _health(self, unit: int, *, write: bool) -> _Health:
        key = (unit, write)
        return self._known.get(key) or self._known.setdefault(key, _Health())

    def _neighbours(self, unit: int, now_s: float) -> bool:
        """Whether another unit answered lately."""
        lately_s = now_s - NEIGHBOUR_S
        return any(
            health.answered_s > lately_s and health.misses <= NEIGHBOUR_MISSES_MAX
            for (other, _), health in self._known.items()
            if other != unit
        )

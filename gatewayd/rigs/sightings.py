"""One cylinder is in one place: who stands where now, and who was where a moment ago.

A rig's sighting lasts while its cylinder stands there; it ends when the scale is seen empty, so a
cylinder that was carried from one rig to another is no duplicate. A scan at a point is a moment.
Two places with one code at once, or sooner after one another than `travel_s`, are told to both.

Ages are by the monotonic clock alone, so setting the wall clock lets nothing pass. What an earlier
life left counts from the start on: until its rig says what stands there, `unseen_s` at the most.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from gatewayd.clock import SECOND, Clock
from gatewayd.store.passing import Seen

ENDED_KEPT_MAX = 4_096
"""Sightings that have ended and still count; at the limit the oldest goes."""
POINT = "points/"
"""How the place of a scan point begins; any other place is a rig."""


@dataclass(slots=True)
class _Ended:
    """A sighting that is over and counts until a monotonic moment; `unseen`: nobody saw it end."""

    until_ns: int
    unseen: bool


@dataclass(slots=True)
class Sightings:
    """Every place of a station tells what it sees; all on one event loop, no call waits."""

    clock: Clock
    travel_s: int = 0
    unseen_s: int = 60
    _standing: dict[str, str] = field(default_factory=dict)
    _ended: dict[tuple[str, str], _Ended] = field(default_factory=dict)
    _marks: dict[str, tuple[str, str]] = field(default_factory=dict)

    def remember(self, seen: Iterable[Seen], *, rigs: Iterable[str]) -> None:
        """Take over what an earlier life saw, oldest first: the last cylinder of each rig.

        A scan at a point counts when the wall clock cannot say that it is old enough.
        """
        last = {each.place: each for each in seen if each.place in set(rigs)}
        for place, each in last.items():
            self._end(each.code, place, self.unseen_s, unseen=True)
        wall = self.clock.wall()
        for each in seen:
            age_s = (wall - each.seen_at).total_seconds()
            if each.place.startswith(POINT) and age_s < self.travel_s:
                self._end(each.code, each.place, self.travel_s)

    def stands(self, place: str, code: str) -> None:
        """A cylinder is known to stand at a rig."""
        before = self._standing.get(place)
        if before == code:
            return
        if before is not None:
            self._leave(place)
        self._standing[place] = code
        self._settle(place, code)
        for other, its_code in self._standing.items():
            if other != place and its_code == code:
                self._marks[other] = (code, place)
                self._marks[place] = (code, other)

    def empty(self, place: str) -> None:
        """A rig is seen to be empty: whatever stood there has left."""
        if place in self._standing:
            self._leave(place)
        self._settle(place, None)

    def lost(self, place: str) -> None:
        """A rig cannot see any more what stands there."""
        code = self._standing.pop(place, None)
        self._marks.pop(place, None)
        if code is not None:
            self._end(code, place, self.unseen_s, unseen=True)

    def passes(self, place: str, code: str) -> None:
        """A cylinder was scanned at a point; a rig where it stands at this moment is told."""
        for rig, its_code in self._standing.items():
            if its_code == code:
                self._marks[rig] = (code, place)
        self._end(code, place, self.travel_s)

    def elsewhere(self, place: str, code: str) -> str | None:
        """Another place that has this code too, or had it too soon before; None = there is none."""
        mark = self._marks.get(place)
        if mark is not None and mark[0] == code:
            return mark[1]
        for other, its_code in self._standing.items():
            if other != place and its_code == code:
                return other
        now_ns = self.clock.monotonic_ns()
        for (its_code, other), ended in self._ended.items():
            if its_code == code and other != place and now_ns < ended.until_ns:
                return other
        return None

    def _leave(self, place: str) -> None:
        code = self._standing.pop(place)
        self._marks.pop(place, None)
        self._end(code, place, self.travel_s)

    def _settle(self, place: str, code: str | None) -> None:
        """The rig speaks again: what was not seen to leave has left by now, or stands there still."""
        now_ns = self.clock.monotonic_ns()
        for key, ended in list(self._ended.items()):
            if ended.unseen and key[1] == place:
                del self._ended[key]
                if key[0] != code and now_ns < ended.until_ns:
                    self._end(key[0], place, self.travel_s)

    def _end(self, code: str, place: str, counts_s: int, *, unseen: bool = False) -> None:
        now_ns = self.clock.monotonic_ns()
        self._ended.pop((code, place), None)
        if counts_s:
            self._ended[code, place] = _Ended(now_ns + counts_s * SECOND, unseen)
        for key in [key for key, ended in self._ended.items() if ended.until_ns <= now_ns]:
            del self._ended[key]
        while len(self._ended) > ENDED_KEPT_MAX:
            del self._ended[next(iter(self._ended))]

"""Sees from the board what has been wrong for long, and raises or clears its alarm.

Devices and upstreams come and go by themselves: each is a state on the board at once, and an alarm
only when it stays away. Looked at once a second, never from where something happens.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gatewayd.alarms.alarms import Alarms
from gatewayd.board import Board
from gatewayd.clock import SECOND, Clock
from gatewayd.store.store import Store

DEVICE_LOST_S = 120
"""Longer than a PLC or a reader takes to start, and than a cable is out of its socket for a test."""
WEIGHT_UNKNOWN_S = 60
STORE_ILL_S = 5
"""Longer than another process's transaction may take."""
UPSTREAM_DOWN_S = 900
"""Longer than a router and a platform take to restart; nothing is lost meanwhile."""

FILLING_PERCENT, LAST_PERCENT = 80, 95
"""Of the quota, or of what the disk gives."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One thing looked at: whether it is wrong now, and after how many seconds that is an alarm."""

    kind: str
    subject: str
    wrong: bool
    after_s: int
    detail: str = ""
    values: Mapping[str, Any] | None = None


class Watchman:
    """Owns the kinds that `look` names: nobody else raises or clears them."""

    def __init__(self, alarms: Alarms, store: Store, board: Board, clock: Clock) -> None:
        self._alarms = alarms
        self._store = store
        self._board = board
        self._clock = clock
        self._since_ns: dict[tuple[str, str], int] = {}

    def look(self) -> None:
        """Look at everything once; raises nothing."""
        for sight in (*self._store_sights(), *self._board_sights()):
            self._judge(sight)

    def _judge(self, sight: Sight) -> None:
        key = (sight.kind, sight.subject)
        stands = self._alarms.stands(*key)
        if not sight.wrong:
            self._since_ns.pop(key, None)
            if stands:
                self._alarms.clear(*key)
            return
        now_ns = self._clock.monotonic_ns()
        since_ns = self._since_ns.setdefault(key, now_ns)
        if not stands and now_ns - since_ns >= sight.after_s * SECOND:
            self._alarms.raise_(*key, detail=sight.detail, values=sight.values)

    def _store_sights(self) -> Iterator[Sight]:
        ill, full = not self._store.healthy, self._store.full
        yield Sight("store_ill", "store", ill and not full, STORE_ILL_S, self._store.why)
        yield Sight("store_full", "store", full, 0, self._store.why)
        yield from self._filling(full=full)

    def _filling(self, *, full: bool) -> Iterator[Sight]:
        """The next step only: who hears that it is nearly full need not hear that it is filling."""
        used = 0 if full else self._store.used_percent
        told = {"used_percent": used}
        filling, last = FILLING_PERCENT <= used < LAST_PERCENT, used >= LAST_PERCENT
        yield Sight("store_filling", "store", filling, 0, f"{used} %", told)
        yield Sight("store_nearly_full", "store", last, 0, f"{used} %", told)

    def _board_sights(self) -> Iterator[Sight]:
        for topic, seen in tuple(self._board.items()):
            room, _, rest = topic.partition("/")
            name, _, what = rest.rpartition("/")
            if what != "status":
                continue
            if room == "devices":
                yield from _device(name, seen)
            elif room == "upstreams":
                yield from _upstream(name, seen)


def _device(name: str, seen: Mapping[str, Any]) -> Iterator[Sight]:
    state, error = seen["state"], str(seen["error"] or "")
    kinds = {trouble["kind"] for trouble in seen["troubles"]}
    yield Sight("device_fault", name, state == "fault", 0, error)
    yield Sight("device_lost", name, state in ("connecting", "down"), DEVICE_LOST_S, error)
    for kind in ("weight_unknown", "total_unknown"):
        yield Sight(kind, name, kind in kinds, WEIGHT_UNKNOWN_S, _text(seen, kind))


def _text(seen: Mapping[str, Any], kind: str) -> str:
    """What the device says of its weight or its total, with register and raw value."""
    told = (t["message"] for t in seen["troubles"] if t["kind"] == kind)
    return next((f"{said['zh']} / {said['en']}" for said in told), "")


def _upstream(name: str, seen: Mapping[str, Any]) -> Iterator[Sight]:
    yield Sight("upstream_down", name, seen["state"] != "up", UPSTREAM_DOWN_S, str(seen["error"]))
    dead = seen["dead_letters"]
    if dead is not None:  # Else the store cannot tell, and what stands goes on standing.
        yield Sight("dead_letters", name, dead > 0, 0, f"{dead}", {"dead_letters": dead})

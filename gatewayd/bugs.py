"""A bug ends the part that has it, and nothing else: said, alarmed, and the part begun again.

The law of this program is that doubt closes a gate. It is not that a report which cannot be made
stops every rig. What must still end the daemon is named in `app.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, runtime_checkable

from gatewayd.alarms.alarms import Alarms
from gatewayd.clock import SECOND, Clock
from gatewayd.logs import logger

AGAIN_S_FIRST: Final = 1.0
"""How soon a part is begun again after its first bug; doubled with each that follows soon."""
AGAIN_S_MAX: Final = 60.0
WELL_S: Final = 120
"""A part that ran for so long is well: its next bug is the first again."""
MET_AGAIN_S: Final = 1
"""A bug of one sort that comes with every reading is told so often; those in between are not."""
CAUGHT_MAX: Final = 16
"""Bugs that are remembered for whoever asks; more are only logged and alarmed."""

log = logger("bugs")


@runtime_checkable
class Falls(Protocol):
    """Something with an actor of its own, which is to end of this bug and be begun again."""

    def fall(self, bug: Exception) -> None:
        """What it was told could not be taken: nothing it believes may be trusted any more."""
        ...


class Waits:
    """How long to wait before one part is begun again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began_ns = clock.monotonic_ns()
        self._soon = 0

    def began(self) -> None:
        """It is begun now."""
        self._began_ns = self._clock.monotonic_ns()

    def next_s(self) -> float:
        """It ended now, of a bug: so many seconds until it is begun again."""
        if self._clock.monotonic_ns() - self._began_ns >= WELL_S * SECOND:
            self._soon = 0
        wait_s = min(AGAIN_S_MAX, AGAIN_S_FIRST * 2 ** min(self._soon, 16))
        self._soon += 1
        return float(wait_s)


class Bugs:
    """One a daemon. `caught` are the first bugs that were contained, for tests above all."""

    def __init__(self, alarms: Alarms, clock: Clock) -> None:
        self._alarms = alarms
        self.clock = clock
        self.caught: list[Exception] = []
        self._met_ns: dict[tuple[str, type[Exception]], int] = {}

    async def contain(self, part: str, work: Callable[[], Awaitable[object]]) -> None:
        """Do `work` until it returns; a bug in it is told, and after a while it is begun again.

        `part` is its name in the log and in the alarm `part_failed`.
        """
        waits = Waits(self.clock)
        while True:
            waits.began()
            try:
                await work()
            except Exception as exc:  # noqa: BLE001 - whatever it is, it is this part's alone
                again_s = waits.next_s()
                self.note(part, exc, again_s=again_s)
                await asyncio.sleep(again_s)
            else:
                return

    def told(self, who: object, name: str, tell: Callable[[], object]) -> None:
        """Tell `who` something; a bug of theirs in taking it is theirs, not the teller's."""
        try:
            tell()
        except Exception as exc:  # noqa: BLE001 - as in `contain`
            self.met(who, name, exc)

    def met(self, who: object, name: str, bug: Exception) -> None:
        """`who` has met a bug: what has an actor falls, anything else is noted by `name`."""
        if isinstance(who, Falls):
            who.fall(bug)
            return
        sort, now_ns = (name, type(bug)), self.clock.monotonic_ns()
        last_ns = self._met_ns.get(sort)
        if last_ns is None or now_ns - last_ns >= MET_AGAIN_S * SECOND:
            self._met_ns[sort] = now_ns
            self.note(name, bug)

    def note(
        self,
        part: str,
        bug: Exception,
        *,
        kind: str = "part_failed",
        rig_id: str = "",
        again_s: float = 0.0,
    ) -> None:
        """Log a bug with its traceback and alarm it; raises nothing."""
        text = f"{type(bug).__name__}: {bug}"
        log.error("part.failed", part=part, error=text, again_s=again_s, exc_info=bug)
        if len(self.caught) < CAUGHT_MAX:
            self.caught.append(bug)
        try:
            self._alarms.raise_(kind, part, detail=text, rig_id=rig_id)
        except Exception as exc:
            # The alarms may be what is broken: then the log has it, and the watchdogs, which hear
            # of alarms that do not move.
            log.exception("part.not_alarmed", part=part, error=str(exc))

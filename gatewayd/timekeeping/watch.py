"""Tells others about the clock: the board, the log, the store, and an alarm while it is in doubt."""

import asyncio
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from gatewayd.board import Board
from gatewayd.clock import SECOND, Clock
from gatewayd.errors import StoreError
from gatewayd.logs import logger
from gatewayd.store.store import Store
from gatewayd.timekeeping.doubts import Doubt
from gatewayd.timekeeping.keeper import Findings, Timekeeper
from rules_engine.clock_words import why
from rules_engine.verdict import Message

LOOK_S = 1.0
"""How often the clock is looked at when nobody is judged; a judgement looks for itself."""
REFRESH_S = 5.0
"""How often the kernel and the store are asked: what a time server corrects is believed so soon."""
TOPIC = "clock"
ALARM = "clock_untrusted"


class Alarms(Protocol):
    """Who tells people: raising what stands and clearing what does not changes nothing."""

    def raise_(self, kind: str, subject: str, *, detail: str = "") -> None:
        """It stands from now on, for this reason."""
        ...

    def clear(self, kind: str, subject: str) -> None:
        """Its cause is over."""
        ...


def explained(doubt: Doubt, shows: str) -> Message:
    """What is wrong and what to do; `shows` is what the clock says now."""
    words = {"clock.now": shows, "clock.against": doubt.against}
    return why(doubt.kind).render(words)


class ClockWatch:
    """Looks while the daemon runs."""

    def __init__(
        self,
        keeper: Timekeeper,
        *,
        store: Store,
        board: Board,
        clock: Clock,
        zone: ZoneInfo,
        alarms: Alarms,
    ) -> None:
        self._keeper = keeper
        self._store = store
        self._board = board
        self._clock = clock
        self._zone = zone
        self._alarms = alarms
        self._shown: Findings | None = None
        self._since = ""
        self._refreshed_ns = clock.monotonic_ns()
        self._log = logger("clock")

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(LOOK_S)

    async def once(self) -> None:
        """One look, told to everybody whom it concerns; what changed is durable first."""
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._refreshed_ns >= REFRESH_S * SECOND:
            self._refreshed_ns = now_ns
            self._keeper.refresh()
        found = self._keeper.look()
        await self._keep(found)
        if self._shown is None or _key(found) != _key(self._shown):
            self._tell(found)

    async def _keep(self, found: Findings) -> None:
        """A store that cannot commit is told again at the next look."""
        mark = self._keeper.unkept(found)
        if mark is None:
            return
        try:
            await self._store.keep_clock(mark)
        except StoreError as exc:
            self._log.warning("clock.not_kept", error=str(exc))
            return
        self._keeper.kept(mark)

    def _tell(self, found: Findings) -> None:
        shows = self._clock.wall().astimezone(self._zone).isoformat(timespec="seconds")
        before, self._shown = self._shown, found
        if before is None or before.quality != found.quality:
            self._since = shows
        self._board.post(TOPIC, self._picture(found, shows))
        if found.doubt is not None:
            message = explained(found.doubt, shows)
            self._log.error("clock.untrusted", doubt=found.doubt.kind, against=found.doubt.against)
            self._alarms.raise_(ALARM, TOPIC, detail=f"{message.zh} / {message.en}")
            return
        self._alarms.clear(ALARM, TOPIC)
        if before is None or before.doubt is not None or before.ntp != found.ntp:
            self._log.info("clock.trusted", quality=found.quality)

    def _picture(self, found: Findings, shows: str) -> dict[str, Any]:
        doubt = found.doubt
        told = None
        if doubt is not None:
            message = explained(doubt, shows)
            told = {
                "kind": doubt.kind,
                "against": doubt.against,
                "message": {"zh": message.zh, "en": message.en},
            }
        return {
            "state": found.quality,
            "since": self._since,
            "synchronised": found.ntp,
            "doubt": told,
        }


def _key(found: Findings) -> tuple[object, ...]:
    """What is worth telling: a jump that grows is told again, the time that passes is not."""
    return found.ntp, found.doubt

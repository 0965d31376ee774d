"""Closes a rig's books at the end of each shift: grams of its records against its totaliser.

Each record was compared when it was made; small differences, leaks below what is noticed at once
and a meter that drifts add up only over hours. A shift is closed when the rig rests after its end,
once, whatever is restarted in between; shifts that nobody closed in time are closed as one.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from gatewayd.alarms.alarms import Alarms
from gatewayd.alarms.untold import raised_with
from gatewayd.board import Board
from gatewayd.clock import Clock
from gatewayd.errors import StoreError
from gatewayd.ids import new_id
from gatewayd.logs import logger
from gatewayd.settings.upkeep import ShiftsSettings
from gatewayd.shifts import telling
from gatewayd.shifts.times import begun_at
from gatewayd.shifts.totals import moved_g
from gatewayd.store import shifts
from gatewayd.store.model import RecordDraft
from gatewayd.store.shifts import Booked, Reconciled
from gatewayd.store.store import Store

LOOK_S = 5.0

log = logger("shifts")


class Ledger:
    """All rigs of a station. `resting` says which rigs rest, with their totalisers in grams."""

    def __init__(
        self,
        settings: ShiftsSettings,
        station_id: str,
        zone: ZoneInfo,
        *,
        store: Store,
        board: Board,
        alarms: Alarms,
        clock: Clock,
        resting: Callable[[], Mapping[str, int]],
    ) -> None:
        self._settings = settings
        self._station_id = station_id
        self._zone = zone
        self._store = store
        self._board = board
        self._alarms = alarms
        self._clock = clock
        self._resting = resting
        self._made: dict[str, tuple[tuple[Reconciled, Reconciled, Booked], RecordDraft]] = {}

    async def run(self) -> None:
        """Look for ever, every `LOOK_S`."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Close what is due at every rig that rests now; a store that is ill is tried again."""
        if not self._settings.starts:
            return
        for rig_id, total_g in self._resting().items():
            try:
                await self._look_at(rig_id, total_g)
            except StoreError as exc:
                log.warning("shift.not_closed_yet", rig=rig_id, error=str(exc))

    async def _look_at(self, rig_id: str, total_g: int) -> None:
        now = self._clock.wall()
        begun = begun_at(self._settings.starts, self._zone, now)
        last = self._store.reconciled(rig_id)
        if last is None or last.ended_at > now:
            await self._begin(rig_id, last, total_g, begun)
        elif last.ended_at < begun:
            await self._close(last, total_g, begun)

    async def _begin(
        self, rig_id: str, last: Reconciled | None, total_g: int, begun: datetime
    ) -> None:
        """The first shift of a rig, or the clock was set back behind the last one's end."""
        through = self._store.last_sequence()
        first = Reconciled(rig_id, begun, total_g, through)
        if last is not None:
            first = Reconciled(rig_id, begun, last.total_g, last.sequence)
        await self._store.commit(lambda connection, _issuer: shifts.begin(connection, first))

    async def _close(self, last: Reconciled, total_g: int, ended_at: datetime) -> None:
        booked = self._store.booked(last.rig_id, last.sequence)
        after = Reconciled(last.rig_id, ended_at, total_g, booked.sequence)
        draft = self._draft(last, after, booked)
        made = await self._store.commit(
            lambda connection, issuer: shifts.close(connection, issuer, last, after, draft)
        )
        if made is not None:
            self._made.pop(last.rig_id, None)
            self._board.post(f"rigs/{last.rig_id}/shift", draft.data)
            log.info("shift.closed", rig=last.rig_id, difference_g=draft.data["difference_g"])

    def _draft(self, last: Reconciled, after: Reconciled, booked: Booked) -> RecordDraft:
        """The record and its alarm, made once for what is to be closed."""
        known = self._made.get(last.rig_id)
        if known is not None and known[0] == (last, after, booked):
            return known[1]
        data = self._data(last, after, booked)
        also = known[1].also if known is not None and known[0][0] == last else ()
        if not data["agrees"]:
            also = self._alarm(last.rig_id, data, also)
        draft = RecordDraft(
            new_id(), "reconciliation", last.rig_id, self._clock.wall(), data, also=also
        )
        self._made[last.rig_id] = (last, after, booked), draft
        return draft

    def _data(self, last: Reconciled, after: Reconciled, booked: Booked) -> dict[str, Any]:
        flowed_g = moved_g(last.total_g, after.total_g)
        limit_g = max(
            self._settings.limit_g, abs(flowed_g) * self._settings.limit_permille // 1_000
        )
        return {
            "station_id": self._station_id,
            "rig_id": last.rig_id,
            "from": self._stamp(last.ended_at),
            "to": self._stamp(after.ended_at),
            "closed_at": self._stamp(self._clock.wall()),
            "fills": booked.fills,
            "net_g": booked.net_g,
            "unauthorised_g": booked.unauthorised_g,
            "total_before_g": last.total_g,
            "total_after_g": after.total_g,
            "flowed_g": flowed_g,
            "difference_g": flowed_g - booked.net_g,
            "limit_g": limit_g,
            "agrees": abs(flowed_g - booked.net_g) <= limit_g,
            "after_sequence": last.sequence,
            "through_sequence": after.sequence,
        }

    def _alarm(
        self, rig_id: str, data: Mapping[str, Any], untold: tuple[RecordDraft, ...]
    ) -> tuple[RecordDraft, ...]:
        """Both numbers, and by how much they differ."""
        shown = {key: data[key] for key in ("net_g", "flowed_g", "difference_g", "limit_g")}
        detail = telling.mismatch(data)
        kind, alarms = "shift_mismatch", self._alarms
        return raised_with(alarms, untold, kind, rig_id, detail=detail, values=shown, rig_id=rig_id)

    def _stamp(self, at: datetime) -> str:
        return at.astimezone(self._zone).isoformat(timespec="seconds")

"""Requests that were refused before they counted: recorded, but no stranger fills the store with them."""

import asyncio

from gatewayd.commands.office import Office
from gatewayd.commands.orders import platform
from gatewayd.commands.terms import Refusal
from gatewayd.desk.terms import By
from gatewayd.errors import StoreError
from gatewayd.ids import new_id
from gatewayd.logs import logger
from gatewayd.store.model import RecordDraft
from gatewayd.upstreams.door import COMMANDS, Call

RECORD_EVERY_S = 1.0
"""They are recorded once in so long; the next record says how many were not."""
RETAINED_KNOWN_MAX = 1_000
"""Retained requests that were recorded; at the limit they are recorded anew."""

log = logger("commands")


class Refusals:
    """One a daemon; `note` on the loop, `run` writes."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._waiting: asyncio.Queue[tuple[Call, str | None, Refusal]] = asyncio.Queue(maxsize=1)
        self._retained: set[tuple[str, str, int]] = set()
        self.unrecorded = 0

    def note(self, call: Call, request_id: str | None, refusal: Refusal) -> None:
        """Record it when there is time for it, else count it; never waits."""
        if call.retained and self._known(call):
            return
        try:
            self._waiting.put_nowait((call, request_id, refusal))
        except asyncio.QueueFull:
            self.unrecorded += 1

    def _known(self, call: Call) -> bool:
        """A broker brings what it retains with every connection; one record of it is enough."""
        key = (call.upstream, call.name, hash(call.body))
        known = key in self._retained
        self._retained = set() if len(self._retained) >= RETAINED_KNOWN_MAX else self._retained
        self._retained.add(key)
        return known

    async def run(self) -> None:
        """Write records until cancelled; a store that cannot is told in the log."""
        while True:
            call, request_id, refusal = await self._waiting.get()
            try:
                await self._office.context.store.append(self._draft(call, request_id, refusal))
            except StoreError as exc:
                log.warning("command.refusal_not_recorded", error=str(exc))
            await asyncio.sleep(RECORD_EVERY_S)

    def _draft(self, call: Call, request_id: str | None, refusal: Refusal) -> RecordDraft:
        unrecorded, self.unrecorded = self.unrecorded, 0
        data = {
            "station_id": self._office.floor.settings.station.id,
            "rig_id": None,
            "command": call.name if call.name in COMMANDS else None,
            "request_id": request_id,
            "upstream": call.upstream,
            "asked": {},
            "outcome": "refused",
            "error": refusal.code,
            "by": By(platform(call.upstream), "mqtt").shown(),
            "unrecorded": unrecorded,
        }
        return RecordDraft(new_id(), "command", "", self._office.context.clock.wall(), data)

"""Batches of a rig (充装批次): opened and closed by people, or by the template of the rig's file."""

import re
from datetime import datetime
from functools import partial

from gatewayd.desk.base import Base
from gatewayd.desk.terms import By, No, no
from gatewayd.settings.people import BATCH
from gatewayd.store import people
from gatewayd.store.model import RecordDraft
from gatewayd.store.people_model import Batch

TEMPLATE = By("gatewayd", "cli", "batch.number of the rig's file")
"""Who opens and closes the batches of a rig that numbers them by itself."""


class Batches(Base):
    """One batch a rig at a time; its number is in every fill record."""

    async def open_batch(self, rig_id: str, number: str, *, by: By) -> Batch | No:
        """Open a batch; the one before is closed. One that was closed is opened again.

        Refuses `no_rig automatic_batch bad_batch batch_open store_unavailable`.
        """
        return await self._one(partial(self._open_by_hand, rig_id, number.strip(), by))

    async def close_batch(self, rig_id: str, *, by: By) -> Batch | No:
        """Close the open batch; refuses `no_rig automatic_batch no_open_batch store_unavailable`."""
        return await self._one(partial(self._close, rig_id, by))

    async def number_batches(self) -> None:
        """Open the batch that is due at every rig with a template; call it every second.

        A store that cannot commit is tried again at the next call.
        """
        for rig_id in tuple(self.settings.rigs):
            await self._one(partial(self._open_due, rig_id))

    async def _open_due(self, rig_id: str) -> Batch | No | None:
        """The batch that is due now at a rig; a reload may have taken the rig away meanwhile."""
        rig = self._rig(rig_id)
        if isinstance(rig, No) or rig.batch is None:
            return None
        wall = self._clock.wall()
        number = rig.batch.at(wall, self.zone, medium=rig.medium, rig=rig_id)
        return await self._open(rig_id, number, wall, TEMPLATE)

    async def _open_by_hand(self, rig_id: str, number: str, by: By) -> Batch | No:
        rig = self._rig(rig_id)
        if isinstance(rig, No):
            return rig
        if rig.batch is not None:
            return no("automatic_batch", rig=rig_id)
        if not re.fullmatch(BATCH, number) or not number.isprintable():
            return no("bad_batch", number=number[:64])
        before = self._store.open_batch(rig_id)
        if before is not None and before.number == number:
            return no("batch_open", rig=rig_id, number=number)
        return await self._open(rig_id, number, self._clock.wall(), by)

    async def _open(self, rig_id: str, number: str, wall: datetime, by: By) -> Batch:
        """Open a batch unless it is open; the one before is closed, with a record of its own."""
        before = self._store.open_batch(rig_id)
        if before is not None and before.number == number:
            return before
        batch = Batch(rig_id, number, wall, automatic=by is TEMPLATE)
        closed = None if before is None else self._told(before, "closed", wall, by)
        opened = self._told(batch, "opened", wall, by)
        await self._store.commit(
            lambda connection, issuer: people.open_batch(
                connection, issuer, batch, closed=closed, opened=opened
            )
        )
        self._log.info("desk.batch_opened", rig=rig_id, batch=number)
        self._changed(rig_id)
        return batch

    async def _close(self, rig_id: str, by: By) -> Batch | No:
        rig = self._rig(rig_id)
        if isinstance(rig, No):
            return rig
        if rig.batch is not None:
            return no("automatic_batch", rig=rig_id)
        batch = self._store.open_batch(rig_id)
        if batch is None:
            return no("no_open_batch", rig=rig_id)
        wall = self._clock.wall()
        draft = self._told(batch, "closed", wall, by)
        await self._store.commit(
            lambda connection, issuer: people.close_batch(connection, issuer, draft)
        )
        self._log.info("desk.batch_closed", rig=rig_id, batch=batch.number)
        self._changed(rig_id)
        return batch

    def _told(self, batch: Batch, event: str, wall: datetime, by: By) -> RecordDraft:
        """The record of an opening or closing; the store adds what a closed batch holds."""
        data = {
            "event": event,
            "batch": batch.number,
            "medium": self.settings.rigs[batch.rig_id].medium,
            "automatic": batch.automatic,
            "opened_at": self._stamp(batch.opened_at),
            "closed_at": self._stamp(wall) if event == "closed" else None,
        }
        return self._draft("batch", batch.rig_id, wall, by, data)

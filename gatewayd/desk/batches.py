"""Batches of a rig (充装批次): opened and closed by people, or by the template of the rig's file."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeAlias

import apsw

from gatewayd.desk.base import Base
from gatewayd.desk.terms import By, No, no
from gatewayd.settings.people import BATCH
from gatewayd.store import people
from gatewayd.store.chain import Issuer
from gatewayd.store.model import RecordDraft
from gatewayd.store.people_model import Batch

Also: TypeAlias = Callable[[apsw.Connection, Issuer], None]
"""What is committed with it."""


def nothing(_connection: apsw.Connection, _issuer: Issuer) -> None:
    """Nothing else."""


TEMPLATE = By("gatewayd", "cli", "batch.number of the rig's file")
"""Who opens and closes the batches of a rig that numbers them by itself."""


class Batches(Base):
    """One batch a rig at a time; its number is in every fill record."""

    async def open_batch(
        self, rig_id: str, number: str, *, by: By, also: Also = nothing
    ) -> Batch | No:
        """Open a batch, `also` with it; the one before is closed. A closed one is opened again.

        Refuses `no_rig automatic_batch bad_batch batch_open store_unavailable`.
        """
        return await self._one(partial(self._open_by_hand, rig_id, number.strip(), by, also))

    async def close_batch(
        self, rig_id: str, *, by: By, number: str | None = None, also: Also = nothing
    ) -> Batch | No:
        """Close the open batch, only if it is `number` where one is named; `also` with it.

        Refuses `no_rig automatic_batch no_open_batch other_batch store_unavailable`.
        """
        return await self._one(partial(self._close, rig_id, by, number, also))

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

    async def _open_by_hand(self, rig_id: str, number: str, by: By, also: Also) -> Batch | No:
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
        return await self._open(rig_id, number, self._clock.wall(), by, also)

    async def _open(
        self, rig_id: str, number: str, wall: datetime, by: By, also: Also = nothing
    ) -> Batch:
        """Open a batch unless it is open; the one before is closed, with a record of its own."""
        before = self._store.open_batch(rig_id)
        if before is not None and before.number == number:
            return before
        batch = Batch(rig_id, number, wall, automatic=by is TEMPLATE)
        closed = None if before is None else self._told(before, "closed", wall, by)
        opened = self._told(batch, "opened", wall, by)

        def work(connection: apsw.Connection, issuer: Issuer) -> None:
            people.open_batch(connection, issuer, batch, closed=closed, opened=opened)
            also(connection, issuer)

        await self._store.commit(work)
        self._log.info("desk.batch_opened", rig=rig_id, batch=number)
        self._changed(rig_id)
        return batch

    async def _close(self, rig_id: str, by: By, number: str | None, also: Also) -> Batch | No:
        rig = self._rig(rig_id)
        if isinstance(rig, No):
            return rig
        if rig.batch is not None:
            return no("automatic_batch", rig=rig_id)
        batch = self._store.open_batch(rig_id)
        if batch is None:
            return no("no_open_batch", rig=rig_id)
        if number is not None and batch.number != number.strip():
            return no("other_batch", rig=rig_id, number=batch.number)
        wall = self._clock.wall()
        draft = self._told(batch, "closed", wall, by)

        def work(connection: apsw.Connection, issuer: Issuer) -> None:
            people.close_batch(connection, issuer, draft)
            also(connection, issuer)

        await self._store.commit(work)
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

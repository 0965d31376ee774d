"""What a platform asks in the name of a person at the station: answer for an alarm, batches.

Each is the desk's or the alarms' own, in one transaction with the request's record and its reply.
"""

from collections.abc import Awaitable

import apsw

from gatewayd.commands.office import Office
from gatewayd.commands.schemas import (
    AlarmAnswered,
    AlarmsAcknowledge,
    Answer,
    BatchClose,
    Batched,
    BatchOpen,
)
from gatewayd.commands.terms import Case, Reply, refuse, refused_by
from gatewayd.desk.terms import No
from gatewayd.errors import RejectedError
from gatewayd.store import writes
from gatewayd.store.chain import Issuer
from gatewayd.store.model import RecordDraft
from gatewayd.store.people_model import Batch


class _Settling:
    """Settles the request beside what it does; `reply` is there once that is committed."""

    def __init__(self, case: Case, done: Answer) -> None:
        self._case = case
        self._done = done
        self.reply: Reply = {}

    def __call__(self, connection: apsw.Connection, issuer: Issuer) -> None:
        self.reply = self._case.settle(connection, issuer, self._done)

    def record(self, connection: apsw.Connection, issuer: Issuer, draft: RecordDraft) -> None:
        """Commit a record with it."""
        writes.append(connection, draft, issuer)
        self(connection, issuer)


async def acknowledge(office: Office, asked: AlarmsAcknowledge, case: Case) -> Reply:
    """Answer for an alarm that stands, for the person named in `by`."""
    settling = _Settling(case, AlarmAnswered(kind=asked.kind, subject=asked.subject))
    try:
        await office.alarms.acknowledge(
            asked.kind, asked.subject, by=case.by.who, note=case.by.why, commit=settling.record
        )
    except RejectedError:
        nothing = refuse("no_alarm", kind=asked.kind, subject=asked.subject)
        return await case.finish(office.context.store, nothing)
    return settling.reply


async def open_batch(office: Office, asked: BatchOpen, case: Case) -> Reply:
    """Open a batch at a rig; the one before is closed."""
    settling = _Settling(case, Batched(rig=asked.rig, batch=asked.number.strip()))
    opening = office.desk.open_batch(asked.rig, asked.number, by=case.by, also=settling)
    return await _told(office, case, settling, opening)


async def close_batch(office: Office, asked: BatchClose, case: Case) -> Reply:
    """Close the open batch of a rig, which must be the one that is named."""
    settling = _Settling(case, Batched(rig=asked.rig, batch=asked.number.strip()))
    closing = office.desk.close_batch(asked.rig, by=case.by, number=asked.number, also=settling)
    return await _told(office, case, settling, closing)


async def _told(
    office: Office, case: Case, settling: _Settling, asking: Awaitable[Batch | No]
) -> Reply:
    said = await asking
    if isinstance(said, No):
        return await case.finish(office.context.store, refused_by(said))
    return settling.reply

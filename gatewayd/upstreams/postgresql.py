"""PostgreSQL upstream: records as rows of one table, a batch a transaction, the id its key.

A row that is there already stays as it is: records never change. So a repeated record, after an
answer that was lost, is in the table once.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gatewayd.errors import UpstreamError
from gatewayd.settings.kinds import UpstreamType
from gatewayd.store.model import Record
from gatewayd.upstreams.backoff import FIELD, Pace
from gatewayd.upstreams.contract import Outcome, UpstreamContext
from gatewayd.upstreams.plain import LosableSink, PlainUpstream
from gatewayd.upstreams.postgresql_settings import PostgresqlSettings
from gatewayd.upstreams.refused import RefusedError
from gatewayd.upstreams.worded import Wording, spoken, wording_of


@dataclass(frozen=True, slots=True)
class Row:
    """A record as the table has it."""

    id: UUID
    station: str
    sequence: int
    rig: str
    kind: str
    time: datetime
    record: str


@dataclass(frozen=True, slots=True)
class MappedRow:
    """A record as a table of the platform has it: `said` is a JSON object of its columns.

    `key`: the column that has the record's id.
    """

    table: str
    columns: tuple[str, ...]
    key: str
    said: str


Rows = Sequence[Row] | Sequence[MappedRow]


class Wire(Protocol):
    """What a sink needs of the connection."""

    gone: asyncio.Event
    why: str

    async def insert(self, rows: Rows) -> None:
        """All of them committed, in order; raises RefusedError, or UpstreamError when it is lost."""
        ...


class PostgresqlSink:
    """Records over one connection."""

    def __init__(
        self, wire: Wire, rows_of: Callable[[Sequence[Record]], Rows], proven: Callable[[], None]
    ) -> None:
        self.gone = wire.gone
        self._wire = wire
        self._rows_of = rows_of
        self._proven = proven

    @property
    def why(self) -> str:
        """Why the connection is gone."""
        return self._wire.why

    async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:
        """The batch in one transaction; when its data are refused, each record in its own."""
        assert not alone or len(batch) == 1
        outcome = await self._whole(batch)
        if outcome is None:
            outcome = await self._each(batch)
        if not outcome.kept:
            self._proven()
        return outcome

    async def _whole(self, batch: Sequence[Record]) -> Outcome | None:
        """What became of all together; None when some of them can never be taken."""
        try:
            await self._wire.insert(self._rows_of(batch))
        except RefusedError as exc:
            return None if exc.permanent else Outcome(kept=str(exc))
        except UpstreamError as exc:
            return Outcome(kept=str(exc))
        return Outcome(frozenset(record.sequence for record in batch))

    async def _each(self, batch: Sequence[Record]) -> Outcome:
        accepted: set[int] = set()
        rejected: dict[int, str] = {}
        for record in batch:
            try:
                await self._wire.insert(self._rows_of([record]))
            except RefusedError as exc:
                if not exc.permanent:
                    return Outcome(frozenset(accepted), rejected, str(exc))
                rejected[record.sequence] = str(exc)
            except UpstreamError as exc:
                return Outcome(frozenset(accepted), rejected, str(exc))
            else:
                accepted.add(record.sequence)
        return Outcome(frozenset(accepted), rejected)


def row(record: Record, station: str) -> Row:
    """A record as a row."""
    time = datetime.fromisoformat(json.loads(record.body)["time"])
    return Row(
        id=UUID(record.id),
        station=station,
        sequence=record.sequence,
        rig=record.rig_id,
        kind=record.kind,
        time=time,
        record=record.body,
    )


def mapped_row(record: Record, wording: Wording, table: str, keys: Mapping[str, str]) -> MappedRow:
    """A record as a row of a mapping; `keys` are the columns of the id by their table."""
    letter = wording.letter(record)
    to = letter.to or table
    return MappedRow(to, tuple(json.loads(letter.body)), keys[letter.to], letter.body)


def _rows_of(
    settings: PostgresqlSettings, wording: Wording, station: str
) -> Callable[[Sequence[Record]], Rows]:
    if settings.tongue is None:
        return lambda batch: [row(record, station) for record in batch]
    messages = settings.tongue.mapping.messages
    keys = {each.written.to: each.id_column or "" for each in messages}
    return lambda batch: [mapped_row(record, wording, settings.table, keys) for record in batch]


def make(
    name: str, settings: PostgresqlSettings, context: UpstreamContext, pace: Pace = FIELD
) -> PlainUpstream:
    """A PostgreSQL upstream; touches no network."""
    # Imported here: it is an extra, and others do without its memory.
    from gatewayd.upstreams.postgresql_wire import opened  # noqa: PLC0415 - see above

    wording = wording_of(settings)
    rows_of = _rows_of(settings, wording, context.station_id)

    @asynccontextmanager
    async def way(proven: Callable[[], None]) -> AsyncIterator[LosableSink]:
        client = f"gatewayd {context.station_id} {name}"
        async with opened(settings, context.directory, client, pace.answer_s_max) as wire:
            yield spoken(PostgresqlSink(wire, rows_of, proven), wording)

    return PlainUpstream(name, context, way, pace, records_per_s=settings.records_per_s)


UPSTREAM = UpstreamType(
    "postgresql", PostgresqlSettings, make, "PostgreSQL table, a row a record", needs="asyncpg"
)

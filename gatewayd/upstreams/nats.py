"""NATS upstream: records into a JetStream stream, each confirmed by the stream itself.

`Nats-Msg-Id` is the record's id: within its duplicate window (two minutes by default) a stream
keeps a repeated record once; later it comes twice with the same id. The stream is the platform's:
it is never made or changed here.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from gatewayd.errors import UpstreamError
from gatewayd.settings.kinds import UpstreamType
from gatewayd.store.model import Record
from gatewayd.upstreams.backoff import FIELD, Pace
from gatewayd.upstreams.contract import Outcome, UpstreamContext
from gatewayd.upstreams.nats_settings import NatsSettings
from gatewayd.upstreams.plain import LosableSink, PlainUpstream
from gatewayd.upstreams.refused import RefusedError
from gatewayd.upstreams.worded import Wording, spoken, wording_of


class Wire(Protocol):
    """What a sink needs of the connection."""

    gone: asyncio.Event
    why: str

    async def publish(self, subject: str, body: bytes, record_id: str) -> None:
        """Return once the stream has it; raises RefusedError, or UpstreamError when it is lost."""
        ...


class NatsSink:
    """Records over one connection, at most `in_flight_max` unconfirmed."""

    def __init__(
        self,
        wire: Wire,
        root: str,
        in_flight_max: int,
        wording: Wording,
        proven: Callable[[], None],
    ) -> None:
        self.gone = wire.gone
        self._wording = wording
        self._wire = wire
        self._root = root
        self._in_flight_max = in_flight_max
        self._proven = proven

    @property
    def why(self) -> str:
        """Why the connection is gone."""
        return self._wire.why

    async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:
        """Publish in order, and nothing behind a part of which something was kept."""
        assert not alone or len(batch) == 1
        accepted: set[int] = set()
        rejected: dict[int, str] = {}
        for begin in range(0, len(batch), self._in_flight_max):
            part = batch[begin : begin + self._in_flight_max]
            kept = await self._part(part, accepted, rejected)
            if kept:
                return Outcome(frozenset(accepted), rejected, kept)
        self._proven()
        return Outcome(frozenset(accepted), rejected)

    async def _part(
        self, part: Sequence[Record], accepted: set[int], rejected: dict[int, str]
    ) -> str:
        """Publish some at once and sort what became of each; why the first one was kept."""
        answers = await asyncio.gather(
            *(self._publish(record) for record in part), return_exceptions=True
        )
        kept = ""
        for record, answer in zip(part, answers, strict=True):
            match answer:
                case None:
                    accepted.add(record.sequence)
                case RefusedError(permanent=True):
                    rejected[record.sequence] = str(answer)
                case RefusedError() | UpstreamError():
                    kept = kept or str(answer)
                case _:
                    raise answer
        return kept

    async def _publish(self, record: Record) -> None:
        letter = self._wording.letter(record)
        subject = letter.to or f"{self._root}.{record.kind}"
        await self._wire.publish(subject, letter.body.encode(), record.id)


def subject_token(text: str) -> str:
    """One token of a NATS subject: a dot, wildcard or blank in it becomes `_`."""
    return "".join("_" if char in ".*> " or not char.isprintable() else char for char in text)


def make(
    name: str, settings: NatsSettings, context: UpstreamContext, pace: Pace = FIELD
) -> PlainUpstream:
    """A NATS upstream; touches no network."""
    # Imported here: it is an extra, and others do without its memory.
    from gatewayd.upstreams.nats_wire import opened  # noqa: PLC0415 - see above

    root = f"{settings.subject}.{subject_token(context.station_id)}.records"
    client = f"gatewayd {context.station_id} {name}"
    wording = wording_of(settings)

    @asynccontextmanager
    async def way(proven: Callable[[], None]) -> AsyncIterator[LosableSink]:
        async with opened(settings, context.directory, client, pace.answer_s_max) as wire:
            sink = NatsSink(wire, root, settings.in_flight_max, wording, proven)
            yield spoken(sink, wording)

    return PlainUpstream(name, context, way, pace, records_per_s=settings.records_per_s)


UPSTREAM = UpstreamType(
    "nats", NatsSettings, make, "NATS JetStream, each record confirmed", needs="nats"
)

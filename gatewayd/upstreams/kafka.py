"""Kafka upstream: records into one partition of a topic, in order, by an idempotent producer.

One batch at a time is under way and is taken as a whole or not at all; so order holds whatever is
refused. The producer's own repetitions leave no doubles; after a lost connection a record may be
there twice, with the same `id` header.
"""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gatewayd.errors import UpstreamError
from gatewayd.settings.kinds import UpstreamType
from gatewayd.store.model import Record
from gatewayd.upstreams.backoff import FIELD, Pace
from gatewayd.upstreams.contract import Outcome, UpstreamContext
from gatewayd.upstreams.kafka_settings import KafkaSettings
from gatewayd.upstreams.plain import LosableSink, PlainUpstream
from gatewayd.upstreams.refused import RefusedError
from gatewayd.upstreams.worded import Wording, spoken, wording_of

CLOUD_EVENT = b"application/cloudevents+json"
JSON = b"application/json"


@dataclass(frozen=True, slots=True)
class Message:
    """A record as the topic has it: the key is its source, so that a compacted key is one rig.

    `topic` is empty for that of the settings.
    """

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    time_ms: int


class Wire(Protocol):
    """What a sink needs of the producer."""

    gone: asyncio.Event
    why: str

    async def send(self, messages: Sequence[Message]) -> int:
        """How many, from the first on, the cluster has now; 0 when not even the first fits.

        Raises RefusedError, or UpstreamError when it is lost.
        """
        ...


class KafkaSink:
    """Records by one producer."""

    def __init__(self, wire: Wire, wording: Wording, proven: Callable[[], None]) -> None:
        self.gone = wire.gone
        self._wording = wording
        self._wire = wire
        self._proven = proven

    @property
    def why(self) -> str:
        """Why the producer is gone."""
        return self._wire.why

    async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:
        """Send as few batches as fit, one after the other, and none behind a refusal."""
        assert not alone or len(batch) == 1
        accepted: set[int] = set()
        rejected: dict[int, str] = {}
        waiting = list(batch)
        while waiting:
            try:
                taken = await self._wire.send([message(one, self._wording) for one in waiting])
            except RefusedError as exc:
                if not (exc.permanent and len(waiting) == 1):
                    return Outcome(frozenset(accepted), rejected, str(exc))
                rejected[waiting.pop().sequence] = str(exc)
            except UpstreamError as exc:
                return Outcome(frozenset(accepted), rejected, str(exc))
            else:
                taken = taken or self._too_large(waiting[0], rejected)
                done, waiting = waiting[:taken], waiting[taken:]
                accepted |= {each.sequence for each in done} - rejected.keys()
        if accepted:
            self._proven()
        return Outcome(frozenset(accepted), rejected)

    @staticmethod
    def _too_large(record: Record, rejected: dict[int, str]) -> int:
        rejected[record.sequence] = f"larger than message_bytes_max ({len(record.body)} characters)"
        return 1


def message(record: Record, wording: Wording) -> Message:
    """A record as a message: ours as the CloudEvents Kafka binding has it, or the platform's."""
    event, letter = json.loads(record.body), wording.letter(record)
    time = datetime.fromisoformat(event["time"])
    headers = (
        ("content-type", JSON if wording.mapped else CLOUD_EVENT),
        ("id", record.id.encode()),
        ("kind", record.kind.encode()),
    )
    key = (letter.key or str(event["source"])).encode()
    body = letter.body.encode()
    return Message(letter.to, key, body, headers, int(time.timestamp() * 1000))


def partition_of(station_id: str, partitions: int) -> int:
    """The partition of a station's records; the same as long as their number is."""
    return zlib.crc32(station_id.encode()) % partitions


def make(
    name: str, settings: KafkaSettings, context: UpstreamContext, pace: Pace = FIELD
) -> PlainUpstream:
    """A Kafka upstream; touches no network."""
    # Imported here: it is an extra, and others do without its memory.
    from gatewayd.upstreams.kafka_wire import opened  # noqa: PLC0415 - see above

    wording = wording_of(settings)

    @asynccontextmanager
    async def way(proven: Callable[[], None]) -> AsyncIterator[LosableSink]:
        async with opened(settings, context, f"gatewayd-{context.station_id}-{name}") as wire:
            yield spoken(KafkaSink(wire, wording, proven), wording)

    return PlainUpstream(name, context, way, pace, records_per_s=settings.records_per_s)


UPSTREAM = UpstreamType(
    "kafka", KafkaSettings, make, "Kafka topic, idempotent producer", needs="aiokafka"
)

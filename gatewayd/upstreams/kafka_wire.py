"""The way to Kafka: the only file that knows aiokafka, imported when one is configured."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidMessageError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    RequestTimedOutError,
)

from gatewayd.errors import UpstreamError
from gatewayd.upstreams.aside import aside, heed
from gatewayd.upstreams.contract import UpstreamContext
from gatewayd.upstreams.kafka import Message, partition_of
from gatewayd.upstreams.kafka_settings import KafkaSettings
from gatewayd.upstreams.refused import RefusedError

PERMANENT = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidMessageError)
SILENT = (KafkaTimeoutError, RequestTimedOutError)
"""No answer in time: the cluster may have it or not."""
RETRY_MS = 100
LEAVE_S_MAX = 1.0
WORDS_MAX = 200


class KafkaWire:
    """One producer, for as long as its cluster answers."""

    def __init__(self, producer: AIOKafkaProducer, settings: KafkaSettings, station: str) -> None:
        self.gone = asyncio.Event()
        self.why = ""
        self._producer = producer
        self._settings = settings
        self._station = station

    async def send(self, messages: Sequence[Message]) -> int:
        """How many, from the first on, the cluster has now; 0 when not even the first fits.

        Raises RefusedError, or UpstreamError when it is lost.
        """
        batch, topic = self._producer.create_batch(), messages[0].topic
        count = 0
        for each in messages:
            if each.topic != topic:
                break
            headers = list(each.headers)
            if len(each.value) > self._settings.message_bytes_max or not batch.append(
                timestamp=each.time_ms, key=each.key, value=each.value, headers=headers
            ):
                break
            count += 1
        if count:
            await self._send(batch, topic or self._settings.topic)
        return count

    async def _send(self, batch: Any, topic: str) -> None:
        settings = self._settings
        try:
            async with asyncio.timeout(settings.answer_within_s):
                partitions = await self._producer.partitions_for(topic)
                partition = partition_of(self._station, len(partitions))
                future = await self._producer.send_batch(batch, topic, partition=partition)
                await future
        except (*SILENT, TimeoutError) as exc:
            self._end(f"no answer within {settings.answer_within_s} s", exc)
        except KafkaError as exc:
            heed()
            if not exc.retriable and type(exc) is not KafkaError:
                permanent = isinstance(exc, PERMANENT)
                raise RefusedError(_words(exc), permanent=permanent) from exc
            self._end(_words(exc), exc)
        except (OSError, ValueError, TypeError) as exc:
            self._end(_cut(str(exc)) or type(exc).__name__, exc)
        heed()

    def _end(self, why: str, exc: Exception) -> None:
        """Whatever is no clear answer ends this producer: the batch may be there or not."""
        heed()
        if not self.gone.is_set():
            self.why = why
            self.gone.set()
        raise UpstreamError(self.why) from exc


def _words(error: KafkaError) -> str:
    return _cut(str(error).strip() or type(error).__name__)


def _cut(text: str) -> str:
    return text if len(text) <= WORDS_MAX else f"{text[:WORDS_MAX]}…"


@asynccontextmanager
async def opened(
    settings: KafkaSettings, context: UpstreamContext, name: str
) -> AsyncIterator[KafkaWire]:
    """A producer until the caller leaves; raises UpstreamError when no broker answers."""
    options = await _options(settings, context.directory)
    producer = AIOKafkaProducer(client_id=name, **options)
    try:
        try:
            async with asyncio.timeout(settings.answer_within_s):
                await producer.start()
        except TimeoutError as exc:
            heed()
            raise UpstreamError(f"no answer within {settings.answer_within_s} s") from exc
        except (KafkaError, OSError, ValueError, TypeError) as exc:
            heed()
            raise UpstreamError(f"cannot connect: {_cut(str(exc))}") from exc
        heed()
        yield KafkaWire(producer, settings, context.station_id)
    finally:
        await _leave(producer)


async def _options(settings: KafkaSettings, directory: Path) -> dict[str, Any]:
    tls: list[ssl.SSLContext] = []
    files = settings.tls
    if files is not None:
        await aside(lambda: tls.append(files.context(directory)), done=lambda: None)
    secured, named = bool(tls), settings.username is not None
    options: dict[str, Any] = {
        "bootstrap_servers": list(settings.brokers),
        "request_timeout_ms": settings.answer_within_s * 1000,
        "retry_backoff_ms": RETRY_MS,
        "max_request_size": settings.message_bytes_max,
        "max_batch_size": settings.message_bytes_max,
        "enable_idempotence": True,
        "acks": "all",
        "security_protocol": ("SASL_" if named else "") + ("SSL" if secured else "PLAINTEXT"),
    }
    if secured:
        options["ssl_context"] = tls[0]
    if named:
        options |= {
            "sasl_mechanism": settings.sasl,
            "sasl_plain_username": settings.username,
            "sasl_plain_password": settings.password,
        }
    return options


async def _leave(producer: AIOKafkaProducer) -> None:
    """Let go of the producer; what it still had to say is said again by the next one."""
    try:
        async with asyncio.timeout(LEAVE_S_MAX):
            await producer.stop()
    except (TimeoutError, KafkaError, OSError):
        # It waits for what it has not delivered; that is the outbox's now, not its.
        with suppress(KafkaError, OSError):
            await producer._sender.close()  # noqa: SLF001 - it has no other way to be let go
            await producer.client.close()

"""HTTP upstream: records by POST, each with its id as idempotency key, in order, one at a time.

The body is the record itself (`application/cloudevents+json`), or an array of records
(`application/cloudevents-batch+json`) where `batch_max` is more than 1. A batch's key is the hash
of its ids. With `hmac_secret` a request is signed as Standard Webhooks 1.0.0 says. With `mapping`
a request is what the mapping makes of the records.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from gatewayd.errors import UpstreamError
from gatewayd.settings.kinds import UpstreamType
from gatewayd.store.model import Record
from gatewayd.upstreams.aside import aside
from gatewayd.upstreams.backoff import FIELD, Pace
from gatewayd.upstreams.contract import Outcome, UpstreamContext
from gatewayd.upstreams.http_answers import Answer, judge
from gatewayd.upstreams.http_headers import headers_of, idempotency_key
from gatewayd.upstreams.http_mapped import MappedSink
from gatewayd.upstreams.http_settings import HttpSettings
from gatewayd.upstreams.plain import PlainUpstream
from gatewayd.upstreams.tls import TlsSettings

REQUEST_BYTES_MAX = 1 << 20
"""A batch is cut before it grows larger; a single record goes as large as it is."""
ONE = "application/cloudevents+json"
MANY = "application/cloudevents-batch+json"


class Poster(Protocol):
    """What a sink needs of the wire."""

    async def post(self, body: bytes, headers: dict[str, str]) -> Answer:
        """Send one request; raises UpstreamError when no whole answer came."""
        ...


class HttpSink:
    """Records over one wire; gone at the first request without an answer."""

    def __init__(
        self,
        wire: Poster,
        settings: HttpSettings,
        context: UpstreamContext,
        proven: Callable[[], None],
    ) -> None:
        self.gone = asyncio.Event()
        self.why = ""
        self._wire = wire
        self._settings = settings
        self._context = context
        self._proven = proven

    async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:
        """Send requests one after another, and none behind a record that is kept."""
        assert not alone or len(batch) == 1
        accepted: frozenset[int] = frozenset()
        rejected: dict[int, str] = {}
        for part in parts(batch, self._settings.batch_max):
            outcome = await self._send(part)
            accepted |= outcome.accepted
            rejected |= outcome.rejected
            if outcome.kept:
                return Outcome(accepted, rejected, outcome.kept, outcome.wait_s)
        self._proven()
        return Outcome(accepted, rejected)

    async def _send(self, part: Sequence[Record]) -> Outcome:
        many = self._settings.batch_max > 1
        body = b",".join(record.body.encode() for record in part)
        body = b"[" + body + b"]" if many else body
        try:
            key, content_type = idempotency_key(part), MANY if many else ONE
            headers = headers_of(self._settings, self._context, key, body, content_type)
            answer = await self._wire.post(body, headers)
        except UpstreamError as exc:
            self.why = str(exc)
            self.gone.set()
            return Outcome(kept=self.why)
        settings = self._settings
        trust = settings.answer == "status"
        return judge(answer, part, trust_status=trust, codes=settings.codes)


def parts(batch: Sequence[Record], batch_max: int) -> Iterator[Sequence[Record]]:
    """A batch as requests, in order: at most `batch_max` records and REQUEST_BYTES_MAX each."""
    begin, size = 0, 0
    for index, record in enumerate(batch):
        length = len(record.body.encode()) + 1
        full = index - begin == batch_max or size + length > REQUEST_BYTES_MAX
        if full and index > begin:
            yield batch[begin:index]
            begin, size = index, 0
        size += length
    yield batch[begin:]


async def tls_of(settings: HttpSettings, directory: Path) -> ssl.SSLContext | None:
    """Read the TLS files off the loop; None for plain HTTP. Raises UpstreamError."""
    if not settings.secure:
        return None
    made: list[ssl.SSLContext] = []
    files = settings.tls or TlsSettings()
    await aside(lambda: made.append(files.context(directory)), done=lambda: None)
    return made[0]


def make(
    name: str, settings: HttpSettings, context: UpstreamContext, pace: Pace = FIELD
) -> PlainUpstream:
    """An HTTP upstream; touches no network."""
    # Imported here: a station without such an upstream does without aiohttp's memory.
    from gatewayd.upstreams.http_wire import opened  # noqa: PLC0415 - see above

    @asynccontextmanager
    async def way(proven: Callable[[], None]) -> AsyncIterator[HttpSink | MappedSink]:
        tls = await tls_of(settings, context.directory)
        async with opened(settings, tls, context.clock) as wire:
            if settings.tongue is None:
                yield HttpSink(wire, settings, context, proven)
            else:
                yield MappedSink(wire, settings, settings.tongue, context, proven)

    return PlainUpstream(name, context, way, pace, records_per_s=settings.records_per_s)


UPSTREAM = UpstreamType("http", HttpSettings, make, "HTTP(S) POST, one record or batches, signed")

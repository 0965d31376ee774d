"""HTTP upstream: records by POST, each with its id as idempotency key, in order, one at a time.

The body is the record itself (`application/cloudevents+json`), or an array of records
(`application/cloudevents-batch+json`) where `batch_max` is more than 1. A batch's key is the hash
of its ids. With `hmac_secret` a request is signed as Standard Webhooks 1.0.0 says.
"""

import asyncio
import base64
import hashlib
import hmac
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from gatewayd.errors import UpstreamError
from gatewayd.settings.kinds import UpstreamType
from gatewayd.store.model import Record
from gatewayd.upstreams.aside import aside
from gatewayd.upstreams.backoff import FIELD, Pace
from gatewayd.upstreams.contract import Outcome, UpstreamContext
from gatewayd.upstreams.http_answers import Answer, judge
from gatewayd.upstreams.http_settings import HttpSettings, signing_key
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
        self._proven: Callable[[], None] | None = proven

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
        if self._proven is not None:
            self._proven()
            self._proven = None
        return Outcome(accepted, rejected)

    async def _send(self, part: Sequence[Record]) -> Outcome:
        many = self._settings.batch_max > 1
        body = b",".join(record.body.encode() for record in part)
        body = b"[" + body + b"]" if many else body
        try:
            answer = await self._wire.post(body, self._headers(part, body, MANY if many else ONE))
        except UpstreamError as exc:
            self.why = str(exc)
            self.gone.set()
            return Outcome(kept=self.why)
        settings = self._settings
        trust = settings.answer == "status"
        return judge(answer, part, trust_status=trust, codes=settings.codes)

    def _headers(self, part: Sequence[Record], body: bytes, content_type: str) -> dict[str, str]:
        settings, key = self._settings, idempotency_key(part)
        headers = {
            **settings.headers,
            "Content-Type": content_type,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": f"gatewayd/{self._context.version}",
            "Idempotency-Key": key,
        }
        if settings.bearer is not None:
            headers["Authorization"] = f"Bearer {settings.bearer}"
        if settings.hmac_secret is not None:
            now = self._context.clock.wall()
            headers |= signature(settings.hmac_secret, key, now, body)
        return headers


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


def idempotency_key(part: Sequence[Record]) -> str:
    """The record's id; of a batch the SHA-256, in hex, of its ids with a line feed after each."""
    if len(part) == 1:
        return part[0].id
    return hashlib.sha256("".join(f"{record.id}\n" for record in part).encode()).hexdigest()


def signature(secret: str, key: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks 1.0.0: HMAC-SHA256 over `id.timestamp.body`, base64."""
    seconds = int(now.timestamp())
    signed = f"{key}.{seconds}.".encode() + body
    code = base64.b64encode(hmac.digest(signing_key(secret), signed, "sha256")).decode()
    return {
        "webhook-id": key,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{code}",
    }


async def _tls(settings: HttpSettings, directory: Path) -> ssl.SSLContext | None:
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
    async def way(proven: Callable[[], None]) -> AsyncIterator[HttpSink]:
        tls = await _tls(settings, context.directory)
        async with opened(settings, tls, context.clock) as wire:
            yield HttpSink(wire, settings, context, proven)

    return PlainUpstream(name, context, way, pace, records_per_s=settings.records_per_s)


UPSTREAM = UpstreamType("http", HttpSettings, make, "HTTP(S) POST, one record or batches, signed")

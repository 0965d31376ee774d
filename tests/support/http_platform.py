"""A real HTTP(S) platform on loopback that takes records, or answers whatever a test wants."""

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from gatewayd.sim.broker import free_port
from tests.support.certificates import Certificates

PATH = "/records"
Reply = Callable[["Request"], web.StreamResponse]


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived. `records` are the bytes of each record in it."""

    headers: Mapping[str, str]
    body: bytes
    records: Sequence[bytes]

    @property
    def ids(self) -> list[str]:
        """The ids of its records."""
        return [str(json.loads(record)["id"]) for record in self.records]


class HttpPlatform:
    """Keeps what it accepts, in order of arrival; the port stays over restarts.

    `replies` are used up first, one a request, and keep nothing. Then: `refuse_over_bytes` refuses
    a larger record, by `results` in a batch and by 413 alone; `busy` refuses everything with 503.
    Requests wait while `open` is not set.
    """

    def __init__(
        self, certificates: Certificates | None = None, *, ask_client: bool = False
    ) -> None:
        self.port = free_port()
        self.asked = 0
        self.requests: list[Request] = []
        self.arrived: list[bytes] = []
        self.replies: list[Reply] = []
        self.refuse_over_bytes = 1 << 20
        self.busy = False
        self.open = asyncio.Event()
        self.open.set()
        self._tls = _server_tls(certificates, ask_client=ask_client) if certificates else None
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """What goes into `url:` of an upstream."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}{PATH}"

    async def start(self) -> Self:
        """Listen."""
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post(PATH, self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, "127.0.0.1", self.port, ssl_context=self._tls, reuse_address=True
        )
        await site.start()
        return self

    async def stop(self) -> None:
        """Close every connection and listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _take(self, raw: web.Request) -> web.StreamResponse:
        self.asked += 1
        await self.open.wait()
        body = await raw.read()
        many = raw.content_type == "application/cloudevents-batch+json"
        records = _split(body) if many else [body]
        request = Request(dict(raw.headers), body, records)
        self.requests.append(request)
        if self.replies:
            return self.replies.pop(0)(request)
        if self.busy:
            return web.Response(status=503, text="closed for stock-taking")
        return self._batch(request) if many else self._single(request)

    def _single(self, request: Request) -> web.Response:
        if len(request.body) > self.refuse_over_bytes:
            return web.json_response({"reason": "too large for us"}, status=413)
        self.arrived.append(request.body)
        return web.Response(status=204)

    def _batch(self, request: Request) -> web.Response:
        results: list[dict[str, Any]] = []
        for record_id, record in zip(request.ids, request.records, strict=True):
            if len(record) > self.refuse_over_bytes:
                reason = "too large for us"
                results.append({"id": record_id, "status": "rejected", "reason": reason})
            else:
                self.arrived.append(record)
                results.append({"id": record_id, "status": "accepted"})
        return web.json_response({"results": results})


def _split(body: bytes) -> list[bytes]:
    """The records of an array, byte for byte as they stand in it."""
    text, decoder, found, at = body.decode(), json.JSONDecoder(), list[bytes](), 1
    while at < len(text) - 1:
        _, end = decoder.raw_decode(text, at)
        found.append(text[at:end].encode())
        at = end + 1
    assert text[0] + text[-1] == "[]", text[:20]
    return found


def _server_tls(certificates: Certificates, *, ask_client: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server_cert, certificates.server_key)
    if ask_client:
        context.load_verify_locations(certificates.ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context

"""A real HTTP platform on loopback with a tongue of its own: it hears everything, and answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from gatewayd.sim.broker import free_port


@dataclass(frozen=True, slots=True)
class Heard:
    """One request as it arrived; `path` as it was written."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def value(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


Answer = Callable[[Heard], web.StreamResponse]


def fine(_heard: Heard) -> web.StreamResponse:
    """What a platform that takes everything says."""
    return web.json_response({"code": 200, "msg": "ok"})


class CityPlatform:
    """Answers with `replies` first, one a request, then by `usual`. Waits while `open` is clear."""

    def __init__(self) -> None:
        self.port = free_port()
        self.heard: list[Heard] = []
        self.replies: list[Answer] = []
        self.usual: Answer = fine
        self.open = asyncio.Event()
        self.open.set()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """What goes into `url:` of an upstream."""
        return f"http://127.0.0.1:{self.port}/api"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{rest:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, raw: web.Request) -> web.StreamResponse:
        body = await raw.read()
        path = raw.raw_path.partition("?")[0]
        heard = Heard(raw.method, path, dict(raw.query), dict(raw.headers), body)
        self.heard.append(heard)
        await self.open.wait()
        answer = self.replies.pop(0) if self.replies else self.usual
        return answer(heard)


@asynccontextmanager
async def saying(*chunks: bytes) -> AsyncIterator[str]:
    """A server that reads a little, says this, and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        try:
            for chunk in chunks:
                writer.write(chunk)
                await writer.drain()
        except ConnectionError:
            pass  # the client had enough
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/api"
    finally:
        server.close()

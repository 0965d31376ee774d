"""The way to an HTTP platform: the only file that knows aiohttp, imported when one is configured.

No redirect is followed, no cookie kept, no proxy of the environment used, nothing decompressed, and
no request is ever repeated here: the outbox does that.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from gatewayd.clock import Clock
from gatewayd.errors import UpstreamError
from gatewayd.upstreams.aside import aside
from gatewayd.upstreams.http_answers import ANSWER_BYTES_MAX, Answer, cut
from gatewayd.upstreams.http_settings import HttpSettings

IDLE_S_MAX = 10.0
"""A connection that carried nothing for so long is closed by us, before a server does it unseen."""
RETRY_AFTER_S_MAX = 3600.0
"""A platform may ask to be left alone for at most so long; then we look again."""


class Wire:
    """Sends to one URL and below it over connections that are kept while they are used."""

    def __init__(
        self, session: aiohttp.ClientSession, settings: HttpSettings, clock: Clock
    ) -> None:
        self._session = session
        self._settings = settings
        self._clock = clock

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send one request; raises UpstreamError when no whole answer came in time."""
        return await self.send("POST", "", body, headers)

    async def send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], query: str = ""
    ) -> Answer:
        """Send one request to a path below the url; path and query are encoded already.

        Raises UpstreamError when no whole answer came in time.
        """
        within_s = self._settings.answer_within_s
        url = self._settings.url.rstrip("/") + path if path else self._settings.url
        url = f"{url}?{query}" if query else url
        try:
            async with (
                asyncio.timeout(within_s),
                self._session.request(
                    method,
                    URL(url, encoded=bool(path or query)),
                    data=body or None,
                    headers=headers,
                    allow_redirects=False,
                ) as response,
            ):
                return await self._read(response)
        except TimeoutError as exc:
            raise UpstreamError(f"no whole answer within {within_s} s") from exc
        except (aiohttp.ClientError, OSError, ValueError) as exc:
            what = cut(str(exc)) or type(exc).__name__
            raise UpstreamError(f"no whole answer: {what}") from exc

    async def _read(self, response: aiohttp.ClientResponse) -> Answer:
        """Read a bounded answer; the connection of a longer one is dropped."""
        body = b""
        async for part in response.content.iter_any():
            body += part
            if len(body) > ANSWER_BYTES_MAX:
                response.close()
                break
        plain = response.headers.get("Content-Encoding", "identity") in {"", "identity"}
        return Answer(
            status=response.status,
            body=body[:ANSWER_BYTES_MAX],
            readable=plain and len(body) <= ANSWER_BYTES_MAX,
            retry_after_s=retry_after_s(
                response.headers.get("Retry-After", ""), self._clock.wall()
            ),
            location=response.headers.get("Location", ""),
        )


@asynccontextmanager
async def opened(
    settings: HttpSettings, tls: ssl.SSLContext | None, clock: Clock
) -> AsyncIterator[Wire]:
    """A wire for as long as it is needed; touches no network by itself."""
    connector = aiohttp.TCPConnector(
        limit=1,
        ssl=tls or True,
        keepalive_timeout=IDLE_S_MAX,
        resolver=_Resolver(),
        use_dns_cache=False,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield Wire(session, settings, clock)


class _Resolver(AbstractResolver):
    """Looks names up in a thread that nobody waits for at the end."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found: list[ResolveResult] = []

        def look_up() -> None:
            for kind, _, proto, _, address in socket.getaddrinfo(
                host, port, family=family, type=socket.SOCK_STREAM
            ):
                found.append(
                    ResolveResult(
                        hostname=host,
                        host=str(address[0]),
                        port=port,
                        family=kind,
                        proto=proto,
                        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
                    )
                )

        await aside(look_up, done=lambda: None)
        return found

    async def close(self) -> None:
        """Nothing to release."""


def retry_after_s(text: str, now: datetime) -> float:
    """`Retry-After` (RFC 9110, 10.2.3), seconds or a date, as seconds from now; 0: not said."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:10])
    else:
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return 0.0
        seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, 0.0), RETRY_AFTER_S_MAX)

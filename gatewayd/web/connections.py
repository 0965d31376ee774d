"""What bounds the connections of the page: how many, how fast, how much waits in each; TLS."""

import asyncio
import socket
import ssl
from pathlib import Path

from gatewayd.logs import logger
from gatewayd.settings.web import WebSettings

CONNECTIONS_MAX = 128
"""Open connections; one more is closed at once."""
REQUESTS_S_MAX = 100
REQUESTS_AT_ONCE_MAX = 50
"""How fast requests are taken, all together; more wait on their connections, and cost nothing: the
rigs are on the same loop."""
WRITE_BYTES_MAX = 16 * 1024
"""What waits in our own memory, and about as much in the kernel, for one live page."""

log = logger("web")


class Pace:
    """Lets requests through one by one, at most so many a second after a few at once."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._next_s = 0.0

    async def turn(self) -> None:
        """Wait for one's turn."""
        async with self._turn:
            now_s = asyncio.get_running_loop().time()
            early_s = REQUESTS_AT_ONCE_MAX / REQUESTS_S_MAX
            self._next_s = max(self._next_s, now_s - early_s) + 1 / REQUESTS_S_MAX
            if self._next_s > now_s:
                await asyncio.sleep(self._next_s - now_s)


class Refusing(asyncio.Protocol):
    """One connection more than there may be."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it at once."""
        assert isinstance(transport, asyncio.Transport), transport
        log.warning("web.too_many_connections", most=CONNECTIONS_MAX)
        transport.abort()


def bound(transport: asyncio.Transport) -> None:
    """Keep little for a page that is slow: it is noticed after seconds, not after megabytes."""
    transport.set_write_buffer_limits(high=WRITE_BYTES_MAX)
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, WRITE_BYTES_MAX)


def tls(settings: WebSettings, directory: Path) -> ssl.SSLContext | None:
    """Reads the files; raises OSError (also ssl.SSLError) when one is wrong."""
    if settings.tls is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(*settings.tls.paths(directory))
    return context

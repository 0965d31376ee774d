"""The way to a NATS server: the only file that knows nats-py, imported when one is configured.

It never reconnects behind our back: a lost connection ends, and the upstream opens another.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js.api import Header

from gatewayd.errors import UpstreamError
from gatewayd.upstreams.aside import aside, heed
from gatewayd.upstreams.nats_settings import NatsSettings
from gatewayd.upstreams.refused import RefusedError
from gatewayd.upstreams.tls import TlsSettings

TOO_LARGE = 10054
"""JetStream's error code for a message above the stream's `max_msg_size` (server/errors.json)."""
PING_S = 10
PINGS_UNANSWERED_MAX = 2
"""A server that is there but silent is left after so many pings."""
LEAVE_S_MAX = 1.0
WORDS_MAX = 200
"""Of what a server says, so much is kept for people."""


class NatsWire:
    """One connection, for as long as it lasts."""

    def __init__(self, stream: str | None, answer_s_max: float) -> None:
        self.gone = asyncio.Event()
        self.why = ""
        self._stream = stream
        self._answer_s_max = answer_s_max
        self.client = Client()

    def lose(self, why: str) -> None:
        """This connection is over; the first reason stays."""
        if not self.gone.is_set():
            self.why = why
            self.gone.set()

    async def publish(self, subject: str, body: bytes, record_id: str) -> None:
        """Return once the stream has it; raises RefusedError, or UpstreamError when it is lost."""
        if self.gone.is_set():
            raise UpstreamError(self.why)
        headers: dict[str, Any] = {Header.MSG_ID: record_id}
        try:
            answer = await self.client.jetstream().publish(
                subject, body, timeout=self._answer_s_max, stream=self._stream, headers=headers
            )
        except nats.errors.MaxPayloadError as exc:
            limit = self.client.max_payload
            why = f"larger than the server takes ({len(body)} B, it takes {limit} B)"
            raise RefusedError(why, permanent=True) from exc
        except nats.js.errors.NoStreamResponseError as exc:
            raise RefusedError(f"no stream at the server takes {subject}") from exc
        except nats.js.errors.APIError as exc:
            raise RefusedError(_words(exc), permanent=exc.err_code == TOO_LARGE) from exc
        except (nats.errors.Error, OSError, ValueError, KeyError, TypeError) as exc:
            # Whatever else came is no yes: a timeout, a closed connection, an unreadable answer.
            heed()
            self.lose(f"no answer from the stream: {_cut(str(exc) or type(exc).__name__)}")
            raise UpstreamError(self.why) from exc
        heed()
        if not answer.stream:
            self.lose("the answer names no stream")
            raise UpstreamError(self.why)


def _words(error: nats.js.errors.APIError) -> str:
    return _cut(f"{error.description or error} (JetStream {error.err_code or error.code})")


def _cut(text: str) -> str:
    return text if len(text) <= WORDS_MAX else f"{text[:WORDS_MAX]}…"


@asynccontextmanager
async def opened(
    settings: NatsSettings, directory: Path, name: str, answer_s_max: float
) -> AsyncIterator[NatsWire]:
    """A connection to the first server that answers, until the caller leaves.

    Raises UpstreamError when none can be had.
    """
    guard = Guard(await _tls(settings, directory))
    options = _options(settings, directory, guard) | {"name": name}
    wire = await _first(settings.servers, options, guard, settings.stream, answer_s_max)
    try:
        yield wire
    finally:
        await _leave(wire)


class Guard:
    """Sees to it that no secret and no record goes out before TLS is proven.

    nats-py begins TLS only when the server asks for it: one that does not, or somebody between us
    who strips that word, would get everything in the clear.
    """

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self.context = context
        self.proven = context is None
        if context is not None:
            context.sslobject_class = self._noted()

    def _noted(self) -> type[ssl.SSLObject]:
        guard = self

        class Noted(ssl.SSLObject):
            """Tells when its handshake, with the certificate checked, has ended well."""

            def do_handshake(self) -> None:
                super().do_handshake()
                guard.proven = True

        return Noted

    def check(self) -> None:
        """Raise UpstreamError unless the connection is what the settings say."""
        if not self.proven:
            raise UpstreamError("the server offers no TLS; nothing was sent")

    def secret(self, text: str) -> Callable[[], str]:
        """The secret, handed out behind the check."""

        def give() -> str:
            self.check()
            return text

        return give


async def _first(
    servers: Sequence[str],
    options: dict[str, Any],
    guard: Guard,
    stream: str | None,
    answer_s_max: float,
) -> NatsWire:
    why = ""
    for server in servers:
        wire = NatsWire(stream, answer_s_max)
        guard.proven = guard.context is None
        try:
            await _connect(wire, {**options, "servers": [server]}, answer_s_max)
            guard.check()
            heed()
        except UpstreamError as exc:
            await _leave(wire)
            heed()
            why = why or (str(exc) if len(servers) == 1 else f"{server}: {exc}")
            continue
        except asyncio.CancelledError:
            await _leave(wire)
            raise
        return wire
    raise UpstreamError(why)


async def _connect(wire: NatsWire, options: dict[str, Any], answer_s_max: float) -> None:
    async def closed() -> None:
        wire.lose("the server closed the connection")

    async def trouble(error: Exception) -> None:
        """An error that the client met by itself; only some end the connection."""

    try:
        async with asyncio.timeout(answer_s_max):
            await wire.client.connect(
                **options, closed_cb=closed, disconnected_cb=closed, error_cb=trouble
            )
    except TimeoutError as exc:
        raise UpstreamError(f"no NATS server answers within {answer_s_max:g} s") from exc
    except (nats.errors.Error, OSError, ValueError, KeyError, AttributeError, TypeError) as exc:
        # A server that is none may say anything where INFO is expected.
        raise UpstreamError(f"cannot connect: {_cut(str(exc)) or type(exc).__name__}") from exc


async def _tls(settings: NatsSettings, directory: Path) -> ssl.SSLContext | None:
    """Read the TLS files off the loop; None without TLS. Raises UpstreamError."""
    if not settings.secure:
        return None
    made: list[ssl.SSLContext] = []
    files = settings.tls or TlsSettings()
    await aside(lambda: made.append(files.context(directory)), done=lambda: None)
    return made[0]


def _options(settings: NatsSettings, directory: Path, guard: Guard) -> dict[str, Any]:
    options: dict[str, Any] = {
        "allow_reconnect": False,
        "dont_randomize": True,
        "no_echo": True,
        "ping_interval": PING_S,
        "max_outstanding_pings": PINGS_UNANSWERED_MAX,
    }
    if guard.context is not None:
        options["tls"] = guard.context
    if settings.username is not None and settings.password is not None:
        options["user"] = guard.secret(settings.username)
        options["password"] = guard.secret(settings.password)
    if settings.token is not None:
        options["token"] = guard.secret(settings.token)
    if settings.credentials_file is not None:
        options["user_credentials"] = str(directory / settings.credentials_file)
    return options


async def _leave(wire: NatsWire) -> None:
    """Let go of the connection; what it still had to say is said again over the next one."""
    with suppress(nats.errors.Error, OSError, TimeoutError):
        async with asyncio.timeout(LEAVE_S_MAX):
            await wire.client.close()

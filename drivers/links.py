"""The wires: how a device is reached, and one byte stream with deadlines for TCP and serial.

Everything that can go wrong on a wire becomes a DriverError whose text says the wire and the
cause in plain words. A stream never reconnects: the driver ends, supervision opens a new one.
"""

import asyncio
import contextlib
import errno
import re
import socket
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias

import serialx
from pydantic import Discriminator, Field, Tag, field_validator

from drivers import serial_port
from drivers.contract import DriverError, Strict
from drivers.link_troubles import unreachable

OPEN_WITHIN_S = 5.0
"""How long a host or a port may take to open."""
CLOSE_WITHIN_S = 1.0
"""How long closing waits for the descriptor to be gone; it is gone soon after in any case."""
PENDING_BYTES_MAX = 65_536
"""Bytes received and not yet read; at the limit reading pauses and the sender is held back."""
KEEPALIVE_IDLE_S = 5
KEEPALIVE_EVERY_S = 2
KEEPALIVE_PROBES = 3
"""A silent TCP peer that lost power is noticed after 5 + 2 * 3 s, also when we never write."""

_HOST_PORT = re.compile(r"(?:\[([^\s/\[\]]+)\]|([^\s:/\[\]]+)):([0-9]{1,5})\Z")
_PORT_MAX = 65_535

_CAUSES = {
    errno.ECONNREFUSED: "connection refused",
    errno.EHOSTUNREACH: "no route to host",
    errno.ENETUNREACH: "no route to host",
    errno.ETIMEDOUT: "no answer",
    errno.ECONNRESET: "connection reset by the device",
    errno.EPIPE: "closed by the device",
    errno.ENOENT: "no such port",
    errno.ENODEV: "no such port",
    errno.ENXIO: "no such port",
    errno.ENOTTY: "not a serial port",
    errno.EBUSY: "port is used by another program",
    errno.EACCES: "no permission to open the port",
    errno.EPERM: "no permission to open the port",
    errno.EIO: "port unplugged or hung up",
}


class LinkSilentError(DriverError):
    """Nothing arrived in time; the stream is still open and may be read again."""


def host_port(text: str) -> tuple[str, int]:
    """Split `host:port` or `[v6]:port`; raises ValueError with what was expected."""
    match = _HOST_PORT.match(text)
    if match is None or not 1 <= int(match[3]) <= _PORT_MAX:
        raise ValueError("expected host:port with a port of 1..65535, e.g. 192.168.1.40:502")
    return match[1] or match[2], int(match[3])


class TcpLink(Strict):
    """A device on the network that we connect to: `{tcp: "host:port"}`."""

    tcp: str = Field(max_length=300, examples=["192.168.1.40:502"])

    @field_validator("tcp")
    @classmethod
    def _host_port(cls, value: str) -> str:
        host_port(value)
        return value.lower()

    def wire(self) -> str:
        """The physical wire: `tcp:host:port`."""
        return f"tcp:{self.tcp}"


class SerialLink(Strict):
    """A serial port, 8 data bits: `{serial: path, baud: 9600, parity: none, stop_bits: 1}`."""

    serial: str = Field(pattern=r"^/\S+$", max_length=300, examples=["/dev/serial/by-id/usb-X"])
    baud: int = Field(default=9600, ge=300, le=4_000_000)
    parity: Literal["none", "even", "odd"] = "none"
    stop_bits: Literal[1, 2] = 1

    def wire(self) -> str:
        """The physical wire: `serial:/dev/...`."""
        return f"serial:{self.serial}"

    def char_s(self) -> float:
        """Seconds one character takes: start, 8 data, parity, stop bits."""
        return (1 + 8 + (self.parity != "none") + self.stop_bits) / self.baud


def _kind(value: Any) -> str:
    """Tell links apart by their first key, so that errors speak of the link that was meant."""
    serial = "serial" in value if isinstance(value, dict) else isinstance(value, SerialLink)
    return "SerialLink" if serial else "TcpLink"


Link: TypeAlias = Annotated[
    Annotated[TcpLink, Tag("TcpLink")] | Annotated[SerialLink, Tag("SerialLink")],
    Discriminator(_kind),
]
"""`{tcp: "host:port"}` or `{serial: path, baud: n, parity: none|even|odd, stop_bits: 1|2}`."""


def cause(exc: BaseException) -> str:
    """An operating system error in plain words."""
    if isinstance(exc, socket.gaierror):
        return "host name not found"
    if isinstance(exc, TimeoutError):
        return "no answer"
    number = exc.errno if isinstance(exc, OSError) else None
    return _CAUSES.get(number or 0, str(exc) or type(exc).__name__)


class Stream(asyncio.Protocol):
    """Bytes to and from one device; one task reads, every call has a deadline.

    `lost` says in plain words why the link is gone; empty while it is open.
    It is the asyncio protocol of its own transport, so it also serves an accepted connection:
    `loop.create_server(lambda: Stream("tcp:..."), ...)`, with `on_open` to learn of it.
    """

    def __init__(self, wire: str, on_open: Callable[["Stream"], None] | None = None) -> None:
        self.wire = wire
        self._on_open = on_open
        self._transport: Any = None
        self._pending = bytearray()
        self.lost = ""
        self._held_back = False
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._gone = asyncio.get_running_loop().create_future()

    # Called by asyncio.

    def connection_made(self, transport: Any) -> None:
        """Take the transport; from now on a write waits until the kernel took everything."""
        self._transport = transport
        transport.set_write_buffer_limits(high=0)
        if self._on_open is not None:
            self._on_open(self)

    def data_received(self, data: bytes) -> None:
        """Keep what arrived for the next read."""
        self._pending += data
        if len(self._pending) >= PENDING_BYTES_MAX:
            self._held_back = True
            self._transport.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> None:
        """The peer closed; what it sent before can still be read."""
        self.lost = self.lost or "closed by the device"

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone; whoever waits learns why."""
        self.lost = self.lost or (cause(exc) if exc is not None else "closed")
        _wake(self._reader)
        _wake(self._writer)
        _wake(self._gone)

    def pause_writing(self) -> None:
        """The kernel took only a part."""
        self._writer = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """The kernel took all of it."""
        _wake(self._writer)
        self._writer = None

    # Called by drivers.

    @property
    def is_open(self) -> bool:
        """False once either side has closed; buffered bytes may remain."""
        return not self.lost

    async def read(self, max_bytes: int, within_s: float | None) -> bytes:
        """1..`max_bytes` bytes as soon as any are there; `within_s` None waits for ever.

        Raises LinkSilentError when nothing came in time, DriverError when the link is lost and
        everything received before has been read.
        """
        assert self._reader is None, f"{self.wire}: two readers"
        if not self._pending and not self.lost:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await _wait(self._reader, within_s)
            finally:
                self._reader = None
        if self._pending:
            return self._take(max_bytes)
        if self.lost:
            raise DriverError(f"{self.wire}: {self.lost}")
        raise LinkSilentError(f"{self.wire}: no answer within {within_s} s")

    async def write(self, data: bytes, within_s: float) -> None:
        """Hand all of `data` to the kernel; raises DriverError when it does not take it in time."""
        if self.lost:
            raise DriverError(f"{self.wire}: {self.lost}")
        try:
            self._transport.write(data)
        except (OSError, serialx.SerialException) as exc:
            raise DriverError(f"{self.wire}: {cause(exc)}") from exc
        if self._writer is not None:
            await _wait(self._writer, within_s)
        if self.lost:
            raise DriverError(f"{self.wire}: {self.lost}")
        if self._writer is not None:
            raise DriverError(f"{self.wire}: could not send within {within_s} s")

    def discard(self) -> bytes:
        """Throw away, and return for showing, what was received and not read."""
        return self._take(len(self._pending))

    async def close(self) -> None:
        """Drop unsent bytes and close; safe to repeat, never longer than CLOSE_WITHIN_S."""
        self.lost = self.lost or "closed"
        if isinstance(self._transport, serialx.BaseSerialTransport):
            # A driver may sit on unsent bytes in close(2) for 30 s; a dead port has none to drop.
            with contextlib.suppress(OSError, serialx.SerialException):
                self._transport.serial.reset_write_buffer()
        self._transport.abort()
        await _wait(self._gone, CLOSE_WITHIN_S)

    def _take(self, max_bytes: int) -> bytes:
        data = bytes(self._pending[:max_bytes])
        del self._pending[:max_bytes]
        if self._held_back and not self.lost and len(self._pending) < PENDING_BYTES_MAX:
            self._held_back = False
            self._transport.resume_reading()
        return data


async def open_stream(link: TcpLink | SerialLink, *, within_s: float = OPEN_WITHIN_S) -> Stream:
    """Open the wire; raises DriverError with the reason and what to check, in plain words."""
    try:
        async with asyncio.timeout(within_s):
            if isinstance(link, TcpLink):
                return await _open_tcp(link)
            return await _open_serial(link)
    except (OSError, serialx.SerialException) as exc:
        raise DriverError(f"{link.wire()}: {cause(exc)}", unreachable(link.wire(), exc)) from exc


async def _open_tcp(link: TcpLink) -> Stream:
    host, port = host_port(link.tcp)
    loop = asyncio.get_running_loop()
    transport, stream = await loop.create_connection(lambda: Stream(link.wire()), host, port)
    keep_alive(transport.get_extra_info("socket"))
    return stream


async def _open_serial(link: SerialLink) -> Stream:
    stream = await serial_port.connect(
        lambda: Stream(link.wire()),
        link.serial,
        baud=link.baud,
        parity=link.parity,
        stop_bits=link.stop_bits,
    )
    assert isinstance(stream, Stream)
    return stream


def keep_alive(sock: socket.socket) -> None:
    """Send at once, and notice a peer that lost power (limits above)."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_EVERY_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
    silent_ms_max = (KEEPALIVE_IDLE_S + KEEPALIVE_EVERY_S * KEEPALIVE_PROBES) * 1000
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, silent_ms_max)


def _wake(waiter: "asyncio.Future[None] | None") -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


async def _wait(waiter: "asyncio.Future[None]", within_s: float | None) -> None:
    """Wait until woken or until the time is over; a timer on the future costs half a timeout()."""
    if within_s is None:
        await waiter
        return
    timer = asyncio.get_running_loop().call_later(within_s, _wake, waiter)
    try:
        await waiter
    finally:
        timer.cancel()

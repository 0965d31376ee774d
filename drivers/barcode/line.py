"""Scanners that send codes as text, over serial or TCP: printed labels, QR, ceramic barcodes.

A quiet scanner is healthy. What is not a whole readable code is noise, and so is what a head says
when it saw nothing (NG, NOREAD, ERROR).
"""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, NoReturn, TypeAlias, cast

from pydantic import Discriminator, Field, Tag, field_validator

from drivers.contract import CodeRead, Context, Driver, DriverError, DriverType, Strict
from drivers.links import (
    LinkSilentError,
    SerialLink,
    Stream,
    TcpLink,
    cause,
    host_port,
    keep_alive,
    open_stream,
)
from protocols.framing import FrameError, Noise, Piece
from protocols.scanners import NO_READ, Suffix, TextFramer, decode_text, is_no_read

READ_BYTES = 4096
NO_READS_MAX = 16
"""How many no-read texts one scanner may have."""
IDLE_MS = {"serial": 200, "tcp": 1000}
"""Silence after which a code without its suffix is given up. Bytes of a serial line are 15 ms
apart at most; a lost TCP segment comes again within a second."""
IDLE_ENDS_MS = {"serial": 50, "tcp": 200}
"""Silence that ends a code when the scanner sends no suffix."""


class ListenLink(Strict):
    """A scanner that connects to us: `{listen: "host:port"}`."""

    listen: str = Field(max_length=300, examples=["0.0.0.0:9000"])

    @field_validator("listen")
    @classmethod
    def _host_port(cls, value: str) -> str:
        host_port(value)
        return value.lower()

    def wire(self) -> str:
        """Our end of the wire: `listen:host:port`."""
        return f"listen:{self.listen}"


def _kind(value: Any) -> str:
    listen = "listen" in value if isinstance(value, dict) else isinstance(value, ListenLink)
    return "ListenLink" if listen else "TcpLink"


ScannerLink: TypeAlias = Annotated[
    Annotated[TcpLink, Tag("TcpLink")] | Annotated[ListenLink, Tag("ListenLink")],
    Discriminator(_kind),
]


class _Settings(Strict):
    """What scanners on any wire have."""

    suffix: Suffix = Field(
        default="auto",
        description="what ends a code: auto (CR, LF or CRLF), cr, lf, crlf, etx, none (silence)",
    )
    idle_ms: int | None = Field(
        default=None, ge=10, le=10_000, description="silence that ends or drops a code"
    )
    no_read: tuple[str, ...] = Field(
        default=NO_READ, max_length=NO_READS_MAX, description="texts that mean: saw no code"
    )


class SerialSettings(_Settings):
    """Settings of `barcode.serial`."""

    link: SerialLink


class TcpSettings(_Settings):
    """Settings of `barcode.tcp`."""

    link: ScannerLink


class Scanner:
    """One configured scanner."""

    def __init__(self, name: str, settings: SerialSettings | TcpSettings) -> None:
        self.name = name
        self._settings = settings
        wire = "serial" if isinstance(settings, SerialSettings) else "tcp"
        usual_ms = (IDLE_ENDS_MS if settings.suffix == "none" else IDLE_MS)[wire]
        self._idle_s = (settings.idle_ms or usual_ms) / 1000

    async def run(self, context: Context) -> None:
        """Take codes until the link fails; raises DriverError."""
        link = self._settings.link
        if isinstance(link, ListenLink):
            await _Listener(self, link, context).run()
            return
        stream = await open_stream(link)
        try:
            context.up(f"scanner on {stream.wire}")
            await self.read(stream, context)
        finally:
            await stream.close()

    async def read(self, stream: Stream, context: Context) -> NoReturn:
        """Take codes from one open stream; raises DriverError when it ends."""
        framer = TextFramer(self._settings.suffix)
        while True:
            try:
                waiting = framer.is_inside
                data = await stream.read(READ_BYTES, self._idle_s if waiting else None)
            except LinkSilentError:
                self._take(framer.idle(), context)
            else:
                self._take(framer.feed(data), context)

    def _take(self, pieces: list[Piece], context: Context) -> None:
        for piece in pieces:
            if isinstance(piece, Noise):
                context.noise(piece.reason, piece.raw)
            else:
                self._code(piece, context)

    def _code(self, raw: bytes, context: Context) -> None:
        try:
            text = decode_text(raw)
        except FrameError as exc:
            context.noise(str(exc), raw)
            return
        if is_no_read(text, self._settings.no_read):
            context.noise("the scanner saw no code", raw)
            return
        context.emit(CodeRead(self.name, text, context.monotonic_ns()))


class _Listener:
    """Our listening end: one scanner at a time, and a newer connection is the scanner."""

    def __init__(self, scanner: Scanner, link: ListenLink, context: Context) -> None:
        self._scanner = scanner
        self._link = link
        self._context = context
        self._current: Stream | None = None
        self._open: set[Stream] = set()

    async def run(self) -> None:
        """Listen until the connected scanner leaves; raises DriverError."""
        try:
            async with asyncio.TaskGroup() as group:
                await self._listen(group)
        except ExceptionGroup as failed:
            lost, bugs = failed.split(DriverError)
            if lost is None or bugs is not None:
                raise
            raise DriverError(str(lost.exceptions[0])) from failed
        finally:
            for stream in list(self._open):
                await stream.close()

    async def _listen(self, group: asyncio.TaskGroup) -> None:
        def accept(stream: Stream) -> None:
            self._open.add(stream)
            replaced, self._current = self._current, stream
            if replaced is not None:
                group.create_task(replaced.close())
            group.create_task(self._serve(stream))

        wire = self._link.wire()
        host, port = host_port(self._link.listen)
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(
                lambda: Stream(wire, accept), host, port, start_serving=False
            )
        except OSError as exc:
            raise DriverError(f"{wire}: {cause(exc)}") from exc
        try:
            for sock in server.sockets:
                keep_alive(cast("Any", sock))  # An accepted connection inherits it on Linux.
            await server.start_serving()
            await loop.create_future()
        finally:
            server.close()

    async def _serve(self, stream: Stream) -> None:
        self._context.up(f"scanner connected to {self._link.listen}")
        try:
            await self._scanner.read(stream, self._context)
        except DriverError:
            if self._current is stream:
                raise
        finally:
            await stream.close()
            self._open.discard(stream)


def _make(name: str, settings: SerialSettings | TcpSettings, profiles: Mapping[str, Any]) -> Driver:
    del profiles  # A scanner has no register map.
    return Scanner(name, settings)


SERIAL = DriverType(
    name="barcode.serial",
    settings=SerialSettings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary="Text scanners on a serial or USB CDC port",
    capabilities=frozenset({"identify"}),
)
TCP = DriverType(
    name="barcode.tcp",
    settings=TcpSettings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary="Text scanners on TCP, connecting to them or letting them connect",
    capabilities=frozenset({"identify"}),
)

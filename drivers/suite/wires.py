"""Real wires to a scripted device: a loopback socket and a pseudo terminal, with faults on the way.

The device itself stays naive; what a cable, a bridge or a tired device does to its bytes is here.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from drivers.suite.terminal import Terminal

READ_BYTES = 4096

Hear: TypeAlias = Callable[[bytes], None]
Plugged: TypeAlias = Callable[[Callable[[bytes], None], Callable[[], None]], Hear]
"""`plugged(send, unplug) -> hear`: somebody opened the wire; who hears what they say."""


@dataclass
class Faults:
    """What happens to the bytes a device sends; may change while it runs."""

    before: bytes = b""
    """Garbage in front of everything sent."""
    instead: bytes | None = None
    """Sent instead of everything: a device of another make."""
    silent: bool = False
    """Nothing arrives, yet the wire is open."""
    repeats: int = 1
    """How many times everything arrives."""
    slow_s: float = 0.0
    """How late everything arrives."""
    held: bool = False
    """Everything waits on the way, in order, until it is `let_go`."""
    _waiting: list[tuple[bytes, Callable[[bytes], None]]] = field(default_factory=list)

    def carry(self, data: bytes, send: Callable[[bytes], None]) -> None:
        """Pass on what one send of the device becomes."""
        if self.silent:
            return
        sent = self.instead if self.instead is not None else (self.before + data) * self.repeats
        if self.held:
            self._waiting.append((sent, send))
        elif self.slow_s:
            asyncio.get_running_loop().call_later(self.slow_s, send, sent)
        else:
            send(sent)

    def let_go(self) -> None:
        """The network gives out what it held back."""
        self.held = False
        for sent, send in self._waiting:
            send(sent)
        self._waiting.clear()


class Wire(Protocol):
    """A way to reach a scripted device; yields the `link` setting that leads to it."""

    __name__: str

    def __call__(
        self, plugged: Plugged, faults: Faults | None = None
    ) -> AbstractAsyncContextManager[dict[str, Any]]:
        """Serve the device until the block ends."""
        ...


@asynccontextmanager
async def on_tcp(plugged: Plugged, faults: Faults | None = None) -> AsyncIterator[dict[str, Any]]:
    """Serve a scripted device on loopback; every connection plugs it in anew."""
    carried = faults or Faults()
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

        def write(data: bytes) -> None:
            if not writer.is_closing():
                writer.write(data)

        hear = plugged(lambda data: carried.carry(data, write), writer.close)
        try:
            while data := await reader.read(READ_BYTES):
                hear(data)
        except ConnectionError:
            pass  # Whoever we played for has left.
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield {"tcp": f"127.0.0.1:{port}"}
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await asyncio.sleep(0)


class _Plug:
    """A terminal whose far end is a device; never blocks, whoever is slow."""

    def __init__(self) -> None:
        self._terminal = Terminal()
        self.path = self._terminal.path
        self._waiting = bytearray()
        self._loop = asyncio.get_running_loop()

    def hear(self, hear: Hear) -> None:
        def ready() -> None:
            with contextlib.suppress(BlockingIOError):
                hear(os.read(self._terminal.far, READ_BYTES))

        self._loop.add_reader(self._terminal.far, ready)

    def send(self, data: bytes) -> None:
        if self._terminal.is_open:
            self._waiting += data
            self._flush()

    def _flush(self) -> None:
        far = self._terminal.far
        with contextlib.suppress(BlockingIOError):  # Nobody reads; the rest goes when they do.
            del self._waiting[: os.write(far, self._waiting)]
        if self._waiting:
            self._loop.add_writer(far, self._flush)
        else:
            self._loop.remove_writer(far)

    def close(self) -> None:
        """Pull the plug; safe to repeat."""
        if self._terminal.is_open:
            self._loop.remove_reader(self._terminal.far)
            self._loop.remove_writer(self._terminal.far)
            self._terminal.close()


@asynccontextmanager
async def on_pty(plugged: Plugged, faults: Faults | None = None) -> AsyncIterator[dict[str, Any]]:
    """Serve a scripted device on a pseudo terminal; it is plugged in once, before it is opened."""
    carried = faults or Faults()
    plug = _Plug()
    plug.hear(plugged(lambda data: carried.carry(data, plug.send), plug.close))
    try:
        yield {"serial": plug.path}
    finally:
        plug.close()


WIRES: tuple[Wire, ...] = (on_tcp, on_pty)
"""The wires of a device that can be on either."""

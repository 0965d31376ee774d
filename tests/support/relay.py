"""A TCP relay on loopback that a test can cut and close, to lose bytes at any moment."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Relay:
    """Passes bytes between `port` and a target port of 127.0.0.1 while it is open.

    `cut` ends every connection at once; closed, it refuses new ones. `answers_left` counts down
    the bytes that still pass from the target to the client; at 0 everything is cut. `garbage`
    arrives in the place of whatever the target says; `swap` are bytes of it and what comes in
    their place. `on_answer` gets what has just passed on to the client. While `flowing` is not set
    nothing passes and every connection stays.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self.answers_left: int | None = None
        self.garbage: bytes | None = None
        self.on_answer: Callable[[bytes], None] = lambda _data: None
        self.swap: tuple[bytes, bytes] = (b"", b"")
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.target = target
        self._open = True
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """What goes into `url:` of an upstream."""
        return f"mqtt://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Cut every connection and refuse new ones."""
        self._open = False
        self.cut()

    def open(self) -> None:
        """Let connections through."""
        self._open = True

    def cut(self) -> None:
        """End every connection in the middle of whatever it carries."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers += [writer, back]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pass(reader, back, counted=False))
            tasks.create_task(self._pass(there, writer, counted=True))

    async def _pass(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, counted: bool
    ) -> None:
        try:
            while data := await source.read(4096):
                await self.flowing.wait()
                if counted and self.swap[0]:
                    data = data.replace(*self.swap)
                if counted and self.garbage is not None:
                    data = self.garbage
                if counted and self.answers_left is not None:
                    data = data[: self.answers_left]
                    self.answers_left -= len(data)
                sink.write(data)
                await sink.drain()
                if counted:
                    self.on_answer(data)
                if counted and self.answers_left == 0:
                    self.answers_left = None
                    self.cut()
                    return
        except ConnectionError:
            pass  # cut
        finally:
            sink.transport.abort()

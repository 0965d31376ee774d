"""Scanners that connect to us."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeAlias, cast

from drivers.barcode.settings import ListenLink
from drivers.contract import Context, DriverError
from drivers.links import Stream, cause, host_port, keep_alive

Serve: TypeAlias = Callable[[Stream, Context, str], Awaitable[NoReturn]]
"""Takes codes from one open stream and says what it is; raises DriverError when it ends."""


class Listener:
    """Our listening end: one scanner at a time, and a newer connection is the scanner."""

    def __init__(self, serve: Serve, link: ListenLink, context: Context) -> None:
        self._take = serve
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
            first = lost.exceptions[0]
            raise DriverError(str(first), getattr(first, "trouble", None)) from failed
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
        try:
            what = f"scanner connected to {self._link.listen}"
            await self._take(stream, self._context, what)
        except DriverError:
            if self._current is stream:
                raise
        finally:
            await stream.close()
            self._open.discard(stream)

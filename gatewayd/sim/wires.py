"""The wires of simulated devices: TCP ports and ptys that can be unplugged and plugged in again.

A device is a function: it gets the line of one peer and returns what to do with bytes from it.
No tasks and no streams: bytes arrive by callback, answers leave at once, a peer that goes is gone.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import pty
import termios
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeAlias

READ_BYTES_MAX = 4096
UNSENT_BYTES_MAX = 65_536
"""A peer that does not read loses what is beyond this, as on a real wire."""


class Line(Protocol):
    """One peer at the other end."""

    def send(self, data: bytes) -> None:
        """Send now; bytes that nobody takes are lost."""
        ...


Feed: TypeAlias = Callable[[bytes], None]
Device: TypeAlias = Callable[[Line], Feed]


class Wire(Protocol):
    """A place where a device can be reached, until it is unplugged."""

    @property
    def address(self) -> str:
        """What to write into a device's `link`."""
        ...

    @property
    def lines(self) -> tuple[Line, ...]:
        """Everyone connected now."""
        ...

    async def plug(self) -> None:
        """Make the device reachable, at the same address as before."""
        ...

    def unplug(self) -> None:
        """Cut every peer and refuse new ones."""
        ...


class _TcpLine(asyncio.Protocol):
    """One accepted connection."""

    def __init__(self, wire: "TcpWire") -> None:
        self._wire = wire
        self._transport: asyncio.Transport | None = None
        self._feed: Feed | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start a session of the device for this peer."""
        assert isinstance(transport, asyncio.Transport), transport
        self._transport = transport
        self._feed = self._wire.device(self)
        self._wire.join(self)

    def data_received(self, data: bytes) -> None:
        """Hand the bytes to the device."""
        assert self._feed is not None
        self._feed(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the peer; why it went does not matter to a device."""
        del exc
        self._transport = None
        self._wire.leave(self)

    def send(self, data: bytes) -> None:
        """Send now; nothing happens when the peer is gone or does not read."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() <= UNSENT_BYTES_MAX:
            transport.write(data)

    def abort(self) -> None:
        """Cut this peer without a goodbye."""
        if self._transport is not None:
            self._transport.abort()


class TcpWire:
    """A device that listens at `host`; the port is chosen at the first plug and then kept."""

    def __init__(self, device: Device, port: int = 0, host: str = "127.0.0.1") -> None:
        self.device = device
        self.port = port
        self.host = host
        self._server: asyncio.Server | None = None
        self._lines: list[_TcpLine] = []

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{self.host}:{self.port}"

    @property
    def lines(self) -> tuple[Line, ...]:
        """Everyone connected now."""
        return tuple(self._lines)

    async def plug(self) -> None:
        """Listen; raises OSError when the port was taken by another program meanwhile."""
        if self._server is not None:
            return
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _TcpLine(self), self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def unplug(self) -> None:
        """Stop listening and cut every peer."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for line in tuple(self._lines):
            line.abort()

    def join(self, line: _TcpLine) -> None:
        """A peer connected."""
        self._lines.append(line)

    def leave(self, line: _TcpLine) -> None:
        """A peer went."""
        with contextlib.suppress(ValueError):
            self._lines.remove(line)


class PtyWire:
    """A device on a serial port: a pty behind a link of a fixed name, as udev makes for a real one.

    The slave side stays open here, so a peer may come and go without an EIO on our side. Its
    exclusive flag is cleared by `tend`, because a peer that was killed leaves it behind and a
    real port would have lost it with the last close.
    """

    def __init__(self, device: Device, link: Path) -> None:
        self.device = device
        self.link = link
        self._master = -1
        self._slave = -1
        self._feed: Feed | None = None

    @property
    def address(self) -> str:
        """The path of the port."""
        return str(self.link)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The wire itself while it is plugged in: a serial port cannot tell who listens."""
        return () if self._master < 0 else (self,)

    async def plug(self) -> None:
        """Make the port appear under its name."""
        if self._master >= 0:
            return
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._feed = self.device(self)
        asyncio.get_running_loop().add_reader(self._master, self._on_readable)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self._slave))

    def unplug(self) -> None:
        """Make the port vanish; whoever has it open gets an input/output error."""
        if self._master < 0:
            return
        asyncio.get_running_loop().remove_reader(self._master)
        self.link.unlink(missing_ok=True)
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1

    def tend(self) -> None:
        """Give the port back when its last exclusive owner was killed. Call now and then."""
        if self._slave >= 0:
            fcntl.ioctl(self._slave, termios.TIOCNXCL)

    def send(self, data: bytes) -> None:
        """Write now; what does not fit into the pty is lost."""
        if self._master < 0:
            return
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, data)

    def _on_readable(self) -> None:
        try:
            data = os.read(self._master, READ_BYTES_MAX)
        except OSError as exc:
            if exc.errno in (errno.EAGAIN, errno.EIO):
                return
            raise
        assert self._feed is not None
        self._feed(data)

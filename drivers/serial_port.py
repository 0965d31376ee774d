"""Open a serial port exclusively; an event loop may bring ports of its own."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import serialx


@runtime_checkable
class HasPorts(Protocol):
    """An event loop that brings its own serial ports, as it may bring its own network."""

    async def create_serial_connection(
        self, factory: Callable[[], asyncio.Protocol], path: str, **settings: Any
    ) -> tuple[Any, asyncio.Protocol]:
        """As `serialx.create_serial_connection` on this loop."""
        ...


async def connect(
    factory: Callable[[], asyncio.Protocol], path: str, *, baud: int, parity: str, stop_bits: int
) -> asyncio.Protocol:
    """The protocol on its open port, 8 data bits.

    Raises OSError or serialx.SerialException.
    """
    loop = asyncio.get_running_loop()
    settings: dict[str, Any] = {
        "baudrate": baud,
        "parity": serialx.Parity[parity.upper()],
        "stopbits": serialx.StopBits(stop_bits),
        "exclusive": True,
    }
    if isinstance(loop, HasPorts):
        _, protocol = await loop.create_serial_connection(factory, path, **settings)
        return protocol
    _, opened = await serialx.create_serial_connection(loop, factory, path, **settings)
    return opened

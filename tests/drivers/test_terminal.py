"""A terminal's name ends with it: the next one is never opened by who still tries the last."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from drivers.contract import DriverError
from drivers.links import SerialLink, open_stream
from drivers.suite import on_pty
from drivers.suite.terminal import Terminal
from gatewayd.sim.wires import PtyWire
from tests.support.plcs import Plc, RtuBus
from tests.support.slowbus import SlowBus


@asynccontextmanager
async def scripted(_: Path) -> AsyncIterator[str]:
    async with on_pty(lambda _send, _unplug: lambda _data: None) as link:
        yield link["serial"]


@asynccontextmanager
async def bus(_: Path) -> AsyncIterator[str]:
    async with RtuBus({1: Plc()}).serving() as line:
        yield line.path


@asynccontextmanager
async def slow_bus(_: Path) -> AsyncIterator[str]:
    async with SlowBus({1: Plc()}, 9_600).serving() as line:
        yield line.path


@asynccontextmanager
async def simulated(folder: Path) -> AsyncIterator[str]:
    wire = PtyWire(lambda _line: lambda _data: None, folder / "port")
    await wire.plug()
    yield wire.address
    wire.unplug()


@pytest.mark.parametrize("port", [scripted, bus, slow_bus, simulated])
async def test_the_name_of_a_port_that_is_gone_leads_to_no_other(
    port: Callable[[Path], AbstractAsyncContextManager[str]], tmp_path: Path
) -> None:
    async with port(tmp_path) as name:
        stream = await open_stream(SerialLink(serial=name))
        await stream.close()
    async with scripted(tmp_path), scripted(tmp_path):  # One of them has its number.
        with pytest.raises(DriverError, match="no such port"):
            await open_stream(SerialLink(serial=name))


async def test_a_port_that_is_pulled_is_gone_at_once_and_for_good() -> None:
    one = Terminal()
    stream = await open_stream(SerialLink(serial=one.path))
    one.close()
    one.close()
    other = Terminal()
    assert not one.is_open
    assert other.is_open
    with pytest.raises(DriverError, match="unplugged or hung up"):
        await stream.read(1, 1)
    with pytest.raises(DriverError, match="no such port"):
        await open_stream(SerialLink(serial=one.path))
    assert not Path(one.path).parent.exists()
    await stream.close()
    other.close()

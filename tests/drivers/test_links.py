"""Streams against real sockets and ptys."""

import asyncio
import os
import pty
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from drivers.contract import DriverError
from drivers.links import (
    PENDING_BYTES_MAX,
    Link,
    LinkSilentError,
    SerialLink,
    Stream,
    TcpLink,
    open_stream,
)
from tests.support.waiting import WITHIN_S, until

LINK: TypeAdapter[TcpLink | SerialLink] = TypeAdapter(Link)


def fds() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@asynccontextmanager
async def device() -> AsyncIterator[tuple[Stream, Stream]]:
    """A link to a device on loopback: (our end, the device's end)."""
    accepted: asyncio.Queue[Stream] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Stream("tcp:device", accepted.put_nowait), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    ours = await open_stream(TcpLink(tcp=f"127.0.0.1:{port}"))
    theirs = await accepted.get()
    try:
        yield ours, theirs
    finally:
        await ours.close()
        await theirs.close()
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def pty_device() -> AsyncIterator[tuple[Stream, int]]:
    master, slave = pty.openpty()
    try:
        stream = await open_stream(SerialLink(serial=os.ttyname(slave)))
        try:
            yield stream, master
        finally:
            await stream.close()
    finally:
        os.close(slave)
        os.close(master)


async def closed_at_once(stream: Stream) -> None:
    async with asyncio.timeout(WITHIN_S):
        await stream.close()
    assert stream._gone.done(), "close gave up waiting for the descriptor"


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        ({"tcp": "192.168.1.30:6000"}, "tcp:192.168.1.30:6000"),
        ({"tcp": "PLC.local:502"}, "tcp:plc.local:502"),
        ({"tcp": "[fe80::1%eth0]:502"}, "tcp:[fe80::1%eth0]:502"),
        ({"serial": "/dev/ttyUSB0", "baud": 19200}, "serial:/dev/ttyUSB0"),
    ],
)
def test_a_link_names_its_wire(value: dict[str, object], wire: str) -> None:
    assert LINK.validate_python(value).wire() == wire


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"tcp": "192.168.1.30"}, "expected host:port"),
        ({"tcp": "192.168.1.30:0"}, "expected host:port"),
        ({"tcp": "192.168.1.30:65536"}, "expected host:port"),
        ({"tcp": "a:1", "baud": 9600}, "Extra inputs"),
        ({"serial": "ttyUSB0"}, "String should match pattern"),
        ({"serial": "/dev/ttyUSB0", "baud": "9600"}, "valid integer"),
        ({"serial": "/dev/ttyUSB0", "baud": 299}, "greater than or equal to 300"),
        ({"serial": "/dev/ttyUSB0", "parity": "mark"}, "'none', 'even' or 'odd'"),
        ({"serial": "/dev/ttyUSB0", "stop_bits": 3}, "1 or 2"),
        ({}, "Field required"),
    ],
)
def test_a_wrong_link_is_refused_and_never_clamped(value: dict[str, object], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected) as caught:
        LINK.validate_python(value)
    assert caught.value.error_count() == 1


def test_a_character_takes_as_long_as_its_bits() -> None:
    assert SerialLink(serial="/dev/x").char_s() == 10 / 9600
    assert SerialLink(serial="/dev/x", parity="even", stop_bits=2).char_s() == 12 / 9600


async def test_bytes_go_both_ways_and_a_read_takes_what_is_there() -> None:
    async with device() as (ours, theirs):
        await ours.write(b"ask", 1)
        assert await theirs.read(100, 1) == b"ask"
        await theirs.write(b"answer", 1)
        assert await ours.read(2, 1) == b"an"
        assert await ours.read(100, 1) == b"swer"


async def test_silence_is_an_error_after_the_deadline_and_the_link_lives_on() -> None:
    async with device() as (ours, theirs):
        with pytest.raises(LinkSilentError, match=r"no answer within 0.02 s"):
            await ours.read(1, 0.02)
        await theirs.write(b"late", 1)
        assert await ours.read(10, 1) == b"late"


async def test_what_was_sent_before_the_close_is_still_read() -> None:
    async with device() as (ours, theirs):
        await theirs.write(b"bye", 1)
        await theirs.close()
        await until(lambda: ours.lost == "closed by the device")
        assert await ours.read(10, 1) == b"bye"
        with pytest.raises(DriverError, match=r"^tcp:127.*: closed by the device$"):
            await ours.read(10, 1)
        with pytest.raises(DriverError, match="closed by the device"):
            await ours.write(b"x", 1)


async def test_a_reset_is_told_to_the_waiting_reader() -> None:
    async with device() as (ours, theirs):
        sock = theirs._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        reading = asyncio.ensure_future(ours.read(1, None))
        await asyncio.sleep(0)
        await theirs.close()
        with pytest.raises(DriverError, match="connection reset by the device"):
            await reading


async def test_discard_returns_what_it_threw_away() -> None:
    async with device() as (ours, theirs):
        await theirs.write(b"stale", 1)
        await until(lambda: bool(ours._pending))
        assert ours.discard() == b"stale"
        assert ours.discard() == b""


async def test_a_device_that_does_not_take_our_bytes_is_an_error_and_close_does_not_hang() -> None:
    async with device() as (ours, theirs):
        theirs._transport.pause_reading()
        with pytest.raises(DriverError, match=r"could not send within 0.1 s"):
            await ours.write(bytes(32_000_000), 0.1)
        await closed_at_once(ours)


async def test_a_flood_is_held_back_at_the_limit_and_nothing_is_lost() -> None:
    async with device() as (ours, theirs):
        sending = asyncio.ensure_future(theirs.write(bytes(20_000_000), WITHIN_S))
        await until(lambda: ours._held_back)
        await asyncio.sleep(0.05)  # the sender has time to send more than we want
        assert len(ours._pending) < PENDING_BYTES_MAX + 300_000
        count = 0
        while count < 20_000_000:
            count += len(await ours.read(1_000_000, WITHIN_S))
        await sending
        assert count == 20_000_000


async def test_a_cancelled_read_leaves_the_stream_usable() -> None:
    async with device() as (ours, theirs):
        reading = asyncio.ensure_future(ours.read(1, None))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await theirs.write(b"ok", 1)
        assert await ours.read(9, 1) == b"ok"


async def test_nobody_listening_is_refused_in_plain_words() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with pytest.raises(DriverError, match=rf"^tcp:127.0.0.1:{port}: connection refused$"):
        await open_stream(TcpLink(tcp=f"127.0.0.1:{port}"))


async def test_a_host_that_never_answers_is_an_error_within_the_deadline() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for sock in waiting:
            sock.setblocking(False)  # noqa: FBT003 - the socket API
            sock.connect_ex(("127.0.0.1", port))
        with pytest.raises(DriverError, match="no answer"):
            await open_stream(TcpLink(tcp=f"127.0.0.1:{port}"), within_s=0.1)
        for sock in waiting:
            sock.close()


async def test_a_port_that_is_not_there_says_so() -> None:
    with pytest.raises(DriverError, match=r"^serial:/dev/not-there: no such port$"):
        await open_stream(SerialLink(serial="/dev/not-there"))


async def test_a_file_that_is_no_serial_port_says_so(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(DriverError, match="not a serial port"):
        await open_stream(SerialLink(serial=str(path)))


async def test_a_port_in_use_says_so() -> None:
    async with pty_device() as (stream, _):
        with pytest.raises(DriverError, match="used by another program"):
            await open_stream(SerialLink(serial=stream.wire.removeprefix("serial:")))


async def test_serial_bytes_go_both_ways_unchanged() -> None:
    every_byte = bytes(range(256))
    async with pty_device() as (stream, master):
        await stream.write(every_byte, 1)
        assert os.read(master, 1000) == every_byte
        os.write(master, every_byte)
        got = b""
        while len(got) < 256:
            got += await stream.read(1000, 1)
        assert got == every_byte


async def test_an_unplugged_port_is_told_to_the_waiting_reader() -> None:
    master, slave = pty.openpty()
    stream = await open_stream(SerialLink(serial=os.ttyname(slave)))
    os.close(slave)
    os.close(master)
    with pytest.raises(DriverError, match="port unplugged or hung up"):
        await stream.read(1, 1)
    await stream.close()


async def test_closing_a_serial_port_with_unsent_bytes_does_not_hang() -> None:
    async with pty_device() as (stream, _):
        with pytest.raises(DriverError, match="could not send"):
            await stream.write(bytes(1_000_000), 0.05)
        await closed_at_once(stream)


async def test_closing_leaves_no_descriptor_and_no_task() -> None:
    async with device():
        pass
    async with pty_device():
        pass
    before = fds()
    for _ in range(5):
        async with device() as (ours, _), pty_device() as (stream, _):
            await ours.close()
            await stream.close()
    await until(lambda: fds() <= before)
    assert asyncio.all_tasks() == {asyncio.current_task()}

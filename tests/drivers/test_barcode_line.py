import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.barcode.line import SERIAL, TCP
from drivers.contract import CodeRead, Driver
from gatewayd.sim.broker import free_port
from protocols.scanners import TEXT_BYTES_MAX
from tests.support.readers import on_pty, on_tcp, running
from tests.support.waiting import LOOK_EVERY_S, WITHIN_S, until

CODE = "3701000042"
Wire = Callable[[Any], AbstractAsyncContextManager[dict[str, Any]]]


@dataclass
class ScriptedScanner:
    """A head that sends what it is told to."""

    send: Callable[[bytes], None] = lambda _: None
    unplug: Callable[[], None] = lambda: None

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        self.send, self.unplug = send, unplug
        return lambda _: None


def driver(link: dict[str, Any], **settings: Any) -> Driver:
    kind = SERIAL if "serial" in link else TCP
    parsed = kind.settings.model_validate_json(json.dumps({"link": link, **settings}))
    made: Driver = kind.make("qr-1", parsed, {})
    return made


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
async def test_codes_arrive_on_either_wire_and_a_quiet_scanner_is_healthy(wire: Wire) -> None:
    head = ScriptedScanner()
    async with wire(head.plugged) as link, running(driver(link, idle_ms=10_000)) as bench:
        await bench.until(lambda: bench.ups)
        await asyncio.sleep(0.3)  # quiet is the point
        assert bench.error is None
        for piece in (b"37010", b"00042\r", "\n济南\r\n".encode(), "气瓶\r".encode("gbk")):
            head.send(piece)
            await asyncio.sleep(0.01)  # pieces come one by one; together they mean the same
        await bench.until(lambda: len(bench.texts) >= 3)
    assert bench.texts == [CODE, "济南", "气瓶"]
    read = bench.readings[0]
    assert isinstance(read, CodeRead)
    assert read.device == "qr-1"
    assert read.at_ns > 0
    assert bench.noise == []
    assert len(bench.ups) == 1


@pytest.mark.parametrize(
    ("suffix", "sent"),
    [
        ("cr", b"%s\r"),
        ("lf", b"%s\n"),
        ("crlf", b"%s\r\n"),
        ("etx", b"\x02%s\x03"),
        ("none", b"%s"),
    ],
)
async def test_every_suffix_is_stripped(suffix: str, sent: bytes) -> None:
    head = ScriptedScanner()
    async with on_tcp(head.plugged) as link, running(driver(link, suffix=suffix)) as bench:
        await bench.until(lambda: bench.ups)
        head.send(sent % CODE.encode())
        await bench.until(lambda: bench.texts)
    assert bench.texts == [CODE]


async def test_what_is_no_code_never_becomes_a_read() -> None:
    head = ScriptedScanner()
    async with on_tcp(head.plugged) as link, running(driver(link, no_read=["NG", "?"])) as bench:
        await bench.until(lambda: bench.ups)
        for sent in (b"NG", b" ng ", b"?", b"\xff\xff\xff", b"37\x0001", b"x" * 2000, b""):
            head.send(sent + b"\r\n")
        head.send(CODE.encode() + b"\r\n")
        await bench.until(lambda: bench.texts)
    assert bench.texts == [CODE]
    reasons = [reason for reason, _ in bench.noise]
    assert reasons.count("the scanner saw no code") == 3
    assert f"longer than {TEXT_BYTES_MAX} bytes" in reasons
    assert sum(len(raw) for _, raw in bench.noise) == 2 + 4 + 1 + 3 + 5 + 2000


async def test_a_code_cut_off_by_silence_is_noise_and_does_not_lead_the_next() -> None:
    head = ScriptedScanner()
    async with on_tcp(head.plugged) as link, running(driver(link, idle_ms=50)) as bench:
        await bench.until(lambda: bench.ups)
        head.send(b"3701")
        await bench.until(lambda: bench.noise)
        head.send(CODE.encode() + b"\r")
        await bench.until(lambda: bench.texts)
    assert bench.texts == [CODE]
    assert bench.noise == [("cut off by silence", b"3701")]


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
async def test_an_unplugged_scanner_is_an_error_and_runs_again_when_back(wire: Wire) -> None:
    for _ in range(2):
        head = ScriptedScanner()
        async with wire(head.plugged) as link, running(driver(link)) as bench:
            await bench.until(lambda: bench.ups)
            head.send(b"A\r")
            await bench.until(lambda: bench.texts)
            head.unplug()
            await bench.until(lambda: bench.error)


async def test_a_missing_port_is_an_error() -> None:
    async with running(driver({"serial": "/dev/no-such-port"})) as bench:
        await bench.until(lambda: bench.error)
    assert "no such port" in str(bench.error)
    assert bench.ups == []


async def connect(port: int) -> asyncio.StreamWriter:
    async with asyncio.timeout(WITHIN_S):
        while True:
            try:
                return (await asyncio.open_connection("127.0.0.1", port))[1]
            except OSError:
                await asyncio.sleep(LOOK_EVERY_S)


async def test_a_scanner_may_connect_to_us_and_is_up_only_then() -> None:
    port = free_port()
    async with running(driver({"listen": f"127.0.0.1:{port}"})) as bench:
        writer = await connect(port)
        await bench.until(lambda: bench.ups)
        writer.write(CODE.encode() + b"\r")
        await bench.until(lambda: bench.texts)
        writer.close()
        await bench.until(lambda: bench.error)
    assert "closed by the device" in str(bench.error)


async def test_nobody_connected_is_neither_up_nor_an_error() -> None:
    port = free_port()
    async with running(driver({"listen": f"127.0.0.1:{port}"})) as bench:
        await asyncio.sleep(0.2)  # nobody coming is the point
        assert bench.ups == []
        assert bench.error is None
    async with running(driver({"listen": f"127.0.0.1:{port}"})) as again:
        (await connect(port)).close()
        await again.until(lambda: again.error)


async def test_a_newer_connection_replaces_the_older() -> None:
    port = free_port()
    async with running(driver({"listen": f"127.0.0.1:{port}"})) as bench:
        writers = [await connect(port)]
        for number in range(1, 4):
            await bench.until(lambda number=number: len(bench.ups) == number)  # type: ignore[misc]  # bound now
            writers.append(await connect(port))
        await bench.until(lambda: len(bench.ups) == 4)
        writers[0].write(b"OLD\r")
        writers[-1].write(b"NEW\r")
        await bench.until(lambda: bench.texts)
        assert bench.error is None
        assert bench.texts == ["NEW"]
        for writer in writers:
            writer.close()
        await bench.until(lambda: bench.error)


async def test_a_taken_port_is_an_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with running(driver({"listen": f"127.0.0.1:{port}"})) as bench:
            await bench.until(lambda: bench.error)
    assert f"listen:127.0.0.1:{port}" in str(bench.error)


async def test_cancelling_a_listener_leaves_no_socket_open() -> None:
    before = open_files()
    port = free_port()
    for _ in range(3):
        async with running(driver({"listen": f"127.0.0.1:{port}"})) as bench:
            writer = await connect(port)
            await bench.until(lambda: bench.ups)
        writer.close()
    await until(lambda: open_files() <= before, instead=open_files)


@pytest.mark.parametrize(
    ("link", "wrong"),
    [
        ({"listen": "9000"}, {}),
        ({"tcp": "10.0.0.1:0"}, {}),
        ({"serial": "ttyS0"}, {}),
        ({"tcp": "10.0.0.1:23"}, {"suffix": "crcr"}),
        ({"tcp": "10.0.0.1:23"}, {"idle_ms": 5}),
        ({"tcp": "10.0.0.1:23"}, {"no_read": ["x"] * 17}),
    ],
)
def test_wrong_settings_are_refused(link: dict[str, Any], wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        driver(link, **wrong)


def test_each_wire_has_its_name() -> None:
    listening = TCP.settings.model_validate({"link": {"listen": "0.0.0.0:9000"}})
    assert TCP.wire(listening) == "listen:0.0.0.0:9000"
    serial = SERIAL.settings.model_validate({"link": {"serial": "/dev/ttyS0"}})
    assert SERIAL.wire(serial) == "serial:/dev/ttyS0"

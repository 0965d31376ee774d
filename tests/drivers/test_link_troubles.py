"""A cable, an address, a port: what the device state tells of them in both languages."""

import asyncio
import errno
import random
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from drivers.contract import DriverError, Trouble
from drivers.link_troubles import silent, unreachable, unreadable
from drivers.links import SerialLink, TcpLink, open_stream
from drivers.suite import Bench, Faults, on_pty, on_tcp, running
from tests.drivers.kits import KITS

ASKING = [kit for kit in KITS if kit.answers and kit.driver.hellos]
ASKING_ONCE = {kit.driver.name: kit for kit in ASKING}
ERRNOS = (
    *("ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ENOENT", "ENODEV", "ENXIO"),
    *("ENOTTY", "EBUSY", "EACCES", "EPERM", "EIO"),
)


def said_well(trouble: Trouble | None) -> None:
    assert trouble is not None
    assert re.search(r"[\u4e00-\u9fff]", trouble.zh)
    assert "；" in trouble.zh
    assert trouble.en.isascii()
    assert ";" in trouble.en


@pytest.mark.parametrize("name", ERRNOS)
def test_every_cause_of_a_closed_wire_has_advice(name: str) -> None:
    said_well(unreachable("tcp:reader:6000", OSError(getattr(errno, name), "x")))


def test_names_deadlines_and_what_is_open_have_advice_too() -> None:
    said_well(unreachable("tcp:reader:6000", socket.gaierror(1, "x")))
    said_well(unreachable("tcp:reader:6000", TimeoutError()))
    said_well(unreadable("r2000_a0"))
    for wire in ("tcp:reader:6000", "serial:/dev/ttyUSB0"):
        said_well(silent(wire))
    assert "detect --host reader:6000" in silent("tcp:reader:6000").en
    assert unreachable("tcp:reader:6000", OSError(errno.ENOMEM, "x")) is None, "never a guess"


async def failure(link: TcpLink | SerialLink) -> DriverError:
    with pytest.raises(DriverError) as caught:
        await open_stream(link)
    return caught.value


async def test_a_wire_that_does_not_open_says_what_to_check(tmp_path: Path) -> None:
    closed = socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    refused = await failure(TcpLink(tcp=f"127.0.0.1:{port}"))
    missing = await failure(SerialLink(serial=str(tmp_path / "ttyUSB0")))
    file = tmp_path / "file"
    file.touch()
    wrong = await failure(SerialLink(serial=str(file)))
    for error, words in (
        (refused, "refuses"),
        (missing, "no such port"),
        (wrong, "no serial port"),
    ):
        assert error.trouble is not None, error
        assert error.trouble.kind == "unreachable"
        assert words in error.trouble.en


async def test_a_port_that_the_daemon_holds_says_so() -> None:
    async with on_pty(lambda _send, _unplug: lambda _data: None) as link:
        held = await open_stream(SerialLink(**link))
        try:
            error = await failure(SerialLink(**link))
        finally:
            await held.close()
    assert error.trouble is not None
    assert "another program holds the port" in error.trouble.en


async def lost(kit: Any, faults: Faults) -> Bench:
    wire = on_tcp if on_tcp in kit.wires else on_pty
    async with (
        asyncio.timeout(20),
        wire(kit.device().plugged, faults) as link,
        running(kit.make(link)) as bench,
    ):
        await bench.until(lambda: bench.error)
    return bench


async def test_a_silent_device_tells_what_to_check_next() -> None:
    kits = ASKING_ONCE.values()
    found = await asyncio.gather(*(lost(kit, Faults(silent=True)) for kit in kits))
    told = {
        kit.driver.name: bench.error and bench.error.trouble and bench.error.trouble.kind
        for kit, bench in zip(kits, found, strict=True)
    }
    assert told == {name: "head_deaf" if "barcode" in name else "silent" for name in told}


async def test_bytes_that_nobody_knows_tell_what_to_check_next() -> None:
    unknown = random.Random(3).randbytes(40)
    names = ("rfid.m100", "rfid.uhfreader", "rfid.thingmagic")
    found = await asyncio.gather(*(lost(ASKING_ONCE[n], Faults(instead=unknown)) for n in names))
    for bench in found:
        assert bench.error is not None
        assert bench.error.trouble is not None, bench.error
        assert bench.error.trouble.kind == "unreadable"

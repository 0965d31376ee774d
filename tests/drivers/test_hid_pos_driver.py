"""`barcode.hid_pos` on a port whose far end is a socket of packets: one packet is one report."""

import asyncio
import os
import pty
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.barcode.hid_link import REPORTS_WAITING_MAX, HidPort, HidrawLink, Inbox, UsbLink
from drivers.barcode.hid_pos import DRIVER, HidPos, Settings
from drivers.barcode.hidraw import HidrawPort, open_hidraw
from drivers.barcode.usb_vendors import VENDORS
from drivers.contract import CodeRead, DriverError
from drivers.links import LinkSilentError
from drivers.suite import Bench, running
from drivers.triggers import Trigger
from protocols.scanners.hid_pos import (
    PLAIN,
    TRIGGER_OFF,
    TRIGGER_ON,
    Code,
    Piece,
    build_command,
    build_report,
    build_reports,
)
from tests.protocols.test_hid_pos import KEYBOARD, PLAIN_DESCRIPTOR

RULES = Path(__file__).parents[2] / "systemd/70-gatewayd.rules"
RUN_TOGETHER, SEPARATED = "10LOT17251231", "10LOT\x1d17251231"
NODE = "/dev/gatewayd/hid-1"


def report(text: str | bytes, aim: str = "]C1", *, continued: bool = False) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return build_report(PLAIN, Piece(aim, data, continued))


@dataclass
class Seat(Bench):
    """A bench that knows its driver."""

    driver: HidPos | None = None


@asynccontextmanager
async def plugged(
    descriptor: bytes = PLAIN_DESCRIPTOR, **settings: Any
) -> AsyncIterator[tuple[socket.socket, Seat]]:
    """A scanner and the driver that serves it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(0)
    theirs.settimeout(0)

    async def opener(link: HidrawLink | UsbLink) -> HidPort:
        return HidrawPort(theirs.detach(), link.wire(), descriptor)

    with ours, theirs:
        driver = HidPos(
            "device-1", Settings.model_validate({"link": {"hidraw": NODE}, **settings}), opener
        )
        bench = Seat(driver=driver)
        async with running(driver, bench):
            await bench.until(lambda: bench.ups or bench.error)
            yield ours, bench


def codes(bench: Bench) -> list[tuple[str, str]]:
    reads = (each for each in bench.readings if isinstance(each, CodeRead))
    return [(read.text, read.symbology) for read in reads]


async def test_a_code_is_read_with_its_symbology_apart() -> None:
    async with plugged() as (scanner, bench):
        scanner.send(report("0110100001\r\n"))
        scanner.send(report("]d2010123\x1d21A", ""))
        scanner.send(report("]d2010123", "]d2"))
        scanner.send(report("济南0042".encode("gb18030"), "]Q1"))
        await bench.until(lambda: len(bench.readings) == 4)
        assert codes(bench) == [
            ("0110100001", "]C1"),
            ("010123\x1d21A", "]d2"),
            ("010123", "]d2"),
            ("济南0042", "]Q1"),
        ]
        assert [direction for direction, _ in bench.frames] == ["device>host"] * 4
        assert not bench.noise


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (report("NOREAD"), "saw no code"),
        (report(""), "saw no code"),
        (report("REVINF", "]X0"), "no symbology"),
        (report("REVINF\x06.", "]Z6"), "no symbology"),
        (report(b"12\xff\xff34"), "neither"),
        (report(b"12\x0034"), "control character"),
        (report("12")[:40], "of 40 bytes"),
        (report("12") + report("34"), "of 122 bytes"),
    ],
)
async def test_what_is_no_code_is_noise_and_the_next_code_is_read(sent: bytes, why: str) -> None:
    async with plugged() as (scanner, bench):
        scanner.send(sent)
        scanner.send(report("1"))
        await bench.until(lambda: bench.readings)
        assert codes(bench) == [("1", "]C1")]
        assert len(bench.noise) == 1
        assert why in bench.noise[0][0]


async def test_other_reports_of_the_scanner_are_passed_over() -> None:
    async with plugged() as (scanner, bench):
        scanner.send(b"\x07\x01\x02")
        scanner.send(report("1"))
        await bench.until(lambda: bench.readings)
        assert not bench.noise
        assert len(bench.frames) == 1


async def test_a_long_code_is_whole_or_noise() -> None:
    long = "9" * 1000
    async with plugged(gap_ms=200) as (scanner, bench):
        for each in build_reports(PLAIN, Code("]Q1", long.encode())):
            scanner.send(each)
        await bench.until(lambda: bench.readings)
        assert codes(bench) == [(long, "]Q1")]
        scanner.send(report("half", continued=True))
        await bench.until(lambda: bench.noise)
        assert bench.noise == [("cut off by silence", b"half")]
        for each in build_reports(PLAIN, Code("]Q1", long.encode() * 2)):
            scanner.send(each)
        scanner.send(report("1"))
        await bench.until(lambda: len(bench.readings) == 2)
        assert codes(bench)[1] == ("1", "]C1")


async def test_an_idle_scanner_is_up_and_an_unplugged_one_is_lost() -> None:
    async with plugged() as (scanner, bench):
        await asyncio.sleep(0.2)  # nothing happening is the point
        assert bench.error is None
        scanner.send(report("1"))
        scanner.close()
        await bench.until(lambda: bench.error)
        assert str(bench.error) == f"hidraw:{NODE}: unplugged"
        assert codes(bench) == [("1", "]C1")]


async def test_a_flood_of_reports_is_all_read_in_order() -> None:
    many = REPORTS_WAITING_MAX * 3
    async with plugged() as (scanner, bench):
        for number in range(many):
            while True:
                try:
                    scanner.send(report(str(number)))
                    break
                except BlockingIOError:
                    await asyncio.sleep(0.001)  # the socket is full for a moment
        await bench.until(lambda: len(bench.readings) == many)
        assert bench.texts == [str(number) for number in range(many)]


async def test_a_trigger_is_pulled_after_each_code_and_let_go_at_the_end() -> None:
    async with plugged(trigger="honeywell") as (scanner, bench):
        scanner.send(report("12", continued=True))
        scanner.send(report("34"))
        await bench.until(lambda: bench.readings)
        assert scanner.recv(64) == build_command(TRIGGER_ON)
        assert scanner.recv(64) == build_command(TRIGGER_ON)
        kept = scanner.dup()
    with kept:
        assert kept.recv(64) == build_command(TRIGGER_OFF)
        assert kept.recv(64) == b""


async def test_a_scanner_looks_only_when_it_is_told() -> None:
    async with plugged(trigger="honeywell", scan="on_trigger") as (scanner, bench):
        driver = bench.driver
        assert isinstance(driver, Trigger)
        scanner.send(report("1"))
        await bench.until(lambda: bench.readings)
        assert not bench.frames[1:]
        await driver.trigger_on()
        await driver.trigger_off()
        assert scanner.recv(64) == build_command(TRIGGER_ON)
        assert scanner.recv(64) == build_command(TRIGGER_OFF)
    with pytest.raises(DriverError, match="not connected"):
        await driver.trigger_on()


async def test_a_scanner_without_a_trigger_says_so() -> None:
    with pytest.raises(DriverError, match="looks by itself"):
        await HidPos("device-1", Settings(link=HidrawLink(hidraw=NODE))).trigger_on()


async def test_a_scanner_in_another_mode_is_told_what_to_scan() -> None:
    async with plugged(KEYBOARD) as (_, bench):
        assert "USB HID POS" in str(bench.error)
        assert not bench.ups


async def test_a_node_that_is_none_is_an_error_in_words(tmp_path: Path) -> None:
    plain = tmp_path / "file"
    plain.touch()
    for path, said in (("/dev/hidraw999", "no such device"), (str(plain), "not a raw HID device")):
        with pytest.raises(DriverError, match=said):
            open_hidraw(HidrawLink(hidraw=path))
    master, slave = pty.openpty()
    try:
        with pytest.raises(DriverError, match="not a raw HID device"):
            open_hidraw(HidrawLink(hidraw=os.ttyname(slave)))
    finally:
        os.close(master)
        os.close(slave)


async def test_what_arrived_before_the_loss_is_still_read() -> None:
    inbox = Inbox("usb:x")
    inbox.put(b"1")
    inbox.lose("unplugged")
    assert await inbox.get(None) == b"1"
    with pytest.raises(DriverError, match="usb:x: unplugged"):
        await inbox.get(None)
    with pytest.raises(LinkSilentError):
        await Inbox("usb:x").get(0.01)


async def test_a_gs1_code_that_lost_its_separator_is_told() -> None:
    async with plugged() as (scanner, bench):
        scanner.send(report(RUN_TOGETHER, "]C1"))
        await bench.until(lambda: bench.readings)
        assert [each.kind for each in bench.troubles] == ["gs_lost"]
        scanner.send(report(SEPARATED, "]C1"))
        scanner.send(report(RUN_TOGETHER, "]C1"))
        await bench.until(lambda: len(bench.readings) == 3)
        assert len(bench.troubles) == 1


@pytest.mark.parametrize(
    "link",
    [
        {"usb": "0c2e"},
        {"usb": "0c2e:0b01", "path": "/dev/x"},
        {"usb": "0c2e:0b01", "hidraw": "/dev/x"},
        {"hidraw": "hidraw0"},
        {},
    ],
    ids=str,
)
def test_a_link_that_names_no_scanner_is_refused(link: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"link": link})


def test_two_names_of_one_scanner_are_one_wire() -> None:
    one = Settings.model_validate({"link": {"usb": "0C2E:0B01", "path": "1-4"}})
    other = Settings.model_validate({"link": {"usb": "0c2e:0b01", "path": "1-4"}})
    assert DRIVER.wire(one) == DRIVER.wire(other) == "usb:0c2e:0b01:1-4"


def test_the_udev_rules_open_the_vendors_that_detect_knows() -> None:
    rules = RULES.read_text("ascii")
    for vendor in VENDORS:
        assert f'"{vendor:04x}"' in rules, f"{vendor:04x}"

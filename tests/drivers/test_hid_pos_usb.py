"""HID POS through the real libusb and through hidraw nodes, in umockdev's test bed."""

import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from protocols.scanners.hid_pos import (
    PLAIN,
    TRIGGER_OFF,
    TRIGGER_ON,
    Code,
    build_command,
    build_reports,
)
from tests.support import umockdev
from tests.support.usbmon import SYSFS, Capture, describe, interface

pytestmark = [umockdev.needs_umockdev, umockdev.needs_libusb]
GOLDEN = json.loads((Path(__file__).parents[1] / "golden/readers.json").read_text("utf-8"))
POS = bytes.fromhex(next(v["hex"] for v in GOLDEN if v["name"] == "descriptor_plain"))
KEYBOARD = bytes.fromhex(next(v["hex"] for v in GOLDEN if v["name"] == "boot_keyboard_descriptor"))
IDS = (0x0C2E, 0x0B01)
LINK = {"usb": "0c2e:0b01"}
URL = "http://example.org/Q?id=1100000110100001&and=enough=to=fill=more=than=one=report"
DRIVER = "drivers.barcode.hid_pos:DRIVER"


def descriptor_asked(number: int, size: int) -> bytes:
    return struct.pack("<BBHHH", 0x81, 6, 0x2200, number, size)


def usb_bed(tmp: Path, capture: Capture, interfaces: bytes, serial: str = "S1234") -> list[str]:
    device, replay = tmp / "scanner.umockdev", tmp / "scanner.pcap"
    device.write_text(describe(IDS, interfaces, serial=serial), "ascii")
    replay.write_bytes(capture.pcap())
    return ["--device", str(device), "--pcap", f"{SYSFS}={replay}"]


def hidraw_bed(tmp: Path, descriptor: bytes, steps: Iterable[tuple[str, int, bytes]]) -> list[str]:
    device, ioctls, dialog = tmp / "hid.umockdev", tmp / "hid.ioctl", tmp / "hid.script"
    device.write_text(umockdev.HIDRAW, "ascii")
    ioctls.write_text(umockdev.hidraw_ioctls(descriptor), "ascii")
    dialog.write_bytes(umockdev.script(*steps))
    bed = ["--device", str(device), "--ioctl", f"/dev/hidraw5={ioctls}"]
    return [*bed, "--script", f"/dev/hidraw5={dialog}"]


def order(link: dict[str, str], reads: int, **more: Any) -> dict[str, Any]:
    error = more.pop("error", False)
    return {"driver": DRIVER, "settings": {"link": link, **more}, "reads": reads, "error": error}


@pytest.fixture
def opened() -> Capture:
    capture = Capture()
    capture.control_in(descriptor_asked(0, len(POS)), POS)
    return capture


PLAIN_INTERFACE = interface(0, subclass=0, descriptor_bytes=len(POS))


@pytest.mark.parametrize("more", [{}, {"serial": "S1234"}, {"path": "1-4"}], ids=str)
async def test_codes_come_through_libusb_until_it_is_unplugged(
    tmp_path: Path, opened: Capture, more: dict[str, str]
) -> None:
    for code in (Code("]Q1", URL.encode()), Code("]C1", b"0110100001")):
        for report in build_reports(PLAIN, code):
            opened.report_in(report)
    opened.unplugged()
    bed = usb_bed(tmp_path, opened, PLAIN_INTERFACE)
    said = await umockdev.run(order({**LINK, **more}, 2, error=True), bed)
    assert said["codes"] == [[URL, "]Q1"], ["0110100001", "]C1"]]
    assert said["error"].endswith("unplugged")
    assert len(said["frames"]) == 3
    assert not said["noise"]


async def test_a_keyboard_interface_is_left_alone_and_the_pos_one_served(tmp_path: Path) -> None:
    capture = Capture()
    capture.control_in(descriptor_asked(1, len(POS)), POS)
    capture.report_in(build_reports(PLAIN, Code("]C1", b"1"))[0], endpoint=0x82)
    both = interface(0, subclass=1, descriptor_bytes=len(KEYBOARD))
    both += interface(1, subclass=0, descriptor_bytes=len(POS))
    said = await umockdev.run(order(LINK, 1), usb_bed(tmp_path, capture, both))
    assert said["codes"] == [["1", "]C1"]]


async def test_a_scanner_in_another_mode_is_told_what_to_scan(tmp_path: Path) -> None:
    capture = Capture()
    capture.control_in(descriptor_asked(0, len(KEYBOARD)), KEYBOARD)
    other = interface(0, subclass=0, descriptor_bytes=len(KEYBOARD))
    said = await umockdev.run(order(LINK, 1, error=True), usb_bed(tmp_path, capture, other))
    assert "USB HID POS" in said["error"]
    assert not said["ups"]


@pytest.mark.parametrize(
    "link", [{"usb": "0c2e:ffff"}, {**LINK, "serial": "S9"}, {**LINK, "path": "1-5"}], ids=str
)
async def test_a_scanner_that_is_not_there_is_an_error(
    tmp_path: Path, opened: Capture, link: dict[str, str]
) -> None:
    bed = usb_bed(tmp_path, opened, PLAIN_INTERFACE)
    said = await umockdev.run(order(link, 1, error=True), bed)
    assert said["error"].endswith("not plugged in")


@pytest.mark.parametrize("outputs", [True, False], ids=["endpoint", "control"])
async def test_the_trigger_is_pulled_through_libusb(
    tmp_path: Path, opened: Capture, *, outputs: bool
) -> None:
    on, off = build_command(TRIGGER_ON), build_command(TRIGGER_OFF)
    for turn, command in enumerate((on, on, on, off)):
        if outputs:
            opened.report_out(command)
        else:
            setup = struct.pack("<BBHHH", 0x21, 9, 0x02FD, 0, len(command))
            opened.control_out(setup, command)
        if turn < 2:
            opened.report_in(build_reports(PLAIN, Code("]C1", b"1"))[0])
    one = interface(0, subclass=0, descriptor_bytes=len(POS), outputs=outputs)
    bed = usb_bed(tmp_path, opened, one)
    said = await umockdev.run(order(LINK, 2, trigger="honeywell"), bed)
    assert said["codes"] == [["1", "]C1"]] * 2
    assert said["frames"][0] == ["host>device", on.hex()]


async def test_a_code_comes_through_hidraw(tmp_path: Path) -> None:
    report = build_reports(PLAIN, Code("", b"]d20110100001"))[0]
    bed = hidraw_bed(tmp_path, POS, [("r", 0, report)])
    said = await umockdev.run(order({"hidraw": "/dev/hidraw5"}, 1), bed)
    assert said["codes"] == [["0110100001", "]d2"]]
    assert said["ups"] == ["HID POS scanner on hidraw:/dev/hidraw5, 56 bytes a report"]


async def test_triggers_and_long_codes_go_through_hidraw(tmp_path: Path) -> None:
    on = build_command(TRIGGER_ON)
    first, second = build_reports(PLAIN, Code("]Q1", URL.encode()))
    code = build_reports(PLAIN, Code("]C1", b"1"))[0]
    steps = [("w", 0, on), ("r", 50, first), ("r", 150, second), ("w", 0, on), ("r", 50, code)]
    link = {"hidraw": "/dev/hidraw5"}
    said = await umockdev.run(order(link, 2, trigger="honeywell"), hidraw_bed(tmp_path, POS, steps))
    assert said["codes"] == [[URL, "]Q1"], ["1", "]C1"]]


async def test_a_raw_node_of_a_keyboard_is_told_what_to_scan(tmp_path: Path) -> None:
    link = {"hidraw": "/dev/hidraw5"}
    said = await umockdev.run(order(link, 1, error=True), hidraw_bed(tmp_path, KEYBOARD, []))
    assert "USB HID POS" in said["error"]


async def live(tmp: Path, reports: list[tuple[float, bytes]], **more: Any) -> dict[str, Any]:
    """A device that answers when it likes, with the kernel's driver on its interface."""
    device = tmp / "scanner.umockdev"
    device.write_text(describe(IDS, PLAIN_INTERFACE), "ascii")
    sent = [(after_s, report.hex()) for after_s, report in reports]
    error = not more.keys().isdisjoint({"unplug_s", "held", "hangs_s"})
    alive = {"reports": sent, "descriptor": POS.hex(), "unplug_s": None, **more}
    wanted = {**order(LINK, len(reports), error=error), **alive}
    return await umockdev.run(wanted, ["--device", str(device)], "tests.support.usbfs_child")


async def test_late_reports_are_read_and_the_kernels_driver_comes_back(tmp_path: Path) -> None:
    texts = ["1", "2", "3"]
    reports = [build_reports(PLAIN, Code("]C1", text.encode()))[0] for text in texts]
    said = await live(tmp_path, [(0.4 + 0.25 * n, each) for n, each in enumerate(reports)])
    assert [text for text, _ in said["codes"]] == texts
    assert said["kernel"] == ["detach 0", "claim 0", "release 0", "attach 0"]


async def test_an_idle_scanner_that_is_unplugged_is_lost(tmp_path: Path) -> None:
    said = await live(tmp_path, [], unplug_s=1.0)
    assert said["error"] == "usb:0c2e:0b01: unplugged"


async def test_a_call_that_never_comes_back_is_a_lost_scanner(tmp_path: Path) -> None:
    said = await live(tmp_path, [], hangs_s=1.0)
    assert said["ups"]
    assert "a call has not come back for 10 s; a call of libusb does not come back" in said["error"]


async def test_a_scanner_another_program_has_is_an_error_in_words(tmp_path: Path) -> None:
    said = await live(tmp_path, [], held=True)
    assert said["error"] == "usb:0c2e:0b01: used by another program"
    assert said["kernel"] == ["detach 0", "attach 0"]

"""What is plugged in, from a machine's own files: names, USB devices, who holds what."""

from pathlib import Path

import pytest

from gatewayd.commission.ports import User, serial_ports
from gatewayd.commission.usb import BRIDGES, usb_devices
from tests.support.machines import KEYBOARD_DESCRIPTOR, POS_DESCRIPTOR, FakeMachine

BY_ID = "usb-1a86_USB_Serial-if00-port0"


def test_a_port_is_named_by_the_name_that_lasts(tmp_path: Path) -> None:
    fake = FakeMachine(tmp_path)
    usb = fake.usb("1-1.2", "1a86:7523", product="USB Serial")
    fake.serial("ttyUSB0", "/dev/null", below=usb / "1-1.2:1.0", by_id=BY_ID)
    (port,) = serial_ports(fake.machine)
    assert port.path == port.by_id == f"{tmp_path}/dev/serial/by-id/{BY_ID}"
    assert port.tty == f"{tmp_path}/dev/ttyUSB0"
    assert port.file == "/dev/null"
    assert port.usb is not None
    assert (port.usb.id, port.usb.bridge, port.usb.product) == ("1a86:7523", "CH340", "USB Serial")
    assert port.used_by == ()


def test_a_port_without_lasting_names_is_its_tty(tmp_path: Path) -> None:
    fake = FakeMachine(tmp_path)
    fake.serial("ttyS1", "/dev/null", kind="4")
    (port,) = serial_ports(fake.machine)
    assert port.path == port.tty
    assert port.usb is None


def test_ports_without_a_chip_and_consoles_are_left_out(tmp_path: Path) -> None:
    fake = FakeMachine(tmp_path)
    fake.serial("ttyS9", "/dev/null", kind="0")
    (tmp_path / "sys/class/tty/tty1").mkdir()
    assert serial_ports(fake.machine) == ()


def test_who_holds_a_port_is_told(tmp_path: Path) -> None:
    fake = FakeMachine(tmp_path)
    fake.serial("ttyUSB0", "/dev/null")
    fake.program(4711, "gatewayd", "/dev/null")
    fake.program(4712, "other", "/dev/zero")
    (port,) = serial_ports(fake.machine)
    assert port.used_by == (User(4711, "gatewayd"),)


def test_a_machine_without_anything_has_nothing(tmp_path: Path) -> None:
    assert serial_ports(FakeMachine(tmp_path).machine) == ()
    assert usb_devices(FakeMachine(tmp_path).machine) == ()


@pytest.mark.parametrize(
    ("class_", "descriptor", "kind"),
    [
        ("03", POS_DESCRIPTOR, "hid_pos"),
        ("03", KEYBOARD_DESCRIPTOR, "keyboard"),
        ("03", b"\x05", "hid"),
        ("03", b"", "hid"),
        ("0b", b"", "pcsc"),
        ("02", b"", "serial"),
        ("08", b"", "other"),
    ],
)
def test_a_usb_device_is_known_by_its_class_and_descriptor(
    tmp_path: Path, class_: str, descriptor: bytes, kind: str
) -> None:
    fake = FakeMachine(tmp_path)
    fake.interface(fake.usb("1-1", "0c2e:0b01", serial="S1"), "1.0", class_, descriptor)
    (usb,) = usb_devices(fake.machine)
    assert (usb.kind, usb.path, usb.id, usb.serial) == (kind, "1-1", "0c2e:0b01", "S1")


def test_a_scanner_that_is_also_a_keyboard_is_a_scanner(tmp_path: Path) -> None:
    fake = FakeMachine(tmp_path)
    device = fake.usb("1-1", "0c2e:0b01")
    fake.interface(device, "1.0", "03", KEYBOARD_DESCRIPTOR)
    fake.interface(device, "1.1", "03", POS_DESCRIPTOR)
    assert usb_devices(fake.machine)[0].kind == "hid_pos"


def test_hubs_and_interfaces_are_no_devices(tmp_path: Path) -> None:
    fake = FakeMachine(tmp_path)
    fake.usb("usb1", "1d6b:0002", bDeviceClass="09")
    fake.usb("1-1", "zzzz:0002")
    assert usb_devices(fake.machine) == ()


@pytest.mark.parametrize(("ids", "name"), [*BRIDGES.items()])
def test_a_bridge_is_a_serial_device(tmp_path: Path, ids: tuple[int, int], name: str) -> None:
    fake = FakeMachine(tmp_path)
    fake.usb("1-1", f"{ids[0]:04x}:{ids[1]:04x}")
    (usb,) = usb_devices(fake.machine)
    assert (usb.kind, usb.bridge) == ("serial", name)

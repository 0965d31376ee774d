"""USB devices as the kernel lists them: identity, and what kind of identification device each is.

A scanner is recognised by its HID report descriptor (usage page 0x8C, USB-IF "HID Point of Sale
Usage Tables" 1.02), a card reader by its interface class (0x0B, CCID 1.1), never by a name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from gatewayd.commission.machine import Machine, entries, number, word
from protocols.framing import FrameError
from protocols.scanners import hid_descriptor

USB_DEVICES_MAX = 256
"""More than a host controller can address; a larger tree is not read further."""

UsbKind: TypeAlias = Literal["hid_pos", "keyboard", "hid", "pcsc", "serial", "other"]

_HID, _CDC, _CDC_DATA, _CCID = 0x03, 0x02, 0x0A, 0x0B
_KEYBOARD = 0x0001_0006
_POS_PAGE = 0x8C

BRIDGES: dict[tuple[int, int], str] = {
    (0x1A86, 0x7523): "CH340",
    (0x1A86, 0x7522): "CH340K",
    (0x1A86, 0x5523): "CH341",
    (0x1A86, 0x55D3): "CH343",
    (0x1A86, 0x55D4): "CH9102",
    (0x10C4, 0xEA60): "CP210x",
    (0x10C4, 0xEA70): "CP2105",
    (0x0403, 0x6001): "FT232R",
    (0x0403, 0x6010): "FT2232",
    (0x0403, 0x6011): "FT4232",
    (0x0403, 0x6014): "FT232H",
    (0x0403, 0x6015): "FT-X",
    (0x067B, 0x2303): "PL2303",
    (0x067B, 0x23A3): "PL2303GS",
    (0x067B, 0x23C3): "PL2303GT",
}
"""USB to serial bridges by the ids of their makers' drivers: they say nothing of what is behind."""


@dataclass(frozen=True, slots=True)
class Usb:
    """One USB device; texts are its own words, empty where it has none. `path` is its sysfs name."""

    path: str
    vendor: int
    product_id: int
    product: str
    manufacturer: str
    serial: str
    kind: UsbKind

    @property
    def id(self) -> str:
        """`vvvv:pppp`, as lsusb writes it."""
        return f"{self.vendor:04x}:{self.product_id:04x}"

    @property
    def bridge(self) -> str:
        """The name of a serial bridge, empty for any other device."""
        return BRIDGES.get((self.vendor, self.product_id), "")


def usb_devices(machine: Machine) -> tuple[Usb, ...]:
    """Every USB device but hubs, by its place on the bus."""
    found = []
    for path in entries(machine.sys / "bus/usb/devices")[:USB_DEVICES_MAX]:
        device = usb_device(path)
        if device is not None and number(path / "bDeviceClass", 16) != _HUB:
            found.append(device)
    return tuple(found)


_HUB = 0x09


def usb_device(path: Path) -> Usb | None:
    """The device of one sysfs directory; None when the directory is not a USB device."""
    vendor, product_id = number(path / "idVendor", 16), number(path / "idProduct", 16)
    if vendor is None or product_id is None:
        return None
    return Usb(
        path=path.name,
        vendor=vendor,
        product_id=product_id,
        product=word(path / "product"),
        manufacturer=word(path / "manufacturer"),
        serial=word(path / "serial"),
        kind=_kind((vendor, product_id), path),
    )


def _kind(ids: tuple[int, int], path: Path) -> UsbKind:
    """What the interfaces are; a scanner that is also a keyboard is a scanner."""
    interfaces = [p for p in entries(path) if number(p / "bInterfaceClass", 16) is not None]
    classes = {number(each / "bInterfaceClass", 16) for each in interfaces}
    if _HID in classes:
        usages = {usage for each in interfaces for usage in _usages(each)}
        if any(usage >> 16 == _POS_PAGE for usage in usages):
            return "hid_pos"
        return "keyboard" if _KEYBOARD in usages else "hid"
    if _CCID in classes:
        return "pcsc"
    return "serial" if ids in BRIDGES or classes & {_CDC, _CDC_DATA} else "other"


def _usages(interface: Path) -> Iterator[int]:
    """The application usages of every report descriptor below an interface."""
    for child in entries(interface):
        try:
            data = (child / "report_descriptor").read_bytes()
            yield from hid_descriptor.parse_descriptor(data).applications
        except (OSError, FrameError):
            continue

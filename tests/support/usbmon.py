"""Write what umockdev replays: a USB device as the kernel describes it, and a usbmon capture of it.

The capture is libpcap with link type 220 (USB_LINUX_MMAPPED): the 64-byte header of usbmon
(Documentation/usb/usbmon.rst) and the data of each URB. umockdev replays it in order, as fast as
the program asks; a URB that the capture does not have is never answered.
"""

import struct
from dataclasses import dataclass, field

BUS, DEVICE = 1, 4
SYSFS = "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-4"
ENODEV = -19
INTERRUPT, CONTROL = 1, 2
_GLOBAL = struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 220)
_URB = struct.Struct("=QcBBBHbbqiiII8siiII")


def describe(ids: tuple[int, int], interfaces: bytes, *, serial: str = "S1234") -> str:
    """A device as umockdev-record writes it; `interfaces` follow the configuration descriptor."""
    vendor, product = ids
    device = struct.pack(
        "<BBHBBBBHHHBBBB", 18, 1, 0x200, 0, 0, 0, 64, vendor, product, 256, 1, 2, 3, 1
    )
    count = interfaces.count(b"\x09\x04")
    config = struct.pack("<BBHBBBBB", 9, 2, 9 + len(interfaces), count, 1, 0, 0x80, 50)
    descriptors = (device + config + interfaces).hex().upper()
    return f"""\
P: {SYSFS.removeprefix("/sys")}
N: bus/usb/{BUS:03}/{DEVICE:03}
E: BUSNUM={BUS:03}
E: DEVNUM={DEVICE:03}
E: DEVNAME=/dev/bus/usb/{BUS:03}/{DEVICE:03}
E: DEVTYPE=usb_device
E: MAJOR=189
E: MINOR=3
E: SUBSYSTEM=usb
A: bConfigurationValue=1
A: bNumConfigurations=1
A: busnum={BUS}
A: devnum={DEVICE}
A: devpath=4
A: idVendor={vendor:04x}
A: idProduct={product:04x}
A: serial={serial}
A: speed=12
H: descriptors={descriptors}
"""


def interface(number: int, *, subclass: int, descriptor_bytes: int, outputs: bool = False) -> bytes:
    """One HID interface with its HID and endpoint descriptors (64-byte interrupt endpoints)."""
    endpoint_in = struct.pack("<BBBBHB", 7, 5, 0x81 + number, 3, 64, 10)
    endpoint_out = struct.pack("<BBBBHB", 7, 5, 0x01 + number, 3, 64, 10) if outputs else b""
    head = struct.pack("<BBBBBBBBB", 9, 4, number, 0, 1 + outputs, 3, subclass, subclass, 0)
    hid = struct.pack("<BBHBBBH", 9, 0x21, 0x111, 0, 1, 0x22, descriptor_bytes)
    return head + hid + endpoint_in + endpoint_out


@dataclass
class Capture:
    """A capture in the making; `pcap()` is the file."""

    _packets: list[bytes] = field(default_factory=list)
    _ids: int = 1

    def control_in(self, setup: bytes, answer: bytes) -> None:
        """The host asked over endpoint 0 and was answered."""
        size = int.from_bytes(setup[6:8], "little")
        self._pair(CONTROL, 0x80, size, answer=answer, setup=setup)

    def control_out(self, setup: bytes, data: bytes) -> None:
        """The host told something over endpoint 0."""
        self._pair(CONTROL, 0x00, len(data), sent=data, setup=setup)

    def report_in(self, report: bytes, *, endpoint: int = 0x81, asked_bytes: int = 64) -> None:
        """The host waited for an interrupt transfer and got it."""
        self._pair(INTERRUPT, endpoint, asked_bytes, answer=report)

    def report_out(self, report: bytes, *, endpoint: int = 0x01) -> None:
        """The host sent an interrupt transfer."""
        self._pair(INTERRUPT, endpoint, len(report), sent=report)

    def unplugged(self, *, endpoint: int = 0x81, asked_bytes: int = 64) -> None:
        """The host waited for a report and the device went away."""
        self._pair(INTERRUPT, endpoint, asked_bytes, status=ENODEV)

    def pcap(self) -> bytes:
        return _GLOBAL + b"".join(self._packets)

    def _pair(
        self,
        kind: int,
        endpoint: int,
        size: int,
        *,
        setup: bytes | None = None,
        sent: bytes = b"",
        answer: bytes = b"",
        status: int = 0,
    ) -> None:
        got = len(sent or answer)
        self._packet(b"S", kind, endpoint, setup=setup, status=-115, size=size, data=sent)
        self._packet(b"C", kind, endpoint, setup=None, status=status, size=got, data=answer)
        self._ids += 1

    def _packet(
        self,
        event: bytes,
        kind: int,
        endpoint: int,
        *,
        setup: bytes | None,
        status: int,
        size: int,
        data: bytes,
    ) -> None:
        at_s = len(self._packets)
        flags = (0 if setup else ord("-"), 0 if data else ord("<"))
        head = _URB.pack(
            *(self._ids, event, kind, endpoint, DEVICE, BUS, *flags, at_s, 0, status, size),
            *(len(data), setup or bytes(8), 0, 0, 0, 0),
        )
        raw = head + data
        self._packets.append(struct.pack("=IIII", at_s, 0, len(raw), len(raw)) + raw)

"""A machine made of files: /sys, /dev and /proc as Linux lays them out, with ptys for ports."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gatewayd.commission.machine import Machine

POS_DESCRIPTOR = bytes.fromhex(
    "058c0902a1018502150026ff007508950109fb810209fc810209fd8102953809fe82020175019501250109ff8102"
    "75078103c0"
)
KEYBOARD_DESCRIPTOR = bytes.fromhex(
    "05010906a101050719e029e71500250175019508810295017508810395067508150025650507190029658100c0"
)


@dataclass(frozen=True)
class FakeMachine:
    """Plugs things into a directory tree."""

    root: Path

    @property
    def machine(self) -> Machine:
        return Machine(self.root)

    def usb(self, place: str, ids: str, **words: str) -> Path:
        """A USB device; `words` are its sysfs files."""
        vendor, _, product = ids.partition(":")
        device = self.root / "sys/devices/pci0/usb1" / place
        self._write(device, {"idVendor": vendor, "idProduct": product, **words})
        bus = self.root / "sys/bus/usb/devices"
        bus.mkdir(parents=True, exist_ok=True)
        (bus / place).symlink_to(device)
        return device

    def interface(self, device: Path, number: str, class_: str, descriptor: bytes = b"") -> Path:
        place = device / f"{device.name}:{number}"
        self._write(place, {"bInterfaceClass": class_})
        if descriptor:
            hid = place / "0003:0C2E:0B01.0001"
            hid.mkdir()
            (hid / "report_descriptor").write_bytes(descriptor)
        return place

    def serial(
        self, tty: str, far_end: str, *, below: Path | None = None, by_id: str = "", kind: str = ""
    ) -> Path:
        """A serial port whose device file leads to `far_end`, a real pty."""
        place = (below or self.root / "sys/devices/platform") / tty
        place.mkdir(parents=True)
        entry = self.root / "sys/class/tty" / tty
        self._write(entry, {"type": kind} if kind else {})
        (entry / "device").symlink_to(place)
        device = self.root / "dev" / tty
        device.parent.mkdir(exist_ok=True)
        device.symlink_to(far_end)
        if by_id:
            link = self.root / "dev/serial/by-id" / by_id
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(device)
        return device

    def program(self, pid: int, name: str, opened: str) -> None:
        """A running program that holds a file open."""
        place = self.root / "proc" / str(pid)
        self._write(place, {"comm": name})
        (place / "fd").mkdir()
        (place / "fd/3").symlink_to(opened)

    @staticmethod
    def _write(place: Path, words: Mapping[str, str]) -> None:
        place.mkdir(parents=True, exist_ok=True)
        for name, text in words.items():
            (place / name).write_text(f"{text}\n", encoding="utf-8")

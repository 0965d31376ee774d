"""One grabbed input device of Linux (evdev), found by vendor and product, never any other.

`evdev` is an optional extra: it is built on the machine and only keyboard scanners need it.
"""

import asyncio
import errno
from collections import deque
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import Field

from drivers.barcode.hidraw import UNPLUGGED, hid_cause
from drivers.contract import DriverError, Strict
from drivers.links import LinkSilentError

EVENTS_WAITING_MAX = 8192
"""Events received and not yet read; at the limit all are dropped and told as the kernel tells it."""
LETTER_KEYS = frozenset({2, 16, 28, 30})
"""1, Q, Enter, A: what a device that types has; a scanner's buttons have not."""

Event: TypeAlias = tuple[int, int, int]
"""Type, code and value of an input event."""
DROPPED: Event = (0, 3, 0)
"""EV_SYN, SYN_DROPPED: events were lost."""

_INPUTS = Path("/sys/class/input")
_NODES = Path("/dev/input")


class KeyLink(Strict):
    """A keyboard scanner: `{usb: "VID:PID", serial: ..., input: /dev/input/by-id/...}`.

    `usb` is always needed: a device of any other number is never touched. `serial` and `input` tell
    scanners of one kind apart.
    """

    usb: str = Field(pattern=r"^[0-9a-fA-F]{4}:[0-9a-fA-F]{4}$", examples=["1eab:0010"])
    serial: str | None = Field(default=None, min_length=1, max_length=126)
    input: str | None = Field(default=None, pattern=r"^/\S+$", max_length=300)

    def wire(self) -> str:
        """The physical wire: `keys:vid:pid` and what else tells the scanner apart."""
        more = [value for value in (self.serial, self.input) if value]
        return ":".join(("keys", self.usb.lower(), *more))

    @property
    def ids(self) -> tuple[int, int]:
        """Vendor and product."""
        vendor, _, product = self.usb.partition(":")
        return int(vendor, 16), int(product, 16)


class KeyPort:
    """One grabbed device; every call is on the loop's thread and none blocks."""

    def __init__(self, device: Any, wire: str) -> None:
        """Take over an open evdev device and grab it; raises DriverError when somebody has it."""
        self.wire = wire
        self.path = str(device.path)
        self.name = str(device.name)
        self._device = device
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Event] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._lost = ""
        try:
            device.grab()
            self._loop.add_reader(device.fd, self._ready)
        except OSError as exc:
            device.close()
            busy = exc.errno == errno.EBUSY
            said = "grabbed by another program" if busy else hid_cause(exc)
            raise DriverError(f"{wire}: {said}") from exc

    async def read(self, within_s: float | None) -> Event:
        """The next event; raises LinkSilentError when none came, DriverError when unplugged."""
        if not self._waiting and not self._lost:
            self._reader = self._loop.create_future()
            try:
                async with asyncio.timeout(within_s):
                    await self._reader
            except TimeoutError:
                pass  # What came in the last moment still counts.
            finally:
                self._reader = None
        if self._waiting:
            return self._waiting.popleft()
        if self._lost:
            raise DriverError(f"{self.wire}: {self._lost}")
        raise LinkSilentError(f"{self.wire}: no key within {within_s} s")

    async def close(self) -> None:
        """Give the device back to the console; safe to repeat."""
        if self._device.fd >= 0:
            self._loop.remove_reader(self._device.fd)
            self._device.close()  # Closing ends the grab.
        self._lost = self._lost or "closed"

    def _ready(self) -> None:
        if len(self._waiting) >= EVENTS_WAITING_MAX:
            self._waiting.clear()
            self._waiting.append(DROPPED)
        try:
            for event in self._device.read():
                self._waiting.append((event.type, event.code, event.value))
        except BlockingIOError:
            return
        except OSError as exc:
            self._loop.remove_reader(self._device.fd)
            self._lost = "unplugged" if exc.errno in UNPLUGGED else hid_cause(exc)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


def open_keys(link: KeyLink) -> KeyPort:
    """Find, check and grab the scanner; raises DriverError in plain words."""
    try:
        evdev: Any = import_module("evdev")
    except ImportError as exc:
        raise DriverError(
            f"{link.wire()}: keyboard scanners need evdev; pip install 'gatewayd[hid]'"
        ) from exc
    path = link.input or find(link)
    try:
        device = evdev.InputDevice(path)
    except OSError as exc:
        said = "not an input device" if exc.errno == errno.ENOTTY else hid_cause(exc)
        raise DriverError(f"{link.wire()}: {path}: {said}") from exc
    if refusal := _refusal(device, link):
        device.close()
        raise DriverError(f"{link.wire()}: {path}: {refusal}")
    return KeyPort(device, link.wire())


def _refusal(device: Any, link: KeyLink) -> str:
    """Why an open device must not be grabbed; empty when it is the scanner."""
    found = (device.info.vendor, device.info.product)
    if found != link.ids:
        return f"is {found[0]:04x}:{found[1]:04x}, not {link.usb.lower()}; never grabbed"
    if link.serial not in {None, device.uniq}:
        return f"has serial {device.uniq or 'none'}, not {link.serial}; never grabbed"
    if not set(device.capabilities().get(1, ())) >= LETTER_KEYS:
        return "has no letters and digits: another part of the scanner"
    return ""


def find(link: KeyLink, inputs: Path = _INPUTS) -> str:
    """The node of the one typing device the link names, without opening any; raises DriverError."""
    found = []
    for each in sorted(inputs.glob("event*")):
        ids = _text(each / "device/id/vendor"), _text(each / "device/id/product")
        serial = _text(each / "device/uniq") or None
        named = ":".join(ids).lower() == link.usb.lower() and link.serial in {None, serial}
        if named and _types(_text(each / "device/capabilities/key")):
            found.append(str(_NODES / each.name))
    if not found:
        raise DriverError(f"{link.wire()}: not plugged in, or not in keyboard mode")
    if len(found) > 1:
        nodes = ", ".join(found)
        raise DriverError(f"{link.wire()}: {len(found)} such devices; say serial or input: {nodes}")
    return found[0]


def _types(bitmap: str) -> bool:
    """Whether the kernel's bitmap of keys has letters and digits; the lowest word comes last."""
    words = bitmap.split()
    lowest = int(words[-1], 16) if words else 0
    return all(lowest >> key & 1 for key in LETTER_KEYS)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except OSError:
        return ""

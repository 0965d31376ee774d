"""How a USB HID scanner is named in a file, and one open port to it: whole reports in and out."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Annotated, Any, Protocol, TypeAlias

from pydantic import Discriminator, Field, Tag

from drivers.contract import DriverError, Strict
from drivers.links import LinkSilentError

REPORTS_WAITING_MAX = 256
"""Reports received and not yet read; at the limit the device is held back."""


class HidrawLink(Strict):
    """A scanner through the kernel's raw HID node: `{hidraw: /dev/...}`."""

    hidraw: str = Field(
        pattern=r"^/\S+$", max_length=300, examples=["/dev/gatewayd/hid-0c2e-0b01-1-1.4"]
    )

    def wire(self) -> str:
        """The physical wire: `hidraw:/dev/...`."""
        return f"hidraw:{self.hidraw}"


class UsbLink(Strict):
    """A scanner through libusb: `{usb: "VID:PID", serial: ..., path: ...}`.

    `serial` and `path` (bus and ports, `1-1.4`) tell scanners of one kind apart.
    """

    usb: str = Field(pattern=r"^[0-9a-fA-F]{4}:[0-9a-fA-F]{4}$", examples=["0c2e:0b01"])
    serial: str | None = Field(default=None, min_length=1, max_length=126)
    path: str | None = Field(default=None, pattern=r"^[0-9]+-[0-9]+(\.[0-9]+)*$", max_length=40)

    def wire(self) -> str:
        """The physical wire: `usb:vid:pid` and what else tells the scanner apart."""
        more = [value for value in (self.serial, self.path) if value]
        return ":".join(("usb", self.usb.lower(), *more))

    @property
    def ids(self) -> tuple[int, int]:
        """Vendor and product."""
        vendor, _, product = self.usb.partition(":")
        return int(vendor, 16), int(product, 16)


def _kind(value: Any) -> str:
    usb = "usb" in value if isinstance(value, dict) else isinstance(value, UsbLink)
    return "UsbLink" if usb else "HidrawLink"


HidLink: TypeAlias = Annotated[
    Annotated[HidrawLink, Tag("HidrawLink")] | Annotated[UsbLink, Tag("UsbLink")],
    Discriminator(_kind),
]


class HidPort(Protocol):
    """One open scanner. `descriptor` is its report descriptor, `wire` names it."""

    wire: str
    descriptor: bytes

    async def read(self, within_s: float | None) -> bytes:
        """The next input report; raises LinkSilentError when none came, DriverError when lost."""
        ...

    async def write(self, report: bytes) -> None:
        """Hand over one output report, its id first; raises DriverError."""
        ...

    async def close(self) -> None:
        """Let the scanner go; safe to repeat."""
        ...


class Inbox:
    """Reports on their way from a port to the one task that reads them, on the loop's thread."""

    def __init__(self, wire: str, on_room: Callable[[], None] = lambda: None) -> None:
        self.lost = ""
        self._wire = wire
        self._on_room = on_room
        self._waiting: deque[bytes] = deque()
        self._reader: asyncio.Future[None] | None = None

    @property
    def is_full(self) -> bool:
        """Whether the port should hold the device back; `on_room` tells when there is room."""
        return len(self._waiting) >= REPORTS_WAITING_MAX

    def put(self, report: bytes) -> None:
        """A report arrived."""
        self._waiting.append(report)
        self._wake()

    def lose(self, why: str) -> None:
        """The device is gone; what arrived before can still be read."""
        self.lost = self.lost or why
        self._wake()

    async def get(self, within_s: float | None) -> bytes:
        """The oldest report; raises LinkSilentError or DriverError."""
        assert self._reader is None, f"{self._wire}: two readers"
        if not self._waiting and not self.lost:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(within_s):
                    await self._reader
            except TimeoutError:
                pass  # What came in the last moment still counts.
            finally:
                self._reader = None
        if self._waiting:
            report = self._waiting.popleft()
            if len(self._waiting) == REPORTS_WAITING_MAX - 1:
                self._on_room()
            return report
        if self.lost:
            raise DriverError(f"{self._wire}: {self.lost}")
        raise LinkSilentError(f"{self._wire}: no report within {within_s} s")

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

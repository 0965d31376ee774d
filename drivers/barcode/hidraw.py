"""A HID device through the kernel's raw node, without blocking (Documentation/hid/hidraw.rst)."""

import asyncio
import errno
import fcntl
import os
import struct

from drivers.barcode.hid_link import HidrawLink, Inbox
from drivers.contract import DriverError
from drivers.links import cause
from protocols.scanners.hid_descriptor import DESCRIPTOR_BYTES_MAX

REPORT_BYTES_MAX = 4096
"""Longest report the kernel hands out (HID_MAX_BUFFER_SIZE was 4096, later 16384)."""
UNPLUGGED = frozenset({errno.ENODEV, errno.EIO, errno.EPIPE, errno.ENXIO})

# linux/hidraw.h: _IOR('H', 1, int) and _IOR('H', 2, struct {u32 size; u8 value[4096]}).
HIDIOCGRDESCSIZE = 0x80044801
HIDIOCGRDESC = 0x90044802


def hid_cause(exc: OSError) -> str:
    """What went wrong at a device node, in plain words, with what to do where that is known."""
    if exc.errno in UNPLUGGED:
        return "unplugged"
    if exc.errno == errno.ENOENT:
        return "no such device; is the scanner plugged in and in HID POS mode?"
    if exc.errno in {errno.EACCES, errno.EPERM}:
        return "no permission; install systemd/70-gatewayd.rules and replug the scanner"
    return cause(exc)


class HidrawPort:
    """One open node; every read is one report, every write is one report with its id first."""

    def __init__(self, fd: int, wire: str, descriptor: bytes) -> None:
        """Take over a non-blocking descriptor; raises DriverError when it cannot be watched."""
        self.wire = wire
        self.descriptor = descriptor
        self._fd = fd
        self._loop = asyncio.get_running_loop()
        self._inbox = Inbox(wire, self._watch)
        self._watch()

    async def read(self, within_s: float | None) -> bytes:
        """The next input report; raises LinkSilentError or DriverError."""
        return await self._inbox.get(within_s)

    async def write(self, report: bytes) -> None:
        """Hand the report to the kernel, which takes it whole or not; raises DriverError."""
        try:
            os.write(self._fd, report)
        except OSError as exc:
            raise DriverError(f"{self.wire}: could not send: {hid_cause(exc)}") from exc

    async def close(self) -> None:
        """Close the node; safe to repeat."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1
            self._inbox.lose("closed")

    def _watch(self) -> None:
        if self._fd < 0 or self._inbox.lost:
            return
        try:
            self._loop.add_reader(self._fd, self._ready)
        except OSError as exc:
            os.close(self._fd)
            self._fd = -1
            raise DriverError(f"{self.wire}: not a device that can be waited for") from exc

    def _ready(self) -> None:
        """One report may be read, or the device is gone."""
        try:
            report = os.read(self._fd, REPORT_BYTES_MAX)
        except BlockingIOError:
            return
        except OSError as exc:
            self._loop.remove_reader(self._fd)
            self._inbox.lose(hid_cause(exc))
            return
        if not report:
            self._loop.remove_reader(self._fd)
            self._inbox.lose("unplugged")
            return
        self._inbox.put(report)
        if self._inbox.is_full:
            self._loop.remove_reader(self._fd)


def open_hidraw(link: HidrawLink) -> HidrawPort:
    """Open the node and read its report descriptor; raises DriverError in plain words."""
    try:
        fd = os.open(link.hidraw, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as exc:
        raise DriverError(f"{link.wire()}: {hid_cause(exc)}") from exc
    try:
        descriptor = read_descriptor(fd)
    except OSError as exc:
        os.close(fd)
        said = "not a raw HID device" if exc.errno == errno.ENOTTY else hid_cause(exc)
        raise DriverError(f"{link.wire()}: {said}") from exc
    return HidrawPort(fd, link.wire(), descriptor)


def read_descriptor(fd: int) -> bytes:
    """The report descriptor of an open node; raises OSError."""
    told = fcntl.ioctl(fd, HIDIOCGRDESCSIZE, bytes(4))
    size = min(struct.unpack("=i", told)[0], DESCRIPTOR_BYTES_MAX)
    answer = bytearray(struct.pack("=I", size) + bytes(DESCRIPTOR_BYTES_MAX))
    fcntl.ioctl(fd, HIDIOCGRDESC, answer)
    return bytes(answer[4 : 4 + size])

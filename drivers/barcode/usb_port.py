"""A HID device through libusb, for machines whose kernel gives it no raw node.

libusb blocks, so one thread per scanner does everything with it: open, read with short deadlines,
write, let go. It hands reports to the loop and takes orders from it; nothing else is shared. The
kernel's driver is detached from the scanner's interface while it is open and attached again after.
"""

import asyncio
import errno
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import usb.core
import usb.util

from drivers.barcode.hid_link import Inbox, UsbLink
from drivers.contract import DriverError
from drivers.links import OPEN_WITHIN_S, LinkSilentError
from drivers.liveness import Worker
from drivers.troubles import call_hangs
from protocols.framing import FrameError
from protocols.scanners.hid_descriptor import DESCRIPTOR_BYTES_MAX, parse_descriptor
from protocols.scanners.hid_pos import layout_from

READ_MS = 100
"""How long one read waits: the longest an order or the end waits for the thread."""
CONTROL_MS = 1000
CLOSE_WITHIN_S = 2.0
ORDERS_MAX = 16
"""Output reports waiting for the thread; more is an error of the device."""

HID_CLASS = 3
BOOT_SUBCLASS = 1
"""Interfaces that can be a boot keyboard or mouse; never touched."""
_DEVICES = Path("/sys/bus/usb/devices")
_GET_DESCRIPTOR, _SET_REPORT = 0x06, 0x09
_REPORT_DESCRIPTOR, _OUTPUT_REPORT = 0x22, 0x02


@dataclass(frozen=True, slots=True)
class _Interface:
    """The scanner's interface: number, how to read it, how to write it, how it describes itself."""

    number: int
    read_from: int
    read_bytes: int
    write_to: int | None
    descriptor: bytes


class UsbPort:
    """One open scanner; made by `open_usb`."""

    def __init__(self, link: UsbLink) -> None:
        self.wire = link.wire()
        self.descriptor = b""
        self._link = link
        self._loop = asyncio.get_running_loop()
        self._inbox = Inbox(self.wire)
        self._orders: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._opened: asyncio.Future[bytes] = self._loop.create_future()
        self._gone = self._loop.create_future()
        self._worker = Worker(self.wire, call_hangs("libusb", "gatewayd"), self._work)
        self._worker.begin()

    async def opened(self) -> None:
        """Wait for the thread; raises DriverError when it could not open the scanner."""
        try:
            async with asyncio.timeout(OPEN_WITHIN_S):
                self.descriptor = await self._opened
        except TimeoutError as exc:
            raise DriverError(f"{self.wire}: libusb did not open it in {OPEN_WITHIN_S} s") from exc

    async def read(self, within_s: float | None) -> bytes:
        """The next input report; raises LinkSilentError, or DriverError also when libusb hangs."""
        try:
            return await self._inbox.get(within_s)
        except LinkSilentError:
            self._worker.look()
            raise

    async def write(self, report: bytes) -> None:
        """Leave the report for the thread; raises DriverError when it takes none."""
        if self._inbox.lost:
            raise DriverError(f"{self.wire}: {self._inbox.lost}")
        if self._orders.qsize() >= ORDERS_MAX:
            raise DriverError(f"{self.wire}: {ORDERS_MAX} reports wait to be sent")
        self._orders.put(report)

    async def close(self) -> None:
        """Let the scanner go, at most CLOSE_WITHIN_S; safe to repeat."""
        self._stop.set()
        self._inbox.lose("closed")
        if not self._gone.done():
            await asyncio.wait([self._gone], timeout=CLOSE_WITHIN_S)

    # On the thread.

    def _work(self) -> None:
        try:
            self._serve()
        except usb.core.NoBackendError:
            self._tell(self._fail, "libusb is not installed: apt-get install libusb-1.0-0")
        except DriverError as exc:
            self._tell(self._fail, str(exc))
        except usb.core.USBError as exc:
            self._tell(self._fail, _cause(exc))
        finally:
            self._tell(_finish, self._gone)

    def _serve(self) -> None:
        device = find(self._link)
        detached: list[int] = []
        try:
            interface = _claim(device, detached)
            self._tell(_answer, self._opened, interface.descriptor)
            while not self._stop.is_set():
                self._turn(device, interface)
                self._worker.turned()
            self._send(device, interface)
        finally:
            _give_back(device, detached)

    def _turn(self, device: Any, interface: _Interface) -> None:
        self._send(device, interface)
        if self._inbox.is_full:
            self._stop.wait(READ_MS / 1000)
            return
        try:
            report = device.read(interface.read_from, interface.read_bytes, timeout=READ_MS)
        except usb.core.USBTimeoutError:
            return
        if report:
            self._tell(self._inbox.put, bytes(report))

    def _send(self, device: Any, interface: _Interface) -> None:
        while not self._orders.empty():
            report = self._orders.get()
            if interface.write_to is not None:
                device.write(interface.write_to, report, timeout=CONTROL_MS)
                continue
            value = _OUTPUT_REPORT << 8 | report[0]
            device.ctrl_transfer(0x21, _SET_REPORT, value, interface.number, report, CONTROL_MS)

    def _tell(self, what: Callable[..., None], *args: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *args)
        except RuntimeError:
            self._stop.set()  # The loop has ended; nobody is left to tell.

    # On the loop.

    def _fail(self, why: str) -> None:
        self._inbox.lose(why)
        if not self._opened.done():
            self._opened.set_exception(DriverError(f"{self.wire}: {why}"))


def _finish(gone: "asyncio.Future[None]") -> None:
    if not gone.done():
        gone.set_result(None)


def _answer(opened: "asyncio.Future[bytes]", descriptor: bytes) -> None:
    if not opened.done():
        opened.set_result(descriptor)


async def open_usb(link: UsbLink) -> UsbPort:
    """Open the scanner; raises DriverError in plain words."""
    port = UsbPort(link)
    try:
        await port.opened()
    except BaseException:  # Cancelled or failed: the thread must let the scanner go either way.
        await port.close()
        raise
    return port


def find(link: UsbLink) -> Any:
    """The one device the link names; raises DriverError when there is none, or several."""
    vendor, product = link.ids
    found = [
        device
        for device in usb.core.find(find_all=True, idVendor=vendor, idProduct=product) or ()
        if link.path in {None, path_of(device)} and link.serial in {None, serial_of(device)}
    ]
    if not found:
        raise DriverError("not plugged in")
    if len(found) > 1:
        paths = ", ".join(sorted(path_of(device) for device in found))
        raise DriverError(f"{len(found)} such devices; say serial or path, one of: {paths}")
    return found[0]


def path_of(device: Any) -> str:
    """Bus and ports, as the kernel names the device: `1-1.4`."""
    return f"{device.bus}-{'.'.join(str(port) for port in device.port_numbers or ())}"


def serial_of(device: Any) -> str | None:
    """The serial number as the kernel read it at plugging in; None when there is none."""
    try:
        return (_DEVICES / path_of(device) / "serial").read_text("utf-8").strip() or None
    except OSError:
        return None


def _claim(device: Any, detached: list[int]) -> _Interface:
    """Take the interface whose descriptor is a HID POS scanner's; raises DriverError."""
    for candidate in device.get_active_configuration():
        is_hid = candidate.bInterfaceClass == HID_CLASS
        if not is_hid or candidate.bInterfaceSubClass == BOOT_SUBCLASS:
            continue
        number = candidate.bInterfaceNumber
        if _is_kernels(device, number):
            device.detach_kernel_driver(number)
            detached.append(number)
        usb.util.claim_interface(device, number)
        if found := _interface(device, candidate):
            return found
        usb.util.release_interface(device, number)
    raise DriverError("no HID POS interface; scan the code 'USB HID POS' of the scanner's manual")


def _interface(device: Any, candidate: Any) -> _Interface | None:
    """What is needed to serve an interface; None when it is no HID POS scanner."""
    number = candidate.bInterfaceNumber
    size = _descriptor_bytes(bytes(candidate.extra_descriptors))
    raw = device.ctrl_transfer(
        0x81, _GET_DESCRIPTOR, _REPORT_DESCRIPTOR << 8, number, size, CONTROL_MS
    )
    try:
        layout_from(bytes(raw))
    except FrameError:
        return None
    inputs = [each for each in candidate if each.bEndpointAddress & 0x80]
    outputs = [each for each in candidate if not each.bEndpointAddress & 0x80]
    if not inputs:
        return None
    write_to = outputs[0].bEndpointAddress if outputs else None
    packet = max(inputs[0].wMaxPacketSize, 1)
    # A report may take several packets; a longer read would run into the next report.
    longest = max(-(-bits // 8) for _, bits in parse_descriptor(bytes(raw)).report_bits)
    read_bytes = -(-longest // packet) * packet
    return _Interface(number, inputs[0].bEndpointAddress, read_bytes, write_to, bytes(raw))


def _descriptor_bytes(extra: bytes) -> int:
    """Length of the report descriptor by the HID descriptor (HID 1.11, §6.2.1)."""
    at = 0
    while at + 9 <= len(extra) and extra[at]:
        if extra[at + 1] == 0x21 and extra[at + 6] == _REPORT_DESCRIPTOR:  # noqa: PLR2004 - its type
            return min(int.from_bytes(extra[at + 7 : at + 9], "little"), DESCRIPTOR_BYTES_MAX)
        at += extra[at]
    return DESCRIPTOR_BYTES_MAX


def _is_kernels(device: Any, number: int) -> bool:
    try:
        return bool(device.is_kernel_driver_active(number))
    except (usb.core.USBError, NotImplementedError):
        return False  # Claiming tells: it fails when a driver of the kernel is there.


def _give_back(device: Any, detached: list[int]) -> None:
    usb.util.dispose_resources(device)
    for number in detached:
        try:
            device.attach_kernel_driver(number)
        except usb.core.USBError:
            break  # Unplugged: there is nothing to attach to.
    usb.util.dispose_resources(device)


def _cause(exc: usb.core.USBError) -> str:
    """A libusb error in plain words."""
    text = str(exc)
    if exc.errno in {errno.EACCES, errno.EPERM}:
        return "no permission; install systemd/70-gatewayd.rules and replug the scanner"
    if exc.errno in {errno.ENODEV, errno.EIO, errno.EPIPE}:
        return "unplugged"
    if exc.errno == errno.EBUSY:
        return "used by another program"
    return text or type(exc).__name__

"""A USB device that is alive: usbdevfs in Python behind umockdev, with the real libusb in front.

    umockdev-run --device D -- python -m tests.support.usbfs_child ORDER

umockdev's own replay knows no kernel drivers, no late reports and no unplugging; here a thread of the
process answers the ioctls of the device's node over umockdev's socket protocol (its preload library:
requests of three words; memory of the program is read and written on demand). Prints what the driver
said and, as `kernel`, what was done to the interfaces, in order.
"""

import asyncio
import errno
import json
import os
import socket
import struct
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivers.liveness import TURN_S
from tests.support.driver_child import serve
from tests.support.patient_loop import PatientLoop, stall

NODE = "/dev/bus/usb/001/004"
WORDS = struct.Struct("=QQQ")
URB = struct.Struct("=BBxxiIxxxxQiiiiiIQ")
"""struct usbdevfs_urb of a 64-bit kernel (linux/usbdevice_fs.h)."""
DONE, RUN, READ_MEMORY, WRITE_MEMORY = 3, 4, 5, 6
IOCTL = 1
GET_CAPABILITIES, CLAIM, RELEASE, GET_DRIVER = 0x8004551A, 0x8004550F, 0x80045510, 0x41045508
DRIVER_IOCTL, SUBMIT, REAP, DISCARD = 0xC0105512, 0x8038550A, 0x4008550D, 0x550B
DISCONNECT, CONNECT = 0x5516, 0x5517
CONTROL = 2


@dataclass
class Device:
    """One HID interface, bound to the kernel's driver at first."""

    descriptor: bytes
    reports: list[tuple[float, bytes]]
    unplug_s: float | None
    hangs_s: float | None = None
    """From this age on no call comes back."""
    hung: threading.Event = field(default_factory=threading.Event)
    held: bool = False
    """Another program has claimed the interface."""
    bound: set[int] = field(default_factory=lambda: {0})
    kernel: list[str] = field(default_factory=list)
    urbs: list[int] = field(default_factory=list)
    started_s: float = field(default_factory=time.monotonic)
    discarded: list[int] = field(default_factory=list)

    @property
    def age_s(self) -> float:
        return time.monotonic() - self.started_s

    @property
    def unplugged(self) -> bool:
        return self.unplug_s is not None and self.age_s > self.unplug_s


@dataclass
class Caller:
    """The program's side of one open node."""

    link: socket.socket

    def ask(self) -> tuple[int, int, int]:
        raw = self.link.recv(WORDS.size, socket.MSG_WAITALL)
        if len(raw) < WORDS.size:
            raise EOFError
        command, request, address = WORDS.unpack(raw)
        return command, request, address

    def read(self, address: int, size: int) -> bytes:
        self.link.sendall(WORDS.pack(READ_MEMORY, address, size))
        return self.link.recv(size, socket.MSG_WAITALL)

    def write(self, address: int, data: bytes) -> None:
        self.link.sendall(WORDS.pack(WRITE_MEMORY, address, len(data)) + data)

    def done(self, error: int = 0) -> None:
        self.link.sendall(WORDS.pack(DONE, 2**64 - 1 if error else 0, error))


def answer(device: Device, caller: Caller) -> None:
    """Serve one open node until the program closes it."""
    while True:
        try:
            command, request, address = caller.ask()
        except (EOFError, ConnectionError):
            return
        if command != IOCTL:
            caller.link.sendall(WORDS.pack(RUN, 0, 0))
            _, result, error = caller.ask()
            caller.link.sendall(WORDS.pack(DONE, result, error))
            continue
        if device.hangs_s is not None and device.age_s > device.hangs_s:
            device.hung.set()
            threading.Event().wait()
        caller.done(_ioctl(device, caller, request, address))


def _ioctl(device: Device, caller: Caller, request: int, address: int) -> int:
    if device.unplugged and request != REAP:
        return errno.ENODEV
    if request == GET_CAPABILITIES:
        caller.write(address, struct.pack("=I", 0x1F))
    elif request == GET_DRIVER:
        return _driver(device, caller, address)
    elif request == DRIVER_IOCTL:
        return _bind(device, caller, address)
    elif request in {CLAIM, RELEASE}:
        number = struct.unpack("=I", caller.read(address, 4))[0]
        if request == CLAIM and (device.held or number in device.bound):
            return errno.EBUSY
        device.kernel.append(f"{'claim' if request == CLAIM else 'release'} {number}")
    elif request == SUBMIT:
        device.urbs.append(address)
    elif request == DISCARD:
        if address not in device.urbs:
            return errno.EINVAL
        device.urbs.remove(address)
        device.discarded.append(address)
    elif request == REAP:
        return _reap(device, caller, address)
    else:
        return errno.ENOTTY
    return 0


def _driver(device: Device, caller: Caller, address: int) -> int:
    number = struct.unpack("=I", caller.read(address, 4))[0]
    if number not in device.bound:
        return errno.ENODATA
    caller.write(address + 4, b"usbhid\0")
    return 0


def _bind(device: Device, caller: Caller, address: int) -> int:
    number, what, _ = struct.unpack("=iiQ", caller.read(address, 16))
    if what == DISCONNECT:
        device.bound.discard(number)
    elif what == CONNECT:
        device.bound.add(number)
    else:
        return errno.ENOTTY
    device.kernel.append(f"{'detach' if what == DISCONNECT else 'attach'} {number}")
    return 0


def _reap(device: Device, caller: Caller, address: int) -> int:
    found = _finished(device, caller)
    if found is None:
        return errno.EAGAIN
    caller.write(address, struct.pack("=Q", found))
    return 0


def _finished(device: Device, caller: Caller) -> int | None:
    """The address of a transfer that has ended, its answer written where it belongs."""
    if device.discarded:
        at = device.discarded.pop(0)
        return _end(caller, at, -errno.ENOENT, b"", skip=0)
    for at in list(device.urbs):
        kind, _, *_rest = URB.unpack(caller.read(at, URB.size))
        if device.unplugged:
            device.urbs.remove(at)
            return _end(caller, at, -errno.ENODEV, b"", skip=0)
        if kind == CONTROL:
            device.urbs.remove(at)
            return _end(caller, at, 0, device.descriptor, skip=8)
        if device.reports and device.reports[0][0] <= device.age_s:
            device.urbs.remove(at)
            return _end(caller, at, 0, device.reports.pop(0)[1], skip=0)
    return None


def _end(caller: Caller, at: int, status: int, data: bytes, *, skip: int) -> int:
    words = list(URB.unpack(caller.read(at, URB.size)))
    words[2] = status
    words[6] = len(data)
    if data:
        caller.write(words[4] + skip, data)
    caller.write(at, URB.pack(*words))
    return at


def listen(device: Device) -> None:
    path = Path(f"{os.environ['UMOCKDEV_DIR']}/ioctl{NODE}")
    path.parent.mkdir(parents=True, exist_ok=True)
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(path))
    door.listen()

    def accept() -> None:
        while True:
            link, _ = door.accept()
            threading.Thread(target=answer, args=(device, Caller(link)), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def main(order: dict[str, Any]) -> dict[str, Any]:
    reports = [(after_s, bytes.fromhex(raw)) for after_s, raw in order.pop("reports")]
    descriptor = bytes.fromhex(order.pop("descriptor"))
    unplug_s, held = order.pop("unplug_s"), order.pop("held", False)
    device = Device(descriptor, reports, unplug_s, order.pop("hangs_s", None), held=held)
    listen(device)
    with asyncio.Runner(loop_factory=PatientLoop) as runner:
        said = runner.run(_serve(device, order))
    return {**said, "kernel": device.kernel}


async def _serve(device: Device, order: dict[str, Any]) -> dict[str, Any]:
    """Nobody waits for the time in which a call that hangs does not come back."""

    async def hasten() -> None:
        while True:
            await asyncio.sleep(0.05)  # as often as it is looked for
            if device.hung.is_set():
                stall(TURN_S)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(hasten())
        said = await serve(order)
        task.cancel()
    return said


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(sys.argv[1]))) + "\n")
    sys.stdout.flush()
    os._exit(0)  # libusb would wait at the end for the call that hangs.

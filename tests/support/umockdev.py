"""Test beds of umockdev: a driver in a process of its own, among devices that do not exist.

The process uses the real libusb, the real evdev and the kernel's interfaces; umockdev answers in
place of /sys, /dev and their ioctls. What its replay cannot do: unplug a raw HID or input node;
and detach a kernel driver or answer a USB transfer late, which `usbfs_child` does in its place.
"""

import asyncio
import json
import shutil
import struct
import sys
from collections.abc import Iterable
from ctypes.util import find_library
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import WITHIN_S

ROOT = Path(__file__).parents[2]

needs_umockdev = pytest.mark.skipif(
    shutil.which("umockdev-run") is None,
    reason="needs umockdev-run; apt-get install umockdev",
)

needs_libusb = pytest.mark.skipif(
    find_library("usb-1.0") is None, reason="needs libusb; apt-get install libusb-1.0-0"
)

HIDRAW = """\
P: /devices/virtual/hidraw/hidraw5
N: hidraw5
E: DEVNAME=/dev/hidraw5
E: MAJOR=240
E: MINOR=5
E: SUBSYSTEM=hidraw
A: dev=240:5
"""


async def run(
    order: dict[str, Any], bed: Iterable[str], module: str = "tests.support.driver_child"
) -> dict[str, Any]:
    """What the driver of `order` (see driver_child) said among the devices of `bed`."""
    child = [sys.executable, "-m", module, json.dumps(order)]
    process = await asyncio.create_subprocess_exec(
        "umockdev-run",
        *bed,
        "--",
        *child,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, f"ended with {process.returncode}: {err.decode()}{out.decode()}"
    said: dict[str, Any] = json.loads(out)
    return said


def hidraw_ioctls(descriptor: bytes) -> str:
    """What the kernel answers about a raw HID node."""
    size = struct.pack("=I", len(descriptor))
    whole = size + descriptor + bytes(4096 - len(descriptor))
    return (
        "@DEV /dev/hidraw5\n"
        f"HIDIOCGRDESCSIZE 0 {size.hex().upper()}\nHIDIOCGRDESC 0 {whole.hex().upper()}\n"
    )


def script(*steps: tuple[str, int, bytes]) -> bytes:
    """Steps of a dialog: `r` what the program reads, `w` what it writes; milliseconds before."""
    return b"".join(b"%s %d %s\n" % (kind.encode(), ms, _escaped(raw)) for kind, ms, raw in steps)


def _escaped(raw: bytes) -> bytes:
    escaped = {94: b"^`"} | {byte: bytes((94, byte + 64)) for byte in range(32)}
    return b"".join(escaped.get(byte, bytes((byte,))) for byte in raw)

"""A scanner that plays keyboard: its keys as the kernel hands them out, and as umockdev replays them.

`SocketKeys` stands in for evdev's device on a socket, which unlike umockdev can be unplugged.
"""

import errno
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from drivers.barcode.evdev_keys import USAGES
from tests.protocols.test_hid_keyboard import LAYOUTS, Strokes, strokes

__all__ = ["LAYOUTS", "SocketKeys", "evemu", "events", "input_bed", "strokes"]

EVENT = struct.Struct("=HHi")
EVENTS_A_READ = 64
CODES = {usage: code for code, usage in USAGES.items()}
SYN = (0, 0, 0)
SYN_DROPPED = (0, 3, 0)
Events = list[tuple[int, int, int]]


def events(keys: Strokes) -> Events:
    """Press and release each stroke, modifiers around the key."""
    found: Events = []
    for held in keys:
        for usage in held:
            found += [(1, CODES[usage], 1), SYN]
        for usage in reversed(held):
            found += [(1, CODES[usage], 0), SYN]
    return found


@dataclass(frozen=True)
class _Event:
    type: int
    code: int
    value: int


@dataclass
class SocketKeys:
    """evdev's device as far as the port uses it; the far end of the socket is the scanner."""

    packets: socket.socket
    path: str = "/dev/input/event5"
    name: str = "Scanner Keys"
    grabbed: bool = False
    refuses: int = 0
    _open: bool = field(default=True)

    @property
    def fd(self) -> int:
        return self.packets.fileno() if self._open else -1

    def grab(self) -> None:
        if self.refuses:
            raise OSError(self.refuses, "refused")
        self.grabbed = True

    def read(self) -> Iterable[_Event]:
        raw = self.packets.recv(EVENT.size * EVENTS_A_READ)
        if not raw:
            raise OSError(errno.ENODEV, "No such device")
        return [_Event(*each) for each in EVENT.iter_unpack(raw)]

    def close(self) -> None:
        self._open = False
        self.packets.close()


def evemu(sent: Events, *, after_s: float = 0.0, every_s: float = 0.002) -> str:
    """The events in evemu's text format, the first of them at once, the others later."""
    lines = ["# device /dev/input/event5", "E: 0.000000 0000 0000 0"]
    for number, (kind, code, value) in enumerate(sent):
        lines.append(f"E: {after_s + number * every_s:.6f} {kind:04x} {code:04x} {value}")
    return "\n".join(lines) + "\n"


def input_bed(ids: tuple[int, int], uniq: str) -> tuple[str, str]:
    """A typing input device for umockdev: its description and the answers to its ioctls."""
    vendor, product = ids
    keys = _bitmap(range(1, 127), 96)
    words = [f"{int.from_bytes(keys[at : at + 8], 'little'):x}" for at in range(0, 96, 8)]
    described = f"""\
P: /devices/virtual/input/input5/event5
N: input/event5
E: DEVNAME=/dev/input/event5
E: MAJOR=13
E: MINOR=69
E: SUBSYSTEM=input
A: dev=13:69
L: device=../../input5

P: /devices/virtual/input/input5
E: SUBSYSTEM=input
A: id/vendor={vendor:04x}
A: id/product={product:04x}
A: uniq={uniq}
A: capabilities/key={" ".join(reversed(words))}
"""
    answers = {
        "EVIOCGVERSION 0": bytes((1, 0, 1, 0)),
        "EVIOCGID 0": struct.pack("=HHHH", 3, vendor, product, 0x100),
        "EVIOCGNAME(0) 12": b"Scanner Keys".ljust(256, b"\0"),
        "EVIOCGPHYS(0) 4": b"usb1".ljust(256, b"\0"),
        f"EVIOCGUNIQ(0) {len(uniq)}": uniq.encode().ljust(256, b"\0"),
        "EVIOCGBIT(0) 4": _bitmap((0, 1), 4),
        "EVIOCGBIT(0) 96": _bitmap((0, 1), 96),
        "EVIOCGEFFECTS 0": bytes(4),
        "EVIOCGBIT(1) 96": keys,
    }
    lines = [f"{name} {raw.hex().upper()}" for name, raw in answers.items()]
    return described, "\n".join(["@DEV /dev/input/event5", *lines]) + "\n"


def _bitmap(codes: Iterable[int], size: int) -> bytes:
    raw = bytearray(size)
    for code in codes:
        raw[code // 8] |= 1 << code % 8
    return bytes(raw)

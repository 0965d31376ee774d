"""GM65 / GM861 / Waveshare scan modules: their setting zone, read and written over the code's line.

Source: Grow GM65 user manual, sections 2.3 and 8.2 to 8.5 (examples of it are our vectors), and the
GM812 manual 1.2.1. Command `7E 00 type len addr(2) data crc(2)`, reply `02 00 type len data crc(2)`;
the CRC is xmodem over type to data, AB CD means do not check. A command with a wrong CRC gets no
answer. A reply and the code that it announces arrive back to back.
"""

from dataclasses import dataclass

from construct import Bytes, Const, Int8ub, Int16ub, Struct, Terminated, this

from protocols.checksums import xmodem
from protocols.framing import UNDECIDED, FrameError, parse, shown

COMMAND_HEAD, REPLY_HEAD = b"\x7e\x00", b"\x02\x00"
GM65_COMMAND = Struct(
    "head" / Const(COMMAND_HEAD),
    "type" / Int8ub,
    "len" / Int8ub,
    "addr" / Int16ub,
    "data" / Bytes(this.len),
    "crc" / Int16ub,
    Terminated,
)
GM65_REPLY = Struct(
    "head" / Const(REPLY_HEAD),
    "type" / Int8ub,
    "len" / Int8ub,
    "data" / Bytes(this.len),
    "crc" / Int16ub,
    Terminated,
)
READ, WRITE, SAVE = 0x07, 0x08, 0x09
TYPES = {READ: "read", WRITE: "write", SAVE: "save"}
UNCHECKED = 0xABCD
CRC_BYTES = 2
REPLY_BYTES = 6
"""A reply without its data; the length is its fourth byte."""
LENGTH_AT = 3

MODE_ZONE = 0x0000
MODE_BITS = 0b11
"""Of the zone's byte: 0 button, 1 command, 2 continuous, 3 sensor; the other bits are lights."""
MODE_COMMAND = 0b01
TRIGGER_ZONE = 0x0002
"""Writing 1 begins one read, which lasts until a code or the module's own time-out (5 s)."""
OK = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer whose CRC is right; `type` 0 is success."""

    type: int
    data: bytes


def build_read(address: int) -> bytes:
    """Ask for one byte of the zone."""
    return _command(READ, address, b"\x01")


def build_write(address: int, value: int) -> bytes:
    """Write one byte of the zone, not into flash."""
    return _command(WRITE, address, bytes((value,)))


def build_reply(data: bytes, type_: int = OK) -> bytes:
    """What a module answers."""
    return _sealed(REPLY_HEAD, bytes((type_, len(data))) + data)


def decode_reply(raw: bytes) -> Reply:
    """One whole reply. Raises FrameError when its CRC or form is wrong."""
    found = parse(GM65_REPLY, raw, "GM65 reply")
    prove(raw, found.crc)
    return Reply(found.type, found.data)


def reply_size(window: bytes) -> int:
    """Length of the reply that the bytes begin with, UNDECIDED when more must come.

    Raises FrameError when none does, or when its CRC is wrong.
    """
    if not REPLY_HEAD.startswith(window[:2]):
        raise FrameError("no GM65 reply")
    if len(window) <= LENGTH_AT:
        return UNDECIDED
    size = REPLY_BYTES + window[LENGTH_AT]
    if len(window) < size:
        return UNDECIDED
    prove(window[:size], int.from_bytes(window[size - CRC_BYTES : size]))
    return size


def prove(raw: bytes, crc: int) -> bool:
    """Whether the CRC was there to be checked. Raises FrameError when it is wrong."""
    if crc == UNCHECKED:
        return False
    good = xmodem(raw[2:-CRC_BYTES])
    if crc != good:
        raise FrameError(f"wrong GM65 checksum {crc:04x}, expected {good:04x}: {shown(raw)}")
    return True


def _command(type_: int, address: int, data: bytes) -> bytes:
    return _sealed(COMMAND_HEAD, bytes((type_, len(data))) + address.to_bytes(2) + data)


def _sealed(head: bytes, body: bytes) -> bytes:
    return head + body + xmodem(body).to_bytes(CRC_BYTES)

"""Silion's second command set: everything behind opcode 0xAA.

Command data: `Moduletech`, subcommand (2), data, the sum of subcommand and data (1), `BB`; the reply
repeats `Moduletech` and the subcommand, without sum and end (older public code expects both: taken
off when they are right). Asynchronous inventory sends each tag as `flags(2) record` and, every 15 s
when asked, a sign of life `XTSJ flags(2) state`. Facts: EX10 module protocol (2024-12) as quoted by
three public drivers; start and stop frames are captured, tags and signs of life are the document's
word.
"""

from dataclasses import dataclass

from protocols.framing import FrameError, shown
from protocols.readers.thingmagic.codes import EXTENDED
from protocols.readers.thingmagic.envelope import build_command, build_reply
from protocols.readers.thingmagic.records import Tag, build_record, parse_records

MARKER = b"Moduletech"
HEARTBEAT = b"XTSJ"
END = 0xBB
START_ASYNC = 0xAA48
STOP_ASYNC = 0xAA49
SUBCOMMAND_NAMES = {
    START_ASYNC: "start async inventory",
    STOP_ASYNC: "stop async inventory",
    0xAA40: "set baud",
    0xAA4A: "measure standing wave",
    0xAA4C: "filter repeats",
    0xAA4D: "flip session",
    0xAA58: "start dense inventory",
    0xAA59: "stop dense inventory",
    0xAA5B: "filter by RSSI",
}
WITH_HEARTBEAT = 0x8000
"""Search flag: say every 15 s that it lives."""
_SUBCOMMAND_BYTES = 2
_TAIL_BYTES = 2


@dataclass(frozen=True, slots=True)
class Extended:
    """A subcommand and its data; `sub_checksum` is the sum byte where the frame carries one."""

    subcommand: int
    data: bytes
    sub_checksum: int | None = None


@dataclass(frozen=True, slots=True)
class AsyncTag:
    """A tag nobody asked for."""

    flags: int
    tag: Tag


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The module says that it lives; `state` is undocumented."""

    flags: int
    state: bytes


def build_extended(subcommand: int, data: bytes = b"") -> bytes:
    """A sealed extended command."""
    body = subcommand.to_bytes(_SUBCOMMAND_BYTES) + data
    return build_command(EXTENDED, MARKER + body + bytes((sum(body) & 0xFF, END)))


def build_start_async(metadata: int, search_flags: int) -> bytes:
    """Start asynchronous inventory without selection or embedded command."""
    return build_extended(START_ASYNC, metadata.to_bytes(2) + b"\x00" + search_flags.to_bytes(2))


def build_stop_async() -> bytes:
    """Stop asynchronous inventory; harmless when there is none."""
    return build_extended(STOP_ASYNC)


def build_extended_reply(subcommand: int, status: int = 0, data: bytes = b"") -> bytes:
    """What the module answers to an extended command."""
    return build_reply(EXTENDED, status, MARKER + subcommand.to_bytes(2) + data)


def build_async_tag(flags: int, tag: Tag) -> bytes:
    """A tag as the module pushes it."""
    return build_reply(EXTENDED, 0, flags.to_bytes(2) + build_record(flags, tag))


def build_heartbeat(flags: int = WITH_HEARTBEAT, state: bytes = b"\x00") -> bytes:
    """The module's sign of life."""
    return build_reply(EXTENDED, 0, HEARTBEAT + flags.to_bytes(2) + state)


def decode_extended_command(data: bytes) -> Extended:
    """Data of an 0xAA command; raises FrameError when marker, sum or end are wrong."""
    if not data.startswith(MARKER):
        raise FrameError(f"no Moduletech marker: {shown(data)}")
    body = data[len(MARKER) :]
    if len(body) < _SUBCOMMAND_BYTES + _TAIL_BYTES:
        raise FrameError(f"extended command cut off: {shown(data)}")
    body, checksum, end = body[:-2], body[-2], body[-1]
    if end != END:
        raise FrameError(f"extended command ends with {end:02x} instead of bb")
    if checksum != sum(body) & 0xFF:
        good = sum(body) & 0xFF
        raise FrameError(f"wrong inner sum {checksum:02x}, expected {good:02x}")
    return Extended(int.from_bytes(body[:2]), body[2:], checksum)


def decode_extended_reply(data: bytes) -> Extended | AsyncTag | Heartbeat:
    """Data of an 0xAA reply, asked or pushed; raises FrameError."""
    if data.startswith(MARKER):
        return _answer(data[len(MARKER) :])
    if data.startswith(HEARTBEAT) or data[2:].startswith(HEARTBEAT):
        return _heartbeat(data if data.startswith(HEARTBEAT) else data[2:])
    if len(data) < 2:  # noqa: PLR2004 - the flags
        raise FrameError(f"extended reply of {len(data)} bytes")
    flags = int.from_bytes(data[:2])
    return AsyncTag(flags, parse_records(flags, data[2:], 1)[0])


def _answer(body: bytes) -> Extended:
    if len(body) < _SUBCOMMAND_BYTES:
        raise FrameError("extended reply without subcommand")
    inner = body[:-2]
    if len(inner) >= _SUBCOMMAND_BYTES and body[-2:] == bytes((sum(inner) & 0xFF, END)):
        return Extended(int.from_bytes(inner[:2]), inner[2:], body[-2])
    return Extended(int.from_bytes(body[:2]), body[2:])


def _heartbeat(data: bytes) -> Heartbeat:
    body = data[len(HEARTBEAT) :]
    if len(body) < 2:  # noqa: PLR2004 - the flags
        raise FrameError("sign of life cut off")
    return Heartbeat(int.from_bytes(body[:2]), body[2:])

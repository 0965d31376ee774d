"""Chainway frames `A5 5A`, for looking at: `gatewayd decode`. There is no driver for them.

`A5 5A Len(2) Cmd Data Xor 0D 0A`; Len counts the whole frame, Xor is over Len to the end of Data.
Frames of public code and of the protocol reference that it quotes; what tag notifications hold is
not proven, so data stays bytes. A frame does not say which way it goes.
"""

from collections.abc import Iterator
from functools import reduce
from operator import xor
from typing import Any

from protocols.formats import Fields, Format, Part, unhex, whole
from protocols.framing import UNDECIDED, FrameError, Framer

START = b"\xa5\x5a"
END = b"\x0d\x0a"
FRAME_BYTES_MIN = 8
FRAME_BYTES_MAX = 2048
COMMAND_NAMES = {
    0x02: "hardware version",
    0x04: "device id",
    0x10: "set power",
    0x12: "get power",
    0x1C: "set baud",
    0x1E: "get baud",
    0x22: "get Gen2 settings",
    0x26: "return loss",
    0x2E: "get region",
    0x68: "restart",
    0x6E: "set filter",
    0x74: "factory settings",
    0x80: "read one tag",
    0x82: "start inventory",
    0x83: "tag",
    0x84: "read memory",
    0x86: "write memory",
    0x88: "lock",
    0x8A: "kill",
    0x8C: "stop inventory",
    0xA1: "inputs and outputs",
    0xE4: "beeper",
}
WITH_SUBCOMMAND = frozenset({0xA1, 0xA3, 0xE4})
"""Commands whose first data byte says what is meant."""
_HEAD_BYTES = 5
_TAIL_BYTES = 3


def new_framer() -> Framer:
    """A framer for one stream, either direction."""

    def measure(window: bytes) -> int:
        if not START.startswith(window[: len(START)]):
            raise FrameError("no start a5 5a")
        if len(window) < _HEAD_BYTES:
            return UNDECIDED
        size = int.from_bytes(window[2:4])
        if not FRAME_BYTES_MIN <= size <= FRAME_BYTES_MAX:
            raise FrameError(f"length {size} cannot be")
        if len(window) < size:
            return UNDECIDED
        if window[size - 2 : size] != END:
            raise FrameError("no end 0d 0a")
        if window[size - 3] != _sum(window[2 : size - 3]):
            raise FrameError("wrong checksum")
        return size

    return Framer(measure, frame_bytes_max=FRAME_BYTES_MAX)


def build_frame(command: int, data: bytes = b"") -> bytes:
    """A sealed frame; at most FRAME_BYTES_MAX bytes."""
    size = FRAME_BYTES_MIN + len(data)
    assert size <= FRAME_BYTES_MAX, size
    body = size.to_bytes(2) + bytes((command,)) + data
    return START + body + bytes((_sum(body),)) + END


def fields(data: bytes) -> dict[str, Any]:
    """What exactly one frame says; raises FrameError."""
    frame = whole(new_framer(), data)
    code, body = frame[4], frame[_HEAD_BYTES:-_TAIL_BYTES]
    found: dict[str, Any] = {"cmd": f"0x{code:02X}"}
    if code in COMMAND_NAMES:
        found["cmd_name"] = COMMAND_NAMES[code]
    if code in WITH_SUBCOMMAND and body:
        return {**found, "sub": body[0], "args": body[1:].hex()}
    return {**found, "data": body.hex()} if body else found


def _sum(data: bytes) -> int:
    return reduce(xor, data, 0)


def _read(data: str) -> Fields:
    return fields(unhex(data))


def _parts(data: str, _found: Fields) -> Iterator[Part]:
    frame = unhex(data)
    yield Part(frame[:2].hex(" "), "start")
    yield Part(frame[2:4].hex(" "), f"length of the whole frame: {len(frame)}")
    yield Part(f"{frame[4]:02x}", COMMAND_NAMES.get(frame[4], "command of unknown name"))
    if body := frame[_HEAD_BYTES:-_TAIL_BYTES]:
        yield Part(body.hex(" "), "data")
    yield Part(frame[-3:].hex(" "), "xor and end: correct")


CHAINWAY_A55A = Format(
    name="chainway_a55a",
    kind="frame",
    read=_read,
    summary="Chainway frame; to look at, there is no driver",
    summary_zh="成为 (Chainway) 帧；仅用于解析，没有驱动",
    parts=_parts,
    framer=new_framer,
    proof_bits=8,
    caveats=("data is not taken apart: no capture of tags is public",),
)

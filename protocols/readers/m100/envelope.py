"""The M100 envelope and its framer: `BB Type Cmd PL(2) Param Sum 7E`.

PL counts Param, high byte first; Sum is the low byte of the sum of Type to Param (QM100/M100
firmware manual, checked on 21 frames). The same body exists between `AA` and `DD`, and on JRM20x0
modules between `AA` and `8E` (public transcription, no capture): the marks are a `Style`.
"""

from collections.abc import Collection
from dataclasses import dataclass

from construct import Bytes, Int8ub, Int16ub, Struct, Terminated, this

from protocols.checksums import sum8
from protocols.framing import UNDECIDED, FrameError, Framer, parse, shown

COMMAND = 0x00
RESPONSE = 0x01
NOTIFICATION = 0x02
TYPES = frozenset({COMMAND, RESPONSE, NOTIFICATION})
FROM_READER = frozenset({RESPONSE, NOTIFICATION})
FROM_HOST = frozenset({COMMAND})

HEAD_BYTES = 5
OVERHEAD_BYTES = 7
PARAM_BYTES_MAX = 512
"""Several times the longest parameter any command has; a longer PL is no frame."""
FRAME_BYTES_MAX = OVERHEAD_BYTES + PARAM_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Style:
    """The byte before and the byte after a frame."""

    head: int
    tail: int

    @property
    def name(self) -> str:
        """As people write it, e.g. `BB..7E`."""
        return f"{self.head:02X}..{self.tail:02X}"


BB_7E = Style(0xBB, 0x7E)
AA_DD = Style(0xAA, 0xDD)
AA_8E = Style(0xAA, 0x8E)
STYLES = (BB_7E, AA_DD, AA_8E)

ENVELOPE = Struct(
    "head" / Int8ub,
    "type" / Int8ub,
    "code" / Int8ub,
    "length" / Int16ub,
    "param" / Bytes(this.length),
    "sum" / Int8ub,
    "tail" / Int8ub,
    Terminated,
)


@dataclass(frozen=True, slots=True)
class Frame:
    """A proven frame: type (command, response, notification), command number, parameter."""

    type: int
    code: int
    param: bytes
    style: Style = BB_7E


def new_framer(
    styles: Collection[Style] = STYLES, *, types: Collection[int] = FROM_READER
) -> Framer:
    """A framer for one stream; `types` are those the other end may say."""
    heads = frozenset(style.head for style in styles)
    marks = frozenset((style.head, style.tail) for style in styles)

    def measure(window: bytes) -> int:
        if window[0] not in heads:
            raise FrameError("no frame starts here")
        if len(window) > 1 and window[1] not in types:
            raise FrameError("unexpected frame type")
        if len(window) < HEAD_BYTES:
            return UNDECIDED
        size = OVERHEAD_BYTES + int.from_bytes(window[3:HEAD_BYTES])
        if size > FRAME_BYTES_MAX:
            raise FrameError("longer than any frame")
        if len(window) < size:
            return UNDECIDED
        _prove(window[:size], marks)
        return size

    return Framer(measure, frame_bytes_max=FRAME_BYTES_MAX)


def _prove(frame: bytes, marks: Collection[tuple[int, int]]) -> None:
    """Raise FrameError unless the checksum and the end mark are right."""
    good = sum8(frame[1:-2])
    if frame[-2] != good:
        raise FrameError(f"wrong checksum {frame[-2]:02x}, expected {good:02x}")
    if (frame[0], frame[-1]) not in marks:
        raise FrameError(f"wrong end mark {frame[-1]:02x}")


def seal(frame: Frame) -> bytes:
    """The frame as bytes; its parameter is at most PARAM_BYTES_MAX bytes."""
    assert len(frame.param) <= PARAM_BYTES_MAX, len(frame.param)
    body = bytes((frame.type, frame.code)) + len(frame.param).to_bytes(2) + frame.param
    return bytes((frame.style.head,)) + body + bytes((sum8(body), frame.style.tail))


def unseal(raw: bytes, styles: Collection[Style] = STYLES) -> Frame:
    """Open exactly one frame; raises FrameError on a wrong length, checksum or mark."""
    if len(raw) < OVERHEAD_BYTES:
        raise FrameError(f"{len(raw)} bytes are too short for a frame: {shown(raw)}")
    if raw[0] not in {style.head for style in styles}:
        raise FrameError(f"a frame starts with BB or AA, not {raw[0]:02x}")
    announced = OVERHEAD_BYTES + int.from_bytes(raw[3:HEAD_BYTES])
    if len(raw) != announced:
        raise FrameError(f"{announced} bytes announced, {len(raw)} present: {shown(raw)}")
    _prove(raw, {(style.head, style.tail) for style in styles})
    parsed = parse(ENVELOPE, raw, "frame")
    if parsed.type not in TYPES:
        raise FrameError(f"unknown frame type {parsed.type:02x}")
    return Frame(parsed.type, parsed.code, parsed.param, Style(parsed.head, parsed.tail))

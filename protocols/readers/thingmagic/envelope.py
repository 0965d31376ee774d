"""The envelope of the ThingMagic family, its framers, and the two directions.

Command `FF Len Op Data CRC`, reply `FF Len Op Status(2) Data CRC`; Len counts Data only, the CRC
(`checksums.tm_shift`, high byte first) covers Len to the end of Data. Both directions are proven on
captures of ThingMagic, TransCore and Silion devices. So a frame tells its direction by its size.
"""

from dataclasses import dataclass

from protocols.checksums import tm_shift
from protocols.framing import UNDECIDED, FrameError, Framer, shown

START = 0xFF
COMMAND_DATA_MAX = 250
REPLY_DATA_MAX = 248
"""Longest data of either direction; a larger Len byte starts no frame (M5e guide)."""
COMMAND_EXTRA = 5
"""FF, Len, Op and two CRC bytes."""
REPLY_EXTRA = 7
"""The same and two status bytes."""
FRAME_BYTES_MAX = 255
assert COMMAND_DATA_MAX + COMMAND_EXTRA == REPLY_DATA_MAX + REPLY_EXTRA == FRAME_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Command:
    """What the host says."""

    opcode: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the module says, asked or not; `status` 0 is ok."""

    opcode: int
    status: int
    data: bytes = b""


def new_framer() -> Framer:
    """Frames of a module, for the host's end."""
    return Framer(_measure_reply, frame_bytes_max=FRAME_BYTES_MAX)


def new_command_framer() -> Framer:
    """Frames of a host, for the module's end."""
    return Framer(_measure_command, frame_bytes_max=FRAME_BYTES_MAX)


def new_tap_framer() -> Framer:
    """Frames of both, for somebody who listens in."""
    return Framer(_measure_either, frame_bytes_max=FRAME_BYTES_MAX)


def build_command(opcode: int, data: bytes = b"") -> bytes:
    """A sealed command; at most COMMAND_DATA_MAX bytes of data."""
    assert len(data) <= COMMAND_DATA_MAX, len(data)
    return _seal(bytes((len(data), opcode)) + data)


def build_reply(opcode: int, status: int, data: bytes = b"") -> bytes:
    """A sealed reply; at most REPLY_DATA_MAX bytes of data."""
    assert len(data) <= REPLY_DATA_MAX, len(data)
    return _seal(bytes((len(data), opcode)) + status.to_bytes(2) + data)


def decode_command(frame: bytes) -> Command:
    """One whole frame of a host; raises FrameError."""
    _check(frame, COMMAND_EXTRA)
    return Command(frame[2], frame[3:-2])


def decode_reply(frame: bytes) -> Reply:
    """One whole frame of a module; raises FrameError."""
    _check(frame, REPLY_EXTRA)
    return Reply(frame[2], frame[3] << 8 | frame[4], frame[5:-2])


def decode_either(frame: bytes) -> Command | Reply:
    """One whole frame of whichever direction its size tells; raises FrameError."""
    if len(frame) >= REPLY_EXTRA and len(frame) == frame[1] + REPLY_EXTRA:
        return decode_reply(frame)
    return decode_command(frame)


def _seal(body: bytes) -> bytes:
    return bytes((START,)) + body + tm_shift(body).to_bytes(2)


def _check(frame: bytes, extra: int) -> None:
    """Start, length and checksum of exactly one frame."""
    if len(frame) < extra:
        raise FrameError(f"{len(frame)} bytes are too short for a frame: {shown(frame)}")
    if frame[0] != START:
        raise FrameError(f"frame starts with {frame[0]:02x} instead of ff: {shown(frame)}")
    if frame[1] + extra != len(frame):
        size = frame[1] + extra
        raise FrameError(f"{size} bytes announced, {len(frame)} present: {shown(frame)}")
    if len(frame) > FRAME_BYTES_MAX:
        raise FrameError(f"{frame[1]} bytes of data are too many: {shown(frame)}")
    good = tm_shift(frame[1:-2]).to_bytes(2)
    if frame[-2:] != good:
        raise FrameError(f"wrong checksum {frame[-2:].hex()}, expected {good.hex()}")


def _measure_reply(window: bytes) -> int:
    return _measure(window, REPLY_EXTRA)


def _measure_command(window: bytes) -> int:
    return _measure(window, COMMAND_EXTRA)


def _measure_either(window: bytes) -> int:
    """The shorter reading first: what proves as a command is one."""
    try:
        return _measure(window, COMMAND_EXTRA)
    except FrameError:
        return _measure(window, REPLY_EXTRA)


def _measure(window: bytes, extra: int) -> int:
    if window[0] != START:
        raise FrameError("no start byte ff")
    if len(window) < 2:  # noqa: PLR2004 - start and length
        return UNDECIDED
    size = window[1] + extra
    if size > FRAME_BYTES_MAX:
        raise FrameError("length byte too large")
    if len(window) < size:
        return UNDECIDED
    if tm_shift(window[1 : size - 2]) != window[size - 2] << 8 | window[size - 1]:
        raise FrameError("wrong checksum")
    return size

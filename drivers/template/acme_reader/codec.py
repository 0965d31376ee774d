"""Bytes to values and back for the ACME reader; pure, so that it is tested without a wire.

Frame, both ways: `5A Len Cmd Data Sum`. Len counts Cmd and Data; Sum makes the frame add up to 0
modulo 256. 01 asks for the model (ASCII comes back), 02 for the tags in the field: one reply a tag
(antenna from 1, RSSI, uid), then one without data.
"""

from dataclasses import dataclass

from protocols.framing import UNDECIDED, FrameError, Framer

HEAD = 0x5A
MODEL = 0x01
INVENTORY = 0x02
FRAME_BYTES_MAX = 64
_OVERHEAD = 3
"""Head, length and sum."""


@dataclass(frozen=True, slots=True)
class Message:
    """One proven frame: `data` without head, length, command and sum."""

    command: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of an inventory; `antenna` counts from 1."""

    antenna: int
    rssi_raw: int
    uid: bytes


def encode(message: Message) -> bytes:
    """The frame of a message, in either direction."""
    body = bytes((HEAD, 1 + len(message.data), message.command)) + message.data
    return body + bytes((-sum(body) & 0xFF,))


def decode(frame: bytes) -> Message:
    """The message of a frame that the framer has proven."""
    return Message(frame[2], frame[3:-1])


def tag_of(message: Message) -> Tag:
    """The tag of an inventory reply. Raises FrameError when it is too short to be one."""
    if len(message.data) <= 2:  # noqa: PLR2004 - antenna and RSSI stand before the uid
        raise FrameError("an inventory reply without a uid")
    return Tag(message.data[0], message.data[1], message.data[2:])


def new_framer() -> Framer:
    """Cuts a stream into proven frames; never searches for an end, a uid may hold any byte."""
    return Framer(_measure, frame_bytes_max=FRAME_BYTES_MAX)


def _measure(window: bytes) -> int:
    if window[0] != HEAD:
        raise FrameError("no frame starts here")
    if len(window) == 1:
        return UNDECIDED
    size = window[1] + _OVERHEAD
    if not 1 + _OVERHEAD <= size <= FRAME_BYTES_MAX:
        raise FrameError("impossible length")
    if len(window) < size:
        return UNDECIDED
    if sum(window[:size]) & 0xFF:
        raise FrameError("wrong checksum")
    return size

"""The envelope of R2000 serial readers and its framer.

`A0 Len Adr Cmd Data Check`: Len counts what follows it, Check makes the whole frame sum up to 0 (UHF
RFID Reader Serial Interface V3.7, chapter 1; proven on captures). Firmware has been met that counts
Len one or three too low; such a frame is only accepted when it adds up and is a whole known reply.
"""

from collections.abc import Callable
from dataclasses import dataclass

from protocols.checksums import lrc8
from protocols.framing import UNDECIDED, FrameError, Framer, shown

START = 0xA0
LEN_MIN = 3
"""Adr, Cmd and Check."""
HEAD_BYTES = 2
"""The start byte and Len itself, which Len does not count."""
FRAME_BYTES_MAX = HEAD_BYTES + 255
DATA_BYTES_MAX = 255 - LEN_MIN
BROADCAST = 0xFF
"""Every reader obeys it."""
MISCOUNTS = (1, 3)
"""How many bytes too few some firmware announces (a public driver's finding, no capture)."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A frame that adds up; `miscount` is how many bytes its Len left out, 0 by the manual."""

    address: int
    code: int
    data: bytes
    miscount: int = 0


def new_framer(is_reply: Callable[[Envelope], bool] = lambda _: False) -> Framer:
    """A framer for one stream, both directions.

    A miscounted frame is handed out only when `is_reply` says that it is a whole known reply: a
    sum of eight bits alone would let one broken frame in 256 through.
    """

    def measure(window: bytes) -> int:
        if window[0] != START:
            raise FrameError("no frame starts here")
        if len(window) < HEAD_BYTES:
            return UNDECIDED
        if window[1] < LEN_MIN - max(MISCOUNTS):
            raise FrameError("length byte too small")
        size = HEAD_BYTES + window[1]
        if len(window) < size:
            return UNDECIDED
        if window[1] >= LEN_MIN and lrc8(window[:size]) == 0:
            return size
        return _miscounted(window, size, is_reply)

    return Framer(measure, frame_bytes_max=FRAME_BYTES_MAX)


def _miscounted(window: bytes, size: int, is_reply: Callable[[Envelope], bool]) -> int:
    """The size of a frame that its Len counts too low, UNDECIDED while one may still come."""
    for miscount in MISCOUNTS:
        whole = window[: size + miscount]
        if size + miscount > FRAME_BYTES_MAX:
            break
        if len(whole) < size + miscount:
            return UNDECIDED
        adds_up = len(whole) >= HEAD_BYTES + LEN_MIN and lrc8(whole) == 0
        if adds_up and is_reply(_opened(whole, miscount)):
            return len(whole)
    raise FrameError("wrong checksum")


def seal(address: int, code: int, data: bytes = b"") -> bytes:
    """Put an envelope around at most DATA_BYTES_MAX bytes."""
    assert 0 <= address <= BROADCAST, address
    assert len(data) <= DATA_BYTES_MAX, len(data)
    body = bytes((START, LEN_MIN + len(data), address, code)) + data
    return body + bytes((lrc8(body),))


def unseal(frame: bytes) -> Envelope:
    """Open exactly one frame; raises FrameError on a wrong start, length or checksum."""
    if len(frame) < HEAD_BYTES + LEN_MIN:
        raise FrameError(f"{len(frame)} bytes are too short for a frame: {shown(frame)}")
    if frame[0] != START:
        raise FrameError(f"starts with 0x{frame[0]:02X}, expected 0xA0: {shown(frame)}")
    miscount = len(frame) - HEAD_BYTES - frame[1]
    if miscount not in {0, *MISCOUNTS}:
        raise FrameError(
            f"{HEAD_BYTES + frame[1]} bytes announced, {len(frame)} present: {shown(frame)}"
        )
    if lrc8(frame):
        raise FrameError(f"wrong checksum {frame[-1]:02x}, expected {lrc8(frame[:-1]):02x}")
    return _opened(frame, miscount)


def _opened(frame: bytes, miscount: int) -> Envelope:
    return Envelope(frame[2], frame[3], frame[4:-1], miscount)

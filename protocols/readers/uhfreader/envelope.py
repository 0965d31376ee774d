"""The envelope both UHFReader dialects share, its framer, and what one end may say to the other.

Command `Len Adr Cmd Data CRC`, reply `Len Adr reCmd Status Data CRC`; Len counts everything after
itself, CRC is mcrf4xx over all before it, low byte first (UHFReader18 manual V2.0 §3, §4;
UHFReader288 manual §3). The CRC of a whole frame including its CRC is 0.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from construct import Bytes, Int8ub, Int16ul, Struct, Terminated, this

from protocols.checksums import mcrf4xx
from protocols.framing import UNDECIDED, FrameError, Framer, parse, shown

Dialect: TypeAlias = Literal["18", "288"]
"""`18`: no antenna, no RSSI. `288` (also the 86 series): antenna and RSSI with every tag."""

LEN_MIN = 4
"""Adr, Cmd and two CRC bytes: the shortest frame announces 4."""
REPLY_LEN_MIN = 5
"""A reply also has its status."""
FRAME_BYTES_MAX = 256
DATA_BYTES_MAX = FRAME_BYTES_MAX - 1 - LEN_MIN
BROADCAST = 0xFF
"""Every reader obeys it; the reply carries the true address."""

BRIDGE_HEARTBEAT = bytes.fromhex("560000000000")
"""What the HW-VX serial-to-Ethernet bridge throws in between frames (captured). 0x56 is also a
legal Len, so all six bytes must match; no frame can: 0x00 is no command and no reply to one."""

ENVELOPE = Struct(
    "length" / Int8ub,
    "address" / Int8ub,
    "code" / Int8ub,
    "payload" / Bytes(this.length - LEN_MIN),
    "crc" / Int16ul,
    Terminated,
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A proven frame before anyone asked which way it goes."""

    address: int
    code: int
    payload: bytes


def new_framer(*, len_min: int = REPLY_LEN_MIN) -> Framer:
    """A framer for one stream; hands out frames and bridge heartbeats as they are.

    `len_min` is REPLY_LEN_MIN on the host's end, LEN_MIN on the reader's.
    """

    def measure(window: bytes) -> int:
        if BRIDGE_HEARTBEAT.startswith(window[: len(BRIDGE_HEARTBEAT)]):
            return len(BRIDGE_HEARTBEAT) if len(window) >= len(BRIDGE_HEARTBEAT) else UNDECIDED
        if window[0] < len_min:
            raise FrameError("length byte too small")
        size = 1 + window[0]
        if len(window) < size:
            return UNDECIDED
        if mcrf4xx(window[:size]):
            raise FrameError("wrong checksum")
        return size

    return Framer(measure, frame_bytes_max=FRAME_BYTES_MAX)


def seal(address: int, code: int, payload: bytes) -> bytes:
    """Put an envelope around a payload of at most DATA_BYTES_MAX bytes."""
    assert 0 <= address <= BROADCAST, address
    assert len(payload) <= DATA_BYTES_MAX, len(payload)
    body = bytes((LEN_MIN + len(payload), address, code)) + payload
    return body + mcrf4xx(body).to_bytes(2, "little")


def unseal(frame: bytes) -> Envelope:
    """Open exactly one frame; raises FrameError on a wrong length or checksum."""
    if len(frame) < 1 + LEN_MIN:
        raise FrameError(f"{len(frame)} bytes are too short for a frame: {shown(frame)}")
    if len(frame) != 1 + frame[0]:
        raise FrameError(f"{1 + frame[0]} bytes announced, {len(frame)} present: {shown(frame)}")
    if mcrf4xx(frame):
        good = mcrf4xx(frame[:-2]).to_bytes(2, "little")
        raise FrameError(f"wrong checksum {frame[-2:].hex()}, expected {good.hex()}")
    parsed = parse(ENVELOPE, frame, "frame")
    return Envelope(parsed.address, parsed.code, parsed.payload)

"""The Chafon CF envelope and its framer: `CF Addr Cmd(2) Len Data CRC(2)`, high bytes first.

Len counts Data; in a reply Data begins with the status. The CRC is mcrf4xx over everything from
CF, high byte first (checked on 12 frames). On a TCP connection the reader first says `00 00`,
which is no frame (capture). Nothing in a frame says which way it goes: see `direction`.
"""

from dataclasses import dataclass

from construct import Bytes, Const, Int8ub, Int16ub, Struct, Terminated, this

from protocols.checksums import mcrf4xx
from protocols.framing import UNDECIDED, FrameError, Framer, parse, shown

HEAD = b"\xcf"
HEAD_BYTES = 5
OVERHEAD_BYTES = 7
DATA_BYTES_MAX = 0xFF
FRAME_BYTES_MAX = OVERHEAD_BYTES + DATA_BYTES_MAX
BROADCAST = 0xFF
"""Every reader obeys it; no reader has it as its own address."""
GREETING = b"\x00\x00"
REPLY_LEN_MIN = 1
"""A reply has at least its status."""

ENVELOPE = Struct(
    Const(HEAD),
    "address" / Int8ub,
    "code" / Int16ub,
    "length" / Int8ub,
    "data" / Bytes(this.length),
    "crc" / Int16ub,
    Terminated,
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A proven frame before anyone asked which way it goes."""

    address: int
    code: int
    data: bytes


def new_framer(*, len_min: int = REPLY_LEN_MIN) -> Framer:
    """A framer for one stream; `len_min` is REPLY_LEN_MIN on the host's end, 0 on the reader's."""

    def measure(window: bytes) -> int:
        if window[:1] != HEAD:
            raise FrameError("no frame starts here")
        if len(window) < HEAD_BYTES:
            return UNDECIDED
        if window[4] < len_min:
            raise FrameError("a command, not a reply")
        size = OVERHEAD_BYTES + window[4]
        if len(window) < size:
            return UNDECIDED
        _prove(window[:size])
        return size

    return Framer(measure, frame_bytes_max=FRAME_BYTES_MAX)


def _prove(frame: bytes) -> None:
    good = mcrf4xx(frame[:-2]).to_bytes(2)
    if frame[-2:] != good:
        raise FrameError(f"wrong checksum {frame[-2:].hex()}, expected {good.hex()}")


def seal(address: int, code: int, data: bytes = b"") -> bytes:
    """Put an envelope around at most DATA_BYTES_MAX bytes."""
    assert len(data) <= DATA_BYTES_MAX, len(data)
    body = HEAD + bytes((address,)) + code.to_bytes(2) + bytes((len(data),)) + data
    return body + mcrf4xx(body).to_bytes(2)


def unseal(raw: bytes) -> Envelope:
    """Open exactly one frame; raises FrameError on a wrong length or checksum."""
    if len(raw) < OVERHEAD_BYTES:
        raise FrameError(f"{len(raw)} bytes are too short for a frame: {shown(raw)}")
    if raw[:1] != HEAD:
        raise FrameError(f"a frame starts with CF, not {raw[0]:02x}")
    announced = OVERHEAD_BYTES + raw[4]
    if len(raw) != announced:
        raise FrameError(f"{announced} bytes announced, {len(raw)} present: {shown(raw)}")
    _prove(raw)
    parsed = parse(ENVELOPE, raw, "frame")
    return Envelope(parsed.address, parsed.code, parsed.data)

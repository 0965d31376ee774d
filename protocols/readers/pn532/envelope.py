"""Frames of the PN532: normal, extended, ACK, NACK and error (UM0701-02 §6.2.1).

`00 00 FF LEN LCS TFI PD.. DCS 00`; LEN counts TFI and PD, LEN + LCS and TFI + PD + DCS add up to 0.
Extended: LEN and LCS are FF FF, then LEN(2, BE) LCS. Both sums have 8 bits: a single flipped bit is
always noticed, a burst once in 256 not.
"""

from protocols.checksums import lrc8
from protocols.framing import UNDECIDED, FrameError, Framer, shown

START = b"\x00\x00\xff"
ACK = bytes.fromhex("0000ff00ff00")
NACK = bytes.fromhex("0000ffff0000")
ERROR_FRAME = bytes.fromhex("0000ff01ff7f8100")
"""What the chip says to a command it does not understand: TFI 7F and nothing else."""
TO_CHIP, FROM_CHIP, ERROR = 0xD4, 0xD5, 0x7F
POSTAMBLE = b"\x00"

PAYLOAD_BYTES_MAX = 264
"""TFI and 263 bytes: the most an extended frame carries (§6.2.1.2, PN532 buffer)."""
NORMAL_BYTES_MAX = 255
_NORMAL_HEAD, _EXTENDED_HEAD = 5, 8
_EXTENDED = b"\xff\xff"
FRAME_BYTES_MAX = _EXTENDED_HEAD + PAYLOAD_BYTES_MAX + 2


def new_framer() -> Framer:
    """A framer for one stream; ACK and NACK come out as frames of their own."""
    return Framer(_measure, frame_bytes_max=FRAME_BYTES_MAX)


def seal(payload: bytes, *, extended: bool = False) -> bytes:
    """Wrap TFI and data of at most PAYLOAD_BYTES_MAX bytes; long ones are extended by themselves."""
    assert 0 < len(payload) <= PAYLOAD_BYTES_MAX, len(payload)
    size = len(payload)
    if extended or size > NORMAL_BYTES_MAX - 1:
        length = size.to_bytes(2)
        head = START + _EXTENDED + length + bytes((lrc8(length),))
    else:
        head = START + bytes((size, lrc8(bytes((size,)))))
    return head + payload + bytes((lrc8(payload),)) + POSTAMBLE


def unseal(frame: bytes) -> bytes:
    """TFI and data of exactly one frame, b"" for ACK and NACK; raises FrameError."""
    if not frame:
        raise FrameError("no bytes")
    size = _measure(frame)
    if size == UNDECIDED:
        raise FrameError(f"{len(frame)} bytes, more are announced: {shown(frame)}")
    if size != len(frame):
        raise FrameError(f"{size} bytes announced, {len(frame)} present: {shown(frame)}")
    if frame in {ACK, NACK}:
        return b""
    head = _EXTENDED_HEAD if frame[3:5] == _EXTENDED else _NORMAL_HEAD
    return frame[head:-2]


def _measure(window: bytes) -> int:
    if window[: len(START)] != START[: len(window)]:
        raise FrameError("no frame starts here, expected 00 00 ff")
    if len(window) <= _NORMAL_HEAD:
        return UNDECIDED
    if window[: len(ACK)] in {ACK, NACK}:
        return len(ACK)
    head, size = _NORMAL_HEAD, window[3]
    if window[3:5] == _EXTENDED:
        if len(window) < _EXTENDED_HEAD:
            return UNDECIDED
        head, size = _EXTENDED_HEAD, int.from_bytes(window[5:7])
    if lrc8(window[3 if head == _NORMAL_HEAD else 5 : head]):
        raise FrameError("wrong length checksum")
    if not 0 < size <= PAYLOAD_BYTES_MAX:
        raise FrameError(f"length {size} is impossible")
    end = head + size + 1
    if len(window) <= end:
        return UNDECIDED
    if lrc8(window[head:end]):
        raise FrameError("wrong checksum")
    if window[end : end + 1] != POSTAMBLE:
        raise FrameError(f"wrong end {window[end]:02x}, expected 00")
    return end + 1

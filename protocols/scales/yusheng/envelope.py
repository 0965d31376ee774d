"""Which bytes are one Yusheng frame, and the CRC that proves it; sources: the package."""

from typing import Final

from protocols.framing import UNDECIDED, FrameError, Framer, shown
from protocols.modbus import crc16
from protocols.scales.yusheng.codes import (
    ACK,
    CODE,
    NAMES,
    PERMIT,
    RESEND,
    TARE_MODE,
    UNSUPERVISED,
    WELCOME,
)
from protocols.scales.yusheng.layouts import CODE_BYTES, HEAD, POINTS_COUNT

HEAD_BYTES = 8
CRC_BYTES = 2
FRAME_BYTES_MAX = 66
"""A report that announces as much as any version is known to: 32, and a code of 20 behind it."""
ANNOUNCED_MAX = 56
COMMAND_BIT = 0x80
"""Commands have it; provinces, cities, stations and lengths of a code do not."""

SCANNED_BYTES = HEAD_BYTES + 1 + CODE_BYTES + 2 + CRC_BYTES
POINTS_BYTES = HEAD_BYTES + 2 * POINTS_COUNT + 2 + CRC_BYTES
_FOLLOWING_AT = 9
_HOST_SIZES: Final = {
    ACK: (7, 9),
    RESEND: (4,),
    WELCOME: (4,),
    PERMIT: (5,),
    TARE_MODE: (5,),
    UNSUPERVISED: (5,),
}
_DECIDED_AT = 2


def new_framer() -> Framer:
    """A framer for what scales say."""
    return Framer(_measure, frame_bytes_max=FRAME_BYTES_MAX)


def new_host_framer() -> Framer:
    """A framer for what a host says: for simulated scales."""
    return Framer(_measure_host, frame_bytes_max=max(map(max, _HOST_SIZES.values())))


def _measure(window: bytes) -> int:
    if window[: len(HEAD)] != HEAD[: len(window)]:
        raise FrameError("no frame starts here")
    size = _size(window)
    if size == UNDECIDED or len(window) < size:
        return UNDECIDED
    _prove(window[:size])
    return size


def _size(window: bytes) -> int:
    """Announced length of a scale's frame; UNDECIDED when that byte has not come."""
    cmd = window[len(HEAD) : len(HEAD) + 1]
    if not cmd:
        return UNDECIDED
    if not cmd[0] & COMMAND_BIT:
        return POINTS_BYTES
    if len(window) <= HEAD_BYTES:
        return UNDECIDED
    if cmd[0] == CODE and not window[HEAD_BYTES] & COMMAND_BIT:
        return SCANNED_BYTES
    if window[HEAD_BYTES] not in NAMES:
        raise FrameError(f"unknown command {window[HEAD_BYTES]:02x}")
    if len(window) <= _FOLLOWING_AT:
        return UNDECIDED
    following = window[_FOLLOWING_AT]
    if not CRC_BYTES <= following <= ANNOUNCED_MAX:
        raise FrameError(f"{following} bytes announced, expected {CRC_BYTES} to {ANNOUNCED_MAX}")
    return _FOLLOWING_AT + 1 + following


def _measure_host(window: bytes) -> int:
    if len(window) < _DECIDED_AT:
        return UNDECIDED
    sizes = _HOST_SIZES.get(window[1])
    if sizes is None:
        raise FrameError("no frame starts here")
    for size in sizes:
        if len(window) < size:
            return UNDECIDED
        if crc(window[: size - CRC_BYTES]) == window[size - CRC_BYTES : size]:
            return size
    raise FrameError("wrong checksum")


def crc(data: bytes) -> bytes:
    """The CRC as it is sent."""
    return crc16(data).to_bytes(CRC_BYTES, "little")


def _prove(raw: bytes) -> None:
    good = crc(raw[:-CRC_BYTES])
    if raw[-CRC_BYTES:] != good:
        raise FrameError(
            f"wrong checksum {raw[-CRC_BYTES:].hex()}, expected {good.hex()}",
            fields={"checksum_ok": False},
        )


def unseal(raw: bytes) -> bytes:
    """Exactly one frame, either way, without its CRC; raises FrameError."""
    if raw.startswith(HEAD):
        size = _size(raw)
    else:
        sizes = _HOST_SIZES.get(raw[1], ()) if len(raw) >= _DECIDED_AT else ()
        size = len(raw) if len(raw) in sizes else UNDECIDED
    if size == UNDECIDED or size != len(raw):
        announced = f"{size} bytes announced, " if size else ""
        raise FrameError(f"{announced}{len(raw)} present, not one whole frame: {shown(raw)}")
    _prove(raw)
    return raw[:-CRC_BYTES]


def seal(body: bytes) -> bytes:
    """Put the CRC behind a frame."""
    return body + crc(body)

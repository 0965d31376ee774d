"""The Yaohua envelope `STX body XH XL ETX` and its checksum, two hexadecimal digits.

The check is the xor of the bytes of the body; each half is a digit: +30h up to 9, +37h above, so
capital letters (manuals of XK3190-A9+, DS3, A23p, A26 and Keli XK3118K9). Bodies are printable
ASCII, so an ETX never stands inside.
"""

from protocols.checksums import xor8
from protocols.framing import UNDECIDED, FrameError, shown

STX, ETX = b"\x02", b"\x03"
AROUND_BYTES = 4
BODY_BYTES_MIN = 2
BODY_BYTES_MAX = 20
"""The longest known body is ten; E and F, the numbers of truck and cargo, may have more."""
FRAME_BYTES_MAX = AROUND_BYTES + BODY_BYTES_MAX


def check_digits(data: bytes) -> bytes:
    """The two digits of the xor of these bytes."""
    return f"{xor8(data):02X}".encode("ascii")


def prove(data: bytes, given: bytes) -> None:
    """Raise FrameError when the two digits are not those of the data."""
    good = check_digits(data)
    if given != good:
        raise FrameError(
            f"wrong checksum {shown(given)}, expected {good.hex()}", fields={"checksum_ok": False}
        )


def measure(window: bytes) -> int:
    """Length of the frame at the start of the window; see `protocols.framing.Measure`."""
    if window[:1] != STX:
        raise FrameError("no frame starts here")
    end = window.find(ETX, 0, FRAME_BYTES_MAX)
    inside = window[1:end] if end >= 0 else window[1:FRAME_BYTES_MAX]
    if any(not 0x20 <= byte < 0x7F for byte in inside):  # noqa: PLR2004 - printable ASCII
        raise FrameError("not printable between STX and ETX")
    if end < 0:
        if len(window) >= FRAME_BYTES_MAX:
            raise FrameError(f"no ETX in {FRAME_BYTES_MAX} bytes")
        return UNDECIDED
    if len(inside) < BODY_BYTES_MIN + 2:
        raise FrameError(f"{len(inside)} bytes are too short for a body and its check")
    prove(inside[:-2], inside[-2:])
    return end + 1


def seal(body: bytes) -> bytes:
    """Put the envelope around a body."""
    assert BODY_BYTES_MIN <= len(body) <= BODY_BYTES_MAX, body
    return STX + body + check_digits(body) + ETX


def unseal(raw: bytes) -> str:
    """The body of exactly one frame; raises FrameError."""
    if raw[:1] != STX or raw[-1:] != ETX:
        raise FrameError(f"not STX ... ETX: {shown(raw)}")
    size = measure(raw)
    if size != len(raw):
        raise FrameError(f"{len(raw) - size} bytes behind the ETX: {shown(raw)}")
    return raw[1:-3].decode("ascii")

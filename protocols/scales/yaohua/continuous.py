"""Yaohua's continuous formats 0, 1 and 2: what the indicator shows, sent without being asked.

Manuals of XK3190-A26 (pages 10, 11) and A23p (pages 21, 22):

* 0: `STX sign 6 digits decimals XH XL ETX`, the xor over sign, digits and decimals.
* 1: `=`, seven characters with the point, the last digit first, then `0` or `-`: `=000.3000` is
  3.000 and `=00.1000-` is -1.00.
* 2: `=`, `0` or `-`, seven characters with the point, read as written: `=0003.000`, `=-0001.00`.

None says gross or net, unit or stability. 1 and 2 have no check; a display of a filling scale has
at most DECIMALS_MAX decimals, and then the place of the point tells the two apart.
"""

import re
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from protocols.framing import UNDECIDED, FrameError, shown
from protocols.scales.weighing import Weighing, number, scaled, text_of
from protocols.scales.yaohua.envelope import seal, unseal

START = b"="
PLAIN_BYTES = 9
"""Length of formats 1 and 2."""
DECIMALS_MAX = 3
"""Of formats 1 and 2; four would make 3.000 of one and 0.3000 of the other the same bytes."""
Plain: TypeAlias = Literal["continuous_1", "continuous_2"]

_ZERO = re.compile(r"(?P<sign>[+-])(?P<digits>[ 0-9]{6})(?P<decimals>[0-4])\Z")
_ZERO_WORDS = re.compile(r"[+-][ A-Z_-]{6}.\Z")
_PLAIN = re.compile(rf"(?P<sign>[ 0+-])(?P<number> *[0-9]+(?:\.[0-9]{{0,{DECIMALS_MAX}}})?)\Z")
_CHARACTERS: Final = frozenset(b"0123456789. +-")


def decode_0(raw: bytes) -> Weighing:
    """One whole frame of format 0; raises FrameError."""
    body = unseal(raw)
    if match := _ZERO.match(body):
        negative = match["sign"] == "-"
        return Weighing(scaled(match["digits"], int(match["decimals"]), negative=negative))
    if _ZERO_WORDS.match(body):
        return Weighing(None, why=f"the scale shows {body[1:].strip()!r} instead of a weight")
    raise FrameError(f"not a sign, six digits and decimals: {body!r}")


def build_0(value: Decimal) -> bytes:
    """What an indicator set to format 0 sends for at most six digits."""
    digits = text_of(abs(value))
    _, _, behind = digits.partition(".")
    sign = "-" if value < 0 else "+"
    return seal(f"{sign}{digits.replace('.', '').zfill(6)}{len(behind)}".encode("ascii"))


def plain_measure(window: bytes) -> int:
    """Length of a frame of format 1 or 2 at the start of the window, whichever it is."""
    if window[:1] != START:
        raise FrameError("no frame starts here")
    if any(byte not in _CHARACTERS for byte in window[1:PLAIN_BYTES]):
        raise FrameError(f"not a number behind the =: {shown(window[:PLAIN_BYTES])}")
    return PLAIN_BYTES if len(window) >= PLAIN_BYTES else UNDECIDED


def decode_plain(raw: bytes, variant: Plain) -> Weighing:
    """One whole frame of format 1 or 2, as told; raises FrameError when it cannot be that one."""
    if len(raw) != PLAIN_BYTES or plain_measure(raw) != PLAIN_BYTES:
        raise FrameError(f"{PLAIN_BYTES} bytes expected, {len(raw)} present: {shown(raw)}")
    text = raw[1:].decode("ascii")
    match = _PLAIN.match(text[::-1] if variant == "continuous_1" else text)
    if match is None:
        raise FrameError(f"not a number in {variant}: {raw.decode('ascii')!r}")
    return Weighing(number(("-" if match["sign"] == "-" else "") + match["number"].strip()))


def plain_variants(raw: bytes) -> dict[Plain, Weighing]:
    """What a frame says as each of the two; both only when it has no point. Raises FrameError."""
    found: dict[Plain, Weighing] = {}
    variants: tuple[Plain, Plain] = ("continuous_1", "continuous_2")
    for variant in variants:
        try:
            found[variant] = decode_plain(raw, variant)
        except FrameError as exc:
            refused = exc
    if not found:
        raise refused
    return found


def build_plain(value: Decimal, variant: Plain) -> bytes:
    """What an indicator set to format 1 or 2 sends."""
    text = ("-" if value < 0 else "0") + text_of(abs(value)).zfill(PLAIN_BYTES - 2)
    assert len(text) == PLAIN_BYTES - 1, value
    return START + (text[::-1] if variant == "continuous_1" else text).encode("ascii")

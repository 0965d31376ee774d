"""Toledo continuous output: `STX A B C weight(6) [>] [tare(6)] CR [check]`.

Sources: Rockwell 57C428 appendix D, Kern FTC 5.2, Liden LUW2001 appendix 1, Cardinal 225 page 118
(the `>` between the fields, and a short format without the tare). Bit 7 may be parity. The check
is the two's complement of the low seven bits of the sum of everything before it. A: bits 0-2 point
(0 X00, 1 X0, 2 X, 3 .X, ... 7 .XXXXX), 3-4 step (1, 2, 5). B: 0 net, 1 negative, 2 out of range,
3 motion, 4 kg (else lb), 6 not zeroed since power-up. C: 0-2 other units, 3 print key, 4 expanded,
6 tare by keyboard. Bit 5 is set in most sources and not in all, so nothing rests on it.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from construct import Bytes, Const, GreedyBytes, Int8ub, Struct, Terminated

from protocols.framing import UNDECIDED, FrameError, Framer, parse, shown
from protocols.scales.weighing import Weighing, scaled, text_of

STX, CR = 0x02, 0x0D
HEAD_BYTES = 4
FIELD_BYTES = 6
FRAME_BYTES_MAX = 19
"""With `>` and check; 17 and 18 without `>`, 11 and 12 in the short format."""

NET, NEGATIVE, OUT_OF_RANGE, MOTION, KILOGRAMS, POWER_UP = 0x01, 0x02, 0x04, 0x08, 0x10, 0x40
PRINT, EXPANDED, KEYBOARD_TARE = 0x08, 0x10, 0x40
POINT_MASK, STEP_AT, STEP_MASK, UNIT_MASK = 0x07, 3, 0x03, 0x07
WHOLE = 2
"""The code of the point for no decimals; below it fixed zeros follow the digits."""
STEPS: Final = {1: 1, 2: 2, 3: 5}
UNITS: Final = ("", "g", "t", "oz", "ozt", "dwt", "ton", "custom")
"""C, bits 0-2; g and t by Triner TS-700, the rest as Toledo's later indicators have it, unproven."""

HEAD = Struct(
    "stx" / Const(b"\x02"),
    "a" / Int8ub,
    "b" / Int8ub,
    "c" / Int8ub,
    "weight" / Bytes(FIELD_BYTES),
    "rest" / GreedyBytes,
    Terminated,
)
_REST = re.compile(rb">?(?P<tare>[ 0-9]{6})?\r\Z")
_FIELD: Final = frozenset(b" 0123456789")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame with its bits; `digits` as sent, `tare` None in the short format.

    `checked`: it came with its check.
    """

    a: int
    b: int
    c: int
    digits: str
    tare: str | None
    checked: bool = False

    @property
    def unit(self) -> str:
        """The unit as it is written."""
        return UNITS[self.c & UNIT_MASK] or ("kg" if self.b & KILOGRAMS else "lb")

    @property
    def places(self) -> int:
        """Digits behind the point; negative where fixed zeros follow the digits."""
        return (self.a & POINT_MASK) - WHOLE

    @property
    def step(self) -> int:
        """The least change in units of the last digit; 0 is not defined."""
        return STEPS.get(self.a >> STEP_AT & STEP_MASK, 0)

    def value(self) -> Decimal:
        """The weight as shown; raises FrameError when its digits are none."""
        return _scaled(self.digits, self.places, negative=bool(self.b & NEGATIVE))

    def tare_value(self) -> Decimal | None:
        """The tare, None where it is blank or not sent; raises FrameError."""
        if self.tare is None or not self.tare.strip():
            return None
        return _scaled(self.tare, self.places, negative=False)


def _scaled(digits: str, places: int, *, negative: bool) -> Decimal:
    value = scaled(digits, max(0, places), negative=negative)
    return value * 10**-places if places < 0 else value


def new_framer(*, checked: bool) -> Framer:
    """A framer for a stream with or without the check behind CR."""

    def measure(window: bytes) -> int:
        end = _end(window)
        if not checked or end == UNDECIDED:
            return end
        if len(window) == end:
            return UNDECIDED
        prove(window[: end + 1])
        return end + 1

    return Framer(measure, frame_bytes_max=FRAME_BYTES_MAX)


def _end(window: bytes) -> int:
    """Where the CR of a frame ends; UNDECIDED when more is needed, FrameError when none begins."""
    low = bytes(byte & 0x7F for byte in window)
    if low[0] != STX:
        raise FrameError("no frame starts here")
    body = low[HEAD_BYTES:]
    for at, byte in enumerate(body):
        if byte == CR and at >= FIELD_BYTES:
            _layout(low[: HEAD_BYTES + at + 1])
            return HEAD_BYTES + at + 1
        if at >= 2 * FIELD_BYTES + 1 or not _may_stand(byte, at, low):
            raise FrameError(f"no CR where it belongs: {shown(window)}")
    return UNDECIDED


def _may_stand(byte: int, at: int, low: bytes) -> bool:
    """A digit, a blank, or `>` between the fields; a weight out of range may be anything printed."""
    if at < FIELD_BYTES and low[2] & OUT_OF_RANGE:
        return 0x20 <= byte < 0x7F  # noqa: PLR2004 - printable ASCII
    return byte in _FIELD or (at == FIELD_BYTES and byte == ord(">"))


def _layout(low: bytes) -> Any:
    found = parse(HEAD, low, "frame")
    if _REST.match(found.rest) is None:
        raise FrameError(f"neither six digits of tare nor CR behind the weight: {shown(low)}")
    return found


def check(data: bytes) -> int:
    """The check of everything that stands before it."""
    return -sum(byte & 0x7F for byte in data) & 0x7F


def prove(raw: bytes) -> None:
    """Raise FrameError when the last byte is not the check of the others."""
    good, given = check(raw[:-1]), raw[-1] & 0x7F
    if given != good:
        raise FrameError(
            f"wrong checksum {given:02x}, expected {good:02x}", fields={"checksum_ok": False}
        )


def decode(raw: bytes) -> Frame:
    """One whole frame with or without its check; raises FrameError."""
    end = _end(raw) if raw else UNDECIDED
    if end == UNDECIDED or len(raw) - end > 1:
        raise FrameError(f"not one whole frame: {shown(raw)}")
    checked = len(raw) > end
    if checked:
        prove(raw)
    _unmixed(raw)
    found = _layout(bytes(byte & 0x7F for byte in raw[:end]))
    rest = _REST.match(found.rest)
    assert rest is not None, raw
    tare = rest["tare"].decode("ascii") if rest["tare"] is not None else None
    frame = Frame(found.a, found.b, found.c, found.weight.decode("ascii"), tare, checked)
    if not frame.b & OUT_OF_RANGE:
        frame.value()
    frame.tare_value()
    return frame


def _unmixed(raw: bytes) -> None:
    """Bit 7 is clear in every byte, or the even or odd parity of every byte; raises FrameError."""
    ones = {byte.bit_count() % 2 for byte in raw}
    if any(byte & 0x80 for byte in raw) and len(ones) > 1:
        raise FrameError(f"wrong parity in bit 7: {shown(raw)}")


def weighing(frame: Frame) -> Weighing:
    """The weight; unknown when the scale is out of range, was never zeroed, or shows fixed zeros."""
    if frame.b & OUT_OF_RANGE:
        return Weighing(None, why=f"out of range, digits {frame.digits!r}")
    if frame.b & POWER_UP:
        return Weighing(None, why=f"not zeroed since power-up, digits {frame.digits!r}")
    if frame.places < 0:
        return Weighing(None, why=f"fixed zeros behind {frame.digits!r}: sources disagree on them")
    still, tare = not frame.b & MOTION, frame.tare_value()
    mode = "net" if frame.b & NET else "gross"
    step = frame.step or 1
    if mode == "net":
        return Weighing(frame.value(), "net", frame.unit, still, tare, step=step)
    return Weighing(frame.value(), "gross", frame.unit, still, step=step)


def build(frame: Frame, *, separated: bool = False) -> bytes:
    """What a scale sends; `separated` puts `>` between the fields."""
    between = b">" if separated else b""
    tare = between + frame.tare.encode("ascii") if frame.tare is not None else b""
    head = bytes((STX, frame.a, frame.b, frame.c))
    raw = head + frame.digits.encode("ascii") + tare + bytes((CR,))
    return raw + bytes((check(raw),)) if frame.checked else raw


def fields(frame: Frame) -> dict[str, Any]:
    """The frame as plain named fields."""
    out = bool(frame.b & OUT_OF_RANGE)
    tare = frame.tare_value()
    found: dict[str, Any] = {
        "mode": "net" if frame.b & NET else "gross",
        "value": None if out else text_of(frame.value()),
        "unit": frame.unit,
        "tare": None if tare is None else text_of(tare),
        "status": _status(frame),
        "stable": not frame.b & MOTION,
        "motion": bool(frame.b & MOTION),
        "negative": bool(frame.b & NEGATIVE),
        "out_of_range": out,
        "power_up": bool(frame.b & POWER_UP),
        "decimals": max(0, frame.places),
        "increment": frame.step,
        "print": bool(frame.c & PRINT),
        "expanded": bool(frame.c & EXPANDED),
        "keyboard_tare": bool(frame.c & KEYBOARD_TARE),
    }
    return {**found, "checksum_ok": True} if frame.checked else found


def _status(frame: Frame) -> str:
    if frame.b & OUT_OF_RANGE:
        return "out of range"
    return "motion" if frame.b & MOTION else "stable"

r"""Yaohua XK3190-A12E: a line of 15 bytes, `W G 004.139 kg 3D CR LF`.

Manual of the XK3190-A12E, page 13. G is gross, N net; seven characters with the point, a blank in
the ninth byte when there is none, the sign in the third; `kg`; two digits of the xor over bytes
1..11 (the manual only says checksum: its example fits). Nine blanks and `OL23` are overload (above
Max + 9e), nine blanks and `LO23` underload (below -20d); where the manual prints `L023` its table
says O, and both are taken, with as many of the blanks as came.
"""

import re
from decimal import Decimal
from typing import Final

from protocols.framing import UNDECIDED, FrameError, shown
from protocols.scales.weighing import Weighing, number, text_of
from protocols.scales.yaohua.envelope import check_digits, prove

FRAME_BYTES = 15
END = b"\r\n"
OVERLOAD, UNDERLOAD = "overload", "underload"
_PROVEN_BYTES = 11
_STARTS: Final = frozenset(b"W OL")

_WEIGHT = re.compile(r"W(?P<mode>[GN])(?P<number>.{7})(?P<unit>kg|lb| g| t)\Z")
_OUT = re.compile(rb" {0,9}(?P<word>OL|LO|L0)23\r\n\Z")


def measure(window: bytes) -> int:
    """Length of the frame at the start of the window; see `protocols.framing.Measure`."""
    if window[0] not in _STARTS:
        raise FrameError("no frame starts here")
    end = window.find(END, 0, FRAME_BYTES)
    if end < 0:
        if len(window) >= FRAME_BYTES:
            raise FrameError(f"no CR LF in {FRAME_BYTES} bytes")
        return UNDECIDED
    raw = window[: end + len(END)]
    if _OUT.match(raw) is None:
        _prove(raw)
    return len(raw)


def _prove(raw: bytes) -> None:
    if len(raw) != FRAME_BYTES or raw[:1] != b"W":
        raise FrameError(f"not W, 12 characters and CR LF: {shown(raw)}")
    prove(raw[:_PROVEN_BYTES], raw[_PROVEN_BYTES : -len(END)])


def decode(raw: bytes) -> Weighing:
    """One whole line; raises FrameError."""
    if raw[-2:] != END or not raw or measure(raw) != len(raw):
        raise FrameError(f"not one line of A12E: {shown(raw)}")
    if match := _OUT.match(raw):
        word = match["word"].decode("ascii")
        return Weighing(None, why=f"{OVERLOAD if word == 'OL' else UNDERLOAD}, sent as {word}")
    text = raw[:_PROVEN_BYTES].decode("ascii", errors="replace")
    weight = _WEIGHT.match(text)
    if weight is None:
        raise FrameError(f"not G or N, a number and a unit: {text!r}")
    value = number(weight["number"])
    return Weighing(value, "gross" if weight["mode"] == "G" else "net", weight["unit"].strip())


def build(value: Decimal, mode: str = "G") -> bytes:
    """What an A12E sends for at most seven characters in kg."""
    text = text_of(abs(value))
    text += "" if "." in text else " "
    body = f"W{mode}{'-' + text.zfill(6) if value < 0 else text.zfill(7)}kg".encode("ascii")
    assert len(body) == _PROVEN_BYTES, value
    return body + check_digits(body) + END


def build_out(word: str) -> bytes:
    """What an A12E sends instead of a weight: `OL` or `LO`."""
    body = word.rjust(_PROVEN_BYTES).encode("ascii")
    return body + check_digits(body) + END

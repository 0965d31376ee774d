r"""MT-SICS, the command set of Mettler Toledo balances and terminals: lines in ASCII, CR LF.

Sources: AT balances manual page 87, AL-IC manual page 72 (`S S     100.00 g`). An answer repeats
the command's name, then one sign: S stable, D dynamic, I not executable, L wrong parameter,
`+` overload, `-` underload, A executed, B executed and more follows. ES, ET and EL are a line that
was not understood. S, SI and SIR give the *net* weight: what the scale shows; TA is its tare.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

from protocols.framing import UNDECIDED, FrameError, Framer, shown
from protocols.scales.weighing import number, text_of

END = b"\r\n"
LINE_BYTES_MAX = 128
WEIGHT_CHARS = 10

STATUSES: Final = {
    "S": "stable",
    "D": "dynamic",
    "I": "not executable",
    "L": "wrong parameter",
    "+": "overload",
    "-": "underload",
    "A": "executed",
    "B": "executed, more follows",
}
ERRORS: Final = {
    "ES": "not understood",
    "ET": "transmission error",
    "EL": "cannot be executed",
}
MEANINGS: Final = {
    "S": "read stable weight",
    "SI": "read weight immediately",
    "SIR": "read weight immediately and repeat",
    "SR": "read weight and repeat on change",
    "T": "tare when stable",
    "TI": "tare immediately",
    "TA": "read or set tare",
    "TAC": "clear tare",
    "Z": "zero when stable",
    "ZI": "zero immediately",
    "@": "reset",
    "I4": "read serial number",
}

_LINE = re.compile(
    r"(?P<name>@|[A-Z][A-Z0-9]{0,5})(?: (?P<status>[SDILAB+-])(?= |\Z))?(?: +(?P<rest>\S.*?))? *\Z"
)
_WEIGHT = re.compile(
    r"(?P<value>- *[0-9][0-9.]*|[0-9][0-9.]*) +(?P<unit>[A-Za-z%][A-Za-z%/]{0,5})\Z"
)
_CARRIES_WEIGHT: Final = frozenset({"S", "T", "TA", "TI"})
_BARE: Final = frozenset({"S", "SI", "SIR"})
_STATUS_WEIGHS: Final = frozenset("SDA")
_PRINTABLE = range(0x20, 0x7F)

Kind: TypeAlias = Literal["answer", "error", "command"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: an answer with its sign, an error, or a command.

    `value` and `unit` where it carries a weight, `text` for anything else behind the sign.
    """

    kind: Kind
    name: str
    status: str = ""
    value: Decimal | None = None
    unit: str = ""
    text: str = ""


def new_framer(*, answers_only: bool = False) -> Framer:
    """A framer for lines; a line that begins with garbage is found behind it.

    `answers_only`: what a scale says. A command is any word, so also the text of a scanner.
    """

    def measure(window: bytes) -> int:
        if not (0x41 <= window[0] <= 0x5A or window[0] == 0x40):  # noqa: PLR2004 - A..Z and @
            raise FrameError("no line starts here")
        end = window.find(END)
        inside = window[:end] if end >= 0 else window.removesuffix(b"\r")
        if any(byte not in _PRINTABLE for byte in inside):
            raise FrameError("not printable inside a line")
        if end < 0:
            if len(window) >= LINE_BYTES_MAX:
                raise FrameError(f"no CR LF in {LINE_BYTES_MAX} bytes")
            return UNDECIDED
        line = decode(window[: end + len(END)])
        if answers_only and line.kind == "command":
            raise FrameError("a command, not an answer")
        return end + len(END)

    return Framer(measure, frame_bytes_max=LINE_BYTES_MAX)


def new_answer_framer() -> Framer:
    """A framer for what a scale says."""
    return new_framer(answers_only=True)


def decode(raw: bytes) -> Line:
    """One whole line, either way; raises FrameError."""
    if not raw.endswith(END):
        raise FrameError(f"no CR LF at the end: {shown(raw)}")
    try:
        text = raw[: -len(END)].decode("ascii")
    except UnicodeDecodeError as exc:
        raise FrameError(f"not ASCII: {shown(raw)}") from exc
    match = _LINE.match(text)
    if match is None:
        raise FrameError(f"no command and sign: {text!r}")
    name, status, rest = match["name"], match["status"] or "", match["rest"] or ""
    if name in ERRORS:
        if status or rest:
            raise FrameError(f"text behind an error: {text!r}")
        return Line("error", name)
    if not status:
        if rest and name in _BARE:
            raise FrameError(f"{rest!r} behind {name}")
        return Line("command", name, text=rest)
    return _answer(name, status, rest)


def _answer(name: str, status: str, rest: str) -> Line:
    weighs = name in _CARRIES_WEIGHT and status in _STATUS_WEIGHS
    if name == "S" and status not in _STATUS_WEIGHS and rest:
        raise FrameError(f"{rest!r} behind S {status}")
    if weighs and (weight := _WEIGHT.match(rest)) is not None:
        return Line("answer", name, status, number(weight["value"]), weight["unit"])
    if name == "S" and status in "SD" and not rest.startswith("Error"):
        raise FrameError(f"no weight and unit: {rest!r}")
    return Line("answer", name, status, text=rest)


def build(line: Line) -> bytes:
    """A line, either way."""
    parts = [line.name] + ([line.status] if line.status else [])
    if line.value is not None:
        parts += [text_of(line.value).rjust(WEIGHT_CHARS), line.unit]
    elif line.text:
        parts.append(line.text)
    return " ".join(parts).encode("ascii") + END


def build_command(name: str) -> bytes:
    """A command without parameters."""
    return name.encode("ascii") + END


def fields(line: Line) -> dict[str, Any]:
    """The line as plain named fields."""
    found: dict[str, Any] = {"command": line.name}
    if line.kind == "error":
        return {**found, "status": ERRORS[line.name]}
    if line.kind == "command":
        meaning = {"meaning": MEANINGS[line.name]} if line.name in MEANINGS else {}
        return {**found, **meaning, **({"parameters": line.text} if line.text else {})}
    found["status"] = STATUSES[line.status]
    if line.value is not None:
        return {**found, "value": text_of(line.value), "unit": line.unit}
    return {**found, "text": line.text} if line.text else found

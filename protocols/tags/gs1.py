"""What a scanned code says in GS1's language: element strings, EAN numbers, Digital Links, keys.

Sources: GS1 General Specifications 3, 7.8 and 7.9; ISO/IEC 15424; GS1 Digital Link URI syntax. The
table of application identifiers (AI), their forms and the Digital Link grammar are biip's, in
`gs1_table.py`, imported with the first GS1 code. Element strings are looked for only where an AIM
identifier says GS1: digits in a plain text are never guessed to be any. `(01)`, `^` and `{GS}` are
ways to print, not data.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from protocols.framing import FrameError
from protocols.scanners import aim as aims
from protocols.tags import epc, link_paths

if TYPE_CHECKING:
    from protocols.tags.gs1_table import Identifier

GS = "\x1d"
"""The separator FNC1 as a scanner sends it."""
ELEMENTS_MAX = 64
"""More than any label carries; a longer message is refused."""
DATA_CHARS_MAX = 8_192
"""More than the densest symbol holds (7,089 digits)."""

_AI_CHARS = 4
_CHECKED = {
    **dict.fromkeys(("00", "8017", "8018"), 18),
    **dict.fromkeys(("01", "02", "03", "8003", "8006", "8026"), 14),
    **dict.fromkeys(("253", "255", *(f"41{last}" for last in range(8))), 13),
    "402": 17,
}
"""AI -> how many digits at its front end in a GS1 check digit (General Specifications 7.9)."""
_EAN_DIGITS = {aims.EAN_13: ("gtin13", 13), aims.EAN_8: ("gtin8", 8)}
_ADD_ONS = (2, 5)
_COMPOSITE = f"|{aims.GS1_DATABAR}"
"""Between an EAN and the composite part printed above it."""
_NO_DATA = re.compile(r"[^!-#%-?A-Z_a-z\x1d]")


class Gs1Error(FrameError):
    """The code claims to be GS1 and is not; `gs_lost` when a separator seems to be missing."""

    def __init__(self, text: str, *, gs_lost: bool = False, raw: str = "") -> None:
        super().__init__(text, fields={"raw": raw} if raw else {})
        self.gs_lost = gs_lost


@dataclass(frozen=True, slots=True)
class Element:
    """One application identifier with its value, which has the form and check digit it must."""

    ai: str
    value: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What one scanned text says.

    `aim` is empty when the scanner told none. `elements` are those of GS1 data, of a Digital Link
    (then `digital_link`) or of the composite part above an EAN. `gtin` are the digits of an EAN.
    """

    aim: str
    data: str
    elements: tuple[Element, ...] = ()
    gtin: str = ""
    add_on: str = ""
    digital_link: bool = False


def parse(aim: str, data: str) -> Scan:
    """What a scan with this AIM identifier (or "") says; plain text is no error.

    Raises Gs1Error for GS1 data, an EAN or a Digital Link that breaks its own rules.
    """
    if len(data) > DATA_CHARS_MAX:
        raise Gs1Error(f"{len(data)} characters; at most {DATA_CHARS_MAX} are read")
    if aim in aims.GS1:
        return Scan(aim, data, elements(data))
    if aim in _EAN_DIGITS:
        return _ean(aim, data)
    if aim == aims.EAN_13_ADD_ON:
        return _with_add_on(aim, data)
    linked = link_elements(data)
    return Scan(aim, data, linked or (), digital_link=linked is not None)


def parse_text(text: str) -> Scan:
    """`parse` of a text that begins with its AIM identifier, or has none.

    Raises Gs1Error also for an identifier that nobody knows.
    """
    aim, data = aims.split_aim(text)
    if not aim and text.startswith("]"):
        strange = text[: aims.AIM_CHARS]
        raise Gs1Error(f"unknown identifier {strange!r}, kept raw", raw=text)
    return parse(aim, data)


def elements(data: str) -> tuple[Element, ...]:
    """The element strings of GS1 data, without its AIM identifier. Raises Gs1Error."""
    rest = data.removeprefix(GS)
    if not rest:
        raise Gs1Error("empty GS1 data")
    if strange := _NO_DATA.search(rest):
        raise Gs1Error(f"{strange[0]!r} is no GS1 data; a separator is sent as GS (0x1D)")
    found: list[Element] = []
    while rest:
        element, rest = _next(rest)
        found.append(element)
        if len(found) > ELEMENTS_MAX:
            raise Gs1Error(f"more than {ELEMENTS_MAX} elements")
    return _agreeing(found)


def _next(rest: str) -> tuple[Element, str]:
    """The first element, and what follows it and its separator."""
    from protocols.tags import gs1_table  # noqa: PLC0415 - dear, see there

    segment = rest.partition(GS)[0]
    ai = identifier(segment)
    found = gs1_table.element(segment)
    if found is None:
        raise Gs1Error(f"({ai.ai}) does not have its form {ai.form}")
    element = Element(*found)
    prove(element)
    rest = rest[len(element.ai) + len(element.value) :]
    if rest and not rest.startswith(GS) and ai.separator_required:
        raise Gs1Error(
            f"({ai.ai}) runs over its form {ai.form}: no GS where one is needed", gs_lost=True
        )
    return element, rest.removeprefix(GS)


def identifier(text: str) -> "Identifier":
    """The application identifier that a text begins with. Raises Gs1Error."""
    from protocols.tags import gs1_table  # noqa: PLC0415 - dear, see there

    found = gs1_table.identifier(text[:_AI_CHARS])
    if found is None:
        hint = "; parentheses are printed, not sent" if text.startswith("(") else ""
        raise Gs1Error(f"no application identifier at {text[:_AI_CHARS]!r}{hint}")
    return found


def fits(ai: "Identifier", element: Element) -> bool:
    """Whether this is a whole field by form and check digit; a date is not looked into."""
    if re.fullmatch(ai.pattern, ai.ai + element.value) is None:
        return False
    try:
        prove(element)
    except Gs1Error:
        return False
    return True


def prove(element: Element) -> None:
    """Raise Gs1Error when the check digit inside a value is wrong."""
    count = _CHECKED.get(element.ai)
    if count is not None:
        _check(element.value[:count], f"({element.ai})")


def _check(digits: str, what: str) -> None:
    good = epc.check_digit(digits[:-1])
    if int(digits[-1]) != good:
        raise Gs1Error(f"check digit error: {what} ends in {digits[-1]}, expected {good}")


def _agreeing(found: list[Element]) -> tuple[Element, ...]:
    """An element may be repeated with the same value only (General Specifications 4.14)."""
    values: dict[str, str] = {}
    for element in found:
        if values.setdefault(element.ai, element.value) != element.value:
            raise Gs1Error(f"({element.ai}) twice with different values")
    return tuple(dict.fromkeys(found))


def _ean(aim: str, data: str) -> Scan:
    """An EAN-13, UPC (sent as 13 digits) or EAN-8, perhaps with a composite part above it."""
    _, count = _EAN_DIGITS[aim]
    digits, mark, composite = data.partition(_COMPOSITE)
    _gtin(digits, count)
    return Scan(aim, data, elements(composite) if mark else (), gtin=digits)


def _with_add_on(aim: str, data: str) -> Scan:
    _, count = _EAN_DIGITS[aims.EAN_13]
    digits, add_on = data[:count], data[count:]
    if len(add_on) not in _ADD_ONS or not _digits(add_on):
        raise Gs1Error(f"{len(data)} characters; expected {count} digits and an add-on of 2 or 5")
    _gtin(digits, count)
    return Scan(aim, data, gtin=digits, add_on=add_on)


def _gtin(digits: str, count: int) -> None:
    if len(digits) != count or not _digits(digits):
        raise Gs1Error(f"{digits!r}: expected {count} digits")
    _check(digits, f"EAN-{count}")


def _digits(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def link_elements(text: str) -> tuple[Element, ...] | None:
    """The elements of a GS1 Digital Link; None when the text is anything else.

    An address needs no AIM identifier to be one: its path names the key, by number or by the short
    name that older links use (`/gtin/.../lot/...`). Raises Gs1Error when it means to be one and
    breaks its rules.
    """
    link = link_paths.numbered(text)
    if link is None:
        return None
    from protocols.tags import gs1_table  # noqa: PLC0415 - dear, see there

    pairs = gs1_table.link(link)
    if pairs is None:
        if link_paths.means_a_key(link):
            raise Gs1Error("the Digital Link breaks the rules of its identifiers")
        return None
    found = [Element(*pair) for pair in pairs]
    for element in found:
        prove(element)
    known = {element.ai for element in found}
    asked = [Element(*pair) for pair in parse_qsl(urlsplit(link).query) if pair[0] in known]
    return _agreeing([*found, *asked])

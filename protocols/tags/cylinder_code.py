"""The code printed on a cylinder: ten digits, sixteen digits, or a QR that carries them.

The metal tag of cylinders.md §2 shows a 10-digit barcode and a QR with
`http://teshe.org.cn/Q?id=` + a 6-digit region (GB/T 2260) + the same ten digits. Neither has a
check digit, so nothing is repaired here: noise around the digits is dropped, the digits themselves
are never changed, and no medium is read out of them.
"""

import re
from dataclasses import asdict, dataclass
from typing import Literal, NoReturn, TypeAlias
from urllib.parse import unquote

CODE_CHARS_MAX = 64
"""The longest code an archive may hold (contract §9)."""

SCAN_CHARS_MAX = 1_024
"""The longest scan that is looked at; a QR of the densest version carries more than any URL here."""

CODE_DIGITS = 10
ID_DIGITS = 16
URL_HOST = "teshe.org.cn"

PROVINCES = frozenset(
    {*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55)}
    | {*range(61, 66), 71, 81, 82}
)
"""First two digits of a region in GB/T 2260; a province itself is xx0000."""

Kind: TypeAlias = Literal["code10", "code16", "qr", "qpsafe", "url", "text"]
Reason: TypeAlias = Literal[
    "empty",
    "too_long",
    "control_character",
    "bad_length",
    "bad_digits",
    "bad_region",
    "no_id",
    "two_ids",
    "foreign_url",
    "not_a_cylinder_code",
]

_FULL_WIDTH = {0xFF01 + i: 0x21 + i for i in range(94)} | {0x3000: 0x20, 0x3002: 0x2E, 0x3001: 0x2C}
_BLANKS = re.compile("[ \t\r\n\u00a0\u200b\u200e\u200f\u2060\ufeff]+")
_EDGES = " \t\r\n\u00a0\u200b\u2060\u3000\ufeff"
_TRAILING = ";,.!'\"…”’)>"
_LINE_BREAKS = re.compile("[\t\r\n]+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_DIGITS = re.compile(r"[0-9]+\Z")
_SITE = r"(?:https?://)?(?:www\.)?teshe\.org\.cn"
_OURS = re.compile(_SITE + r"(?::[0-9]{1,5})?/Q/?\?(?P<query>[^#]*)", re.IGNORECASE)
_OUR_PAGE = re.compile(_SITE + r"(?:[:/?#]|\Z)", re.IGNORECASE)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://|www\.", re.IGNORECASE)
_MONTH = re.compile(r"([0-9]{4})年(0[1-9]|1[0-2])月\Z")
_QPSAFE_PARTS = 6


class CodeError(Exception):
    """The text is no usable code: `reason` for programs, the text for people.

    `got_digits` is how many digits stood where 10 or 16 were expected, else None.
    """

    def __init__(self, reason: Reason, text: str, *, got_digits: int | None = None) -> None:
        self.reason: Reason = reason
        self.got_digits = got_digits
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class QpsafeLabel:
    """What a Jiangsu-type QR says: `[use certificate,registration,maker,cylinder,made,scrap]`.

    Both dates are months (`YYYY-MM`), as printed.
    """

    use_certificate_no: str
    registration_code: str
    maker_code: str
    cylinder_no: str
    made: str
    scrap: str
    suffix: str


@dataclass(frozen=True, slots=True)
class CylinderCode:
    """One scanned code. `text` is the scan without blanks at its ends, otherwise as it came.

    `code10`, `region6` and `id16` are None when the code does not carry them; `label` is set for
    the kind `qpsafe` only. A `url` leads to another site, a `text` is anything else.
    """

    kind: Kind
    text: str
    code10: str | None = None
    region6: str | None = None
    id16: str | None = None
    label: QpsafeLabel | None = None


def parse(text: str) -> CylinderCode:
    """The code in a scanned or typed text; what has no known form is a `text` or a foreign `url`.

    An archive may hold any text up to 64 characters as a code, so bare digits of an unusual length
    are a `text` too. Raises CodeError for an empty text, a control character inside it, more than
    64 characters of a text without a known form, and for our own URL with a damaged id.
    """
    plain = _trim(text)
    folded = _fold(plain)
    found = _known(plain, folded)
    if found is not None:
        return found
    if _LINE_BREAKS.search(plain):
        raise CodeError("control_character", f"{plain!r}: a line break inside a code")
    if len(plain) > CODE_CHARS_MAX:
        raise CodeError("too_long", f"{len(plain)} characters; a code has at most {CODE_CHARS_MAX}")
    return CylinderCode("url" if _URL.match(folded) else "text", plain)


def parse_known(text: str) -> CylinderCode:
    """Like `parse`, but only the forms of a cylinder label count, for a person who asks.

    Raises CodeError as `parse` does, and for digits of another length (`bad_length`), sixteen
    digits that begin with no province (`bad_region`), another site's URL and any other text.
    """
    code = parse(text)
    if code.kind == "url":
        raise CodeError("foreign_url", f"leads to another site; a cylinder's QR is at {URL_HOST}")
    if code.kind == "text":
        digits = _fold(code.text).rstrip(_TRAILING)
        if _DIGITS.match(digits):
            _refuse_digits(digits)
        raise CodeError("not_a_cylinder_code", "no 10 or 16 digits and no URL of a cylinder")
    return code


def candidates(code: CylinderCode, region: str) -> tuple[str, ...]:
    """The archive codes to look up for a scan at a station in `region` (6 digits), best first.

    The exact text, the sixteen digits, and the bare ten digits only within the station's own
    region: the same ten digits of another region are another cylinder. Two different cylinders
    behind two candidates are for the caller to call ambiguous.
    """
    found = [code.text]
    if code.kind == "code10":
        found += [f"{code.code10}", f"{region}{code.code10}"]
    if code.id16 is not None:
        found.append(code.id16)
        if code.region6 == region:
            found.append(f"{code.code10}")
    if code.label is not None:
        found.append(f"[{_brackets(code.text)[0]}]")
    return tuple(dict.fromkeys(c for c in found if len(c) <= CODE_CHARS_MAX))


def fields(code: CylinderCode) -> dict[str, object]:
    """The values by the names of the vectors; what the code does not carry is left out."""
    named: dict[str, object] = {"kind": code.kind, "text": code.text}
    if code.kind == "qr":
        named["url_host"] = URL_HOST
    for name in ("id16", "region6", "code10"):
        if (value := getattr(code, name)) is not None:
            named[name] = value
    return named | (asdict(code.label) if code.label else {})


def _trim(text: str) -> str:
    """Without blanks at the ends. Raises CodeError for nothing, far too much, or controls."""
    if len(text) > SCAN_CHARS_MAX:
        raise CodeError("too_long", f"{len(text)} characters; at most {SCAN_CHARS_MAX} are read")
    plain = text.strip(_EDGES)
    if not plain:
        raise CodeError("empty", "empty; expected a code")
    if found := _CONTROL.search(plain):
        raise CodeError("control_character", f"control character {found[0]!r} inside a code")
    return plain


def _fold(text: str) -> str:
    """Full-width forms made plain and every blank dropped; no other character is changed."""
    return _BLANKS.sub("", text.translate(_FULL_WIDTH))


def _known(plain: str, folded: str) -> CylinderCode | None:
    """The code when it has one of the known forms. Raises CodeError for our URL, damaged."""
    text = _LINE_BREAKS.sub("", plain)
    if ours := _OURS.match(folded):
        return _from_id(text, _id(ours["query"]))
    if _OUR_PAGE.match(folded):
        raise CodeError("no_id", f"a page of {URL_HOST}, but not /Q?id=")
    digits = folded.rstrip(_TRAILING)
    if not _DIGITS.match(digits):
        return _qpsafe(text)
    if len(digits) == CODE_DIGITS:
        return CylinderCode("code10", text, code10=digits)
    if len(digits) == ID_DIGITS and int(digits[:2]) in PROVINCES:
        return _split("code16", text, digits)
    return None


def _id(query: str) -> str:
    """The one `id` of a query, whatever its case. Raises CodeError for none or two."""
    pairs = [pair.partition("=") for pair in re.split("[&;]", query)]
    ids = {_fold(unquote(value)).rstrip(_TRAILING) for key, _, value in pairs if _is_id(key)}
    if not ids:
        raise CodeError("no_id", "the URL has no id=; expected id= and 16 digits")
    if len(ids) > 1:
        raise CodeError("two_ids", f"the URL has {len(ids)} different ids")
    return ids.pop()


def _is_id(key: str) -> bool:
    return key.casefold() == "id"


def _from_id(text: str, digits: str) -> CylinderCode:
    if not _DIGITS.match(digits or "-"):
        raise CodeError("bad_digits", f"id={digits!r}; expected {ID_DIGITS} digits")
    if len(digits) != ID_DIGITS or int(digits[:2]) not in PROVINCES:
        _refuse_digits(digits)
    return _split("qr", text, digits)


def _split(kind: Kind, text: str, digits: str) -> CylinderCode:
    assert len(digits) == ID_DIGITS, digits
    return CylinderCode(kind, text, code10=digits[6:], region6=digits[:6], id16=digits)


def _refuse_digits(digits: str) -> NoReturn:
    """Say why these digits are no code."""
    if len(digits) == ID_DIGITS:
        raise CodeError("bad_region", f"region {digits[:6]} begins with no province of GB/T 2260")
    raise CodeError(
        "bad_length",
        f"{len(digits)} digits; expected {CODE_DIGITS} or {ID_DIGITS}",
        got_digits=len(digits),
    )


def _qpsafe(text: str) -> CylinderCode | None:
    """A Jiangsu-type QR: six parts between the last brackets, then the name of the platform."""
    inside, suffix = _brackets(text)
    parts = [part.strip(_EDGES) for part in inside.split(",")]
    if len(parts) != _QPSAFE_PARTS:
        return None
    made, scrap = _MONTH.match(parts[4]), _MONTH.match(parts[5])
    if not made or not scrap:
        return None
    label = QpsafeLabel(
        use_certificate_no=parts[0],
        registration_code=parts[1],
        maker_code=parts[2],
        cylinder_no=parts[3],
        made=f"{made[1]}-{made[2]}",
        scrap=f"{scrap[1]}-{scrap[2]}",
        suffix=suffix,
    )
    return CylinderCode("qpsafe", text, label=label)


def _brackets(text: str) -> tuple[str, str]:
    """What stands between the last brackets and after them; empty without brackets."""
    head, _, suffix = text.translate(_FULL_WIDTH).rpartition("]")
    return head.rpartition("[")[2], suffix

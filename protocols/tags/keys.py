"""The GS1 keys that can name one cylinder, and how an archive may spell them.

GIAI (8004), GRAI with its serial (8003), SGTIN (01 with 21) and SSCC (00). A GTIN or a GRAI without
a serial names a kind of cylinder, not one; a lot or a phone number (8002) names none.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from protocols.tags import cylinder_code, epc, gs1
from protocols.tags.cylinder_code import CODE_CHARS_MAX, CodeError
from protocols.tags.gs1 import GS, Element, Gs1Error

GRAI_DIGITS = 14
"""Of a GRAI, before its serial: a zero, prefix, type and check digit."""
OTHER_READINGS_MAX = 32
"""How many other keys of a code that may have lost a separator are looked at."""
HEAD_CHARS_MIN = {"8003": GRAI_DIGITS + 1, "8004": 8, "21": 4}
"""A key that lost its separator is at least so long; company prefix and reference."""
TAIL_CHARS_MIN = 3
_ALONE = ("00", "8004")

Cuts: TypeAlias = dict[int, list[tuple[int, Element]]]
"""Where a field may begin -> where it may end, and the field."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key, its elements in the order they are printed."""

    elements: tuple[Element, ...]

    @property
    def text(self) -> str:
        """The key as printed under the code, which is how records spell it: `(8004)9521321A1`."""
        return "".join(f"({each.ai}){each.value}" for each in self.elements)

    def spellings(self) -> tuple[str, ...]:
        """What an archive may hold in `code` for this key, the printed form first.

        `(8004)9521321A1`, `80049521321A1` and the bare `9521321A1`, but not a bare value that is
        also a number of a Chinese label: the same digits there are another cylinder.
        """
        joined = "".join(each.ai + each.value for each in self.elements)
        bare = self.elements[0].value if len(self.elements) == 1 else joined
        found = [self.text, joined, *([bare] if _is_opaque(bare) else [])]
        return tuple(dict.fromkeys(text for text in found if len(text) <= CODE_CHARS_MAX))


def _is_opaque(text: str) -> bool:
    try:
        return cylinder_code.parse(text).kind == "text"
    except CodeError:
        return False


def keys(elements: Iterable[Element]) -> tuple[Key, ...]:
    """Every key among these elements that can name one cylinder."""
    found = {element.ai: element for element in elements}
    named = [Key((found[ai],)) for ai in _ALONE if ai in found]
    grai, gtin, serial = found.get("8003"), found.get("01"), found.get("21")
    if grai is not None and len(grai.value) > GRAI_DIGITS:
        named.append(Key((grai,)))
    if gtin is not None and serial is not None:
        named.append(Key((gtin, serial)))
    return tuple(named)


def scanned(text: str) -> tuple[Key, ...]:
    """The keys that a scan names (its AIM identifier in front, if any); () when it names none."""
    try:
        return keys(gs1.parse_text(text).elements)
    except Gs1Error:
        return ()


def of_tag(uid: str) -> tuple[Key, ...]:
    """The key that the EPC of a tag encodes (GRAI-96, GIAI-96, SGTIN-96); () for any other id."""
    try:
        tag = epc.decode(uid)
    except epc.TagError:
        return ()
    match tag:
        case epc.Giai96():
            return (Key((Element("8004", tag.company_prefix + tag.asset_reference),)),)
        case epc.Grai96():
            number = f"0{tag.company_prefix}{tag.asset_type}{tag.check_digit}{tag.serial}"
            return (Key((Element("8003", number),)),)
        case epc.Sgtin96():
            return (Key((Element("01", tag.gtin14), Element("21", str(tag.serial)))),)
    return ()


def run_together(data: str) -> bool:
    """Whether GS1 data has surely or most likely lost a separator: for advice, not for identity.

    Surely: a field runs over its form. Most likely: there is no separator, and the last field could
    end earlier, with a date, a check digit or a value of letters behind it. A serial may look so
    without being it; what the archive knows decides then (`other_readings`).
    """
    try:
        found = gs1.elements(data)
    except Gs1Error as exc:
        return exc.gs_lost
    if GS in data:
        return False
    cuts = _cuts(found[-1])
    heads = ((end, each) for end, each in cuts[0] if len(each.value) >= _head_chars(each))
    return any(_tells(behind) for end, _ in heads for _, behind in cuts.get(end, ()))


def _head_chars(element: Element) -> int:
    """What is left of a key must still be one."""
    return HEAD_CHARS_MIN.get(element.ai, 1)


def _tells(behind: Element) -> bool:
    """Whether chance alone hardly makes this field."""
    if not gs1.identifier(behind.ai).separator_required:
        return True
    return len(behind.value) >= TAIL_CHARS_MIN and not behind.value.isdecimal()


def overruns(data: str) -> bool:
    """Whether GS1 data has surely lost a separator: a field runs over its form."""
    try:
        gs1.elements(data)
    except Gs1Error as exc:
        return exc.gs_lost
    return False


def other_readings(data: str) -> tuple[Key, ...]:
    """The keys that GS1 data without any separator would name if one was lost; at most 32.

    They never identify. They tell that the code is ambiguous, when the archive knows one of them.
    """
    if GS in data:
        return ()
    try:
        found = gs1.elements(data)
    except Gs1Error:
        return ()
    parts = tuple(dict.fromkeys(_reached(_cuts(found[-1]), found[-1])))
    pairs = [(first, second) for first in (*found[:-1], *parts) for second in parts]
    first_keys = keys(found)
    others = (key for pair in pairs for key in keys(pair) if key not in first_keys)
    return tuple(dict.fromkeys(others))[:OTHER_READINGS_MAX]


def _cuts(last: Element) -> Cuts:
    """Every way to cut the last field into several whole ones, and no way to leave it whole."""
    data = last.ai + last.value
    ends = {len(data)}
    cuts: Cuts = {}
    for start in range(len(data) - 1, -1, -1):
        cuts[start] = [each for each in _fields(data, start) if each[0] in ends]
        if cuts[start]:
            ends.add(start)
    cuts[0] = [each for each in cuts[0] if each[0] != len(data)]
    return cuts


def _reached(cuts: Cuts, last: Element) -> Iterator[Element]:
    """The fields that a walk from the front comes by."""
    waiting, seen = [0], {len(last.ai + last.value)}
    while waiting:
        for end, element in cuts[waiting.pop()]:
            yield element
            if end not in seen:
                seen.add(end)
                waiting.append(end)


def _fields(data: str, start: int) -> Iterator[tuple[int, Element]]:
    """Every whole field that begins here, with where it ends."""
    try:
        ai = gs1.identifier(data[start:])
    except Gs1Error:
        return
    value_at = start + len(ai.ai)
    if not data.startswith(ai.ai, start):
        return
    for end in range(value_at + 1, len(data) + 1):
        element = Element(ai.ai, data[value_at:end])
        if gs1.fits(ai, element):
            yield end, element


def spelled(named: Sequence[Key]) -> tuple[str, ...]:
    """The archive codes to look up for these keys, best first, each once."""
    return tuple(dict.fromkeys(text for key in named for text in key.spellings()))

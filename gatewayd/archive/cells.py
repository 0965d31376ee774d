"""One cell of text to one value, strictly. An empty cell never comes here: it is unknown."""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from gatewayd.store.rows import normal_uid
from protocols.documents import nearest_hint
from rules_engine.facts import MEDIA
from rules_engine.vocabulary import KINDS

TEXT_CHARACTERS_MAX = 200
CODE_CHARACTERS_MAX = 64
UID_BYTES_MIN = 2
UID_BYTES_MAX = 62
"""From one EPC word to the longest EPC that Gen2 can hold (496 bits)."""
TAGS_MAX = 16
"""Tags of one cylinder."""

PRESSURE_KPA_MAX = 200_000
"""More than any cylinder of TSG 23 works at (70 MPa), so a slip of the unit is found out."""

STATUSES: Final = ("in_use", "not_enabled", "scrapped", "cancelled", "lost")
INSPECTION_RESULTS: Final = ("passed", "failed")

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2}))?\Z")
_DIGITS = re.compile(r"[0-9]{1,15}\Z")
_ROUNDED = re.compile(r"[0-9](\.[0-9]+)?E\+[0-9]+\Z", re.IGNORECASE)
_HEX = re.compile(r"(?:[0-9A-F]{2})+\Z")

Parser = Callable[[str], Any]


class CellError(Exception):
    """A cell is wrong: `what` it is, and what was `expected`."""

    def __init__(self, what: str, expected: str) -> None:
        super().__init__(f"{what}; {expected}")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the template: its name and how a cell of it is read."""

    name: str
    parse: Parser


def text(cell: str, *, characters_max: int = TEXT_CHARACTERS_MAX) -> str:
    """Printable text of bounded length."""
    if len(cell) > characters_max:
        raise CellError(f"{len(cell)} characters", f"expected at most {characters_max}")
    if not cell.isprintable():
        raise CellError(f"{cell!r} has control characters", "expected plain text on one line")
    return cell


def code(cell: str) -> str:
    """The cylinder's code. What a spreadsheet made of a long number is refused, not guessed."""
    if _ROUNDED.match(cell):
        raise CellError(
            f"{cell!r} is a number rounded by a spreadsheet",
            "expected the full code; format the column as text before typing or pasting codes",
        )
    return text(cell, characters_max=CODE_CHARACTERS_MAX)


def tag_uids(cell: str) -> tuple[str, ...]:
    """Tag uids or EPCs in hex, separated by `;`, spelled as they are."""
    uids = tuple(part.strip() for part in cell.split(";") if part.strip())
    if len(uids) > TAGS_MAX:
        raise CellError(f"{len(uids)} tags", f"expected at most {TAGS_MAX} on one cylinder")
    seen: set[str] = set()
    for uid in uids:
        normal = normal_uid(uid)
        if not _HEX.match(normal):
            raise CellError(
                f"{uid!r} is not hex", "expected pairs of 0-9 A-F, several tags separated by ;"
            )
        if not UID_BYTES_MIN <= len(normal) // 2 <= UID_BYTES_MAX:
            raise CellError(
                f"{uid!r} has {len(normal) // 2} bytes",
                f"expected {UID_BYTES_MIN} to {UID_BYTES_MAX}",
            )
        if normal in seen:
            raise CellError(f"tag {normal} is there twice", "expected each tag once")
        seen.add(normal)
    return uids


def day(cell: str) -> date:
    """`YYYY-MM-DD`, or `YYYY-MM` for the last day of that month."""
    found = _DATE.match(cell)
    expected = "expected a date such as 2026-08-31, or 2026-08 for the last day of that month"
    if not found:
        raise CellError(f"{cell!r} is not a date", expected)
    year, month = int(found[1]), int(found[2])
    try:
        return date(year, month, int(found[3]) if found[3] else monthrange(year, month)[1])
    except ValueError as exc:
        raise CellError(f"{cell!r} is not a day of the calendar", expected) from exc


def integer(unit: str, *, least: int, most: int) -> Parser:
    """A parser of whole numbers in `unit` within a range."""
    expected = f"expected a whole number of {unit} from {least} to {most}, digits only"

    def parse(cell: str) -> int:
        if not _DIGITS.match(cell):
            raise CellError(f"{cell!r} is not a whole number", expected)
        value = int(cell)
        if not least <= value <= most:
            raise CellError(f"{value} is out of range", expected)
        return value

    return parse


def boolean(cell: str) -> bool:
    """`true` or `false`; a spreadsheet writes them in capitals."""
    lower = cell.lower()
    if lower not in {"true", "false"}:
        raise CellError(f"{cell!r} is neither", "expected true, false or an empty cell")
    return lower == "true"


def one_of(choices: tuple[str, ...]) -> Parser:
    """A parser of a word out of a short list."""

    def parse(cell: str) -> str:
        if cell in choices:
            return cell
        near = {choice.lower(): choice for choice in choices}.get(cell.lower())
        hint = f"did you mean {near!r}?" if near else nearest_hint(cell, choices)
        listed = f"expected one of {', '.join(choices)}, or an empty cell"
        raise CellError(f"unknown {cell!r}", f"{listed}; {hint}" if hint else listed)

    return parse


_GRAMS = integer("grams", least=1, most=10_000_000)
_FILLS = integer("fills", least=0, most=1_000_000)

COLUMNS: Final = (
    Column("code", code),
    Column("tag_uids", tag_uids),
    Column("serial_no", text),
    Column("maker", text),
    Column("owner", text),
    Column("model", text),
    Column("medium", one_of(tuple(sorted(MEDIA)))),
    Column("water_capacity_ml", integer("millilitres", least=1, most=10_000_000)),
    Column("stamped_tare_g", _GRAMS),
    Column("allowed_net_g", _GRAMS),
    Column("made_on", day),
    Column("scrap_on", day),
    Column("life_extended_to", day),
    Column("last_inspection_on", day),
    Column("next_inspection_on", day),
    Column("design_standard", text),
    Column("design_life_years", integer("years", least=1, most=100)),
    Column("inspection_result", one_of(INSPECTION_RESULTS)),
    Column("status", one_of(STATUSES)),
    Column("hold", text),
    Column("fills_allowed", _FILLS),
    Column("fills_done", _FILLS),
    Column("refurbished", boolean),
    Column("screw_shroud", boolean),
    Column("embossed_mark", boolean),
)
"""The template of contract §9, in its order."""

FURTHER: Final = (
    Column("kind", one_of(tuple(sorted(KINDS)))),
    Column("working_pressure_kpa", integer("kPa", least=1, most=PRESSURE_KPA_MAX)),
    Column("registered", boolean),
    Column("maker_licensed", boolean),
    Column("taxi", boolean),
)
"""What rules may read beyond the contract's columns; a file may have any of them, or none."""

TEMPLATE: Final = ",".join(column.name for column in COLUMNS)

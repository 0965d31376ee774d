"""What expressions of a mapping may call: times, dates, exact decimals, code tables. Pure.

Every one takes and gives one type, so a wrong use fails when the mapping is loaded. What cannot be
said exactly raises ValueError: the record then becomes a dead letter with that reason.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from rules_engine.cel import Function

DIGITS_MAX = 18
"""Places of a decimal; more is a mistake."""
TEXT_CHARS_MAX = 4_096
SHOWN_MAX = 60

_PART = re.compile(r"yyyy|yy|MM|dd|HH|mm|ss|SSS|ZZ|'[^']*'|[A-Za-z]+|[^A-Za-z']+|'")
_TIME_PARTS = frozenset({"yyyy", "yy", "MM", "dd", "HH", "mm", "ss", "SSS", "ZZ"})
_DATE_PARTS = frozenset({"yyyy", "yy", "MM", "dd"})
_CALL = re.compile(r"\b(format|format_in|day)\s*\([^()]*?,\s*(['\"])(.*?)\2")


def functions(zone: ZoneInfo) -> tuple[Function, ...]:
    """Every function; `zone` is where `format` reads the clock."""

    def local(moment: datetime, pattern: str) -> str:
        return formatted(moment, pattern, zone)

    return (
        Function("format", ("time", "text"), "text", local),
        Function("format_in", ("time", "text", "text"), "text", _format_in),
        Function("day", ("text", "text"), "text", day),
        Function("epoch_s", ("time",), "int", _epoch_s),
        Function("epoch_ms", ("time",), "int", _epoch_ms),
        Function("kg", ("int",), "text", lambda grams: decimal(grams, 3)),
        Function("kg", ("int", "int"), "text", lambda grams, places: rounded(grams, 3, places)),
        Function("decimal", ("int", "int"), "text", decimal),
        Function("rounded", ("int", "int", "int"), "text", rounded),
        Function("lookup", ("table", "text"), "text", lookup),
        Function("join", ("texts", "text"), "text", join),
        Function("upper", ("text",), "text", str.upper),
        Function("lower", ("text",), "text", str.lower),
        Function("left", ("text", "int"), "text", left),
        Function("pad", ("int", "int"), "text", pad),
    )


USES = {
    "format": "format(time, 'yyyy-MM-dd HH:mm:ss')",
    "format_in": "format_in(time, 'yyyy-MM-dd HH:mm:ss', 'UTC')",
    "day": "day(date, 'yyyyMMdd')",
    "epoch_s": "epoch_s(time)",
    "epoch_ms": "epoch_ms(time)",
    "kg": "kg(grams) or kg(grams, places)",
    "decimal": "decimal(number, digits)",
    "rounded": "rounded(number, digits, places)",
    "lookup": "lookup(table.NAME, text)",
    "join": "join(texts, ',')",
    "upper": "upper(text)",
    "lower": "lower(text)",
    "left": "left(text, characters)",
    "pad": "pad(number, digits)",
}
"""How each is called, for messages and the guide."""


def formatted(moment: datetime, pattern: str, zone: ZoneInfo) -> str:
    """A moment by a pattern of yyyy yy MM dd HH mm ss SSS ZZ, text in single quotes."""
    at = moment.astimezone(zone)
    offset = at.strftime("%z")
    return _fill(
        pattern,
        {
            **_day_parts(at),
            "HH": f"{at.hour:02}",
            "mm": f"{at.minute:02}",
            "ss": f"{at.second:02}",
            "SSS": f"{at.microsecond // 1000:03}",
            "ZZ": f"{offset[:3]}:{offset[3:5]}",
        },
    )


def day(text: str, pattern: str) -> str:
    """A date (ISO text) by a pattern of yyyy yy MM dd."""
    try:
        return _fill(pattern, _day_parts(date.fromisoformat(text)))
    except ValueError as exc:
        raise ValueError(f"{_short(text)} by {pattern!r}: {exc}") from exc


def wrong_pattern(source: str) -> str:
    """What is wrong with a pattern that is written out in an expression; empty when nothing is."""
    for name, _, pattern in _CALL.findall(source):
        known = _DATE_PARTS if name == "day" else _TIME_PARTS
        for part in _PART.findall(pattern):
            if part[0].isalpha() and part not in known:
                return f"{part!r} in the pattern {pattern!r} of {name}"
    return ""


def decimal(number: int, digits: int) -> str:
    """A whole number with its point moved left, exact: 14500 by 3 digits is 14.5."""
    text = f"{_moved(number, digits):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rounded(number: int, digits: int, places: int) -> str:
    """As `decimal`, with exactly so many places; half is rounded away from zero."""
    _sane(places)
    return f"{_moved(number, digits).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):f}"


def lookup(table: Mapping[str, str], key: str) -> str:
    """The entry of a code table; what is not in it is an error, never a guess."""
    if key not in table:
        known = ", ".join(sorted(table)[:8])
        raise ValueError(f"no code for {_short(key)}; the table has {known}")
    return table[key]


def join(texts: Sequence[str], between: str) -> str:
    """Texts in a row."""
    return between.join(str(each) for each in texts)[:TEXT_CHARS_MAX]


def left(text: str, characters: int) -> str:
    """The beginning of a text."""
    if not 0 <= characters <= TEXT_CHARS_MAX:
        raise ValueError(f"left of {characters} characters; expected 0 to {TEXT_CHARS_MAX}")
    return text[:characters]


def pad(number: int, digits: int) -> str:
    """A whole number with leading zeros; one that has more digits is an error."""
    _sane(digits)
    if number < 0 or len(str(number)) > digits:
        raise ValueError(f"{number} does not fit into {digits} digits")
    return f"{number:0{digits}}"


def _format_in(moment: datetime, pattern: str, zone: str) -> str:
    try:
        return formatted(moment, pattern, ZoneInfo(zone))
    except (KeyError, OSError) as exc:
        raise ValueError(f"unknown time zone {_short(zone)}") from exc


def _epoch_ms(moment: datetime) -> int:
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000 + since.microseconds // 1_000


def _epoch_s(moment: datetime) -> int:
    return _epoch_ms(moment) // 1_000


def _day_parts(at: date) -> dict[str, str]:
    year = f"{at.year:04}"
    return {"yyyy": year, "yy": year[2:], "MM": f"{at.month:02}", "dd": f"{at.day:02}"}


def _fill(pattern: str, parts: Mapping[str, str]) -> str:
    return "".join(_filled(pattern, parts))


def _filled(pattern: str, parts: Mapping[str, str]) -> Iterator[str]:
    for part in _PART.findall(pattern):
        if part in parts:
            yield parts[part]
        elif part[0].isalpha():
            raise ValueError(f"{part!r} in a pattern; expected {' '.join(parts)}")
        else:
            yield part.strip("'") or "'"


def _moved(number: int, digits: int) -> Decimal:
    _sane(digits)
    return Decimal(number).scaleb(-digits)


def _sane(places: int) -> None:
    if not 0 <= places <= DIGITS_MAX:
        raise ValueError(f"{places} places; expected 0 to {DIGITS_MAX}")


def _short(text: str) -> str:
    return repr(text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…")

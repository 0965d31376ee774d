"""A tag layout compiled to construct: bytes of a tag's memory to named values, and its examples."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from construct import Bytes, BytesInteger, Const, Construct, ConstructError, Struct

from protocols import checksums
from protocols.formats import Format, Part, unhex
from protocols.framing import FrameError
from protocols.tags.layout_file import (
    BcdField,
    BitsField,
    ChecksumField,
    ConstField,
    DateField,
    HexField,
    LayoutField,
    LayoutSettings,
    TextField,
    UintField,
)

_SUMS: Mapping[str, Callable[[bytes], int]] = {
    "sum8": checksums.sum8,
    "xor8": checksums.xor8,
    "lrc8": checksums.lrc8,
    "xmodem": checksums.xmodem,
    "x25": checksums.x25,
    "mcrf4xx": checksums.mcrf4xx,
    "genibus": checksums.genibus,
}
_CENTURY = "20"


@dataclass(frozen=True, slots=True)
class Layout:
    """One compiled layout; `size_bytes` is how much memory it reads."""

    id: str
    settings: LayoutSettings
    struct: Construct
    size_bytes: int

    @property
    def hash(self) -> str:
        """SHA-256 of what the layout says, in hex: by what exactly a tag was read."""
        said = self.settings.model_dump(mode="json")
        text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def is_blank(self, data: bytes) -> bool:
        """Whether these bytes are of a tag that nobody has written, and the layout knows such."""
        bare = set(data) in ({0x00}, {0xFF})
        return self.settings.blank == "nothing" and len(data) == self.size_bytes and bare

    def facts(self, values: Mapping[str, Any]) -> dict[str, str]:
        """What rules may read of these values, by the name of the fact; none where one is empty."""
        named = ((fact, values.get(field)) for fact, field in self.settings.facts.items())
        return {fact: str(value) for fact, value in named if value}

    def read(self, data: bytes) -> dict[str, Any]:
        """The values by name, as JSON; raises FrameError when the bytes are not of this layout.

        A number that the `enum` does not know stays a number.
        """
        if len(data) < self.size_bytes or (
            len(data) > self.size_bytes and self.settings.rest == "refuse"
        ):
            raise FrameError(f"{len(data)} bytes; the layout {self.id} has {self.size_bytes}")
        try:
            parsed = self.struct.parse(data[: self.size_bytes])
        except ConstructError as exc:
            raise FrameError(f"not of the layout {self.id}: {_reason(exc)}") from exc
        values: dict[str, Any] = {}
        at = 0
        for field in self.settings.fields:
            value = _value(field, parsed[field.name], data[:at])
            at += field.length
            if field.type not in {"reserved", "const", "checksum"}:
                values[field.name] = value
        return values

    def finding(self, values: Mapping[str, Any]) -> str | None:
        """What an inspector wrote, empty = nothing; None where the layout has no such field."""
        rule = self.settings.finding
        if rule is None:
            return None
        value = values[rule.field]
        said = ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)
        return "" if said in rule.none else said

    def wrong_examples(self) -> Iterator[tuple[int, str]]:
        """Which examples come out otherwise, by number, and how."""
        for number, example in enumerate(self.settings.examples):
            try:
                got: object = self.read(unhex(example.hex))
            except FrameError as exc:
                got = str(exc)
            if example.refused and isinstance(got, dict):
                yield number, f"read as {got}; expected to be refused"
            elif not example.refused and got != example.fields:
                yield number, f"read as {got}; expected {example.fields}"


def compile_layout(name: str, settings: LayoutSettings) -> Layout:
    """The layout as construct."""
    parts = [field.name / _construct(field) for field in settings.fields]
    size = sum(field.length for field in settings.fields)
    return Layout(name, settings, Struct(*parts), size)


def _construct(field: LayoutField) -> Construct:
    if isinstance(field, UintField):
        return BytesInteger(field.length, swapped=field.order == "little")
    if isinstance(field, ConstField):
        return Const(bytes.fromhex(field.value))
    return Bytes(field.length)


def _reason(exc: ConstructError) -> str:
    return str(exc).splitlines()[-1]


def _value(field: LayoutField, raw: Any, before: bytes) -> Any:
    match field:
        case UintField():
            words = {number: word for word, number in field.enum.items()}
            return words.get(raw, raw)
        case TextField():
            return _text(field, raw)
        case BcdField():
            return _digits(field.name, raw)
        case DateField():
            return _date(field, raw)
        case BitsField():
            number = int.from_bytes(raw, "big")
            return _bits(field, number)
        case HexField():
            return raw.hex().upper()
        case ChecksumField():
            return _checked(field, raw, before)
    return None


def _text(field: TextField, raw: bytes) -> str:
    try:
        said = raw.split(b"\0", 1)[0].decode(field.type)
    except UnicodeDecodeError as exc:
        raise FrameError(f"{field.name}: not {field.type} text") from exc
    if not said.rstrip().isprintable():
        raise FrameError(f"{field.name}: {said!r} has control characters")
    return said.rstrip()


def _digits(name: str, raw: bytes) -> str:
    digits = raw.hex().upper().rstrip("F")
    if digits and not digits.isdigit():
        raise FrameError(f"{name}: {raw.hex()} is no BCD")
    return digits


def _date(field: DateField, raw: bytes) -> str | None:
    if set(raw) in ({0}, {0xFF}, {0x30}):
        return None
    said = raw.decode("ascii", "replace") if field.format.startswith("ascii") else raw.hex()
    digits = said if "yyyy" in field.format else _CENTURY + said
    month_only = not field.format.endswith("dd")
    whole = digits + "01" if month_only else digits
    try:
        day = date.fromisoformat(f"{whole[:4]}-{whole[4:6]}-{whole[6:]}")
    except ValueError as exc:
        raise FrameError(f"{field.name}: {said!r} is no date") from exc
    return day.isoformat()[:7] if month_only else day.isoformat()


def _bits(field: BitsField, number: int) -> list[str]:
    names = {bit: name for name, bit in field.bits.items()}
    set_bits = (bit for bit in range(8 * field.length) if number >> bit & 1)
    return [names.get(bit, f"bit_{bit}") for bit in set_bits]


def _checked(field: ChecksumField, raw: bytes, before: bytes) -> None:
    told = int.from_bytes(raw, field.order)
    wanted = _SUMS[field.algorithm](before) & ((1 << 8 * field.length) - 1)
    if told != wanted:
        raise FrameError(f"{field.name}: checksum {told:X}; the bytes before it have {wanted:X}")


def as_format(layout: Layout) -> Format:
    """The layout as a row of `gatewayd decode`."""
    title = layout.settings.title
    return Format(
        name=layout.id,
        kind="tag",
        read=partial(_read_hex, layout),
        summary=title.en,
        summary_zh=title.zh,
        parts=partial(_parts, layout),
        caveats=() if layout.settings.verified else (f"not verified: {layout.settings.source}",),
    )


def _read_hex(layout: Layout, data: str) -> Mapping[str, Any]:
    values = layout.read(unhex(data))
    found = layout.finding(values)
    return values if found is None else values | {"tag_finding": found}


def _parts(layout: Layout, data: str, found: Mapping[str, Any]) -> Iterator[Part]:
    raw, at = unhex(data), 0
    for field in layout.settings.fields:
        piece = raw[at : at + field.length].hex().upper()
        yield Part(piece, f"{field.name}: {found.get(field.name, field.type)}")
        at += field.length

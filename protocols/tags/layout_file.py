"""What may stand in a tag layout of `tags/*.yaml`: named fields one after the other, examples.

Every byte is named: a gap is `reserved`, so that nobody overlooks one.
"""

from collections import Counter
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

NAME = r"^[a-z][a-z0-9_]{0,31}$"
FIELDS_MAX = 64
BYTES_MAX = 512
EXAMPLES_MAX = 32

Order: TypeAlias = Literal["big", "little"]
DateFormat: TypeAlias = Literal[
    "bcd_yyyymmdd", "bcd_yymmdd", "bcd_yyyymm", "bcd_yymm", "ascii_yyyymmdd", "ascii_yymmdd"
]
DATE_BYTES: dict[DateFormat, int] = {
    "bcd_yyyymmdd": 4,
    "bcd_yymmdd": 3,
    "bcd_yyyymm": 3,
    "bcd_yymm": 2,
    "ascii_yyyymmdd": 8,
    "ascii_yymmdd": 6,
}
Checksum: TypeAlias = Literal["sum8", "xor8", "lrc8", "xmodem", "x25", "mcrf4xx", "genibus"]


class _Strict(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", strict=True)


class _Field(_Strict):
    """`offset` only says again where the field begins, for whoever compares it with a document."""

    name: str = Field(pattern=NAME)
    length: int = Field(ge=1, le=BYTES_MAX)
    offset: int | None = Field(default=None, ge=0, lt=BYTES_MAX)


class UintField(_Field):
    """A number; with `enum` a word where the number has one."""

    type: Literal["uint"]
    length: int = Field(ge=1, le=8)
    order: Order = "big"
    enum: dict[str, int] = {}


class TextField(_Field):
    """Text up to the first zero byte, without blanks at its end."""

    type: Literal["ascii", "utf-8", "gb18030"]


class BcdField(_Field):
    """Two digits a byte, high one first; filled up with F at the end."""

    type: Literal["bcd"]


class DateField(_Field):
    """A day, or a month; all zeros or all F is none. Two digits of a year are 2000 to 2099."""

    type: Literal["date"]
    format: DateFormat


class BitsField(_Field):
    """The names of the bits that are 1; bit 0 is the lowest of the last byte."""

    type: Literal["bits"]
    length: int = Field(ge=1, le=4)
    bits: dict[str, int] = Field(min_length=1)


class HexField(_Field):
    """Bytes as they are; `reserved` ones are not shown."""

    type: Literal["hex", "reserved"]


class ConstField(_Field):
    """Bytes that must be these (hex); anything else is another layout."""

    type: Literal["const"]
    value: str = Field(pattern=r"^([0-9A-Fa-f]{2})+$")


class ChecksumField(_Field):
    """A checksum over every byte before it: it proves a reading, not that a tag is genuine."""

    type: Literal["checksum"]
    length: int = Field(ge=1, le=2)
    algorithm: Checksum
    order: Order = "big"


LayoutField: TypeAlias = Annotated[
    UintField
    | TextField
    | BcdField
    | DateField
    | BitsField
    | HexField
    | ConstField
    | ChecksumField,
    Field(discriminator="type"),
]


class FindingSettings(_Strict):
    """Which field an inspector writes his finding into; `none` are the values that mean nothing."""

    field: str
    none: tuple[str, ...] = ("", "0", "none")


FactName: TypeAlias = Literal[
    "code", "made_on", "last_inspection_on", "next_inspection_on", "scrap_on"
]
"""What rules may read of a tag's memory, as `tag.` and this, beside `tag.finding`."""
_TEXTS: frozenset[FactName] = frozenset({"code"})


class Example(_Strict):
    """Bytes in hex and what they must read as; `refused` ones must not read at all."""

    hex: str = Field(min_length=2, max_length=4 * BYTES_MAX)
    fields: dict[str, Any] | None = None
    refused: bool = False

    @model_validator(mode="after")
    def _one_of(self) -> "Example":
        if (self.fields is None) != self.refused:
            raise ValueError("an example has fields, or is refused: true")
        return self


class Words(_Strict):
    """One sentence in both languages."""

    zh: str = Field(min_length=1, max_length=200)
    en: str = Field(min_length=1, max_length=200)


class LayoutSettings(_Strict):
    """One layout. `source` is the document it was taken from; `verified` when a real tag agreed.

    `bank` and `start` (16-bit words of a Gen2 tag, blocks or pages of an HF tag) are where it
    begins; `rest: ignore` allows bytes behind the last field. `facts` names the fields that rules
    may read. `blank: nothing`: a memory of zeros or of FF only is one that nobody has written yet,
    so that nobody has a finding in it; else it is refused like any that is not of this layout.
    """

    title: Words
    source: str = Field(min_length=3, max_length=500)
    verified: bool = False
    bank: Literal["epc", "tid", "user"] = "user"
    start: int = Field(default=0, ge=0, le=4_095)
    rest: Literal["refuse", "ignore"] = "refuse"
    blank: Literal["refuse", "nothing"] = "refuse"
    fields: tuple[LayoutField, ...] = Field(min_length=1, max_length=FIELDS_MAX)
    finding: FindingSettings | None = None
    facts: dict[FactName, str] = {}
    examples: tuple[Example, ...] = Field(min_length=1, max_length=EXAMPLES_MAX)

    @model_validator(mode="after")
    def _fits(self) -> "LayoutSettings":
        """Names once, places as told, lengths as the types need them, known fields in `finding`."""
        names = [field.name for field in self.fields]
        twice = [name for name, times in Counter(names).items() if times > 1]
        if twice:
            raise ValueError(f"field {twice[0]!r} is there twice")
        at = 0
        for field in self.fields:
            _place(field, at)
            at += field.length
        if at > BYTES_MAX:
            raise ValueError(f"{at} bytes; at most {BYTES_MAX}")
        if self.finding is not None and self.finding.field not in names:
            raise ValueError(f"finding: no field {self.finding.field!r}")
        fields = {field.name: field for field in self.fields}
        for fact, name in self.facts.items():
            _suits(fact, name, fields.get(name))
        return self


def _suits(fact: FactName, name: str, field: "LayoutField | None") -> None:
    if field is None:
        raise ValueError(f"facts: no field {name!r}")
    wanted = (TextField, BcdField, HexField) if fact in _TEXTS else (DateField,)
    if not isinstance(field, wanted) or field.type == "reserved":
        raise ValueError(f"facts: {fact} is no {field.type}, as field {name!r} is")


def _place(field: LayoutField, at: int) -> None:
    if field.offset is not None and field.offset != at:
        raise ValueError(f"field {field.name!r} begins at {at}, not at {field.offset}")
    wanted = field.length
    if isinstance(field, DateField):
        wanted = DATE_BYTES[field.format]
    elif isinstance(field, ConstField):
        wanted = len(field.value) // 2
    elif isinstance(field, ChecksumField):
        wanted = 1 if field.algorithm in {"sum8", "xor8", "lrc8"} else 2
    if field.length != wanted:
        raise ValueError(f"field {field.name!r} has {wanted} bytes, not {field.length}")
    if isinstance(field, BitsField) and max(field.bits.values()) >= 8 * field.length:
        raise ValueError(f"field {field.name!r} has {8 * field.length} bits, from 0")

"""Register maps: a YAML profile says which register means what; here it is checked and compiled.

A gate or an RFID head reports in one block, read in one request, and is told another: all values
belong to one moment. A scale or filler map may spread over tables and requests; register_plan.py
plans them, register_values.py reads them. Values are integers and booleans, never floats. Data
travels as register bytes, two a register, high byte first, exactly as Modbus carries them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

from protocols import register_checks, register_links
from protocols.documents import DocumentError, parse, validate
from protocols.heads import HeadFile
from protocols.register_block import Block, Point, RegisterError, Value
from protocols.register_file import (
    BITS,
    Bilingual,
    CommandFile,
    FillerFile,
    LimitsFile,
    MassFile,
    MeterFile,
    Name,
    PointFile,
    ProfileFile,
    Role,
    ScaleFile,
    Table,
    Text,
    UnknownFile,
    registers_of,
)
from protocols.register_plan import DEFAULT_LIMITS, Span, plan

__all__ = [
    "Bilingual",
    "Block",
    "Name",
    "Point",
    "PointFile",
    "Profile",
    "ProfileFile",
    "RegisterError",
    "Table",
    "Text",
    "Value",
    "decode",
    "load",
    "register_bytes",
    "register_numbers",
    "schema",
]


@dataclass(frozen=True, slots=True)
class Profile:
    """A loaded register map.

    `reads` is what a gate or head reports in one block and `writes` what it is told; both are empty
    in maps that are planned (`scale`, `filler`, `meter`). `points` are all of them by name. `head` is there
    when the map is that of an RFID head. `incomplete` says why it cannot be used, empty when it can.
    """

    id: str
    title: Bilingual
    source: str
    caveats: tuple[str, ...]
    reads: Block
    writes: Block
    head: HeadFile | None = None
    points: Mapping[str, Point] = field(default_factory=dict)
    serves: tuple[Role, ...] = ()
    verified: bool = True
    unverified: tuple[str, ...] = ()
    incomplete: str = ""
    example: str = ""
    base: int = 0
    separate: bool = False
    limits: LimitsFile = DEFAULT_LIMITS
    mass: MassFile | None = None
    unknown_when: tuple[UnknownFile, ...] = ()
    scale: ScaleFile | None = None
    filler: FillerFile | None = None
    meter: MeterFile | None = None
    commands: Mapping[str, CommandFile] = field(default_factory=dict)

    @property
    def readable(self) -> tuple[Point, ...]:
        """Every point that can be read back."""
        return tuple(p for p in self.points.values() if not (p.writable and self.separate))

    def owner(self, name: str) -> Point:
        """The point that holds this point, bit or field; raises KeyError."""
        return next(p for p in self.points.values() if name in p.names)

    def plan(self, names: Sequence[str] | None = None) -> tuple[Span, ...]:
        """The fewest requests that read the points of these names, all readable ones when None."""
        wanted = self.readable if names is None else [self.owner(name) for name in names]
        return plan(wanted, self.limits, base=self.base)


def load(text: str, origin: str) -> Profile:
    """Parse and check a profile; raises DocumentError with every problem at once."""
    document = parse(text, origin)
    file = validate(document, ProfileFile)
    problems = register_checks.points(document, file)
    if not problems:
        points = {name: _point(name, point, file) for name, point in file.points.items()}
        problems = register_links.links(document, file, points)
    if problems:
        raise DocumentError(problems)
    return _profile(file, points)


def _profile(file: ProfileFile, points: Mapping[str, Point]) -> Profile:
    in_blocks = [p for p in points.values() if file.one_moment]
    return Profile(
        file.id,
        file.title,
        file.source,
        file.caveats,
        reads=Block([p for p in in_blocks if not p.writable]),
        writes=Block([p for p in in_blocks if p.writable]),
        head=file.head,
        points=points,
        serves=file.serves,
        verified=not file.unverified,
        unverified=file.unverified,
        incomplete=file.incomplete or "",
        example=file.example or "",
        base=file.base,
        separate=file.areas == "separate",
        limits=file.limits,
        mass=file.mass,
        unknown_when=file.unknown_when,
        scale=file.scale,
        filler=file.filler,
        meter=file.meter,
        commands=file.commands,
    )


def decode(profile: Profile, registers: Sequence[int]) -> dict[str, Value]:
    """`profile.reads.decode` of registers given as numbers."""
    return profile.reads.decode(register_bytes(registers))


def register_bytes(registers: Sequence[int]) -> bytes:
    """Register numbers as the bytes a reply carries."""
    return b"".join(register.to_bytes(2, "big") for register in registers)


def register_numbers(data: bytes) -> tuple[int, ...]:
    """The bytes a reply carries as register numbers."""
    return Struct(f">{len(data) // 2}H").unpack(data)


def schema() -> dict[str, Any]:
    """The JSON Schema editors use; `config/schema/profile.schema.json` is this, written out."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ProfileFile.model_json_schema(),
        "title": "gatewayd register map",
    }


def _point(name: str, point: PointFile, file: ProfileFile) -> Point:
    wide = registers_of(point.type) > 1
    high_bit_first = (point.bit_order or file.bit_order) == "high_first"
    return Point(
        name,
        point.address - file.base,
        point.type,
        tuple((bit, 1 << _place(number, high_bit_first)) for bit, number in point.bits.items()),
        point.table,
        (point.word_order or file.word_order) == "low_first" and wide,
        point.doc,
        number=point.address,
        fields=tuple(_field(n, f.low, f.high, high_bit_first) for n, f in point.fields.items()),
        inverted=frozenset(point.inverted),
        spare_ignored=point.spare == "ignore",
        bytes_swapped=(point.byte_order or file.byte_order) == "low_first" and point.type != "bit",
        writable=point.writable,
        stored=point.stored,
        mass=point.mass,
        negative=point.negative,
        wraps_at=point.wraps_at,
        verified=point.verified,
    )


def _place(number: int, high_bit_first: bool) -> int:  # noqa: FBT001 - one way to count or the other
    return BITS - 1 - number if high_bit_first else number


def _field(name: str, low: int, high: int, high_bit_first: bool) -> tuple[str, int, int]:  # noqa: FBT001 - as above
    shift = min(_place(low, high_bit_first), _place(high, high_bit_first))
    return name, shift, ((1 << (high - low + 1)) - 1) << shift

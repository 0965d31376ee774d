"""Register maps: a YAML profile says which register means what; here it becomes two block codecs.

Points the device reports form one block read in one request; `writable` points form the block the
gateway writes. Values are integers and booleans, never floats. Data travels as register bytes,
two a register, high byte first, exactly as Modbus carries them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from struct import Struct
from struct import error as StructError  # noqa: N812 - it is a class
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from protocols.documents import Document, DocumentError, Problem, parse, validate
from protocols.heads import HeadFile
from protocols.modbus import REGISTERS, REGISTERS_READ_MAX, REGISTERS_WRITTEN_MAX

Value: TypeAlias = int | bool
Table: TypeAlias = Literal["holding", "input"]
WordOrder: TypeAlias = Literal["high_first", "low_first"]
Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Text: TypeAlias = Annotated[str, Field(min_length=1, max_length=2000)]

_FORMAT = {"uint16": "H", "int16": "h", "uint32": "I", "int32": "i", "bits": "H"}
_BITS = 16


class RegisterError(Exception):
    """Register bytes that the map does not allow, or values that do not fit it."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Bilingual(_Strict):
    """An operator text."""

    zh: Text
    en: Text


class PointFile(_Strict):
    """One value in the device; `address` counts from 0, as Modbus requests do."""

    address: int = Field(ge=0, lt=REGISTERS)
    type: Literal["uint16", "int16", "uint32", "int32", "bits"]
    bits: dict[Name, Annotated[int, Field(ge=0, lt=_BITS)]] = {}
    table: Table = "holding"
    word_order: WordOrder | None = None
    writable: bool = False
    doc: Text

    def registers(self) -> range:
        """The registers this point occupies."""
        return range(self.address, self.address + (2 if self.type.endswith("32") else 1))


class ProfileFile(_Strict):
    """A register map; points stand in ascending order of their address."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")
    title: Bilingual
    source: Text
    caveats: tuple[Text, ...] = ()
    word_order: WordOrder = "high_first"
    head: HeadFile | None = None
    points: dict[Name, PointFile] = Field(min_length=1, max_length=256)


@dataclass(frozen=True, slots=True)
class Point:
    """One named value of a loaded profile; `bits` are (name, mask) pairs of a bits point."""

    name: str
    address: int
    type: str
    bits: tuple[tuple[str, int], ...]
    table: Table
    low_first: bool
    doc: str


class Block:
    """Consecutive registers, carried by one request; gaps between points are read and ignored."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.points = tuple(points)
        self.table: Table = points[0].table if points else "holding"
        self.address = points[0].address if points else 0
        layout = ">"
        end = self.address
        swapped = []
        for point in points:
            layout += "xx" * (point.address - end)
            if point.low_first:
                swapped.append(2 * (point.address - self.address))
            layout += _FORMAT[point.type]
            end = point.address + (2 if point.type.endswith("32") else 1)
        self.count = end - self.address
        self._struct = Struct(layout)
        self._names = tuple(point.name for point in points)
        self._swapped = tuple(swapped)
        self._bits = tuple((p.name, _undefined(p), p.bits) for p in points if p.type == "bits")
        self._known = frozenset(self._names) | {n for p in points for n, _ in p.bits}

    @property
    def names(self) -> frozenset[str]:
        """Every name `decode` returns: points, and the single bits of bits points."""
        return self._known

    def decode(self, data: bytes) -> dict[str, Value]:
        """Values by name; a bits point appears whole as an int and each of its bits as a bool.

        Raises RegisterError when `data` is not exactly this block or a bit is set that the map
        does not know: an unknown value must not pass as a healthy one.
        """
        if len(data) != self._struct.size:
            raise RegisterError(f"{len(data)} bytes instead of {self._struct.size}")
        if self._swapped:
            data = self._swap(data)
        values: dict[str, Value] = dict(zip(self._names, self._struct.unpack(data), strict=True))
        for name, undefined, bits in self._bits:
            whole = values[name]
            if whole & undefined:
                raise RegisterError(f"{name} = 0x{whole:04X} has bits that the map does not know")
            for bit, mask in bits:
                values[bit] = whole & mask != 0
        return values

    def encode(self, values: Mapping[str, Value]) -> bytes:
        """Register bytes of exactly these values; bits points are given by their single bits.

        Raises RegisterError on a missing or unknown name, or a value that does not fit.
        """
        wanted = self._known - {name for name, _, _ in self._bits}
        if values.keys() != wanted:
            wrong = sorted(values.keys() ^ wanted)
            raise RegisterError(f"missing or unknown: {', '.join(wrong)}")
        try:
            data = self._struct.pack(*(_whole(point, values) for point in self.points))
        except StructError as exc:
            raise RegisterError(f"a value does not fit: {exc}") from exc
        return self._swap(data) if self._swapped else data

    def _swap(self, data: bytes) -> bytes:
        swapped = bytearray(data)
        for at in self._swapped:
            swapped[at : at + 4] = data[at + 2 : at + 4] + data[at : at + 2]
        return bytes(swapped)


@dataclass(frozen=True, slots=True)
class Profile:
    """A loaded register map: `reads` is what the device reports, `writes` what it is told.

    `head` is there when the map is that of an RFID head.
    """

    id: str
    title: Bilingual
    source: str
    caveats: tuple[str, ...]
    reads: Block
    writes: Block
    head: HeadFile | None = None


def load(text: str, origin: str) -> Profile:
    """Parse and check a profile; raises DocumentError with every problem at once."""
    document = parse(text, origin)
    file = validate(document, ProfileFile)
    problems = [*_ordered(document, file), *_named(document, file), *_blocks(document, file)]
    if problems:
        raise DocumentError(problems)
    points = {
        writable: [_point(n, p, file) for n, p in file.points.items() if p.writable is writable]
        for writable in (False, True)
    }
    blocks = Block(points[False]), Block(points[True])
    return Profile(file.id, file.title, file.source, file.caveats, *blocks, file.head)


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
    order = point.word_order or file.word_order
    low_first = order == "low_first" and point.type.endswith("32")
    bits = tuple((bit, 1 << number) for bit, number in point.bits.items())
    return Point(name, point.address, point.type, bits, point.table, low_first, point.doc)


def _undefined(point: Point) -> int:
    return 0xFFFF & ~sum(mask for _, mask in point.bits)


def _whole(point: Point, values: Mapping[str, Value]) -> int:
    if point.type != "bits":
        return values[point.name]
    return sum(mask for bit, mask in point.bits if values[bit])


def _ordered(document: Document, file: ProfileFile) -> Iterator[Problem]:
    """Two points in one register, or a file that is not sorted, is a slip of the author."""
    last: dict[str, tuple[str, PointFile]] = {}
    for name, point in file.points.items():
        mark = document.mark(("points", name, "address"))
        if point.registers().stop > REGISTERS:
            yield Problem(mark, f"{name}: a 32-bit value does not fit at {point.address}")
        before, other = last.get(point.table, (name, None))
        if other is not None and point.address < other.registers().stop:
            overlap = point.registers().stop > other.address
            what = "overlaps" if overlap else "stands after"
            yield Problem(
                mark,
                f"{name} at {point.address} {what} {before} at {other.address}",
                "points in ascending order, each register once",
            )
        last[point.table] = (name, point)


def _named(document: Document, file: ProfileFile) -> Iterator[Problem]:
    """Names of points and bits are one flat name space; bits belong to bits points only."""
    names = set(file.points)
    for name, point in file.points.items():
        mark = document.mark(("points", name, "bits"))
        if bool(point.bits) != (point.type == "bits"):
            yield Problem(mark, f"{name}: `bits` and `type: bits` go together")
        if len(set(point.bits.values())) != len(point.bits):
            yield Problem(mark, f"{name}: one bit has two names")
        if point.word_order is not None and not point.type.endswith("32"):
            mark_order = document.mark(("points", name, "word_order"))
            yield Problem(mark_order, f"{name}: word_order means nothing for {point.type}")
        for bit in point.bits:
            if bit in names:
                yield Problem(document.mark(("points", name, "bits", bit)), f"second name {bit!r}")
            names.add(bit)


def _blocks(document: Document, file: ProfileFile) -> Iterator[Problem]:
    """Each direction must fit one request, so that its values belong to one moment."""
    for writable, limit in ((False, REGISTERS_READ_MAX), (True, REGISTERS_WRITTEN_MAX)):
        points = [(n, p) for n, p in file.points.items() if p.writable is writable]
        for name, point in points:
            mark = document.mark(("points", name))
            if point.table != points[0][1].table:
                yield Problem(mark, f"{name}: one request cannot read two tables")
            if writable and point.table == "input":
                yield Problem(mark, f"{name}: input registers cannot be written")
            if point.registers().stop - points[0][1].address > limit:
                yield Problem(mark, f"{name}: more than {limit} registers after {points[0][0]}")
        for (_, before), (name, point) in pairwise(points):
            if writable and point.address > before.registers().stop:
                yield Problem(
                    document.mark(("points", name)), f"{name}: a gap among written points"
                )

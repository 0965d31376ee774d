"""Points of a loaded register map, and blocks of them that travel in one request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from struct import Struct
from struct import error as StructError  # noqa: N812 - it is a class
from typing import TypeAlias

from protocols.register_file import Table, registers_of

Value: TypeAlias = int | bool

_FORMAT = {"uint16": "H", "int16": "h", "uint32": "I", "int32": "i", "bits": "H"}


class RegisterError(Exception):
    """Register bytes that the map does not allow, or values that do not fit it."""


@dataclass(frozen=True, slots=True)
class Point:
    """One named value of a loaded map; `address` counts from 0, `number` as the map writes it.

    `bits` are (name, mask) pairs of a bits point, `fields` (name, shift, mask before the shift).
    """

    name: str
    address: int
    type: str
    bits: tuple[tuple[str, int], ...]
    table: Table
    low_first: bool
    doc: str
    number: int = 0
    fields: tuple[tuple[str, int, int], ...] = ()
    inverted: frozenset[str] = frozenset()
    spare_ignored: bool = False
    bytes_swapped: bool = False
    writable: bool = False
    stored: bool = False
    mass: bool = False
    negative: str | None = None
    wraps_at: int | None = None
    verified: bool = True

    @property
    def size(self) -> int:
        """How many registers, or single bits, it occupies."""
        return registers_of(self.type)

    @property
    def end(self) -> int:
        """The first address after it."""
        return self.address + self.size

    @property
    def undefined(self) -> int:
        """The bits of a bits point that have no name."""
        known = sum(mask for _, mask in self.bits) | sum(mask for _, _, mask in self.fields)
        return 0xFFFF & ~known

    @property
    def names(self) -> tuple[str, ...]:
        """Its own name, and those of its bits and fields."""
        return (self.name, *(n for n, _ in self.bits), *(n for n, _, _ in self.fields))


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
            end = point.end
        self.count = end - self.address
        self._struct = Struct(layout)
        self._names = tuple(point.name for point in points)
        self._swapped = tuple(swapped)
        self._bits = tuple((p.name, p.undefined, p.bits) for p in points if p.type == "bits")
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


def _whole(point: Point, values: Mapping[str, Value]) -> int:
    if point.type != "bits":
        return values[point.name]
    return sum(mask for bit, mask in point.bits if values[bit])

"""What registers say: answers to values by name, and back. For maps that are planned, not blocks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from protocols.register_block import Point, RegisterError, Value
from protocols.register_file import BITS, SINGLE_BITS
from protocols.register_plan import Span

Words: TypeAlias = tuple[int, ...]

_RANGES = {
    "uint16": range(1 << 16),
    "int16": range(-(1 << 15), 1 << 15),
    "uint32": range(1 << 32),
    "int32": range(-(1 << 31), 1 << 31),
    "float32": range(1 << 32),
    "uint64": range(1 << 64),
    "int64": range(-(1 << 63), 1 << 63),
    "float64": range(1 << 64),
    "bits": range(1 << 16),
    "bit": range(2),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """Values of one round of answers: points, bits and fields by name.

    A float is its bits as a number until it is scaled. `words` are the registers as they came.
    """

    values: Mapping[str, Value]
    words: Mapping[str, Words]
    points: Mapping[str, Point]

    def __getitem__(self, name: str) -> Value:
        """The value of a point, bit or field; raises KeyError."""
        return self.values[name]

    def shown(self, name: str) -> str:
        """Where a point, bit or field was read and what stood there, for a person."""
        point = next(p for p in self.points.values() if name in p.names)
        return f"{name if name == point.name else f'{point.name}.{name}'} at {place(point)} = {self._raw(point)}"

    def _raw(self, point: Point) -> str:
        words = self.words[point.name]
        if point.type == "bit":
            return str(words[0])
        return "0x" + " ".join(f"{word:04X}" for word in words)


def place(point: Point) -> str:
    """Table and register as the map writes them, for a person."""
    last = f"-{point.number + point.size - 1}" if point.size > 1 else ""
    return f"{point.table} {point.number}{last}"


def read(spans: Sequence[Span], answers: Sequence[bytes]) -> Reading:
    """The values in the answers to these requests, in their order.

    Raises RegisterError when an answer has another length, or a bit is set that the map does not
    know.
    """
    values: dict[str, Value] = {}
    words: dict[str, Words] = {}
    points: dict[str, Point] = {}
    for span, answer in zip(spans, answers, strict=True):
        words |= words_in(span, answer)
        for point in span.points:
            points[point.name] = point
            values |= values_of(point, words[point.name])
    return Reading(values, words, points)


def words_in(span: Span, answer: bytes) -> dict[str, Words]:
    """The registers of each point of a request, as they came; raises RegisterError on another length."""
    cells = _cells(span, answer)
    starts = {point: point.address - span.address for point in span.points}
    return {point.name: tuple(cells[at : at + point.size]) for point, at in starts.items()}


def values_of(point: Point, words: Words) -> dict[str, Value]:
    """The values of one point in its registers: its own, and those of its bits and fields.

    Raises RegisterError when a bit is set that the map does not know.
    """
    raw = _number(point, words)
    if point.type == "bit":
        return {point.name: (raw != 0) != (point.name in point.inverted)}
    found: dict[str, Value] = {point.name: raw}
    if point.type == "bits":
        if raw & point.undefined and not point.spare_ignored:
            where = f"{point.name} at {place(point)} = 0x{raw:04X}"
            raise RegisterError(f"{where} has bits that the map does not know")
        found |= {n: (raw & mask != 0) != (n in point.inverted) for n, mask in point.bits}
        found |= {n: (raw & mask) >> shift for n, shift, mask in point.fields}
    return found


def words_of(point: Point, value: int) -> Words:
    """The registers of a number; a float is given by its bits, a bits point whole.

    Raises RegisterError when it does not fit.
    """
    if value not in _RANGES[point.type]:
        raise RegisterError(f"{point.name}: {value} does not fit into {point.type}")
    words = tuple(value >> BITS * at & 0xFFFF for at in reversed(range(point.size)))
    if point.bytes_swapped:
        words = tuple(map(_swap_bytes, words))
    return words[::-1] if point.low_first else words


def whole_of(point: Point, values: Mapping[str, Value]) -> int:
    """The bits point in which these bits and fields stand; those that are not given are false or 0."""
    whole = 0
    for name, mask in point.bits:
        if bool(values.get(name)) != (name in point.inverted):
            whole |= mask
    for name, shift, mask in point.fields:
        number = values.get(name, 0) << shift
        if number & ~mask:
            raise RegisterError(f"{point.name}: {values[name]} does not fit into {name}")
        whole |= number
    return whole


def limits_of(point: Point) -> range:
    """Every number that fits into the registers of a point."""
    return _RANGES[point.type]


def _cells(span: Span, answer: bytes) -> list[int]:
    """The answer as one number an address: registers, or single bits lowest first."""
    size = (span.count + 7) // 8 if span.table in SINGLE_BITS else 2 * span.count
    if len(answer) != size:
        raise RegisterError(f"{span.table} {span.address}: {len(answer)} bytes instead of {size}")
    if span.table in SINGLE_BITS:
        return [answer[at // 8] >> at % 8 & 1 for at in range(span.count)]
    return [int.from_bytes(answer[at : at + 2], "big") for at in range(0, size, 2)]


def _number(point: Point, words: Words) -> int:
    if point.bytes_swapped:
        words = tuple(_swap_bytes(word) for word in words)
    if point.low_first:
        words = words[::-1]
    raw = 0
    for word in words:
        raw = raw << BITS | word
    if point.type.startswith("int"):
        sign = 1 << (BITS * len(words) - 1)
        raw = (raw ^ sign) - sign
    return raw


def _swap_bytes(word: int) -> int:
    return (word & 0xFF) << 8 | word >> 8

"""The fewest requests that read some points of a map, within what the device can bear. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from protocols.modbus import Request, read, read_bits
from protocols.register_block import Point
from protocols.register_file import READ_FUNCTIONS, SINGLE_BITS, LimitsFile, Table

DEFAULT_LIMITS = LimitsFile()


@dataclass(frozen=True, slots=True)
class Span:
    """One request: consecutive addresses of one table, and the points that lie in them."""

    table: Table
    address: int
    count: int
    points: tuple[Point, ...]

    def request(self) -> Request:
        """The Modbus request that reads it."""
        function = READ_FUNCTIONS[self.table]
        ask = read_bits if self.table in SINGLE_BITS else read
        return ask(self.address, self.count, function=function)

    def covers(self, point: Point) -> bool:
        """Whether this request reads the whole point."""
        return point in self.points


def plan(
    points: Iterable[Point], limits: LimitsFile = DEFAULT_LIMITS, *, base: int = 0
) -> tuple[Span, ...]:
    """The fewest requests for these points, by table and address.

    Taking each point along as long as it fits is optimal for intervals of limited length.
    `base` is what the addresses of `limits.never_read` count from.
    """
    ordered = sorted(set(points), key=lambda p: (READ_FUNCTIONS[p.table], p.address))
    spans: list[list[Point]] = []
    for point in ordered:
        if spans and _fits(spans[-1], point, limits, base):
            spans[-1].append(point)
        else:
            spans.append([point])
    return tuple(_span(group) for group in spans)


def size_max(table: Table, limits: LimitsFile) -> int:
    """The most addresses of a table that one request may read."""
    return limits.bits_max if table in SINGLE_BITS else limits.registers_max


def _fits(group: list[Point], point: Point, limits: LimitsFile, base: int) -> bool:
    if group[0].table != point.table:
        return False
    start, end = group[0].address, max(p.end for p in group)
    return (
        max(point.end, end) - start <= size_max(point.table, limits)
        and (point.table in SINGLE_BITS or point.address - end <= limits.gap_max)
        and not any(
            f.low - base < point.address and f.high - base >= end for f in limits.never_read
        )
    )


def _span(group: list[Point]) -> Span:
    address = group[0].address
    return Span(group[0].table, address, max(p.end for p in group) - address, tuple(group))

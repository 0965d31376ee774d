"""Other ways to read the same map: base 0 or 1, word and byte order, and other settings of a line.

Only what a config file can say is tried, so that whatever is found can be written down. Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from drivers.links import SerialLink, TcpLink
from protocols.register_block import Point
from protocols.register_file import SINGLE_BITS, Bounds
from protocols.register_plan import Span, plan
from protocols.registers import Profile

BAUDS = (9_600, 19_200, 38_400, 115_200, 57_600, 4_800, 2_400, 1_200)
"""Speeds of Modbus RTU, the commonest first."""
FORMS: tuple[tuple[Literal["none", "even", "odd"], Literal[1, 2]], ...] = (
    ("none", 1),
    ("even", 1),
    ("odd", 1),
    ("none", 2),
)
"""Parity and stop bits; MODBUS over Serial Line 1.02, 2.5.1 wants even, most devices come with none."""
BASES: tuple[Literal[0, 1], ...] = (0, 1)
SPANS_MAX = 8
"""Requests of one try; the points of a weighing are among the first that maps name."""
NEVER_READ_MARGIN = 1
"""A base that is wrong by one must not reach a register that must not be read."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to read a map; `swapped_words` and `swapped_bytes` are against what the map says."""

    profile: Profile
    base: Literal[0, 1]
    swapped_words: bool = False
    swapped_bytes: bool = False

    @property
    def word_order(self) -> str:
        """`high_first`, `low_first`, `mixed`, or empty without a value of several registers."""
        return _order(p.low_first for p in self.profile.points.values() if _wide(p))

    @property
    def byte_order(self) -> str:
        """As `word_order`, of the bytes in a register."""
        return _order(p.bytes_swapped for p in self.profile.points.values() if p.type != "bit")

    @property
    def label(self) -> str:
        """What is tried, in the words of the map."""
        told = [f"base: {self.base}"]
        told += [f"word_order: {self.word_order}"] if self.word_order else []
        told += [f"byte_order: {self.byte_order}"] if self.swapped_bytes else []
        return ", ".join(told)


def _wide(point: Point) -> bool:
    """Whether it has words that can stand in another order."""
    return point.type != "bit" and point.size > 1


def _order(low_first: Iterator[bool]) -> str:
    found = set(low_first)
    if len(found) != 1:
        return "mixed" if found else ""
    return "low_first" if found.pop() else "high_first"


def rebased(profile: Profile, base: Literal[0, 1]) -> Profile:
    """The same numbers counted from another base; points that it has no address for are left out."""
    points = {
        name: replace(point, address=point.number - base)
        for name, point in profile.points.items()
        if point.number >= base
    }
    return replace(profile, points=points, base=base)


def orders(profile: Profile, base: Literal[0, 1]) -> Iterator[Variant]:
    """The map as it is, then with words, bytes, and both the other way round."""
    wide = any(map(_wide, profile.points.values()))
    numbers = any(point.type != "bit" for point in profile.points.values())
    for bytes_, words in product((False, True)[: 1 + numbers], (False, True)[: 1 + wide]):
        points = {n: _turned(p, words=words, bytes_=bytes_) for n, p in profile.points.items()}
        yield Variant(replace(profile, points=points), base, words, bytes_)


def _turned(point: Point, *, words: bool, bytes_: bool) -> Point:
    return replace(
        point,
        low_first=point.low_first != (words and _wide(point)),
        bytes_swapped=point.bytes_swapped != (bytes_ and point.type != "bit"),
    )


def spans(profile: Profile) -> tuple[Span, ...]:
    """The requests of one try: named registers only, none along the way, none near a forbidden one."""
    limits = profile.limits.model_copy(update={"gap_max": 0, "never_read": ()})
    points = [p for p in profile.readable if not _near(p, profile.limits.never_read)]
    found: list[Span] = []
    # Single bits have no gap limit of their own: each is asked for by itself.
    for bit in (p for p in points if p.table in SINGLE_BITS):
        found += plan([bit], limits)
    found += plan([p for p in points if p.table not in SINGLE_BITS], limits)
    return tuple(found[:SPANS_MAX])


def _near(point: Point, forbidden: Sequence[Bounds]) -> bool:
    return any(
        f.low - NEVER_READ_MARGIN <= point.number + point.size - 1
        and point.number <= f.high + NEVER_READ_MARGIN
        for f in forbidden
    )


def lines(link: TcpLink | SerialLink) -> tuple[TcpLink | SerialLink, ...]:
    """The wire as configured, then with every other speed and form of a character."""
    if isinstance(link, TcpLink):
        return (link,)
    others = [
        link.model_copy(update={"baud": baud, "parity": parity, "stop_bits": stop_bits})
        for parity, stop_bits in FORMS
        for baud in sorted(BAUDS, key=lambda baud: baud != link.baud)
    ]
    return (link, *(other for other in others if other != link))


def line_label(link: TcpLink | SerialLink) -> str:
    """`9600 8N1`, or the host."""
    if isinstance(link, TcpLink):
        return link.tcp
    return f"{link.baud} 8{link.parity[0].upper()}{link.stop_bits}"

"""What no schema can say of a register map: every slip of its author at once, at the place to mend."""

from collections.abc import Iterator
from itertools import pairwise

from protocols.documents import Document, Problem
from protocols.modbus import REGISTERS, REGISTERS_READ_MAX, REGISTERS_WRITTEN_MAX
from protocols.register_file import (
    READ_FUNCTIONS,
    SINGLE_BITS,
    PointFile,
    ProfileFile,
    registers_of,
)

_BLOCK_TYPES = ("uint16", "int16", "uint32", "int32", "bits")


def points(document: Document, file: ProfileFile) -> list[Problem]:
    """Problems of the points themselves: places, names, types, and one request where it must be."""
    found = [*_ordered(document, file), *_named(document, file), *_typed(document, file)]
    return [
        *found,
        *_limited(document, file),
        *(_blocks(document, file) if file.one_moment else ()),
    ]


def _ordered(document: Document, file: ProfileFile) -> Iterator[Problem]:
    """Two points in one register, or a file that is not sorted, is a slip of the author."""
    last: dict[tuple[str, bool], tuple[str, PointFile]] = {}
    for name, point in file.points.items():
        mark = document.mark(("points", name, "address"))
        if point.address < file.base:
            yield Problem(mark, f"{name}: base {file.base} has no address {point.address}")
        if point.registers().stop - file.base > REGISTERS:
            yield Problem(mark, f"{name}: {point.type} does not fit at {point.address}")
        area = (point.table, file.areas == "separate" and point.writable)
        before, other = last.get(area, (name, None))
        if other is not None and point.address < other.registers().stop:
            overlap = point.registers().stop > other.address
            what = "overlaps" if overlap else "stands after"
            yield Problem(
                mark,
                f"{name} at {point.address} {what} {before} at {other.address}",
                "points in ascending order, each register once",
            )
        last[area] = (name, point)


def _named(document: Document, file: ProfileFile) -> Iterator[Problem]:
    """Names of points, bits and fields are one flat name space; bits belong to bits points only."""
    names = set(file.points)
    for name, point in file.points.items():
        mark = document.mark(("points", name, "bits"))
        if bool(point.bits or point.fields) != (point.type == "bits"):
            yield Problem(mark, f"{name}: `bits` and `type: bits` go together")
        yield from _bits(document, name, point)
        for key, inner in (("bits", point.bits), ("fields", point.fields)):
            for bit in inner:
                if bit in names:
                    where = document.mark(("points", name, key, bit))
                    yield Problem(where, f"second name {bit!r}")
                names.add(bit)


def _bits(document: Document, name: str, point: PointFile) -> Iterator[Problem]:
    taken = set(point.bits.values())
    if len(taken) != len(point.bits):
        yield Problem(document.mark(("points", name, "bits")), f"{name}: one bit has two names")
    for field, place in point.fields.items():
        mark = document.mark(("points", name, "fields", field))
        numbers = set(range(place.low, place.high + 1))
        if not numbers:
            yield Problem(mark, f"{name}: {field} ends before it begins", "low <= high")
        if numbers & taken:
            yield Problem(mark, f"{name}: {field} overlaps another bit or field")
        taken |= numbers
    for bit in point.inverted:
        if bit not in point.bits and (point.type, bit) != ("bit", name):
            mark = document.mark(("points", name, "inverted"))
            yield Problem(mark, f"{name}: inverted {bit!r} is none of its bits")


def _typed(document: Document, file: ProfileFile) -> Iterator[Problem]:
    for name, point in file.points.items():
        at = ("points", name)
        wide = registers_of(point.type) > 1
        if point.word_order is not None and not wide:
            mark = document.mark((*at, "word_order"))
            yield Problem(mark, f"{name}: word_order means nothing for {point.type}")
        if (point.type == "bit") != (point.table in SINGLE_BITS):
            mark = document.mark((*at, "type"))
            yield Problem(mark, f"{name}: `type: bit` and a table of single bits go together")
        if point.writable and point.table in {"input", "discrete"}:
            mark = document.mark((*at, "writable"))
            yield Problem(mark, f"{name}: {point.table} registers cannot be written")
        if point.mass and point.type in {"bits", "bit"}:
            yield Problem(document.mark((*at, "mass")), f"{name}: {point.type} is no mass")
        if point.type.startswith("float") and not point.mass:
            what = f"{name}: {point.type} is for masses, which become integer grams"
            yield Problem(document.mark((*at, "type")), what, "mass: true")
        if point.type.endswith("64") and file.meter is None:
            what = f"{name}: {point.type} is for the totaliser of a meter"
            yield Problem(document.mark((*at, "type")), what, "a meter section")
        if point.wraps_at is not None and not _wraps(file, name, point):
            mark = document.mark((*at, "wraps_at"))
            yield Problem(mark, f"{name}: wraps_at is for unsigned integers that can hold it")


def _wraps(file: ProfileFile, name: str, point: PointFile) -> bool:
    """A float wraps only where a meter counts in it; what it can hold ends far beyond."""
    if point.type.startswith("float"):
        return file.meter is not None and name == file.meter.total
    width = 1 << 16 * registers_of(point.type) if point.type.startswith("uint") else 0
    return point.wraps_at is not None and point.wraps_at <= width


def _limited(document: Document, file: ProfileFile) -> Iterator[Problem]:
    """The device must be able to answer for every point."""
    limits = file.limits
    for name, point in file.points.items():
        mark = document.mark(("points", name))
        function = READ_FUNCTIONS[point.table]
        readable = not (point.writable and file.areas == "separate")
        if readable and function not in limits.functions:
            yield Problem(mark, f"{name}: the device does not answer function {function}")
        if len(point.registers()) > limits.registers_max:
            yield Problem(mark, f"{name}: more than the {limits.registers_max} registers a request")
        for never in limits.never_read:
            if readable and never.low < point.registers().stop and never.high >= point.address:
                yield Problem(
                    mark, f"{name}: lies in {never.low} to {never.high}, never to be read"
                )
        if point.writable and not set(limits.functions) & _writing(point):
            yield Problem(mark, f"{name}: no function of the device can write it")


def _writing(point: PointFile) -> set[int]:
    if point.type == "bit":
        return {5}
    return {16} if registers_of(point.type) > 1 else {6, 16}


def _blocks(document: Document, file: ProfileFile) -> Iterator[Problem]:
    """Each direction must fit one request, so that its values belong to one moment."""
    for writable, limit in ((False, REGISTERS_READ_MAX), (True, REGISTERS_WRITTEN_MAX)):
        group = [(n, p) for n, p in file.points.items() if p.writable is writable]
        for name, point in group:
            mark = document.mark(("points", name))
            if point.table != group[0][1].table:
                yield Problem(mark, f"{name}: one request cannot read two tables")
            if point.registers().stop - group[0][1].address > limit:
                yield Problem(mark, f"{name}: more than {limit} registers after {group[0][0]}")
            if key := _beyond_blocks(file, point):
                what = f"{name}: {key} is for maps with a scale, filler or meter section"
                yield Problem(document.mark(("points", name, key)), what)
        for (_, before), (name, point) in pairwise(group):
            if writable and point.address > before.registers().stop:
                yield Problem(
                    document.mark(("points", name)), f"{name}: a gap among written points"
                )


def _beyond_blocks(file: ProfileFile, point: PointFile) -> str:
    """The key of a point that a map of one moment does not know; empty when there is none."""
    if point.type not in _BLOCK_TYPES:
        return "type"
    if "low_first" in {point.byte_order, file.byte_order}:
        return "byte_order"
    if "high_first" in {point.bit_order, file.bit_order} and point.type == "bits":
        return "bit_order"
    given = {"fields": point.fields, "inverted": point.inverted, "mass": point.mass}
    given |= {"spare": point.spare == "ignore", "stored": point.stored}
    return next((key for key, value in given.items() if value), "")

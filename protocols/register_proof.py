"""What can be proven of a register map without a device: places, round trips, scaling, limits. Pure.

Samples are the edges of each range and numbers spread over it, the same ones every time.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from protocols.masses import (
    DECIMALS_MAX,
    GRAMS,
    MassError,
    Unit,
    float_grams,
    float_pattern,
    float_total,
    grams,
    total_grams,
    total_pattern,
)
from protocols.modbus import Request
from protocols.register_block import Point, RegisterError
from protocols.register_commands import Totaliser, Write, steps
from protocols.register_file import READ_FUNCTIONS, SINGLE_BITS, CodedDecimals, CodedUnit, Table
from protocols.register_plan import size_max
from protocols.register_values import limits_of, read, values_of, whole_of, words_of
from protocols.registers import Profile, register_bytes

SAMPLES = 200
_STRIDE = 0x9E37_79B1
"""2**32 over the golden ratio: multiples of it spread evenly over any range."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check; `detail` says what was tried, or what went wrong."""

    check: str
    ok: bool
    detail: str


class _RefutedError(Exception):
    """A check failed; the text says how."""


def prove(profile: Profile) -> tuple[Finding, ...]:
    """Every check that needs no device."""
    checks: tuple[tuple[str, Callable[[Profile], str]], ...] = (
        ("places", _places),
        ("values", _values),
        ("scaling", _scaling),
        ("limits", _limits),
        ("commands", _commands),
        ("totalisers", _totalisers),
    )
    return tuple(_finding(name, check, profile) for name, check in checks)


def _finding(name: str, check: Callable[[Profile], str], profile: Profile) -> Finding:
    try:
        return Finding(name, ok=True, detail=check(profile))
    except (_RefutedError, RegisterError, MassError) as exc:
        return Finding(name, ok=False, detail=str(exc))


def spread(allowed: range, samples: int = SAMPLES) -> Iterator[int]:
    """Edges of a range and numbers spread over it."""
    edges = {allowed.start, allowed.start + 1, allowed.stop - 2, allowed.stop - 1, -1, 0, 1}
    yield from sorted(edge for edge in edges if edge in allowed)
    size = allowed.stop - allowed.start  # len() ends at 2**63
    stride = _STRIDE if size <= 1 << 32 else _STRIDE << 32 | 1
    for k in range(1, samples):
        yield allowed[k * stride % size]


def samples_of(point: Point) -> Iterator[int]:
    """Numbers that may stand in a point; a bits point only has bits that the map knows."""
    if point.type != "bits" or point.spare_ignored:
        yield from spread(limits_of(point))
        return
    known = 0xFFFF & ~point.undefined
    yield from {number & known for number in spread(limits_of(point))}


def _places(profile: Profile) -> str:
    """Every register holds a number of its own; each point must then find its own."""
    planted = distinct(profile)
    cells: dict[tuple[str, int], int] = {}
    for point in profile.readable:
        for at, word in enumerate(words_of(point, planted[point.name])):
            cells[point.table, point.address + at] = word
    spans = profile.plan()
    for span in spans:
        there = [cells.get((span.table, span.address + at), 0) for at in range(span.count)]
        reading = read([span], [_packed(span.table, there)])
        for point in span.points:
            mine = words_of(point, planted[point.name])
            if reading.words[point.name] != mine:
                raise _RefutedError(f"{point.name} finds the registers of another point")
    return f"{len(profile.readable)} points in {len(spans)} requests"


def _packed(table: Table, cells: list[int]) -> bytes:
    if table not in SINGLE_BITS:
        return register_bytes(cells)
    return sum(bit << at for at, bit in enumerate(cells)).to_bytes((len(cells) + 7) // 8, "little")


def _values(profile: Profile) -> str:
    """What is put into a point comes back, over its range and in every bit and field."""
    count = 0
    for point in profile.points.values():
        for number in samples_of(point):
            found = values_of(point, words_of(point, number))
            again = whole_of(point, found) if point.type == "bits" else number
            shown = found[point.name] != (point.name in point.inverted)
            same = int(shown) == number if point.type == "bit" else found[point.name] == number
            known = 0xFFFF & ~point.undefined if point.type == "bits" else -1
            if not same or again != number & known:
                raise _RefutedError(f"{point.name}: {number} comes back as {found[point.name]}")
            count += 1
    return f"{count} values"


def scalings(profile: Profile) -> tuple[tuple[Unit, int], ...]:
    """Every unit and number of decimals that masses of this map can have."""
    mass = profile.mass
    if mass is None:
        return ()
    units: tuple[Unit, ...] = tuple(GRAMS)
    if isinstance(mass.unit, CodedUnit):
        units = tuple(dict.fromkeys(mass.unit.codes.values()))
    elif mass.unit != "site":
        units = (mass.unit,)
    decimals = tuple(range(DECIMALS_MAX + 1))
    if isinstance(mass.decimals, CodedDecimals):
        decimals = tuple(dict.fromkeys(mass.decimals.codes.values())) or decimals
    elif mass.decimals != "site":
        decimals = (mass.decimals,)
    return tuple((unit, places) for unit in units for places in decimals)


def _scaling(profile: Profile) -> str:
    """A mass is right to half a gram, and a device coarser than a gram gets its number back."""
    count = 0
    for point in (p for p in profile.points.values() if p.mass):
        for unit, decimals in scalings(profile):
            for number in spread(limits_of(point)):
                _scaled(profile, point, number, unit, decimals)
                count += 1
    return f"{count} masses"


def _scaled(profile: Profile, point: Point, number: int, unit: Unit, decimals: int) -> None:
    try:
        if profile.meter is not None:
            _totalled(point, number, unit, decimals)
            return
        if point.type == "float32":
            mass = float_grams(number, unit)
            if float_grams(float_pattern(mass, unit), unit) != mass:
                raise _RefutedError(f"{point.name}: {mass} g does not come back as a float")
            return
        mass = grams(number, unit, decimals)
    except MassError:
        return  # beyond every scale: unknown, which is right
    step = GRAMS[unit] / 10**decimals
    if abs(mass - number * step) > Fraction(1, 2):
        raise _RefutedError(f"{point.name}: {number} of {step} g became {mass} g")
    if step >= 1 and round(mass / step) != number:
        raise _RefutedError(f"{point.name}: {mass} g does not come back as {number}")


def _totalled(point: Point, number: int, unit: Unit, decimals: int) -> None:
    """A total is right to its step, which is what lies between it and the next number.

    Raises MassError for what is no total.
    """
    if not point.type.startswith("float"):
        total_g, step_g = total_grams(number, unit, decimals)
        next_g, _ = total_grams(number + 1, unit, decimals)
    else:
        bits = 16 * point.size
        total_g, step_g = float_total(number, bits, unit)
        again_g, _ = float_total(total_pattern(total_g, bits, unit), bits, unit)
        next_g, _ = float_total(number + 1, bits, unit)
        if abs(again_g - total_g) > step_g:
            raise _RefutedError(f"{point.name}: {total_g} g comes back as {again_g} g")
    if abs(next_g - total_g) > step_g:
        raise _RefutedError(f"{point.name}: {total_g} g, then {next_g} g; its step is {step_g} g")


def _limits(profile: Profile) -> str:
    """No request asks for more than the device bears."""
    spans = profile.plan()
    for span in spans:
        request = span.request()
        if request.pdu[0] not in profile.limits.functions:
            raise _RefutedError(f"function {request.pdu[0]} is not answered")
        if span.count > size_max(span.table, profile.limits):
            raise _RefutedError(f"{span.count} of {span.table} in one request")
        assert request.pdu[0] == READ_FUNCTIONS[span.table], span
        assert (span.table in SINGLE_BITS) == (request.pdu[0] <= 2), span  # noqa: PLR2004 - 1 and 2 read bits
        zeros = bytes(request.data_bytes)
        read([span], [zeros])
    return f"largest request {max((span.count for span in spans), default=0)}"


def _commands(profile: Profile) -> str:
    """Every command can be sent with functions the device answers."""
    for name in profile.commands:
        for step in steps(profile, name):
            if isinstance(step, Write):
                _answered(profile, name, step.request)
            else:
                profile.owner(step.bit)
    return f"{len(profile.commands)} commands"


def _answered(profile: Profile, name: str, request: Request) -> None:
    if request.pdu[0] not in profile.limits.functions:
        raise _RefutedError(f"{name}: function {request.pdu[0]} is not answered")


def _totalisers(profile: Profile) -> str:
    """A counter goes on over its wrap, and backwards is noticed."""
    points = [p for p in profile.points.values() if p.wraps_at is not None]
    for point in points:
        assert point.wraps_at is not None, point
        wrapping = Totaliser(point.wraps_at)
        if [wrapping.feed(raw) for raw in (point.wraps_at - 1, 0, 1, 0)] != [0, 1, 1, None]:
            raise _RefutedError(f"{point.name}: the wrap at {point.wraps_at} is not followed")
    return f"{len(points)} totalisers"


def distinct(profile: Profile) -> Mapping[str, int]:
    """A number for every readable point, different from its neighbours', that its map allows."""
    found = {}
    for k, point in enumerate(profile.readable, start=1):
        allowed = [n for n in samples_of(point) if n >= 0]
        found[point.name] = allowed[k * 7 % len(allowed)]
    return found

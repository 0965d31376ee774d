"""From registers to the totaliser of a flow meter: grams, what one of its steps is, and where it wraps.

A total that is not known is a reason in words with the register and its raw value, never 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from protocols.masses import GRAMS, MassError, float_total, total_grams
from protocols.register_block import Point
from protocols.register_file import BITS, MeterFile
from protocols.register_values import Reading
from protocols.register_weights import (
    Scaling,
    Site,
    UnknownMassError,
    refuse,
    scale_names,
    scaling_of,
)
from protocols.registers import Profile


@dataclass(frozen=True, slots=True)
class Total:
    """What a totaliser shows. `total_g` None: it is not known, and `why` says so.

    `step_g`: to the next number that it can show now, rounded up. `wraps_g`: where it starts again
    from 0, None = nobody says that it does.
    """

    total_g: int | None
    step_g: int = 0
    wraps_g: int | None = None
    scaling: Scaling | None = None
    why: str = ""

    def __post_init__(self) -> None:
        """Unknown has a reason."""
        assert (self.total_g is None) == bool(self.why), self


def needed(profile: Profile) -> tuple[str, ...]:
    """Every point, bit and field that one total needs, each once."""
    parts = _parts(_meter(profile))
    names = [*parts, *scale_names(profile)]
    names += [u.when for u in profile.unknown_when if not u.of or set(u.of) & set(parts)]
    names += [n for n in (profile.points[part].negative for part in parts) if n is not None]
    return tuple(dict.fromkeys(names))


def total(profile: Profile, reading: Reading, site: Site) -> Total:
    """One total from the points of `needed`."""
    try:
        scaling = scaling_of(profile, reading, site)
        parts = [part(profile, reading, name, scaling) for name in _parts(_meter(profile))]
    except UnknownMassError as exc:
        return Total(None, why=str(exc))
    grams = sum(part_g for part_g, _ in parts)
    # An overflow moves by whole spans of what overflows: only the first of both has steps.
    return Total(grams, parts[0][1], wraps_g(profile, scaling), scaling)


def wraps_g(profile: Profile, scaling: Scaling) -> int | None:
    """Where the totaliser starts again from 0; None: the map does not say that it does."""
    point = profile.points[_meter(profile).total]
    if point.wraps_at is None:
        return None
    decimals = 0 if is_float(point) else scaling.decimals
    wraps = Fraction(point.wraps_at, 10**decimals)
    return round(wraps * GRAMS[scaling.unit])


def is_float(point: Point) -> bool:
    """Whether its registers hold a float."""
    return point.type.startswith("float")


def counted(point: Point, raw: int, scaling: Scaling) -> tuple[int, int]:
    """Grams and step of the number in these registers; raises MassError for what is no total."""
    if is_float(point):
        return float_total(raw, BITS * point.size, scaling.unit)
    return total_grams(raw, scaling.unit, scaling.decimals)


def _meter(profile: Profile) -> MeterFile:
    assert profile.meter is not None, profile.id
    return profile.meter


def _parts(meter: MeterFile) -> Sequence[str]:
    return (meter.total,) if meter.overflow is None else (meter.total, meter.overflow)


def part(profile: Profile, reading: Reading, name: str, scaling: Scaling) -> tuple[int, int]:
    """Grams and step of one of the numbers that make a total; raises UnknownMassError."""
    refuse(profile, reading, name)
    point, raw = profile.points[name], int(reading[name])
    try:
        part_g, step_g = counted(point, raw, scaling)
    except MassError as exc:
        raise UnknownMassError(f"{exc}: {reading.shown(name)}") from exc
    negative = point.negative is not None and reading[point.negative]
    return (-part_g if negative else part_g), step_g

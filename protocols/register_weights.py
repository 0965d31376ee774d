"""From registers to a weighing in grams: scale, sign, and every reason why a mass is not known.

A mass that is not known is a reason in words with the register and its raw value, never 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from protocols.masses import MassError, Unit, float_grams, float_pattern, grams, raw_mass
from protocols.register_block import Point, RegisterError
from protocols.register_file import CodedDecimals, CodedUnit, UnknownFile
from protocols.register_values import Reading, words_of
from protocols.registers import Profile

DECIMALS = range(7)


@dataclass(frozen=True, slots=True)
class Site:
    """What only the site knows of its scale: unit and decimals where the map says `site`."""

    unit: Unit | None = None
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Scaling:
    """How one reading is scaled, as told by the map, the device and the site."""

    unit: Unit
    decimals: int
    watched: tuple[int, ...] = ()

    @property
    def told(self) -> Mapping[str, object]:
        """Each part by its name for people; none of them can change while a device runs."""
        return {"unit": self.unit, "decimals": self.decimals, "scale of the device": self.watched}


@dataclass(frozen=True, slots=True)
class Weighing:
    """One weighing; a mass of None is not known and `why` says so. `net_g` None may also be no net."""

    gross_g: int | None
    net_g: int | None
    stable: bool
    scaling: Scaling | None
    why: str = ""


class UnknownMassError(Exception):
    """A mass is not known; the text says why, with register and raw value."""


def needed(profile: Profile) -> tuple[str, ...]:
    """Every point, bit and field that one weighing needs, each once."""
    assert profile.scale is not None, profile.id
    scale = profile.scale
    masses = [name for name in (scale.gross, scale.net) if name is not None]
    names = [*masses, scale.stable, *scale_names(profile)]
    names += [u.when for u in profile.unknown_when if not u.of or set(u.of) & set(masses)]
    names += [n for n in (profile.points[mass].negative for mass in masses) if n is not None]
    return tuple(dict.fromkeys(names))


def scale_names(profile: Profile) -> tuple[str, ...]:
    """The numbers in the device that scale its masses."""
    if profile.mass is None:
        return ()
    coded = (profile.mass.unit, profile.mass.decimals)
    names = (c.from_ for c in coded if isinstance(c, CodedUnit | CodedDecimals))
    return (*names, *profile.mass.watch)


def site_gaps(profile: Profile, site: Site) -> tuple[str, ...]:
    """What the settings must say, or must not, for the masses of this map."""
    if profile.mass is None:
        return ()
    found = []
    for key, told, asked in (
        ("mass_unit", site.unit, profile.mass.unit == "site"),
        ("decimals", site.decimals, profile.mass.decimals == "site"),
    ):
        if asked and told is None:
            found.append(f"the registers do not tell {key}; set it as the display shows it")
        if not asked and told is not None:
            found.append(f"{key} comes from the map or the device; remove it")
    return tuple(found)


def weigh(profile: Profile, reading: Reading, site: Site) -> Weighing:
    """One weighing from the points of `needed`."""
    assert profile.scale is not None, profile.id
    try:
        scaling = scaling_of(profile, reading, site)
        gross_g = mass_g(profile, reading, profile.scale.gross, scaling)
    except UnknownMassError as exc:
        return Weighing(None, None, stable=False, scaling=None, why=str(exc))
    net_g = None
    if profile.scale.net is not None:
        try:
            net_g = mass_g(profile, reading, profile.scale.net, scaling)
        except UnknownMassError:
            net_g = None  # a net that is not known takes nothing from a gross that is
    return Weighing(gross_g, net_g, stable=bool(reading[profile.scale.stable]), scaling=scaling)


def scaling_of(profile: Profile, reading: Reading, site: Site) -> Scaling:
    """Unit and decimals of this reading; raises UnknownMassError for a code the map does not know."""
    assert profile.mass is not None, profile.id
    unit, decimals = profile.mass.unit, profile.mass.decimals
    if isinstance(unit, CodedUnit):
        code = reading[unit.from_]
        if code not in unit.codes:
            raise UnknownMassError(f"unit {code} is not known: {reading.shown(unit.from_)}")
        unit = unit.codes[code]
    elif unit == "site":
        assert site.unit is not None, profile.id
        unit = site.unit
    if isinstance(decimals, CodedDecimals):
        code = reading[decimals.from_]
        known = decimals.codes or {number: number for number in DECIMALS}
        if code not in known:
            raise UnknownMassError(f"decimals {code} not known: {reading.shown(decimals.from_)}")
        decimals = known[code]
    elif decimals == "site":
        assert site.decimals is not None, profile.id
        decimals = site.decimals
    return Scaling(unit, decimals, tuple(int(reading[name]) for name in profile.mass.watch))


def mass_g(profile: Profile, reading: Reading, name: str, scaling: Scaling) -> int:
    """One mass in grams; raises UnknownMassError with the reason, the register and its raw value."""
    refuse(profile, reading, name)
    point = profile.points[name]
    raw = int(reading[name])
    try:
        if point.type == "float32":
            return float_grams(raw, scaling.unit)
        mass = grams(raw, scaling.unit, scaling.decimals)
    except MassError as exc:
        raise UnknownMassError(f"{exc}: {reading.shown(name)}") from exc
    return -mass if point.negative is not None and reading[point.negative] else mass


def refuse(profile: Profile, reading: Reading, name: str) -> None:
    """Raise UnknownMassError where a condition of the map holds that makes this mass unknown."""
    for unknown in profile.unknown_when:
        if (not unknown.of or name in unknown.of) and holds(unknown, reading):
            raise UnknownMassError(f"{unknown.says}: {reading.shown(unknown.when)}")


def holds(unknown: UnknownFile, reading: Reading) -> bool:
    """Whether this condition makes masses unknown."""
    value = int(reading[unknown.when])
    if unknown.outside is not None and not unknown.outside.low <= value <= unknown.outside.high:
        return True
    wanted = unknown.is_ or (() if unknown.outside is not None else (1,))
    return value in wanted


def mass_words(point: Point, mass: int, scaling: Scaling) -> tuple[int, ...]:
    """The registers of a mass in grams; rounded toward zero where the device is coarser.

    Without the sign that stands elsewhere. Raises RegisterError when it does not fit.
    """
    assert point.mass, point.name
    if point.type == "float32":
        return words_of(point, float_pattern(mass, scaling.unit))
    raw = raw_mass(mass, scaling.unit, scaling.decimals)
    if raw < 0 and point.negative is not None:
        raw = -raw
    if raw < 0 and point.type.startswith("uint"):
        raise RegisterError(f"{point.name}: {mass} g does not fit into {point.type}")
    return words_of(point, raw)

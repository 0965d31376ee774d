"""A device of a register map that complains of nothing, and every way in which it may complain."""

from gatewayd.sim.map_device import MapDevice
from protocols.register_file import CodedDecimals, CodedUnit, UnknownFile
from protocols.register_values import limits_of
from protocols.register_weights import Site
from protocols.registers import Profile

SITE = Site(unit="kg", decimals=2)


def well(profile: Profile) -> tuple[MapDevice, Site]:
    """A device that says nothing is wrong, and what the site must say of its masses."""
    mass = profile.mass
    assert mass is not None, profile.id
    device = MapDevice(profile)
    site = Site(
        SITE.unit if mass.unit == "site" else None,
        SITE.decimals if mass.decimals == "site" else None,
    )
    if isinstance(mass.unit, CodedUnit):
        device.set(mass.unit.from_, next(iter(mass.unit.codes)))
    if isinstance(mass.decimals, CodedDecimals):
        device.set(mass.decimals.from_, next(iter(mass.decimals.codes), 2))
    for unknown in profile.unknown_when:
        device.set(unknown.when, healthy(profile, unknown))
    return device, site


def _allowed(profile: Profile, name: str) -> range:
    """Every number that a point, bit or field can hold."""
    point = profile.owner(name)
    if name == point.name:
        return limits_of(point)
    field_ = next(((shift, mask) for n, shift, mask in point.fields if n == name), None)
    return range(2) if field_ is None else range((field_[1] >> field_[0]) + 1)


def healthy(profile: Profile, unknown: UnknownFile) -> int:
    """A number for which this condition, and every other on the same point, does not hold."""
    rules = [other for other in profile.unknown_when if other.when == unknown.when]
    low = [rule.outside.low for rule in rules if rule.outside is not None]
    candidates = (0, 1, *low, *_allowed(profile, unknown.when)[:64])
    allowed = _allowed(profile, unknown.when)
    for value in candidates:
        if value in allowed and not any(_holds(rule, value) for rule in rules):
            return int(value)
    raise ValueError(f"{profile.id}: {unknown.when} is never healthy")


def ill(profile: Profile, unknown: UnknownFile) -> tuple[int, ...]:
    """Numbers for which this condition holds: each that it names, and the first on either side."""
    named = list(unknown.is_)
    if unknown.outside is not None:
        named += [unknown.outside.low - 1, unknown.outside.high + 1]
    if not named:
        named = [1]
    return tuple(value for value in named if value in _allowed(profile, unknown.when))


def _holds(unknown: UnknownFile, value: int) -> bool:
    outside = unknown.outside
    if outside is not None and not outside.low <= value <= outside.high:
        return True
    return value in (unknown.is_ or (() if outside is not None else (1,)))

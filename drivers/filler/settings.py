"""Settings of `driver: filler.modbus`, and what a map must have so that a fill can be proven."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from drivers.contract import Strict
from drivers.links import Link
from drivers.plc.serial_fit import unit_gap
from protocols.masses import DECIMALS_MAX, Unit
from protocols.register_weights import Site, site_gaps
from protocols.registers import Profile


class Accepted(Strict):
    """A danger that a person has accepted, in writing."""

    reason: str = Field(min_length=4, max_length=500)


class FillerModbusSettings(Strict):
    """One filler. `mass_unit` and `decimals` are needed when the map says `site`.

    `accept_unread_target`: this map's target cannot be read back, and somebody accepts that the
    device fills to a target that is written and never proven.
    """

    link: Link
    unit: int = Field(default=1, ge=0, le=255)
    profile: str = Field(min_length=1, max_length=64, description="a register map of a filler")
    mass_unit: Unit | None = Field(default=None, description="as the display shows it")
    decimals: Annotated[int, Field(ge=0, le=DECIMALS_MAX)] | None = Field(
        default=None, description="digits behind the point on the display"
    )
    poll_ms: int = Field(default=100, ge=20, le=1_000, description="time between two readings")
    timeout_ms: int = Field(default=200, ge=20, le=2_000, description="longest wait for an answer")
    command_ms: int = Field(
        default=1_000, ge=100, le=10_000, description="longest wait for a command to take effect"
    )

    accept_unread_target: Accepted | None = Field(
        default=None, description="without it a map whose target cannot be read back is refused"
    )

    @model_validator(mode="after")
    def _on_its_line(self) -> "FillerModbusSettings":
        if gap := unit_gap(self.link, self.unit):
            raise ValueError(gap)
        return self

    def site(self) -> Site:
        """What the site knows of its scale."""
        return Site(self.mass_unit, self.decimals)


def objections(settings: FillerModbusSettings, profiles: Mapping[str, Any]) -> tuple[str, ...]:
    """Why these settings cannot work with this map; what cannot be read back cannot be proven."""
    profile: Profile = profiles[settings.profile]
    return tuple(f"profile {profile.id!r}: {gap}" for gap in _gaps(settings, profile))


def _gaps(settings: FillerModbusSettings, profile: Profile) -> Iterator[str]:
    if profile.incomplete:
        yield f"not usable: {profile.incomplete}"
        return
    if profile.filler is None or profile.scale is None:
        serves = ", ".join(profile.serves) or "nothing"
        yield f"no filler and scale section; it serves as: {serves}"
        return
    yield from site_gaps(profile, settings.site())
    yield from _unread(settings, profile)
    for name in filter(None, (profile.filler.target, profile.filler.limit)):
        if profile.points[name].stored:
            yield f"{name} lives in EEPROM and would be written with every fill"
    for name in filter(None, (profile.filler.start, profile.filler.stop, profile.filler.apply)):
        if profile.commands[name].parameters:
            yield f"command {name} has parameters, which are not supported"


def unread(profile: Profile) -> tuple[str, ...]:
    """Which of target and limit cannot be read back after they were written."""
    assert profile.filler is not None, profile.id
    readable = {point.name for point in profile.readable}
    given = filter(None, (profile.filler.target, profile.filler.limit))
    return tuple(name for name in given if name not in readable)


def _unread(settings: FillerModbusSettings, profile: Profile) -> Iterator[str]:
    """What nobody can prove is accepted in writing, and nothing else is."""
    names = unread(profile)
    if settings.accept_unread_target is None:
        for name in names:
            yield (
                f"{name} cannot be read back, so nothing proves what it fills to; accept it in "
                'writing: accept_unread_target: {reason: "why this is safe here"}'
            )
    elif not names:
        yield "its target can be read back, nothing is to be accepted: remove accept_unread_target"

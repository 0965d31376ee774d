"""A scale of a register map on trial: the real driver, the masses on it, and its own lies."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from drivers.contract import Driver
from drivers.scale.modbus import ModbusScale, ScaleModbusSettings
from gatewayd.sim.map_device import MapDevice
from gatewayd.sim.map_health import well
from gatewayd.sim.map_lies import Lie, Subject, complaints, faults, says, shows
from protocols.masses import MASS_G_MAX, MassError, float_grams, grams
from protocols.register_block import Point
from protocols.register_values import limits_of, read
from protocols.register_weights import Scaling, Site, mass_words, needed, scaling_of
from protocols.registers import Profile

NAN = 0x7FC0_0000
STEP_S = 0.03
"""Between two lies of a series; longer than the poll of a trial."""
TRUE_G = (14_500, 15_000, 70)


@dataclass(slots=True)
class Stage:
    """A healthy scale of a map, and how its masses are scaled."""

    profile: Profile
    device: MapDevice
    site: Site
    scaling: Scaling

    @classmethod
    def of(cls, profile: Profile) -> "Stage":
        """A scale that says nothing is wrong, is stable and empty."""
        assert profile.scale is not None, profile.id
        device, site = well(profile)
        device.set(profile.scale.stable, value=True)
        return cls(profile, device, site, _scaling(profile, device, site))

    @property
    def point(self) -> Point:
        """The point of the gross mass."""
        assert self.profile.scale is not None, self.profile.id
        return self.profile.points[self.profile.scale.gross]

    def show(self, mass_g: int) -> int:
        """Put a mass on the scale; returns it as the device can show it."""
        point = self.point
        self.device.put(point, mass_words(point, mass_g, self.scaling))
        if point.negative is not None:
            self.device.set(point.negative, int(mass_g < 0))
        raw = int(self.device.meaning(point)[point.name])
        if point.type == "float32":
            return float_grams(raw, self.scaling.unit)
        shown = grams(abs(raw), self.scaling.unit, self.scaling.decimals)
        return -shown if mass_g < 0 else shown


def driver(stage: Subject, asked: dict[str, object]) -> Driver:
    """The driver that reads it, `asked` as any device on trial."""
    settings = ScaleModbusSettings.model_validate({**asked, "adaptive": None})
    return ModbusScale("trial", settings, stage.device.profile)


def truths(_profile: Profile) -> tuple[int, ...]:
    """Grams that are put on it one after the other, the first before every lie."""
    return TRUE_G


def lies(profile: Profile) -> Iterator[Lie]:
    """Every lie that a scale of this map can tell."""
    stage = Stage.of(profile)
    yield from faults(silent=True)
    yield Lie("moves while stable", _moving, moves=True)
    yield from complaints(profile, stage.point.name, needed(profile))
    yield from _numbers(stage)


def _numbers(stage: Stage) -> Iterator[Lie]:
    """The sign that flips, no number, and a number beyond every scale."""
    point = stage.point
    if point.negative is not None or point.type.startswith("int") or point.type == "float32":
        yield shows("sign flips", -stage.show(TRUE_G[0]))
    if point.type == "float32":
        yield says("not a number", NAN)
    largest = 0x7F7F_FFFF if point.type == "float32" else limits_of(point).stop - 1
    if _beyond(stage, largest):
        yield says("out of range", largest)


async def _moving(stage: Subject) -> None:
    """The weight climbs while the device calls it stable: its motion bit is inverted, or stuck."""
    for step in range(1, 100):
        stage.show(TRUE_G[0] + 200 * step)
        await asyncio.sleep(STEP_S)


def _beyond(stage: Stage, raw: int) -> bool:
    try:
        if stage.point.type == "float32":
            mass = float_grams(raw, stage.scaling.unit)
        else:
            mass = grams(raw, stage.scaling.unit, stage.scaling.decimals)
    except MassError:
        return True
    return abs(mass) > MASS_G_MAX


def _scaling(profile: Profile, device: MapDevice, site: Site) -> Scaling:
    spans = profile.plan(needed(profile))
    answers = [device.answer(span.request().pdu)[2:] for span in spans]
    return scaling_of(profile, read(spans, answers), site)

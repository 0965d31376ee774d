"""What a scale of a register map may say that is not so, each as something done to its device."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from drivers.readings import WeightSample
from gatewayd.sim.map_device import MapDevice
from gatewayd.sim.map_health import ill, well
from protocols.masses import MASS_G_MAX, MassError, float_grams, grams
from protocols.register_block import Point
from protocols.register_file import UnknownFile
from protocols.register_values import limits_of, read, whole_of
from protocols.register_weights import (
    Scaling,
    Site,
    mass_words,
    needed,
    scale_names,
    scaling_of,
)
from protocols.registers import Profile

NAN = 0x7FC0_0000
STEP_S = 0.03
"""Between two lies of a series; longer than the poll of a trial."""
LATE_S = 0.2
"""Later than a trial waits."""


@dataclass(slots=True)
class Stage:
    """A healthy device of a map, and how its masses are scaled."""

    profile: Profile
    device: MapDevice
    site: Site
    scaling: Scaling

    @classmethod
    def of(cls, profile: Profile) -> "Stage":
        """A device that says nothing is wrong, is stable and empty."""
        assert profile.scale is not None, profile.id
        device, site = well(profile)
        device.set(profile.scale.stable, value=True)
        return cls(profile, device, site, _scaling(profile, device, site))

    @property
    def gross(self) -> Point:
        """The point of the gross mass."""
        assert self.profile.scale is not None, self.profile.id
        return self.profile.points[self.profile.scale.gross]

    def load(self, mass_g: int) -> int:
        """Put a mass on the scale; returns it as the device can show it."""
        self.device.put(self.gross, mass_words(self.gross, mass_g, self.scaling))
        if self.gross.negative is not None:
            self.device.set(self.gross.negative, int(mass_g < 0))
        values = self.device.meaning(self.gross)
        raw = int(values[self.gross.name])
        if self.gross.type == "float32":
            return float_grams(raw, self.scaling.unit)
        shown = grams(abs(raw), self.scaling.unit, self.scaling.decimals)
        return -shown if mass_g < 0 else shown


Tell: TypeAlias = Callable[[Stage], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Lie:
    """One thing that goes wrong, and the sample that it must lead to.

    `allowed_g` are masses that are true meanwhile, `silent` when no more samples is right too,
    `moves` when the weight itself moves.
    """

    name: str
    tell: Tell
    found: Callable[[WeightSample], bool] = field(default=lambda s: s.gross_g is None)
    allowed_g: tuple[int, ...] = ()
    silent: bool = False
    moves: bool = False


def lies(profile: Profile) -> Iterator[Lie]:
    """Every lie that a device of this map can tell."""
    yield Lie("exception", _at_once(lambda stage: _fault(stage, exception=4)), silent=True)
    yield Lie("late", _at_once(lambda stage: _fault(stage, late_s=LATE_S)), silent=True)
    yield Lie("silent", _at_once(lambda stage: _fault(stage, silent=True)), silent=True)
    yield Lie("wrong length", _at_once(lambda stage: _fault(stage, cut_bytes=1)), silent=True)
    yield Lie("moves while stable", _moving, moves=True)
    for unknown in profile.unknown_when:
        yield from _conditions(profile, unknown)
    yield from _scales(profile)
    yield from _numbers(Stage.of(profile))
    yield from _spares(profile)


def _conditions(profile: Profile, unknown: UnknownFile) -> Iterator[Lie]:
    assert profile.scale is not None, profile.id
    if unknown.of and profile.scale.gross not in unknown.of:
        return
    for value in ill(profile, unknown):
        tell = _at_once(partial(_set, unknown.when, value))
        yield Lie(f"{unknown.says} ({unknown.when} = {value})", tell)


def _scales(profile: Profile) -> Iterator[Lie]:
    """Unit, decimals and what else scales change while it runs, one after the other."""
    mass = profile.mass
    assert mass is not None, profile.id
    for name in scale_names(profile):
        yield Lie(f"{name} changes", _at_once(partial(_change, name)))


def _numbers(stage: Stage) -> Iterator[Lie]:
    """The sign that flips, no number, and a number beyond every scale."""
    point = stage.gross
    if point.negative is not None or point.type.startswith("int") or point.type == "float32":
        flipped = -stage.load(14_500)
        yield Lie(
            "sign flips",
            _at_once(lambda s: s.load(flipped)),
            found=lambda sample: sample.gross_g == flipped,
            allowed_g=(flipped,),
        )
    if point.type == "float32":
        yield Lie("not a number", _at_once(lambda s: s.device.set_raw(s.gross, NAN)))
    largest = 0x7F7F_FFFF if point.type == "float32" else limits_of(point).stop - 1
    if _beyond(stage, largest):
        yield Lie("out of range", _at_once(lambda s: s.device.set_raw(s.gross, largest)))


def _spares(profile: Profile) -> Iterator[Lie]:
    """A bit that the map does not know, where it refuses such."""
    for point in {
        profile.owner(name).name: profile.owner(name) for name in needed(profile)
    }.values():
        if point.type == "bits" and point.undefined and not point.spare_ignored:
            bit = point.undefined & -point.undefined
            tell = _at_once(partial(_raise, point, bit))
            yield Lie(f"{point.name} has a bit without a name", tell)


async def _moving(stage: Stage) -> None:
    """The weight climbs while the device calls it stable: its motion bit is inverted, or stuck."""
    for step in range(1, 100):
        stage.load(14_500 + 200 * step)
        await asyncio.sleep(STEP_S)


def _at_once(do: Callable[[Stage], object]) -> Tell:
    async def tell(stage: Stage) -> None:
        do(stage)

    return tell


def _fault(stage: Stage, **faults: object) -> None:
    for name, value in faults.items():
        setattr(stage.device.faults, name, value)


def _set(name: str, value: int, stage: Stage) -> None:
    stage.device.set(name, value)


def _raise(point: Point, bit: int, stage: Stage) -> None:
    stage.device.set_raw(point, whole_of(point, stage.device.meaning(point)) | bit)


def _change(name: str, stage: Stage) -> None:
    """Another number that the map knows, or any other."""
    point = stage.profile.owner(name)
    now = int(stage.device.meaning(point)[name])
    stage.device.set(name, now - 1 if now else 1)


def _beyond(stage: Stage, raw: int) -> bool:
    try:
        if stage.gross.type == "float32":
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

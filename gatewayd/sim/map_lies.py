"""A device on trial, and what any device of a register map may say that is not so."""

from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeAlias

from drivers.readings import MeterSample, WeightSample
from gatewayd.sim.map_device import MapDevice
from gatewayd.sim.map_health import ill
from protocols.register_block import Point
from protocols.register_values import whole_of
from protocols.register_weights import Site, scale_names
from protocols.registers import Profile

LATE_S = 0.2
"""Later than a trial waits."""
Sample: TypeAlias = WeightSample | MeterSample


class Subject(Protocol):
    """A device on trial that says nothing is wrong: a scale or a meter."""

    @property
    def device(self) -> MapDevice:
        """What answers."""

    @property
    def site(self) -> Site:
        """What its site must say of its masses."""

    @property
    def point(self) -> Point:
        """Where its mass stands."""

    def show(self, mass_g: int) -> int | None:
        """Make it say so many grams; returns what of them it can show, None = nothing."""


Tell: TypeAlias = Callable[[Subject], Coroutine[Any, Any, None]]


def grams_of(sample: Sample) -> int | None:
    """The mass that a sample tells; None = unknown."""
    return sample.gross_g if isinstance(sample, WeightSample) else sample.total_g


def never(_sample: Sample) -> bool:
    """No sample is right: the device must be lost."""
    return False


@dataclass(frozen=True, slots=True)
class Lie:
    """One thing that goes wrong, and the sample that it must lead to, or a lost device.

    `allowed_g` are masses that are true meanwhile, `silent` when no more samples is right too,
    `moves` when the mass itself moves. `lost` False: a lost device is not right.
    """

    name: str
    tell: Tell
    found: Callable[[Sample], bool] = field(default=lambda sample: grams_of(sample) is None)
    allowed_g: tuple[int, ...] = ()
    silent: bool = False
    moves: bool = False
    lost: bool = True


def at_once(do: Callable[[Subject], object]) -> Tell:
    """A lie of one deed."""

    async def tell(subject: Subject) -> None:
        do(subject)

    return tell


def says(name: str, raw: int) -> Lie:
    """The registers of its mass hold a number that is none."""
    return Lie(name, at_once(lambda subject: subject.device.set_raw(subject.point, raw)))


def shows(name: str, mass_g: int, *, lost: bool = True) -> Lie:
    """It shows another mass, which must be told as it is shown."""
    return Lie(
        name,
        at_once(lambda subject: subject.show(mass_g)),
        found=lambda sample: grams_of(sample) == mass_g,
        allowed_g=(mass_g,),
        lost=lost,
    )


def faults(*, silent: bool) -> Iterator[Lie]:
    """What goes wrong with answers. `silent`: no more samples will do; else it must be lost."""
    for name, fault in (
        ("exception", {"exception": 4}),
        ("late", {"late_s": LATE_S}),
        ("silent", {"silent": True}),
        ("wrong length", {"cut_bytes": 1}),
    ):
        tell = at_once(partial(_fault, **fault))
        yield Lie(name, tell, silent=True) if silent else Lie(name, tell, found=never)


def complaints(profile: Profile, mass: str, needed: Sequence[str]) -> Iterator[Lie]:
    """Whatever the map calls unknown, what scales the point `mass`, and bits that it does not know."""
    for unknown in profile.unknown_when:
        if unknown.of and mass not in unknown.of:
            continue
        for value in ill(profile, unknown):
            tell = at_once(partial(_set, unknown.when, value))
            yield Lie(f"{unknown.says} ({unknown.when} = {value})", tell)
    for name in scale_names(profile):
        yield Lie(f"{name} changes", at_once(partial(_change, name)))
    for point in {profile.owner(name).name: profile.owner(name) for name in needed}.values():
        if point.type == "bits" and point.undefined and not point.spare_ignored:
            yield Lie(f"{point.name} has a bit without a name", at_once(partial(_raise, point)))


def _fault(subject: Subject, **told: object) -> None:
    for name, value in told.items():
        setattr(subject.device.faults, name, value)


def _set(name: str, value: int, subject: Subject) -> None:
    subject.device.set(name, value)


def _change(name: str, subject: Subject) -> None:
    """Another number than the one that stands there."""
    device = subject.device
    now = int(device.meaning(device.profile.owner(name))[name])
    device.set(name, now - 1 if now else 1)


def _raise(point: Point, subject: Subject) -> None:
    bit = point.undefined & -point.undefined
    subject.device.set_raw(point, whole_of(point, subject.device.meaning(point)) | bit)

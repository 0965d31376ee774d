"""Every point of a map as it stands in the device now: raw registers beside what they mean.

A value that cannot be believed is shown with its reason; one point that is wrong hides no other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gatewayd.commission.asking import Answer
from gatewayd.commission.maps import Mapped
from protocols import register_totals as totals
from protocols.register_block import Point, RegisterError, Value
from protocols.register_totals import Total
from protocols.register_values import Reading, Words, place, values_of, words_in
from protocols.register_weights import (
    Scaling,
    UnknownMassError,
    Weighing,
    mass_g,
    needed,
    scale_names,
    scaling_of,
    weigh,
)
from protocols.registers import Profile

REGISTER_UNITS = {"_g": "g", "_ms": "ms"}
"""Names of the project carry their unit last."""


@dataclass(frozen=True, slots=True)
class Row:
    """One point. `words` None: not read; `values` empty: not believed; `why` says why not.

    `mass_g` is there for masses that are known; `names` are its bits that are set.
    """

    point: Point
    words: Words | None
    values: Mapping[str, Value]
    mass_g: int | None = None
    why: str = ""

    @property
    def place(self) -> str:
        """Table and register as the map counts them."""
        return place(self.point)

    @property
    def raw(self) -> str:
        """The registers as they came."""
        if self.words is None:
            return ""
        if self.point.type == "bit":
            return str(self.words[0])
        return "0x" + " ".join(f"{word:04X}" for word in self.words)

    @property
    def shown(self) -> str:
        """Name, register and raw value, for a sentence."""
        return f"{self.point.name} at {self.place} = {self.raw}"

    @property
    def unit(self) -> str:
        """What its number counts; empty when nothing says so."""
        if self.point.mass:
            return "g"
        return next((u for end, u in REGISTER_UNITS.items() if self.point.name.endswith(end)), "")

    @property
    def set_bits(self) -> tuple[str, ...]:
        """The bits that are so, by name."""
        return tuple(name for name, _ in self.point.bits if self.values.get(name))

    @property
    def fields(self) -> dict[str, int]:
        """The small numbers inside a register."""
        return {n: int(self.values[n]) for n, _, _ in self.point.fields if n in self.values}


@dataclass(frozen=True, slots=True)
class Look:
    """One round: rows by the order of their registers, weighing or total where the map makes one."""

    rows: tuple[Row, ...]
    answers: tuple[Answer, ...]
    weighing: Weighing | None
    total: Total | None = None

    @property
    def heard(self) -> bool:
        """Whether the unit said anything."""
        return any(answer.heard for answer in self.answers)

    def row(self, name: str) -> Row:
        """The row of a point, bit or field; raises KeyError."""
        for row in self.rows:
            if name in row.point.names:
                return row
        raise KeyError(name)


def look(device: Mapped, answers: Sequence[Answer]) -> Look:
    """What these answers say, point by point."""
    rows = sorted(
        (row for answer in answers for row in _rows(answer)),
        key=lambda row: list(device.profile.points).index(row.point.name),
    )
    reading = Reading(
        {name: value for row in rows for name, value in row.values.items()},
        {row.point.name: row.words for row in rows if row.words is not None},
        {row.point.name: row.point for row in rows},
    )
    scaled = tuple(_scaled(device, row, reading) for row in rows)
    weighing, counted = _weighing(device, scaled, reading), _total(device, scaled, reading)
    return Look(scaled, tuple(answers), weighing, counted)


def _rows(answer: Answer) -> Iterator[Row]:
    try:
        words = words_in(answer.span, answer.data) if answer.data is not None else {}
        why = answer.error
    except RegisterError as exc:
        words, why = {}, str(exc)
    for point in answer.span.points:
        if point.name not in words:
            yield Row(point, None, {}, why=why)
            continue
        try:
            yield Row(point, words[point.name], values_of(point, words[point.name]))
        except RegisterError as exc:
            yield Row(point, words[point.name], {}, why=str(exc))


def _scaled(device: Mapped, row: Row, reading: Reading) -> Row:
    """The row of a mass with its grams, or with the reason why they are not known."""
    name, profile = row.point.name, device.profile
    if not row.point.mass or not row.values:
        return row
    lacking = _lacking(_wanted(profile, name), reading)
    if lacking:
        return Row(row.point, row.words, row.values, why=f"unknown: {lacking} was not read")
    try:
        grams = _grams(profile, reading, name, _scaling(device, reading))
    except UnknownMassError as exc:
        return Row(row.point, row.words, row.values, why=str(exc))
    return Row(row.point, row.words, row.values, mass_g=grams)


def _grams(profile: Profile, reading: Reading, name: str, scaling: Scaling) -> int:
    """A mass, which no scale exceeds, or what a meter counts, which may be more."""
    if profile.meter is None:
        return mass_g(profile, reading, name, scaling)
    return totals.part(profile, reading, name, scaling)[0]


def _scaling(device: Mapped, reading: Reading) -> Scaling:
    return scaling_of(device.profile, reading, device.site)


def _wanted(profile: Profile, name: str) -> Iterator[str]:
    """What one mass needs besides itself."""
    yield from scale_names(profile)
    yield from (u.when for u in profile.unknown_when if not u.of or name in u.of)
    negative = profile.points[name].negative
    if negative is not None:
        yield negative


def _lacking(names: Iterator[str], reading: Reading) -> str:
    return next((name for name in names if name not in reading.values), "")


def _weighing(device: Mapped, rows: Sequence[Row], reading: Reading) -> Weighing | None:
    """The weighing as the driver makes it; one whose registers are missing is unknown."""
    if device.profile.scale is None:
        return None
    why = _unread(needed(device.profile), rows, reading)
    if not why:
        return weigh(device.profile, reading, device.site)
    return Weighing(None, None, stable=False, scaling=None, why=why)


def _total(device: Mapped, rows: Sequence[Row], reading: Reading) -> Total | None:
    """The total as the driver makes it; one whose registers are missing is unknown."""
    if device.profile.meter is None:
        return None
    why = _unread(totals.needed(device.profile), rows, reading)
    return Total(None, why=why) if why else totals.total(device.profile, reading, device.site)


def _unread(names: Sequence[str], rows: Sequence[Row], reading: Reading) -> str:
    """Why one of these is not there; empty when all of them are."""
    lacking = _lacking(iter(names), reading)
    if not lacking:
        return ""
    row = next((row for row in rows if lacking in row.point.names), None)
    return row.why if row is not None else f"{lacking} was not read"

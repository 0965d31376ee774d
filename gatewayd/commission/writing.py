"""Write one setting of a device by hand: never what opens a valve, and never while one could be open.

Permits, commands, coils and whatever starts something are refused; so is every write to a gate or a
filler that does not prove that it is closed. What was written is read back.
"""

from dataclasses import dataclass

from drivers.contract import DriverError
from drivers.plc.wire import Wire
from gatewayd.commission.asking import Asker
from gatewayd.commission.maps import Mapped
from gatewayd.commission.points import Look, look
from gatewayd.errors import ConfigError
from protocols.documents import nearest_hint
from protocols.register_block import Point, RegisterError
from protocols.register_commands import write
from protocols.register_values import Reading, Words, limits_of, values_of, words_of
from protocols.register_weights import UnknownMassError, mass_words, scaling_of

ACTING = frozenset(
    [
        "permit",
        "lease",
        "command",
        "demand",
        "start",
        "stop",
        "run",
        "trigger",
        "control",
        "valve",
        "open",
        "close",
        "output",
        "mode",
    ]
)
"""Words in the name of a register that does something at once."""
GATE_ROLES = frozenset({"gate", "filler", "output"})
GATE_CLOSED = ("permit", "permit_echo", "permitted", "filling", "valve_open")
"""Contract names of a gate that must all read 0 before anything is written to it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One point and what shall stand there: grams for a mass, else the number itself."""

    point: Point
    value: int


@dataclass(frozen=True, slots=True)
class Written:
    """What stood there, what was sent, and what reads back: empty when it cannot be read."""

    before: str
    sent: str
    after: str


def wanted(device: Mapped, text: str) -> Wanted:
    """`POINT=VALUE`; raises ConfigError for what must not, or cannot, be written by hand."""
    name, equals, number = text.partition("=")
    try:
        value = int(number)
    except ValueError:
        equals = ""
    if not equals:
        raise ConfigError(f"--write {text}: expected POINT=WHOLE NUMBER, grams for a mass")
    points = device.profile.points
    if name not in points:
        hint = nearest_hint(name, points)
        raise ConfigError("; ".join(filter(None, (f"no point {name!r} in the map", hint))))
    why = refusal(device, points[name])
    if why:
        raise ConfigError(f"{name} is not written by hand: {why}")
    if not points[name].mass and value not in limits_of(points[name]):
        raise ConfigError(f"{name}: {value} does not fit into {points[name].type}")
    return Wanted(points[name], value)


def refusal(device: Mapped, point: Point) -> str:
    """Why this point is not written by hand; empty when it may be."""
    profile = device.profile
    touched = {name for command in profile.commands.values() for name in command.writes}
    head = profile.head
    touches = [each for each in (head.trigger, head.ack) if each is not None] if head else []
    if not device.own_map:
        return "an output holds a valve"
    if not point.writable:
        return "the map does not call it writable"
    if point.table != "holding" or point.type == "bit":
        return "a coil acts at once"
    if point.name in touched or ACTING & set(point.name.split("_")):
        return "it permits, starts or commands something"
    if point.number - profile.base in {touch.register_ for touch in touches}:
        return "it triggers the head"
    return ""


def could_open(device: Mapped, seen: Look) -> str:
    """Why a valve of this device is open or could open; empty when it is proven closed."""
    profile = device.profile
    values = {name: value for row in seen.rows for name, value in row.values.items()}
    if not GATE_ROLES & set(profile.serves) and profile.filler is None:
        return ""
    names: tuple[str, ...] = GATE_CLOSED
    if profile.filler is not None:
        names = (*profile.filler.running, *profile.filler.valve_open)
    unread = [name for name in names if name not in values]
    if unread:
        return f"not proven closed, {', '.join(unread)} could not be read"
    busy = [name for name in names if values[name]]
    return f"not closed: {', '.join(seen.row(name).shown for name in busy)}" if busy else ""


async def look_once(device: Mapped) -> Look:
    """Every point, once; raises DriverError when the wire cannot be opened."""
    async with Wire.join(device.link) as wire:
        return await _look(device, wire)


async def put(device: Mapped, want: Wanted) -> Written:
    """Prove it closed, write once, read back; raises DriverError, also when it must not be written."""
    async with Wire.join(device.link) as wire:
        before = await _look(device, wire)
        if why := could_open(device, before):
            raise DriverError(f"{device.name}: nothing was written: {why}")
        words = words_for(device, want, before)
        request = write(device.profile, want.point, words)
        await wire.ask(device.unit, request, within_s=device.within_s, noise=_quietly)
        after = await _look(device, wire)
    return Written(_raw(before, want.point), shown(words), _raw(after, want.point))


def words_for(device: Mapped, want: Wanted, seen: Look) -> Words:
    """The registers of what is wanted; a mass is scaled as the device is. Raises DriverError."""
    values = {name: value for row in seen.rows for name, value in row.values.items()}
    points = {row.point.name: row.point for row in seen.rows}
    known = {row.point.name: row.words for row in seen.rows if row.words is not None}
    try:
        if not want.point.mass:
            words = words_of(want.point, want.value)
        else:
            scaling = scaling_of(device.profile, Reading(values, known, points), device.site)
            words = mass_words(want.point, want.value, scaling)
        values_of(want.point, words)
    except (RegisterError, UnknownMassError, KeyError) as exc:
        raise DriverError(f"{device.name}: nothing was written: {exc}") from exc
    return words


def shown(words: Words) -> str:
    """Registers for a person."""
    return "0x" + " ".join(f"{word:04X}" for word in words)


async def _look(device: Mapped, wire: Wire) -> Look:
    asker = Asker(wire, device.unit, device.within_s, device.pause_s)
    return look(device, await asker.read(device.spans))


def _raw(seen: Look, point: Point) -> str:
    return next((row.raw for row in seen.rows if row.point.name == point.name), "")


def _quietly(_reason: str, _raw: bytes) -> None:
    """Noise of one write is told by its failure."""

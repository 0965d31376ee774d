"""How a device of a map is told something: plain writes, and the steps of a command. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from protocols.modbus import Request, write_coil, write_many, write_one
from protocols.register_block import Point
from protocols.register_values import Words
from protocols.registers import Profile, register_bytes

WRITE_ONE = 6


@dataclass(frozen=True, slots=True)
class Write:
    """Write these registers."""

    request: Request


@dataclass(frozen=True, slots=True)
class Await:
    """Read until this bit is so; the caller sets the deadline."""

    bit: str
    on: bool


Step: TypeAlias = Write | Await


def write(profile: Profile, point: Point, words: Words) -> Request:
    """The request that writes one point with a function that the device answers."""
    assert point.writable, point.name
    if point.type == "bit":
        return write_coil(point.address, on=(words[0] != 0) != (point.name in point.inverted))
    if point.size == 1 and WRITE_ONE in profile.limits.functions:
        return write_one(point.address, words[0])
    return write_many(point.address, register_bytes(words))


def steps(profile: Profile, name: str) -> tuple[Step, ...]:
    """The writes and waits of a command, in order; its parameters are the caller's to write before."""
    return tuple(_steps(profile, name))


def _steps(profile: Profile, name: str) -> Iterator[Step]:
    command = profile.commands[name]
    *before, (trigger, _) = command.writes.items()
    start = profile.points[trigger]
    for point, value in before:
        yield Write(write(profile, profile.points[point], (value,)))
    if command.kind == "edge":
        yield Write(write(profile, start, (0,)))
    yield Write(write(profile, start, (command.writes[trigger],)))
    if command.kind == "handshake":
        assert command.confirm is not None, name
        yield Await(command.confirm, on=True)
        yield Write(write(profile, start, (0,)))
        yield Await(command.confirm, on=False)
        if command.ok is not None:
            yield Await(command.ok, on=True)


@dataclass(slots=True)
class Totaliser:
    """Follows a counter that wraps, and notices one that goes backwards.

    A step of half the width or more is backwards: nothing flows that much between two readings.
    """

    wraps_at: int | None
    last: int | None = None

    def feed(self, raw: int) -> int | None:
        """How far it moved since the last reading, 0 at the first; None when it went backwards.

        After a step backwards it goes on from the new number.
        """
        before, self.last = self.last, raw
        if before is None:
            return 0
        moved = raw - before
        if moved < 0 and self.wraps_at is not None and -moved > self.wraps_at // 2:
            moved += self.wraps_at
        return moved if moved >= 0 else None

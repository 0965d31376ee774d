"""`gatewayd probe`: run one driver by itself for a moment and keep everything it sees.

The daemon is not involved: the driver opens the device, says who it is and reads until the first
reading. Nothing is emitted to a rig. Memory and trigger are the driver's own capabilities.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

from drivers import troubles
from drivers.contract import (
    CodeRead,
    Context,
    Direction,
    Driver,
    DriverError,
    MemoryArea,
    Reading,
    TagMemory,
    TagMemoryWriter,
    TagRead,
    Trouble,
)
from drivers.dialog import NOISE_TOLD_MIN
from drivers.link_troubles import unreadable
from drivers.triggers import Trigger
from gatewayd.clock import Clock
from gatewayd.commission.points import Look
from protocols.diagnose import diagnose

IDENTIFY_S_MAX = 30.0
"""A device that has neither answered nor failed by then is not there."""
LOOK_ON_S = 1.3
"""After the first read: a flood, or two tags in the field, show within a second."""
SEEN_MAX = 256
"""Different frames, pieces of noise and readings kept; repeated ones are counted."""
NOISE_KEPT_BYTES = 4096
"""The newest noise that a diagnosis looks at."""

State: TypeAlias = Literal["answered", "wrong", "unreachable"]


@dataclass(slots=True)
class Seen:
    """What a driver said: identity, readings, frames and noise with how often each came."""

    up: str | None = None
    error: DriverError | None = None
    readings: dict[Reading, int] = field(default_factory=dict)
    frames: dict[tuple[Direction, bytes], int] = field(default_factory=dict)
    noise: dict[tuple[str, bytes], int] = field(default_factory=dict)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    memory: bytes | None = None
    points: Look | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _recent: bytearray = field(default_factory=bytearray)

    def context(self, clock: Clock) -> Context:
        """What the driver is handed."""
        return Context(
            emit=self._emit,
            up=self._up,
            noise=self._noise,
            monotonic_ns=clock.monotonic_ns,
            trouble=self.trouble,
            frame=lambda direction, raw: _count(self.frames, (direction, raw)),
        )

    @property
    def heard(self) -> bool:
        """Whether the device said anything at all."""
        answers = any(direction == "device>host" for direction, _ in self.frames)
        points = self.points is not None and self.points.heard
        return self.up is not None or answers or points or any(raw for _, raw in self.noise)

    @property
    def state(self) -> State:
        """Answered and well, answered but something is wrong, or not reached."""
        if self.up is not None and self.error is None and not self.troubles:
            return "answered"
        return "wrong" if self.heard else "unreachable"

    def trouble(self, trouble: Trouble) -> None:
        """A person should put this right; the newest text of a kind counts."""
        self.troubles[trouble.kind] = trouble

    def diagnose(self, format_: str, baud: int | None) -> None:
        """What the noise looks like when the driver did not say it itself, with the speed set."""
        if "wrong_baud" in self.troubles:
            self.trouble(troubles.wrong_baud(baud))
        if self.troubles or (self.error is None and (self.readings or not self._recent)):
            return
        commands = [raw for direction, raw in self.frames if direction == "host>device"]
        found = diagnose(bytes(self._recent), format_, commands[-1] if commands else b"")
        works = any(direction == "device>host" for direction, _ in self.frames)
        trouble = troubles.from_diagnosis(found, format_, baud=baud, works=works)
        if trouble is None and not works and len(self._recent) >= NOISE_TOLD_MIN:
            trouble = unreadable(format_)
        if trouble is not None:
            self.trouble(trouble)

    def _up(self, detail: str) -> None:
        self.up = detail
        self.changed.set()

    def _emit(self, reading: Reading) -> None:
        """The same tag or code again is counted, whatever its signal and time."""
        same = next((known for known in self.readings if _what(known) == _what(reading)), reading)
        _count(self.readings, same)
        self.changed.set()

    def _noise(self, reason: str, raw: bytes) -> None:
        _count(self.noise, (reason, raw))
        self._recent += raw
        del self._recent[:-NOISE_KEPT_BYTES]


def _what(reading: Reading) -> object:
    """What a reading says, without when and how strong."""
    if isinstance(reading, TagRead):
        return reading.uid, reading.antenna
    return (reading.text, reading.symbology) if isinstance(reading, CodeRead) else reading.device


Key = TypeVar("Key")


def _count(counts: dict[Key, int], key: Key) -> None:
    """Once more; a new one beyond SEEN_MAX is not kept."""
    if key in counts or len(counts) < SEEN_MAX:
        counts[key] = counts.get(key, 0) + 1


async def read(driver: Driver, seen: Seen, clock: Clock, *, read_s: float, trigger: bool) -> None:
    """Run the driver until its failure, its first reading and a little more, or `read_s` after up.

    The little more is for the troubles that a first tag or code does not show.
    """
    async with asyncio.TaskGroup() as group:
        running = group.create_task(_run(driver, seen, clock))
        await _until(seen, lambda: seen.up is not None, IDENTIFY_S_MAX)
        if seen.up is None and seen.error is None:
            seen.error = DriverError(f"neither an answer nor a failure within {IDENTIFY_S_MAX} s")
        if seen.error is None:
            try:
                await _pull(driver, seen, on=True if trigger else None)
                await _until(seen, lambda: bool(seen.readings), read_s)
                if any(isinstance(each, TagRead | CodeRead) for each in seen.readings):
                    await _until(seen, lambda: False, min(LOOK_ON_S, read_s))
                await _pull(driver, seen, on=False if trigger else None)
            except DriverError as exc:
                _fail(seen, exc)
        running.cancel()


async def _pull(driver: Driver, seen: Seen, *, on: bool | None) -> None:
    """Tell a scanner to look, or to look no longer; None leaves it alone."""
    if on is None or seen.error is not None:
        return
    if not isinstance(driver, Trigger):
        return
    await (driver.trigger_on() if on else driver.trigger_off())


async def _run(driver: Driver, seen: Seen, clock: Clock) -> None:
    try:
        await driver.run(seen.context(clock))
    except DriverError as exc:
        _fail(seen, exc)
    except Exception as exc:  # noqa: BLE001 - a driver's bug is told like any failure, with its name
        _fail(seen, DriverError(f"the driver itself failed: {type(exc).__name__}: {exc}"))


def _fail(seen: Seen, exc: DriverError) -> None:
    seen.error = exc
    if exc.trouble is not None:
        seen.trouble(exc.trouble)
    seen.changed.set()


async def _until(seen: Seen, holds: Callable[[], bool], within_s: float) -> None:
    """Return when it holds, when the driver failed, or when the time is over."""
    try:
        async with asyncio.timeout(within_s):
            while not holds() and seen.error is None:
                seen.changed.clear()
                await seen.changed.wait()
    except TimeoutError:
        return


async def read_memory(driver: TagMemory, seen: Seen, clock: Clock, area: MemoryArea) -> None:
    """The memory of one tag into `seen.memory`; a failure into `seen.error`."""
    try:
        seen.memory = await driver.read_memory(seen.context(clock), area)
    except DriverError as exc:
        _fail(seen, exc)


async def write_memory(
    driver: TagMemoryWriter, seen: Seen, clock: Clock, area: MemoryArea, data: bytes
) -> None:
    """Write, read back and compare, as the driver does; a failure into `seen.error`."""
    try:
        await driver.write_memory(seen.context(clock), area, data)
    except DriverError as exc:
        _fail(seen, exc)
    else:
        seen.memory = data

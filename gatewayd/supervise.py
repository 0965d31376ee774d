"""Keep one driver running: connect, notice loss, wait, connect again; say so once per change.

A DriverError is the world's failure and is retried for ever, with full-jitter exponential waits.
Anything else a driver raises is a bug of ours: it is logged with its traceback, the device is
latched as faulted and not started again; every other device runs on. A device that is off when the
daemon starts is normal: it stays `connecting` until it answers.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias

from drivers.contract import Context, Direction, Driver, DriverError, MemoryArea, Reading
from drivers.plc.budget import Budget
from drivers.readings import Unread
from drivers.troubles import driver_hangs
from gatewayd import chance
from gatewayd.clock import SECOND, Clock
from gatewayd.logs import logger
from gatewayd.stillness import Stillness
from gatewayd.troubles import Troubles

RETRY_S_MIN = 0.1
"""The shortest wait before the next attempt."""
RETRY_S_FIRST = 0.5
"""The longest wait before the first retry; doubled with every attempt."""
RETRY_S_MAX = 15.0
"""The longest wait ever: how late a device that is back is noticed."""
STABLE_S = 10.0
"""How long a device must have been up before its next loss is the first again."""
NOISE_BYTES_SHOWN = 128
"""How much of the last noise is kept to be shown."""
UNREAD_BYTES_SHOWN = 32
"""How much of what could not be read stands in the reason of a refusal."""

DeviceState: TypeAlias = Literal["connecting", "up", "down", "fault"]


def _told_nobody(_unread: Unread) -> None:
    """Nobody waits for what this device reads."""


log = logger("supervise")


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """What is true of a device now.

    `since` is the wall time of the last change of `state`; `error` is why it is not up, None while
    it is or before the first attempt ended; `detail` is what the device said it is, last time.
    """

    name: str
    state: DeviceState
    since: datetime
    error: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class Counters:
    """What a driver counted since the start, for showing.

    `attempts` counts connects, `losses` how often it was up and lost, `noises` bytes that were no
    frame and answers that did not come, `missed` the latter alone; of the last noise the reason and
    the first bytes in hex.
    """

    attempts: int = 0
    losses: int = 0
    noises: int = 0
    missed: int = 0
    noise_reason: str = ""
    noise_hex: str = ""


class Supervisor:
    """Runs one driver. `emit` gets its readings, `on_status` every change, at once and in order.

    `memory` is what it is to read of every tag. `budget` says where the time of the device's wire goes, None when nobody measures that.

    `lively_s` is how often the driver at least moves, see `DriverType`; 0 = nobody can tell.

    `unread` gets what the driver heard and could not read; an answer that did not come is not.

    `troubles` is what a person should put right; a kind that comes or goes is a change too. Who
    runs it calls `troubles.sweep()` now and then.
    """

    def __init__(
        self,
        driver: Driver,
        *,
        clock: Clock,
        emit: Callable[[Reading], None],
        on_status: Callable[[DeviceStatus], None],
        rng: random.Random | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        budget: Callable[[], Budget | None] = lambda: None,
        lively_s: float = 0.0,
        memory: MemoryArea | None = None,
        unread: Callable[[Unread], None] = _told_nobody,
    ) -> None:
        self.budget = budget
        self.status = DeviceStatus(driver.name, "connecting", clock.wall(), None, "")
        self.counters = Counters()
        self.running = False
        self._ended_ns = clock.monotonic_ns()
        self._driver = driver
        self._clock = clock
        self._on_status = on_status
        self._unread = unread
        self._rng = rng or chance.rng()
        self._sleep = sleep
        self._failures = 0
        self._up_ns: int | None = None
        self._lively_s = lively_s
        self._stillness = Stillness(lively_s, self._hang)
        self._deadline: asyncio.Timeout | None = None
        self._hangs = False
        self.troubles = Troubles(driver.name, clock, lambda: on_status(self.status))
        self._context = Context(
            emit,
            self._up,
            self._noise,
            clock.monotonic_ns,
            trouble=self.troubles.add,
            memory=memory,
            frame=self._moved,
            alive=self._stillness.moved,
        )

    async def run(self) -> None:
        """Serve until cancelled; returns early only when the driver is latched as faulted."""
        self.running = True
        try:
            await self._serve()
        except Exception as exc:  # noqa: BLE001 - a bug of ours here is this device's alone, too
            self._fault(exc)
        finally:
            self.running = False
            self._ended_ns = self._clock.monotonic_ns()

    @property
    def moved_ns(self) -> int:
        """Now while the driver is run or shut off for good; else when that ended."""
        alive = self.running or self.status.state == "fault"
        return self._clock.monotonic_ns() if alive else self._ended_ns

    async def _serve(self) -> None:
        self._on_status(self.status)
        while True:
            self._count(attempts=self.counters.attempts + 1)
            try:
                await self._attend()
            except DriverError as exc:
                await self._sleep(self._lost(exc))
            except Exception as exc:  # noqa: BLE001 - a bug in one driver must not stop the others
                self._fault(exc)
                return
            else:
                self._fault(AssertionError("run() returned instead of raising DriverError"))
                return

    async def _attend(self) -> None:
        """Run the driver; one that is up and stands still is a lost device. Raises DriverError."""
        self._hangs = False
        try:
            async with asyncio.timeout(None) as self._deadline:
                await self._driver.run(self._context)
        except TimeoutError as exc:
            if not self._hangs:
                raise
            raise DriverError(self.status.error or "", driver_hangs()) from exc
        finally:
            self._stillness.end()

    def _moved(self, _direction: Direction, _raw: bytes) -> None:
        self._stillness.moved()

    def _hang(self) -> None:
        """It stands still: lost from now on, however long it takes to be ended."""
        why = f"its driver hangs: it neither asked, heard nor turned for {self._lively_s:g} s"
        assert self._deadline is not None, self.status
        self._hangs = True
        self._set(replace(self._state("down"), error=f"{self.status.name}: {why}"))
        log.error("device.hangs", device=self.status.name, error=why)
        self.troubles.lost(driver_hangs())
        self._deadline.reschedule(asyncio.get_running_loop().time())

    def _up(self, detail: str) -> None:
        """The device answered; only the first call after a loss is news, later ones tell more."""
        if self._hangs:
            return  # It was given up, and is being ended.
        if self.status.state == "up":
            self._set(replace(self.status, detail=detail))
            return
        self._up_ns = self._clock.monotonic_ns()
        self._stillness.begin()
        self._set(replace(self._state("up"), error=None, detail=detail))
        log.info("device.up", device=self.status.name, detail=detail)
        self.troubles.up()

    def _lost(self, exc: DriverError) -> float:
        """Note the loss, and return how many seconds to wait before the next attempt."""
        error = str(exc) or type(exc).__name__
        if self._up_ns is not None:
            stable = self._clock.monotonic_ns() - self._up_ns >= STABLE_S * SECOND
            self._failures = 0 if stable else self._failures
            self._count(losses=self.counters.losses + 1)
        retry_s = self._retry_s()
        self._failures += 1
        was = self.status
        lost = self._state("down") if was.state == "up" else was
        self._set(replace(lost, error=error))
        if was.state == "up" or was.error is None:
            log.warning(
                "device.down", device=was.name, state=lost.state, error=error, retry_s=retry_s
            )
        self._up_ns = None
        self.troubles.lost(exc.trouble)
        return retry_s

    def _fault(self, exc: Exception) -> None:
        text = f"{type(exc).__name__}: {exc}"
        self._set(replace(self._state("fault"), error=text))
        log.error("device.fault", device=self.status.name, error=text, exc_info=exc)
        self.troubles.lost(None)

    def _retry_s(self) -> float:
        """Full jitter: anywhere up to the doubled limit, so that devices do not return in step."""
        longest_s = min(RETRY_S_MAX, RETRY_S_FIRST * 2 ** min(self._failures, 16))
        return round(self._rng.uniform(RETRY_S_MIN, longest_s), 3)

    def _state(self, state: DeviceState) -> DeviceStatus:
        return replace(self.status, state=state, since=self._clock.wall())

    def _set(self, status: DeviceStatus) -> None:
        if status != self.status:
            self.status = status
            self._on_status(status)

    def _noise(self, reason: str, raw: bytes) -> None:
        """Count what was no frame; a missed answer has no bytes and leaves the last ones shown."""
        shown = raw[:NOISE_BYTES_SHOWN].hex() or self.counters.noise_hex
        noises, missed = self.counters.noises + 1, self.counters.missed + (not raw)
        self._count(noises=noises, missed=missed, noise_reason=reason, noise_hex=shown)
        if raw:
            head = bytes(raw[:UNREAD_BYTES_SHOWN])
            self._unread(Unread(self.status.name, self._clock.monotonic_ns(), reason, head))

    def _count(self, **changed: int | str) -> None:
        self.counters = replace(self.counters, **changed)  # type: ignore[arg-type]

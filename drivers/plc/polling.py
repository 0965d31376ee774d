"""When to poll, and whether what answers is alive."""

import asyncio
import math

from drivers.contract import DriverError, GateSample

HEARTBEAT_STILL_S = 1.0
"""A PLC whose heartbeat stands still for this long has stopped (contract §4)."""
SECOND_NS = 1_000_000_000


class Heartbeat:
    """Watches one counter move."""

    def __init__(self, name: str) -> None:
        self.moved = False
        self._name = name
        self._last: int | None = None
        self._since_ns = 0

    def feed(self, sample: GateSample) -> bool:
        """Whether this is the first move ever; raises DriverError when it stood still too long."""
        if sample.heartbeat != self._last:
            first = self._last is not None and not self.moved
            self.moved = self.moved or first
            self._last, self._since_ns = sample.heartbeat, sample.at_ns
            return first
        if sample.at_ns - self._since_ns >= HEARTBEAT_STILL_S * SECOND_NS:
            raise DriverError(
                f"{self._name}: heartbeat stands still at {self._last} for {HEARTBEAT_STILL_S} s"
            )
        return False


class Schedule:
    """Ticks on a grid of the loop clock: no drift, and ticks missed in a stall are skipped.

    All devices of one period share the grid: they wake the process together, once, which halves
    the CPU of a poll when there are many.
    """

    def __init__(self, period_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._period_s = period_s
        self._tick = math.floor(self._loop.time() / period_s)

    async def next(self) -> None:
        """Wait for the next tick that is not over yet."""
        now = self._loop.time()
        self._tick = max(self._tick + 1, math.ceil(now / self._period_s))
        await asyncio.sleep(self._tick * self._period_s - now)

"""When to poll, and whether what answers is alive."""

import asyncio
import itertools
import math

from drivers.contract import DriverError, GateSample

HEARTBEAT_STILL_S = 1.0
"""A PLC whose heartbeat stands still for this long has stopped (contract §4)."""
SILENT_S_MAX = 1.0
"""A device that misses its answers for this long, or for three polls, is lost."""
POLLS_MISSED_MAX = 3
IDLE_AFTER_S = 2.0
"""A device on which nothing happened for so long is polled slowly, when its settings say so."""
SECOND_NS = 1_000_000_000
SLOT_BITS = 4
SLOTS = 1 << SLOT_BITS
"""Groups that the devices of one period are dealt into, which tick one after the other."""


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

    Devices of one period share SLOTS ticks. On one tick they would queue: the last of 64 waits for
    63 others. Each on its own tick, the process would wake for every poll, for more CPU.
    `slot` numbers the devices; any number will do.
    """

    def __init__(self, period_s: float, slot: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._part = _shuffled(slot % SLOTS) / SLOTS
        self._set(period_s)

    def _set(self, period_s: float) -> None:
        self._period_s = period_s
        self.phase_s = period_s * self._part
        """How long after the grid of the period this device ticks."""
        self._tick = math.floor((self._loop.time() - self.phase_s) / period_s)

    def every(self, period_s: float) -> None:
        """Tick at another rate from now on; cheap when it is the same."""
        if period_s != self._period_s:
            self._set(period_s)

    async def next(self) -> float:
        """Wait for the next tick that is not over yet; returns when the one after it is due."""
        now = self._loop.time()
        self._tick = max(self._tick + 1, math.ceil((now - self.phase_s) / self._period_s))
        at_s = self._tick * self._period_s + self.phase_s
        await asyncio.sleep(at_s - now)
        return at_s + self._period_s


class Pace:
    """How often to poll: fast while somebody wants it, slow IDLE_AFTER_S after nobody did.

    `fast_s` may be changed while it runs.
    """

    def __init__(self, fast_s: float, slow_s: float | None = None) -> None:
        self.fast_s = fast_s
        self.slow_s = slow_s
        self._loop = asyncio.get_running_loop()
        self._wanted_s = self._loop.time()

    def want(self) -> None:
        """Somebody looks at this device, or something happens on it."""
        self._wanted_s = self._loop.time()

    def period_s(self) -> float:
        """The time between two polls as of now."""
        if self.slow_s is None or self._loop.time() - self._wanted_s < IDLE_AFTER_S:
            return self.fast_s
        return max(self.fast_s, self.slow_s)


def silent_s_max(poll_s: float) -> float:
    """After how long without an answer a device that is asked so often is lost."""
    return max(SILENT_S_MAX, POLLS_MISSED_MAX * poll_s)


def idle(sample: GateSample) -> bool:
    """Whether nothing happens at a gate: no cylinder, no permit, no flow."""
    busy = (sample.cylinder_on, sample.permitted, sample.filling, sample.valve_open)
    return not any(busy) and sample.permit_echo == 0


_numbers = itertools.count()


def next_slot() -> int:
    """A slot for one more device of this process; taken once, so that it survives reconnects."""
    return next(_numbers)


def _shuffled(slot: int) -> int:
    """The bits of a slot backwards, so that however few devices there are, they lie far apart."""
    return int(f"{slot:0{SLOT_BITS}b}"[::-1], 2)

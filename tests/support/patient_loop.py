"""An event loop whose clock stands still while the machine has no CPU for us.

A test that plays both ends of a wire in one process reads an answer too late when the process itself
did not get its turn; that is the machine, not the driver. Here real time passes in small steps, and a
step that took longer counts as one step: a driver's timeouts are as long as ever, in turns it got.
"""

import asyncio
import selectors
from time import monotonic

from gatewayd.clock import SECOND, SystemClock

STEP_S = 0.005
"""What one turn of the loop, or one look for events, counts at most."""


class _Steps(selectors.DefaultSelector):
    """Waits in steps, and knows how much of that has counted."""

    def __init__(self) -> None:
        super().__init__()
        self.counted_s = self.looked_s = monotonic()

    def now_s(self) -> float:
        """The time that counts: since the last look, at most a step."""
        return self.counted_s + min(monotonic() - self.looked_s, STEP_S)

    def count(self) -> None:
        """What passed since the last look has counted."""
        self.counted_s = self.now_s()
        self.looked_s = monotonic()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As the base; a wait of many steps is many looks."""
        self.count()
        ends_s = None if timeout is None else self.counted_s + timeout
        while True:
            left_s = STEP_S if ends_s is None else ends_s - self.counted_s
            events = super().select(max(0.0, min(left_s, STEP_S)))
            self.count()
            if events or (ends_s is not None and self.counted_s >= ends_s):
                return events


class PatientLoop(asyncio.SelectorEventLoop):
    """As asyncio's own; `time()` is the only difference."""

    def __init__(self) -> None:
        self._steps = _Steps()
        super().__init__(self._steps)

    def time(self) -> float:
        """Seconds in which we had our turn; begins at CLOCK_MONOTONIC."""
        return self._steps.now_s()

    def stall(self, seconds: float) -> None:
        """Time passes in which nothing gets its turn."""
        self._steps.counted_s += seconds


def stall(seconds: float) -> None:
    """The whole process stands still for so long, by the clock of the loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, PatientLoop), loop
    loop.stall(seconds)


def now_ns() -> int:
    """The clock of the loop, as a driver is given it."""
    return int(asyncio.get_running_loop().time() * SECOND)


class LoopClock(SystemClock):
    """The machine's calendar, and the clock of the loop."""

    def monotonic_ns(self) -> int:
        return now_ns()

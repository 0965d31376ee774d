"""An event loop whose clock stands still while the machine has no CPU for us.

A test that plays both ends of a wire in one process reads an answer too late when the process itself
did not get its turn, or the kernel thread that hands a pty's bytes on did not; that is the machine,
not the driver. Here real time passes in small steps, a step that took longer counts as one step, and
none ends before a byte through a pty of our own has: a driver's timeouts are as long as ever, in
turns it got.
"""

import asyncio
import os
import pty
import select
import selectors
import tty
from time import monotonic

from gatewayd.clock import SECOND, SystemClock

STEP_S = 0.005
"""What one turn of the loop, or one look for events, counts at most."""
HANDED_ON_S_MAX = 5.0
"""How long the kernel may take with a pty until time goes on all the same."""


class _Canary:
    """A byte on its way through a pty: what was written to another one before it comes sooner."""

    def __init__(self) -> None:
        self._far, self._near = pty.openpty()
        tty.setraw(self._near)
        os.set_blocking(self._far, False)

    def fly(self) -> None:
        os.write(self._near, b".")

    def land(self) -> None:
        """Wait until it is there."""
        if select.select([self._far], [], [], HANDED_ON_S_MAX)[0]:
            os.read(self._far, 4096)

    def close(self) -> None:
        os.close(self._near)
        os.close(self._far)


class _Steps(selectors.DefaultSelector):
    """Waits in steps, and knows how much of that has counted."""

    def __init__(self) -> None:
        super().__init__()
        self._canary = _Canary()
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
        while not (events := super().select(0)):
            step_s = STEP_S if ends_s is None else min(ends_s - self.counted_s, STEP_S)
            if step_s <= 0:
                break
            self._step(step_s)
        return events

    def _step(self, step_s: float) -> None:
        """Let so much time pass at most, until something happens."""
        self._canary.fly()
        super().select(step_s)
        self.counted_s += min(monotonic() - self.looked_s, step_s)
        self._canary.land()
        self.looked_s = monotonic()

    def close(self) -> None:
        """As the base."""
        super().close()
        self._canary.close()


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

"""An event loop whose clock runs only while it waits: schedules are exact, however busy the CPU."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
BEGIN_S = 1000.0


class _Selector(selectors.DefaultSelector):
    """Does not wait; says for how long it would have."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "nothing will ever happen again"
        self.waited_s += max(timeout, 0)
        return super().select(0)


class StoppedLoop(asyncio.SelectorEventLoop):
    """Waiting costs its time on `time()` and none on the wall; there is no other input."""

    def __init__(self) -> None:
        self._waits = _Selector()
        self._stalled_s = BEGIN_S
        super().__init__(self._waits)

    def time(self) -> float:
        """Seconds, moved by waiting and by `stall` alone."""
        return self._stalled_s + self._waits.waited_s

    def stall(self, seconds: float) -> None:
        """Time passes in which nothing gets its turn."""
        self._stalled_s += seconds


def run(main: Coroutine[Any, Any, T], loop: StoppedLoop) -> T:
    """Run `main` on a loop of stopped time."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main)

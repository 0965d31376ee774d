"""Notice that a driver which is up stands still; told at once, whether or not it lets itself be ended."""

import asyncio
from collections.abc import Callable

LOOKS = 10
"""Looks in one `lively_s`. So many without a move are a hang: a loop that stood still itself makes
only one look of that time, and who could not move meanwhile has the others."""


class Stillness:
    """Looks at one driver from `begin` to `end`; `hung` is called once, when it stands still."""

    def __init__(self, lively_s: float, hung: Callable[[], None]) -> None:
        """`lively_s` is how often it at least moves; 0 = nobody can tell, and nobody looks."""
        self._every_s = lively_s / LOOKS
        self._hung = hung
        self._still = 0
        self._timer: asyncio.TimerHandle | None = None

    def moved(self) -> None:
        """The driver asked, heard, or turned: it does not hang. Costs next to nothing."""
        self._still = 0

    def begin(self) -> None:
        """From now on it must move."""
        self._still = 0
        if self._every_s and self._timer is None:
            self._again()

    def end(self) -> None:
        """Nothing runs that could hang; safe to repeat."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _again(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._every_s, self._look)

    def _look(self) -> None:
        self._still += 1
        if self._still <= LOOKS:
            self._again()
            return
        self._timer = None
        self._hung()

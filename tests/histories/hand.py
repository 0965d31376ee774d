"""The store's writer without a thread: it works on the virtual loop, after the disk's own time."""

import asyncio
from collections.abc import Callable

from gatewayd.store.writer import PROBE_S, Writer

COMMIT_S = 0.003
"""What a commit takes on a usual disk."""


class LoopHand:
    """`slow_s` makes every commit take longer; `after` is called when one is done."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, after: Callable[[], None] = lambda: None
    ) -> None:
        self.slow_s = 0.0
        self._loop = loop
        self._after = after
        self._due: asyncio.TimerHandle | None = None
        self._ended = asyncio.Event()

    def begin(self, writer: Writer) -> None:
        """Nothing to do yet."""
        self._writer = writer

    def rouse(self) -> None:
        """Work soon."""
        self._in(COMMIT_S + self.slow_s)

    def _in(self, seconds: float) -> None:
        if self._due is not None:
            self._due.cancel()
        self._due = self._loop.call_later(seconds, self._work)

    def _work(self) -> None:
        self._due = None
        if self._ended.is_set():
            return
        if not self._writer.work(wait=False):
            self._ended.set()
        elif not self._writer.healthy:
            self._in(PROBE_S)
        self._after()

    async def ended(self) -> None:
        """Return once the writer has closed."""
        await self._ended.wait()

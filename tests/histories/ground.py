"""The ground that a simulated history stands on: one clock in whole nanoseconds, one heap of events.

Everything outside the daemon (plant, PLC, readers, wires, people, faults) happens here as plain calls.
While one runs, the ground is the running loop: simulated devices that ask asyncio for the time or a
timer get this one, which no stall and no death of the daemon touches.
"""

import asyncio
import hashlib
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gatewayd.clock import SECOND

BEGIN_NS = 1_000 * SECOND


@dataclass(slots=True)
class Timer:
    """One event to come; `cancel` makes it none."""

    call: Callable[..., object]
    args: tuple[Any, ...]
    cancelled: bool = False

    def cancel(self) -> None:
        """It will not happen."""
        self.cancelled = True


@dataclass(slots=True)
class Ground:
    """`note` collects the story; its hash is the fingerprint of the history."""

    now_ns: int = BEGIN_NS
    events: int = 0
    story: list[tuple[int, str, str]] = field(default_factory=list)
    _heap: list[tuple[int, int, Timer]] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    _print: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def at(self, at_ns: int, call: Callable[..., object], *args: Any) -> Timer:
        """Let something happen at a time, or now when that is over."""
        timer = Timer(call, args)
        heapq.heappush(self._heap, (max(at_ns, self.now_ns), next(self._numbers), timer))
        return timer

    def after(self, seconds: float, call: Callable[..., object], *args: Any) -> Timer:
        """Let something happen in a while."""
        return self.at(self.now_ns + round(seconds * SECOND), call, *args)

    def next_ns(self) -> int | None:
        """When something happens next."""
        while self._heap and self._heap[0][2].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def turn(self) -> None:
        """Move on to the next event and let it happen."""
        at_ns, _, timer = heapq.heappop(self._heap)
        assert at_ns >= self.now_ns, (at_ns, self.now_ns)
        self.now_ns = at_ns
        if timer.cancelled:
            return
        self.events += 1
        outer = asyncio._get_running_loop()
        asyncio._set_running_loop(self)  # type: ignore[arg-type]
        try:
            timer.call(*timer.args)
        finally:
            asyncio._set_running_loop(outer)

    def run_until(self, at_ns: int) -> None:
        """Let everything happen that is due by then."""
        while (next_ns := self.next_ns()) is not None and next_ns <= at_ns:
            self.turn()
        self.now_ns = max(self.now_ns, at_ns)

    # What simulated devices ask of an event loop.

    def time(self) -> float:
        """Seconds."""
        return self.now_ns / SECOND

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Timer:
        """As asyncio's."""
        return self.after(delay, callback, *args)

    # What happened.

    def note(self, who: str, text: str) -> None:
        """One line of the story."""
        self.story.append((self.now_ns, who, text))
        self.mark(f"{who}: {text}".encode())

    def mark(self, data: bytes) -> None:
        """Something that must be the same when the history is lived again."""
        self._print.update(self.now_ns.to_bytes(8, "big") + data)

    @property
    def fingerprint(self) -> str:
        """Equal for equal histories."""
        return self._print.hexdigest()

    @property
    def at_s(self) -> float:
        """Seconds since the beginning."""
        return (self.now_ns - BEGIN_NS) / SECOND

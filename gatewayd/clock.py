"""Time comes from here, so that tests can move it: wall time for records, monotonic for ages.

A computer that sleeps ages all the same. Whoever judges how old something is (a weight, a lease, a
reading back, a command in a queue) asks `monotonic_ns` of this clock, which is also the drivers'
`Context.monotonic_ns`. The event loop's own time stands still in a suspend and is for waiting only.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

MS = 1_000_000
SECOND = 1_000_000_000

AGEING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""The clock that goes on in a suspend, where the system has one (Linux)."""


class Clock(Protocol):
    """What the daemon may ask about time."""

    def wall(self) -> datetime:
        """Now, aware, UTC."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds that never go back and go on in a suspend; only differences mean something."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def wall(self) -> datetime:
        """Now, aware, UTC."""
        return datetime.now(UTC)

    def monotonic_ns(self) -> int:
        """The clock that ages in a suspend, too, in nanoseconds."""
        return time.clock_gettime_ns(AGEING)


class ManualClock:
    """A clock that moves only when told, for tests."""

    def __init__(self, wall: datetime, monotonic_ns: int = SECOND) -> None:
        assert wall.tzinfo is not None, wall
        self._wall = wall
        self._monotonic_ns = monotonic_ns

    def wall(self) -> datetime:
        """The wall time it was set to, moved on by every advance."""
        return self._wall

    def monotonic_ns(self) -> int:
        """The monotonic time it was set to, moved on by every advance."""
        return self._monotonic_ns

    def advance(self, *, seconds: float) -> None:
        """Move both clocks forward."""
        self._wall += timedelta(seconds=seconds)
        self._monotonic_ns += round(seconds * SECOND)

"""Time comes from here, so that tests can move it: wall time for records, monotonic for waits."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

MS = 1_000_000
SECOND = 1_000_000_000


class Clock(Protocol):
    """What the daemon may ask about time."""

    def wall(self) -> datetime:
        """Now, aware, UTC."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds that never go back; only differences mean something."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def wall(self) -> datetime:
        """Now, aware, UTC."""
        return datetime.now(UTC)

    def monotonic_ns(self) -> int:
        """CLOCK_MONOTONIC in nanoseconds."""
        return time.monotonic_ns()


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

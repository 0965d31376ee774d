"""A token bucket: how fast a backlog is replayed, so that a platform that came back is not flooded.

A record sent is a token spent, taken or not. The bucket holds one second's worth: a record that is
committed while nothing waits goes at once.
"""

from gatewayd.clock import SECOND, Clock

GATHER_PART = 10
"""Waiting lasts until a tenth of a second's worth may go at once: batches stay batches."""


class Bucket:
    """Grants `records_per_s` on average and at most one second's worth at once; None: any number."""

    def __init__(self, clock: Clock, records_per_s: int | None) -> None:
        assert records_per_s is None or records_per_s > 0, records_per_s
        self._clock = clock
        self._rate = records_per_s
        self._held_ns = SECOND
        self._looked_ns = clock.monotonic_ns()

    def wait_s(self, wanted: int) -> float:
        """How long to wait until it is worth sending, in seconds; 0: something may go now."""
        if self._rate is None:
            return 0.0
        self._fill()
        enough = max(1, min(wanted, self._rate // GATHER_PART))
        return max(0, self._cost_ns(enough) - self._held_ns) / SECOND

    def granted(self, wanted: int) -> int:
        """How many of `wanted` records may go now."""
        if self._rate is None:
            return wanted
        self._fill()
        return min(wanted, self._held_ns * self._rate // SECOND)

    def spend(self, records: int) -> None:
        """So many were sent."""
        if self._rate is not None:
            self._held_ns -= self._cost_ns(records)

    def _cost_ns(self, records: int) -> int:
        assert self._rate is not None
        return -(-records * SECOND // self._rate)

    def _fill(self) -> None:
        now_ns = self._clock.monotonic_ns()
        self._held_ns = min(SECOND, self._held_ns + now_ns - self._looked_ns)
        self._looked_ns = now_ns

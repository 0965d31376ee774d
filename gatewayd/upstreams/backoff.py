"""How long to wait before trying again: exponential, full jitter, forgiving only what lasts."""

import random
from dataclasses import dataclass, field

from gatewayd import chance
from gatewayd.clock import SECOND, Clock


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient an upstream is, in seconds; the defaults are for the field, tests are quicker."""

    first_s: float = 0.5
    """Ceiling of the first wait after a failure."""
    max_s: float = 60.0
    """Ceiling of every wait."""
    stable_s: float = 30.0
    """A connection that lasted this long was good: the next outage starts with short waits."""
    answer_s_max: float = 20.0
    """A platform that lives but leaves a record unanswered this long is left and called again."""
    barred_s: float = 60.0
    """A kind of record that a broker has refused this long, while it takes others, is refused."""
    look_s: float = 2.0
    """How often dead letters are looked up that a person (`outbox retry`) wants sent again."""


FIELD = Pace()


@dataclass(slots=True)
class Backoff:
    """Delays after failures: uniform in 0..ceiling; the ceiling doubles from `first_s` to `max_s`.

    A success counts only when it has lasted `stable_s`: a broker that kicks us right after every
    connect (a second gateway with our client id) is met with growing delays all the same.
    """

    clock: Clock
    first_s: float
    max_s: float
    stable_s: float
    _failures: int = 0
    _good_since_ns: int | None = None
    _random: random.Random = field(default_factory=chance.rng)

    def good(self) -> None:
        """It works now."""
        if self._good_since_ns is None:
            self._good_since_ns = self.clock.monotonic_ns()

    def failed(self) -> float:
        """It failed; how many seconds to wait before the next attempt."""
        self._forgive()
        ceiling_s = min(self.max_s, self.first_s * 2**self._failures)
        if ceiling_s < self.max_s:
            self._failures += 1
        return self._random.uniform(0, ceiling_s)

    def _forgive(self) -> None:
        since_ns, self._good_since_ns = self._good_since_ns, None
        if since_ns is None:
            return
        if self.clock.monotonic_ns() - since_ns >= self.stable_s * SECOND:
            self._failures = 0

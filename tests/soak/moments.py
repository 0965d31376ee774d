"""Instants at which a fault hurts most, as anybody outside the daemon can see them."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.waiting import until


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant, how long after it the fault comes at the latest, and how often it is chosen."""

    name: str
    within_s: float
    weight: int


MOMENTS = (
    Moment("start", 1.5, 6),
    Moment("asked", 0.3, 10),
    Moment("arrival", 1.0, 12),
    Moment("permit", 0.03, 14),
    Moment("opens", 0.1, 12),
    Moment("flows", 1.5, 16),
    Moment("closes", 0.1, 10),
    Moment("settled", 0.15, 10),
    Moment("commit", 0.005, 8),
    Moment("record", 0.02, 6),
    Moment("refused", 0.1, 2),
    Moment("any", 3.0, 8),
)
"""`asked`: a gate is spoken to for the first time in this life; `flows` is `opens`, and later;
`commit`: the store's log has just grown; `record`: one has just come to the subscriber."""
AT_ONCE = frozenset({"start", "any"})
"""Counted from the start of the process itself."""
UP_S_MAX = 240.0
"""A start took 73 s beside a dozen busy processes on two cores; one that ended is not waited for."""
MOMENT_S_MAX = 6.0
"""A moment that does not come by then is not waited for; the fault comes all the same."""
SAME_AS = {"flows": "opens"}


@dataclass(frozen=True, slots=True)
class Instant:
    """One drawn instant."""

    moment: str
    delay_s: float


def draw(rng: random.Random, moments: tuple[Moment, ...] = MOMENTS) -> Instant:
    """An instant, more often an interesting one."""
    (chosen,) = rng.choices(moments, [each.weight for each in moments])
    return Instant(chosen.name, rng.uniform(0, chosen.within_s))


@dataclass(slots=True)
class Moments:
    """Who waits for what, and who tells it."""

    _waiting: dict[str, asyncio.Event] = field(default_factory=dict)

    def tell(self, name: str) -> None:
        """It happens now."""
        event = self._waiting.pop(name, None)
        if event is not None:
            event.set()

    async def come(self, instant: Instant, started: Callable[[], bool]) -> bool:
        """Wait for an instant; False when its moment did not come soon after the daemon `started`."""
        came = instant.moment in AT_ONCE or await self._comes(instant.moment, started)
        await asyncio.sleep(instant.delay_s)
        return came

    async def _comes(self, moment: str, started: Callable[[], bool]) -> bool:
        event = self._waiting.setdefault(SAME_AS.get(moment, moment), asyncio.Event())
        try:
            await until(lambda: event.is_set() or started(), UP_S_MAX)
            async with asyncio.timeout(MOMENT_S_MAX):
                await event.wait()
        except (TimeoutError, AssertionError):
            return False
        return True

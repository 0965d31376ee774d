"""The platform upstream: keeps what it took, for the whole history, and fails in every way it can.

The daemon reaches it by the pump and `PlainUpstream`; only the way in between is simulated.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gatewayd.errors import UpstreamError
from gatewayd.store.model import Record
from gatewayd.upstreams.backoff import Pace
from gatewayd.upstreams.contract import Outcome, UpstreamContext
from gatewayd.upstreams.plain import PlainUpstream

NAME = "platform"
PACE = Pace(first_s=0.3, max_s=3.0, stable_s=5.0, answer_s_max=4.0, look_s=2.0)


@dataclass(slots=True)
class Platform:
    """`taken` is what it has, by sequence: id and body. Its faults are switched from outside."""

    rng: random.Random
    down: bool = False
    refuses: int = 0
    slow_s: float = 0.0
    dies_after: int = 0
    dies_answered: bool = False
    taken: dict[int, tuple[str, str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    received: int = 0
    gone: list[asyncio.Event] = field(default_factory=list)

    def take(self, record: Record) -> None:
        """A record arrives; again is allowed, otherwise is not."""
        self.received += 1
        seen = self.taken.get(record.sequence)
        if seen is not None and seen != (record.id, record.body):
            self.wrong.append(f"record {record.sequence} reached the platform with another content")
        last = max(self.taken, default=0)
        if seen is None and record.sequence < last:
            self.wrong.append(f"record {record.sequence} came after {last}")
        self.taken[record.sequence] = (record.id, record.body)

    def cut(self) -> None:
        """Every connection is gone."""
        for gone in self.gone:
            gone.set()
        self.gone.clear()


class SimulatedSink:
    """One connection."""

    why = "the connection was lost"

    def __init__(self, platform: Platform) -> None:
        self.gone = asyncio.Event()
        self._platform = platform
        platform.gone.append(self.gone)

    async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:
        """Offer records in order."""
        del alone
        platform = self._platform
        accepted: list[int] = []
        for record in batch:
            await self._travel()
            if self.gone.is_set():
                return Outcome(frozenset(accepted), kept=self.why)
            if platform.refuses > 0:
                platform.refuses -= 1
                return Outcome(frozenset(accepted), kept="not now")
            platform.take(record)
            if platform.dies_after > 0:
                platform.dies_after -= 1
                if platform.dies_after == 0:
                    platform.cut()  # It has the record, and the answer may never arrive.
                    told = (record.sequence,) if platform.dies_answered else ()
                    return Outcome(frozenset((*accepted, *told)), kept=self.why)
            accepted.append(record.sequence)
        return Outcome(frozenset(accepted))

    async def _travel(self) -> None:
        platform = self._platform
        try:
            async with asyncio.timeout(platform.rng.uniform(0.001, 0.01) + platform.slow_s):
                await self.gone.wait()
        except TimeoutError:
            return


def upstream(platform: Platform, context: UpstreamContext) -> PlainUpstream:
    """The platform as the daemon sees it."""

    @asynccontextmanager
    async def way(proven: Callable[[], None]) -> AsyncIterator[SimulatedSink]:
        await asyncio.sleep(0.01)  # of virtual time: what dialling takes
        if platform.down:
            raise UpstreamError("connection refused")
        sink = SimulatedSink(platform)
        proven()
        try:
            yield sink
        finally:
            if sink.gone in platform.gone:
                platform.gone.remove(sink.gone)

    return PlainUpstream(NAME, context, way, PACE, records_per_s=None)

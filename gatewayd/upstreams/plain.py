"""An upstream that takes records and nothing else: open a way, pump, wait after a loss, open again.

What differs from kind to kind is a `Way`; the state on the board, the back-off and the pump are the
same for all of them. The board's topics are for MQTT alone.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from gatewayd.errors import UpstreamError
from gatewayd.upstreams.backoff import Backoff, Pace
from gatewayd.upstreams.contract import Sink, UpstreamContext
from gatewayd.upstreams.pump import Pump
from gatewayd.upstreams.state import State


class LosableSink(Sink, Protocol):
    """A sink that can say why it is gone."""

    @property
    def why(self) -> str:
        """Why it is gone; empty while it is not."""
        ...


Way = Callable[[Callable[[], None]], AbstractAsyncContextManager[LosableSink]]
"""Opens a sink. It is handed what to call when the platform has shown that it is there and willing;
the first time counts."""


class PlainUpstream:
    """One platform, for the life of the daemon."""

    def __init__(
        self,
        name: str,
        context: UpstreamContext,
        way: Way,
        pace: Pace,
        *,
        records_per_s: int | None,
    ) -> None:
        self.name = name
        self._way = way
        self._up = False
        self._state = State(name, context)
        self._backoff = Backoff(context.clock, pace.first_s, pace.max_s, pace.stable_s)
        self._pump = Pump(
            name,
            context.store,
            context.clock,
            self._state.records,
            pace,
            records_per_s=records_per_s,
            flow=context.flows.of(name),
        )

    async def run(self) -> None:
        """Open, pump; after a loss wait and open again. Ends only by cancellation."""
        while True:
            self._up = False
            try:
                async with self._way(self._proven) as sink:
                    await self._pump.run(sink)
                self._state.say("down", sink.why)
            except UpstreamError as exc:
                self._state.say("down", str(exc))
            await asyncio.sleep(self._backoff.failed())

    async def drained(self) -> None:
        """Return once every record committed so far is settled."""
        await self._pump.drained()

    def _proven(self) -> None:
        if self._up:
            return
        self._up = True
        self._backoff.good()
        self._state.say("up")

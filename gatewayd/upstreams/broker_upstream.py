"""The life of an upstream behind an MQTT broker, whatever is said there: connect, serve, again."""

import asyncio
from abc import ABC, abstractmethod

from gatewayd.clock import SECOND
from gatewayd.errors import UpstreamError
from gatewayd.upstreams.backoff import Backoff, Pace
from gatewayd.upstreams.broker_settings import BrokerSettings
from gatewayd.upstreams.contract import UpstreamContext
from gatewayd.upstreams.mqtt_connection import Connection
from gatewayd.upstreams.mqtt_terms import Will
from gatewayd.upstreams.pump import BATCH_MAX, Pump
from gatewayd.upstreams.state import State

SHORT_S = 5.0
SHORT_MAX = 3
"""Connections that end so soon, so often in a row: likely two clients throw each other out."""
TWIN = "lost {} times soon after it was up; does another client use the client id {}?"


class BrokerUpstream(ABC):
    """A new connection after each loss, for the life of the daemon."""

    def __init__(
        self,
        name: str,
        settings: BrokerSettings,
        context: UpstreamContext,
        pace: Pace,
        *,
        batch_max: int = BATCH_MAX,
    ) -> None:
        self.name = name
        self._brokers = settings
        self._context = context
        self._pace = pace
        self._backoff = Backoff(context.clock, pace.first_s, pace.max_s, pace.stable_s)
        self._state = State(name, context)
        self._served = False
        self._up_ns = 0
        self._short = 0
        self._client_id = ""
        self._pump = Pump(
            name,
            context.store,
            context.clock,
            self._state.records,
            pace,
            records_per_s=settings.records_per_s,
            flow=context.flows.of(name),
            batch_max=batch_max,
        )

    def _will(self) -> Will | None:
        """What is said when the connection breaks, made for each connection; None = nothing."""
        return None

    @abstractmethod
    async def _serve(self, connection: Connection) -> None:
        """Serve over one connection until it is gone; `_is_up` once it is greeted."""

    def _is_up(self) -> None:
        self._backoff.good()
        self._served = True
        self._up_ns = self._context.clock.monotonic_ns()
        self._state.say("up", "")

    async def run(self) -> None:
        """Connect, show, pump; after a loss wait and connect again. Ends only by cancellation."""
        while True:
            await self._round()
            await asyncio.sleep(self._backoff.failed())

    async def _round(self) -> None:
        """Ask the brokers in their order, until one has been there; then the first is first again."""
        whys: list[str] = []
        for address in self._brokers.addresses:
            self._served = False
            try:
                await self._session(*address)
            except UpstreamError as exc:
                whys.append(str(exc))
            if self._served:
                break
        if len(whys) > 1:
            urls = self._brokers.urls
            whys = [f"{url}: {why}" for url, why in zip(urls, whys, strict=False)]
        self._state.say("down", "; ".join([*whys, *self._twin()]))

    def _twin(self) -> list[str]:
        """A word on who may be throwing us out; brokers of 3.1.1, and some of 5, do not say."""
        if self._served:
            lasted_ns = self._context.clock.monotonic_ns() - self._up_ns
            self._short = self._short + 1 if lasted_ns < SHORT_S * SECOND else 0
        if self._short < SHORT_MAX:
            return []
        return [TWIN.format(self._short, self._client_id)]

    async def drained(self) -> None:
        """Return once every record committed so far is settled."""
        await self._pump.drained()

    async def _session(self, host: str, port: int) -> None:
        """Live through one connection; raises UpstreamError with why it ended."""
        settings, context = self._brokers, self._context
        self._client_id = settings.called(context.station_id, self.name)
        dial = settings.dial(
            host,
            port,
            client_id=self._client_id,
            directory=context.directory,
            will=self._will(),
        )
        connection = Connection(dial, in_flight_max=self._brokers.in_flight_max)
        try:
            await connection.open()
            await self._serve(connection)
        finally:
            connection.abort()
        raise UpstreamError(connection.why)

"""The life of an upstream behind an MQTT broker, whatever is said there: connect, serve, again."""

import asyncio
from abc import ABC, abstractmethod

from gatewayd.errors import UpstreamError
from gatewayd.upstreams.backoff import Backoff, Pace
from gatewayd.upstreams.broker_settings import BrokerSettings
from gatewayd.upstreams.contract import UpstreamContext
from gatewayd.upstreams.mqtt_connection import Connection
from gatewayd.upstreams.mqtt_terms import Dial
from gatewayd.upstreams.pump import Pump
from gatewayd.upstreams.state import State


class BrokerUpstream(ABC):
    """A new connection after each loss, for the life of the daemon."""

    def __init__(
        self, name: str, settings: BrokerSettings, context: UpstreamContext, pace: Pace
    ) -> None:
        self.name = name
        self._brokers = settings
        self._context = context
        self._pace = pace
        self._backoff = Backoff(context.clock, pace.first_s, pace.max_s, pace.stable_s)
        self._state = State(name, context)
        self._served = False
        self._pump = Pump(
            name,
            context.store,
            context.clock,
            self._state.records,
            pace,
            records_per_s=settings.records_per_s,
        )

    @abstractmethod
    def _dial(self, host: str, port: int) -> Dial:
        """Where and as whom, with what is said when the connection breaks."""

    @abstractmethod
    async def _serve(self, connection: Connection) -> None:
        """Serve over one connection until it is gone; `_is_up` once it is greeted."""

    def _is_up(self) -> None:
        self._backoff.good()
        self._served = True
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
        self._state.say("down", "; ".join(whys))

    async def drained(self) -> None:
        """Return once every record committed so far is settled."""
        await self._pump.drained()

    async def _session(self, host: str, port: int) -> None:
        """Live through one connection; raises UpstreamError with why it ended."""
        connection = Connection(self._dial(host, port), in_flight_max=self._brokers.in_flight_max)
        try:
            await connection.open()
            await self._serve(connection)
        finally:
            connection.abort()
        raise UpstreamError(connection.why)

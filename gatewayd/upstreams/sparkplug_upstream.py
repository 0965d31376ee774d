"""Sparkplug B upstream: the board as metrics of an edge node and its devices, records as metrics too.

Records leave at QoS 1, everything else at QoS 0. The standard asks for QoS 0 there too, at which
nobody would promise that a record arrives; a host takes both.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gatewayd.board import Watcher
from gatewayd.errors import UpstreamError
from gatewayd.logs import logger
from gatewayd.store.chain import parse
from gatewayd.store.model import Record
from gatewayd.upstreams.backoff import FIELD, Pace
from gatewayd.upstreams.broker_upstream import BrokerUpstream
from gatewayd.upstreams.contract import UpstreamContext
from gatewayd.upstreams.mqtt import GOODBYE_S_MAX
from gatewayd.upstreams.mqtt_connection import Connection
from gatewayd.upstreams.mqtt_records import RecordSink, settles
from gatewayd.upstreams.mqtt_terms import Answer, Will
from gatewayd.upstreams.sparkplug_edge import (
    NUMBERS,
    Edge,
    bdseq_metric,
    ms_of,
    take,
    topic_of,
)
from gatewayd.upstreams.sparkplug_host import PrimaryHost, Wanted
from gatewayd.upstreams.sparkplug_metrics import NODE, RECORD, Aliases
from gatewayd.upstreams.sparkplug_settings import SparkplugSettings
from gatewayd.upstreams.sparkplug_wire import Metric, Type, encode

HISTORICAL_MS: Final = 10_000
"""A record that leaves later than this after it was made is told as historical."""
log = logger("upstreams")


class SparkplugUpstream(BrokerUpstream):
    """One edge node, for the life of the daemon."""

    def __init__(
        self,
        name: str,
        settings: SparkplugSettings,
        context: UpstreamContext,
        pace: Pace = FIELD,
    ) -> None:
        super().__init__(name, settings, context, pace)
        self._settings = settings
        self._group, self._node = settings.group, settings.node or context.station_id
        self._aliases = Aliases()
        self._bdseq = -1

    def _will(self) -> Will:
        """Each connection has a death of its own, by which its birth is known (6.4.19)."""
        self._bdseq = (self._bdseq + 1) % NUMBERS
        at_ms = ms_of(self._context.clock)
        death = encode([bdseq_metric(self._bdseq, at_ms)], at_ms=at_ms, seq=None)
        return Will(topic_of(self._group, "NDEATH", self._node), death, retained=False)

    async def _serve(self, connection: Connection) -> None:
        board, clock = self._context.board, self._context.clock
        names = self._group, self._node
        edge = Edge(
            connection, names, board=board, clock=clock, aliases=self._aliases, bdseq=self._bdseq
        )
        watcher = board.watch()
        wanted, host = Wanted(self.name, watcher.wake), self._host()
        try:
            self._listen(connection, wanted)
            if host is not None:
                await self._await_host(connection, host)
            if connection.gone.is_set():
                return
            watcher.changed.clear()
            await edge.birth()
            self._is_up()
            sink = SparkplugSink(connection, edge, self._context, self._pace)
            async with asyncio.TaskGroup() as tasks:
                beside = [tasks.create_task(_show(edge, watcher, wanted))]
                if host is not None:
                    beside.append(tasks.create_task(self._leave_with(host, edge, connection)))
                await self._pump.run(sink)
                for task in beside:
                    task.cancel()
        except asyncio.CancelledError:
            await self._goodbye(edge, connection)
            raise
        finally:
            board.leave(watcher)

    def _host(self) -> PrimaryHost | None:
        name = self._settings.primary_host
        return None if name is None else PrimaryHost(self.name, name)

    def _listen(self, connection: Connection, wanted: Wanted) -> None:
        """Commands of a host, before the first birth (5.4)."""
        node = topic_of(self._group, "NCMD", self._node)
        devices = topic_of(self._group, "DCMD", self._node, "+")
        for topic in (node, devices):
            connection.listen(topic, wanted.hear, wanted.deaf)

    async def _await_host(self, connection: Connection, host: PrimaryHost) -> None:
        """Nobody is born before the host is there; where there are more brokers it may be there."""
        connection.listen(host.topic, host.hear, host.deaf)
        self._state.say("refused", host.why)
        within_s = self._pace.answer_s_max if len(self._brokers.addresses) > 1 else None
        try:
            await host.until(online=True, gone=connection.gone, within_s=within_s)
        except UpstreamError:
            await connection.close()  # Else its will tells the death of who was never born.
            raise

    async def _leave_with(self, host: PrimaryHost, edge: Edge, connection: Connection) -> None:
        """Die and hang up when the host is gone; a new connection waits for it (5.6)."""
        await host.until(online=False, gone=connection.gone, within_s=None)
        if connection.gone.is_set():
            return
        log.warning("upstream.host_offline", upstream=self.name, host=host.name)
        await self._goodbye(edge, connection)
        connection.abort()

    async def _goodbye(self, edge: Edge, connection: Connection) -> None:
        try:
            async with asyncio.timeout(GOODBYE_S_MAX):
                if edge.is_born:
                    await edge.death()
                await connection.close()
        except TimeoutError:
            return


async def _show(edge: Edge, watcher: Watcher, wanted: Wanted) -> None:
    """Tell what changes, and anew whatever a host asks for."""
    while True:
        await watcher.wake.wait()
        watcher.wake.clear()
        births, wanted.births = wanted.births, set()
        if NODE in births:
            births = {NODE}
            watcher.changed.clear()
        for device in births:
            await edge.rebirth(device)
        flashes, watcher.flashes = watcher.flashes, []
        await edge.show(take(watcher))
        for topic, payload in flashes:
            edge.flash(topic, payload)


class SparkplugSink(RecordSink):
    """Records as metrics of the edge node."""

    def __init__(
        self, connection: Connection, edge: Edge, context: UpstreamContext, pace: Pace
    ) -> None:
        super().__init__(connection, "records", pace)
        self._edge = edge
        self._clock = context.clock

    async def _send(
        self, batch: Sequence[Record], sent: list[asyncio.Future[Answer]], *, alone: bool
    ) -> None:
        answered = 0
        for record in batch:
            metric = self._metric(record)
            while (answer := self._edge.record(metric, alone=alone)) is None:
                async with asyncio.timeout(self._answer_s_max):
                    await self._connection.room(alone=alone)
            sent.append(answer)
            while answered < len(sent) and sent[answered].done():
                if not settles(sent[answered].result()):
                    return
                answered += 1

    def _metric(self, record: Record) -> Metric:
        at = datetime.fromisoformat(parse(record.body)["time"])
        at_ms = int(at.timestamp() * 1_000)
        late = ms_of(self._clock) - at_ms > HISTORICAL_MS
        name = RECORD.format(record.kind)
        return Metric(Type.STRING, record.body, at_ms, name, historical=late)

"""Sparkplug B upstream: the board as metrics of an edge node and its devices, records as metrics too.

Records leave at QoS 1, everything else at QoS 0. The standard asks for QoS 0 there too, at which
nobody would promise that a record arrives; a host takes both.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

from gatewayd.board import Watcher
from gatewayd.logs import logger
from gatewayd.store.chain import parse
from gatewayd.store.model import Record
from gatewayd.upstreams.backoff import FIELD, Pace
from gatewayd.upstreams.broker_upstream import BrokerUpstream
from gatewayd.upstreams.contract import UpstreamContext
from gatewayd.upstreams.mqtt import GOODBYE_S_MAX
from gatewayd.upstreams.mqtt_connection import Connection
from gatewayd.upstreams.mqtt_records import RecordSink, settles
from gatewayd.upstreams.mqtt_terms import Answer, Dial, Heard
from gatewayd.upstreams.sparkplug_edge import (
    NUMBERS,
    Edge,
    bdseq_metric,
    ms_of,
    take,
    topic_of,
)
from gatewayd.upstreams.sparkplug_metrics import REBIRTH, RECORD, Aliases
from gatewayd.upstreams.sparkplug_settings import SparkplugSettings
from gatewayd.upstreams.sparkplug_wire import Metric, NoPayloadError, Type, asks_for, encode

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

    def _dial(self, host: str, port: int) -> Dial:
        """Each dial has a death of its own, by which its birth is known (6.4.19)."""
        settings, context = self._settings, self._context
        self._bdseq = (self._bdseq + 1) % NUMBERS
        at_ms = ms_of(context.clock)
        return Dial(
            host=host,
            port=port,
            v5=settings.version != "3.1.1",
            client_id=settings.client_id or f"gatewayd-{context.station_id}-sparkplug",
            keepalive_s=settings.keepalive_s,
            will_topic=topic_of(self._group, "NDEATH", self._node),
            will_payload=encode([bdseq_metric(self._bdseq, at_ms)], at_ms=at_ms, seq=None),
            will_retained=False,
            username=settings.username,
            password=settings.password,
            tls=partial(settings.tls_context, context.directory) if settings.secure else None,
        )

    async def _serve(self, connection: Connection) -> None:
        board, clock = self._context.board, self._context.clock
        names = self._group, self._node
        edge = Edge(
            connection, names, board=board, clock=clock, aliases=self._aliases, bdseq=self._bdseq
        )
        watcher, rebirth = board.watch(), asyncio.Event()
        try:
            self._listen(connection, watcher, rebirth)
            watcher.changed.clear()
            await edge.birth()
            self._is_up()
            sink = SparkplugSink(connection, edge, self._context, self._pace.answer_s_max)
            async with asyncio.TaskGroup() as tasks:
                showing = tasks.create_task(_show(edge, watcher, rebirth))
                await self._pump.run(sink)
                showing.cancel()
        except asyncio.CancelledError:
            await self._goodbye(edge, connection)
            raise
        finally:
            board.leave(watcher)

    def _listen(self, connection: Connection, watcher: Watcher, rebirth: asyncio.Event) -> None:
        """Commands of a host, before the first birth (5.4); of all it may ask, we know one."""

        def hear(heard: Heard) -> None:
            try:
                asked = not heard.retained and asks_for(heard.payload, REBIRTH)
            except NoPayloadError as exc:
                log.warning("upstream.foreign_command", upstream=self.name, error=str(exc))
                return
            if asked:
                rebirth.set()
                watcher.wake.set()

        def deaf(why: str) -> None:
            log.warning("upstream.commands_refused", upstream=self.name, error=why)

        connection.listen(topic_of(self._group, "NCMD", self._node), hear, deaf)

    async def _goodbye(self, edge: Edge, connection: Connection) -> None:
        try:
            async with asyncio.timeout(GOODBYE_S_MAX):
                await edge.death()
                await connection.close()
        except TimeoutError:
            return


async def _show(edge: Edge, watcher: Watcher, rebirth: asyncio.Event) -> None:
    """Tell what changes, and everything anew when a host asks for it."""
    while True:
        await watcher.wake.wait()
        watcher.wake.clear()
        if rebirth.is_set():
            rebirth.clear()
            watcher.changed.clear()
            await edge.birth()
        flashes, watcher.flashes = watcher.flashes, []
        await edge.show(take(watcher))
        for topic, payload in flashes:
            edge.flash(topic, payload)


class SparkplugSink(RecordSink):
    """Records as metrics of the edge node."""

    def __init__(
        self, connection: Connection, edge: Edge, context: UpstreamContext, answer_s_max: float
    ) -> None:
        super().__init__(connection, "records", answer_s_max)
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

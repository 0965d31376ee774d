"""MQTT upstream: records at QoS 1 from the outbox, the board as retained topics (contract §6).

Besides the contract's topics the board carries `upstreams/{name}/status` of every upstream.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from gatewayd.board import Watcher
from gatewayd.errors import UpstreamError
from gatewayd.logs import logger
from gatewayd.settings.kinds import UpstreamType
from gatewayd.upstreams import mqtt_leftovers
from gatewayd.upstreams.backoff import FIELD, Pace
from gatewayd.upstreams.broker_upstream import BrokerUpstream
from gatewayd.upstreams.contract import Sink, UpstreamContext, presence
from gatewayd.upstreams.mqtt_acks import ACK_WINDOW, Acks, confirmed_sink
from gatewayd.upstreams.mqtt_commands import Downlink
from gatewayd.upstreams.mqtt_connection import Connection
from gatewayd.upstreams.mqtt_mapped import MappedMqtt
from gatewayd.upstreams.mqtt_records import NO_ANSWER, RecordSink
from gatewayd.upstreams.mqtt_settings import MqttSettings
from gatewayd.upstreams.mqtt_terms import Answer, Will
from gatewayd.upstreams.pump import BATCH_MAX

GOODBYE_S_MAX = 1.0
"""How long the orderly `offline` may take; after it the broker publishes the will instead."""

STATUS = "status"
log = logger("upstreams")


class MqttUpstream(BrokerUpstream):
    """One broker, for the life of the daemon: a new connection after each loss."""

    def __init__(
        self,
        name: str,
        settings: MqttSettings,
        context: UpstreamContext,
        pace: Pace = FIELD,
    ) -> None:
        batch_max = BATCH_MAX if settings.ack == "none" else ACK_WINDOW
        super().__init__(name, settings, context, pace, batch_max=batch_max)
        self._settings: MqttSettings = settings
        self._root = f"{settings.prefix}/{context.station_id}"
        self._online = presence(context, "online")
        self._downlink = Downlink(name, self._root, settings, context.door)
        self._acks = Acks(name, f"{self._root}/ack")

    # One connection

    async def _serve(self, connection: Connection) -> None:
        board = self._context.board
        watcher = board.watch()
        try:
            await self._greet(connection, watcher)
            self._is_up()
            self._downlink.listen(connection)
            mqtt_leftovers.look(self.name, self._root, connection, board, watcher)
            sink = self._sink(connection)
            async with asyncio.TaskGroup() as tasks:
                beside = [
                    tasks.create_task(self._show(connection, watcher)),
                    tasks.create_task(self._downlink.serve(connection)),
                ]
                await self._pump.run(sink)
                for task in beside:
                    task.cancel()
        except asyncio.CancelledError:
            await self._goodbye(connection)
            raise
        finally:
            board.leave(watcher)

    def _sink(self, connection: Connection) -> Sink:
        """Where records go: who says that they have arrived is the broker, or the platform."""
        confirmed = self._settings.ack == "required"
        root = f"{self._root}/records"
        sink = RecordSink(connection, root, self._pace, confirmed=confirmed)
        if not confirmed:
            return sink
        return confirmed_sink(sink, self._acks, connection, self._settings.ack_within_s)

    async def _goodbye(self, connection: Connection) -> None:
        """Leave `offline` behind; when the broker does not confirm it in time, the will does."""
        try:
            async with asyncio.timeout(GOODBYE_S_MAX):
                offline = presence(self._context, "offline")
                answer = await self._post(connection, STATUS, offline)
                if (await answer).accepted:
                    await connection.close()
        except (TimeoutError, UpstreamError):
            return

    def _will(self) -> Will:
        return Will(f"{self._root}/{STATUS}", _json(presence(self._context, "offline")))

    # The board

    async def _greet(self, connection: Connection, watcher: Watcher) -> None:
        """Publish the whole board, `status` first, and wait until the broker has answered it."""
        board = self._context.board
        watcher.changed.pop(STATUS, None)
        answers = [await self._post(connection, STATUS, board.get(STATUS) or self._online)]
        rest = [(topic, board.get(topic)) for topic in _take(watcher)]
        answers += [await self._post(connection, topic, payload) for topic, payload in rest]
        try:
            async with asyncio.timeout(self._pace.answer_s_max):
                for answer in answers:
                    await answer
        except TimeoutError as exc:
            raise UpstreamError(NO_ANSWER.format(self._pace.answer_s_max)) from exc

    async def _show(self, connection: Connection, watcher: Watcher) -> None:
        """Publish what changes: flashes at once, then retained topics. Ends when it cannot."""
        board = self._context.board
        while True:
            await watcher.wake.wait()
            watcher.wake.clear()
            flashes, watcher.flashes = watcher.flashes, []
            for topic, payload in flashes:
                connection.flash(f"{self._root}/{topic}", _json(payload))
            try:
                for topic in _take(watcher):
                    await self._post(connection, topic, board.get(topic))
            except UpstreamError:
                return  # the pump says why

    async def _post(
        self, connection: Connection, topic: str, payload: Mapping[str, Any] | None
    ) -> asyncio.Future[Answer]:
        """Publish retained; an empty payload takes a removed topic away (MQTT 5, 3.3.1.3)."""
        shown = b"" if payload is None else _json(payload)
        answer = await connection.send(f"{self._root}/{topic}", shown, retain=True)
        answer.add_done_callback(partial(self._on_state_answer, topic))
        return answer

    def _on_state_answer(self, topic: str, future: asyncio.Future[Answer]) -> None:
        if future.cancelled() or future.exception() is not None:
            return
        if not future.result().accepted:
            why = str(future.result())
            log.warning("upstream.state_refused", upstream=self.name, topic=topic, error=why)


def _take(watcher: Watcher) -> Sequence[str]:
    """The topics that changed, no longer marked as changed."""
    topics = tuple(watcher.changed)
    watcher.changed.clear()
    return topics


def _json(payload: Mapping[str, Any]) -> bytes:
    return _ENCODE(payload).encode()


def make(
    name: str, settings: MqttSettings, context: UpstreamContext, pace: Pace = FIELD
) -> MqttUpstream | MappedMqtt:
    """An MQTT upstream, with a mapping one that says nothing else; touches no network."""
    kind = MqttUpstream if settings.tongue is None else MappedMqtt
    return kind(name, settings, context, pace)


_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=dict).encode


UPSTREAM = UpstreamType("mqtt", MqttSettings, make, "MQTT 5 or 3.1.1 broker, QoS 1")

"""MQTT with a mapping: the platform gets what the mapping says, and nothing else.

No board, no will, no commands: a platform with topics of its own hangs up on others, or takes them
for data. With MQTT 5 the record's id is the user property `id` of each message.
"""

import asyncio

from gatewayd.upstreams.backoff import Pace
from gatewayd.upstreams.broker_upstream import BrokerUpstream
from gatewayd.upstreams.contract import Sink, UpstreamContext
from gatewayd.upstreams.mqtt_acks import ACK_WINDOW, Acks, confirmed_sink
from gatewayd.upstreams.mqtt_connection import Connection
from gatewayd.upstreams.mqtt_records import RecordSink
from gatewayd.upstreams.mqtt_settings import MqttSettings
from gatewayd.upstreams.pump import BATCH_MAX
from gatewayd.upstreams.worded import Mapped, Worded


class MappedMqtt(BrokerUpstream):
    """One broker that takes a platform's own messages, for the life of the daemon."""

    def __init__(
        self, name: str, settings: MqttSettings, context: UpstreamContext, pace: Pace
    ) -> None:
        batch_max = BATCH_MAX if settings.ack == "none" else ACK_WINDOW
        super().__init__(name, settings, context, pace, batch_max=batch_max)
        assert settings.tongue is not None, "made for settings with a mapping"
        self._settings = settings
        self._wording = Mapped(settings.tongue)
        self._root = f"{settings.prefix}/{context.station_id}"
        self._acks = Acks(name, f"{self._root}/ack")

    async def _serve(self, connection: Connection) -> None:
        self._is_up()
        try:
            await self._pump.run(Worded(self._sink(connection), self._wording))
        except asyncio.CancelledError:
            await connection.close()
            raise

    def _sink(self, connection: Connection) -> Sink:
        settings, root = self._settings, f"{self._root}/records"
        confirmed = settings.ack == "required"
        sink = RecordSink(connection, root, self._pace, self._wording, confirmed=confirmed)
        if not confirmed:
            return sink
        return confirmed_sink(sink, self._acks, connection, settings.ack_within_s)

"""Publishing over one MQTT connection: every message gets the broker's answer, at once.

aiomqtt's `publish(qos=1)` returns normally when a v5 broker refuses (PUBACK >= 0x80) and sits out
its timeout when the link breaks. `Connection.send` gives a future of the answer that a lost link
ends; several may wait at a time.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gatewayd.upstreams.mqtt_ears import Ears
from gatewayd.upstreams.mqtt_terms import PACKET_TOO_LARGE, Answer, Dial, packet_bytes
from gatewayd.upstreams.mqtt_wire import answer_of, end_waiting, properties_of

CONTENT_TYPE = "application/cloudevents+json"
JSON = "application/json"
CONTENT_TYPE_BYTES = 1 + 2 + len(CONTENT_TYPE)
_TAKEN: Final = Answer(0)


@dataclass(frozen=True, slots=True)
class Label:
    """The MQTT 5 properties of a message, packed, and how many bytes they are; 3.1.1 has none."""

    properties: Properties
    bytes: int


def mapped_label(record_id: str) -> Label:
    """What goes beside a record in a platform's words: its id, as in CloudEvents' binary mode."""
    user = [("id", record_id)]
    properties = properties_of(PacketTypes.PUBLISH, ContentType=JSON, UserProperty=user)
    id_bytes = 1 + 2 + len("id") + 2 + len(record_id.encode())
    return Label(properties, 1 + 2 + len(JSON) + id_bytes)


class Connection(Ears):
    """A wire to publish on; `send` and `flash` replace everything aiomqtt offers for it."""

    def __init__(self, dial: Dial, *, in_flight_max: int) -> None:
        super().__init__(dial)
        self._in_flight_max = in_flight_max
        properties = properties_of(PacketTypes.PUBLISH, ContentType=CONTENT_TYPE)
        self.record_label = Label(_packed(properties), CONTENT_TYPE_BYTES)
        """What goes beside a record as it is."""
        self._alone = False
        self._urgent = 0
        self._pending: dict[int, asyncio.Future[Answer]] = {}
        self._freed = asyncio.Event()
        self.lost_in_flight = 0
        """How many messages were waiting for their PUBACK when the connection was lost."""

    async def send(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        label: Label | None = None,
        alone: bool = False,
    ) -> asyncio.Future[Answer]:
        """Publish at QoS 1 as soon as the window allows; the future is the broker's answer.

        `alone` opens the window only when nothing else waits for an answer, and shuts it behind.

        Raises UpstreamError when the connection is or gets lost, and so does the future. A packet
        larger than the broker takes is answered here with 0x95: sent, it would end the connection.
        """
        await self.room(alone=alone)
        sent = self.try_send(topic, payload, retain=retain, label=label, alone=alone)
        assert sent is not None
        return sent

    async def room(self, *, alone: bool) -> None:
        """Return once the window allows to send, or the connection is gone."""
        while not self._room(alone=alone) and not self.gone.is_set():
            self._freed.clear()
            await self._freed.wait()

    async def reply(
        self, topic: str, payload: bytes, correlation: bytes | None
    ) -> asyncio.Future[Answer]:
        """Publish at QoS 1 ahead of everything that waits for the window; raises as `send` does."""
        self._urgent += 1
        try:
            while not self._room(alone=False, urgent=True) and not self.gone.is_set():
                self._freed.clear()
                await self._freed.wait()
        finally:
            self._urgent -= 1
            self._freed.set()
        self._check()
        future: asyncio.Future[Answer] = self._loop.create_future()
        properties, property_bytes = None, 0
        if self._dial.v5 and correlation is not None:
            properties = properties_of(PacketTypes.PUBLISH, CorrelationData=correlation)
            property_bytes = 1 + 2 + len(correlation)
        if (too_large := self._too_large(topic, payload, property_bytes)) is not None:
            future.set_result(too_large)
            return future
        self._publish(future, topic, payload, retain=False, properties=properties)
        return future

    def try_send(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        label: Label | None = None,
        alone: bool = False,
    ) -> asyncio.Future[Answer] | None:
        """`send` without a wait: None when the window does not allow it now."""
        self._check()
        if not self._room(alone=alone):
            return None
        future: asyncio.Future[Answer] = self._loop.create_future()
        too_large = self._too_large(topic, payload, label.bytes if label else 0)
        if too_large is not None:
            future.set_result(too_large)
            return future
        properties = label.properties if label and self._dial.v5 else None
        self._alone = alone
        self._publish(future, topic, payload, retain=retain, properties=properties)
        return future

    def flash(self, topic: str, payload: bytes) -> bool:
        """Publish at QoS 0 now, or drop it (False) when the connection is gone or congested."""
        if self._flush_soon:
            self._flush()  # What only waits for the next turn is no congestion.
        if self.gone.is_set() or self._client.want_write():
            return False
        self._corked = True
        info = self._client.publish(topic, payload)
        self._corked = False
        self._flush()
        return info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def _too_large(self, topic: str, payload: bytes, property_bytes: int) -> Answer | None:
        limit = self.packet_bytes_max
        size = packet_bytes(len(topic.encode()) + 1 + property_bytes, len(payload))
        if limit is None or size <= limit:
            return None
        return Answer(PACKET_TOO_LARGE, f"Packet too large: {size} bytes, the broker takes {limit}")

    def _room(self, *, alone: bool, urgent: bool = False) -> bool:
        if self._urgent and not urgent:
            return False
        window = min(self._in_flight_max, self.receive_maximum)
        return len(self._pending) < (1 if alone or self._alone else window)

    def _publish(
        self,
        future: asyncio.Future[Answer],
        topic: str,
        payload: bytes,
        *,
        retain: bool,
        properties: Properties | None,
    ) -> None:
        self._corked = True
        info = self._client.publish(topic, payload, 1, retain, properties)
        self._corked = False
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self.abort(f"cannot send: {paho.error_string(info.rc)}")
            self._check()
        self._pending[info.mid] = future
        self._flush_at_the_next_turn()

    def _on_publish(self, *event: Any, **_: Any) -> None:
        """A PUBACK came."""
        _client, _userdata, mid, reason_code, properties = event
        future = self._pending.pop(mid, None)
        self._alone = self._alone and bool(self._pending)
        self._freed.set()
        if future is None or future.done():
            return
        taken = reason_code.value == _TAKEN.code
        future.set_result(_TAKEN if taken else answer_of(reason_code, properties))

    def _on_gone(self) -> None:
        self.lost_in_flight = len(self._pending)
        self._freed.set()
        for future in self._pending.values():
            end_waiting(future, self.why)
        self._pending.clear()


def _packed(properties: Properties) -> Properties:
    """The same, packed once: paho packs them for every record, which costs more than to send it."""
    body = bytes(properties.pack())  # type: ignore[no-untyped-call] # paho leaves it untyped

    class Packed(Properties):
        """Properties that never change any more."""

        def pack(self) -> bytes:
            return body

    return Packed(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # as above

"""One connection to an MQTT broker: aiomqtt keeps the socket, this file says what was answered.

Read in aiomqtt 2.5.1 and paho-mqtt 2.2, and changed here, the only file that knows either:

* `publish(qos=1)` returns normally when a v5 broker refuses (PUBACK >= 0x80) and sits out its
  timeout when the link breaks. `send` gives a future of the broker's answer that a lost link ends
  at once.
* A client that reconnects resends by itself. A `Connection` is opened once, with a clean start.
* Connecting blocks a thread of the loop's executor, which a stopping process waits for. Ours is a
  daemon thread that nobody waits for.
* Writes wait for a turn of the loop and pay for an acknowledgement object even at QoS 0. Ours go
  to the socket at once.
"""

import asyncio
import contextlib
import socket
from typing import Any, Final

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gatewayd.errors import UpstreamError
from gatewayd.upstreams.aside import aside
from gatewayd.upstreams.mqtt_terms import (
    PACKET_TOO_LARGE,
    Answer,
    Dial,
    packet_bytes,
)

CONNECT_S_MAX = 10.0
"""Name lookup, TCP, TLS and the broker's CONNACK together."""

CLOSE_S_MAX = 0.5
"""How long a congested socket may take to swallow our DISCONNECT."""

RECEIVE_MAXIMUM_DEFAULT = 65_535
CONTENT_TYPE = "application/cloudevents+json"
CONTENT_TYPE_BYTES = 1 + 2 + len(CONTENT_TYPE)


_TAKEN: Final = Answer(0)


class Connection(aiomqtt.Client):
    """Opened once, used until `gone`, then `why` says what happened. Use on one event loop.

    `send` and `flash` replace everything that aiomqtt offers for publishing.
    """

    def __init__(self, dial: Dial, *, in_flight_max: int) -> None:
        super().__init__(
            dial.host,
            dial.port,
            identifier=dial.client_id,
            username=dial.username,
            password=dial.password,
            protocol=aiomqtt.ProtocolVersion.V5 if dial.v5 else aiomqtt.ProtocolVersion.V311,
            will=aiomqtt.Will(dial.will_topic, dial.will_payload, qos=1, retain=True),
            clean_session=None if dial.v5 else True,
            clean_start=True if dial.v5 else paho.MQTT_CLEAN_START_FIRST_ONLY,
            keepalive=dial.keepalive_s,
            max_inflight_messages=0,  # `send` keeps the window; paho must never queue
            properties=_forget_us() if dial.v5 else None,
        )
        self._client.disable_logger()
        self._client.connect_timeout = CONNECT_S_MAX
        self._dial = dial
        self._record_type = _properties(PacketTypes.PUBLISH, ContentType=CONTENT_TYPE)
        self._dialling = False
        self._corked = False
        self._flush_soon = False
        self._writer_on = False
        self._pending: dict[int, asyncio.Future[Answer]] = {}
        self._freed = asyncio.Event()
        self._disconnected.add_done_callback(self._on_broken)
        self.window = in_flight_max
        """Messages that may wait for their PUBACK: ours or the broker's receive maximum."""
        self.packet_bytes_max: int | None = None
        """The largest packet the broker takes, None when it does not say."""
        self.gone = asyncio.Event()
        self.why = ""
        self.code: int | None = None
        """The reason code of the broker's DISCONNECT, None when it sent none."""
        self.lost_in_flight = 0
        """How many messages were waiting for their PUBACK when the connection was lost."""

    async def open(self) -> None:
        """Connect; raises UpstreamError within CONNECT_S_MAX. However it ends, `abort` is owed."""
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                self._dialling = True
                await aside(self._client_connect, done=self._dialled)
                await self._connected
        except TimeoutError as exc:
            raise UpstreamError(f"no answer within {CONNECT_S_MAX:g} s") from exc
        except (OSError, ValueError, aiomqtt.MqttError) as exc:
            raise UpstreamError(_reason_of(exc)) from exc
        self._check()

    async def send(
        self, topic: str, payload: bytes, *, retain: bool = False, record: bool = False
    ) -> asyncio.Future[Answer]:
        """Publish at QoS 1 as soon as the window allows; the future is the broker's answer.

        Raises UpstreamError when the connection is or gets lost, and so does the future. A packet
        larger than the broker takes is answered here with 0x95: sent, it would end the connection.
        """
        while len(self._pending) >= self.window and not self.gone.is_set():
            self._freed.clear()
            await self._freed.wait()
        self._check()
        future: asyncio.Future[Answer] = self._loop.create_future()
        too_large = self._too_large(topic, payload, record=record)
        if too_large is not None:
            future.set_result(too_large)
            return future
        properties = self._record_type if record and self._dial.v5 else None
        self._publish(future, topic, payload, retain=retain, properties=properties)
        return future

    def flash(self, topic: str, payload: bytes) -> bool:
        """Publish at QoS 0 now, or drop it (False) when the connection is gone or congested."""
        if self.gone.is_set() or self._client.want_write():
            return False
        self._corked = True
        info = self._client.publish(topic, payload)
        self._corked = False
        self._flush()
        return info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    async def close(self) -> None:
        """Say DISCONNECT, which takes the will back, and close within CLOSE_S_MAX."""
        if not self.gone.is_set():
            self._client.disconnect()
            self._flush()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S_MAX):
                    await self.gone.wait()
        self.abort()

    def abort(self, why: str = "closed") -> None:
        """Close the socket without a word, so that the broker publishes the will."""
        self._lose(None, why)
        if not self._dialling:
            self._client._sock_close()  # noqa: SLF001 - paho has no public way to hang up

    # Opening

    def _client_connect(self) -> None:
        if self._dial.tls is not None:
            self._client.tls_set_context(self._dial.tls())
        super()._client_connect()

    def _dialled(self) -> None:
        self._dialling = False
        if self.gone.is_set():
            self.abort()
        _no_delay(self._client.socket())

    def _on_connect(self, *event: Any, **_: Any) -> None:
        """Learn the broker's limits from its CONNACK: client, userdata, flags, code, properties."""
        properties = event[4]
        self.window = min(self.window, _get(properties, "ReceiveMaximum", RECEIVE_MAXIMUM_DEFAULT))
        self.packet_bytes_max = _get(properties, "MaximumPacketSize", None)
        super()._on_connect(*event)
        if _get(properties, "MaximumQoS", 1) == 0:
            self.abort("the broker offers QoS 0 only; records need QoS 1")

    # Losing

    def _check(self) -> None:
        if self.gone.is_set():
            raise UpstreamError(self.why)

    def _lose(self, code: int | None, why: str) -> None:
        """Mark the connection lost and end every wait, once."""
        if self.gone.is_set():
            return
        self.code, self.why, self.lost_in_flight = code, why, len(self._pending)
        self.gone.set()
        self._freed.set()
        for future in self._pending.values():
            _end(future, why)
        _end(self._connected, why)
        self._pending.clear()

    def _on_disconnect(self, *event: Any, **_: Any) -> None:
        _client, _userdata, flags, reason_code, properties = event
        if not flags.is_disconnect_packet_from_server:
            self._lose(None, "connection lost")
            return
        answer = _answer(reason_code, properties)
        self._lose(answer.code, f"the broker hung up: {answer}")

    def _on_broken(self, broken: asyncio.Future[None]) -> None:
        """Aiomqtt caught an error of paho while it read or wrote."""
        error = None if broken.cancelled() else broken.exception()
        self.abort(f"connection lost: {error}")

    # Writing and being answered

    def _too_large(self, topic: str, payload: bytes, *, record: bool) -> Answer | None:
        limit = self.packet_bytes_max
        properties = CONTENT_TYPE_BYTES if record else 0
        size = packet_bytes(len(topic.encode()) + 1 + properties, len(payload))
        if limit is None or size <= limit:
            return None
        return Answer(PACKET_TOO_LARGE, f"Packet too large: {size} bytes, the broker takes {limit}")

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
        self._flush()

    def _on_publish(self, *event: Any, **_: Any) -> None:
        """A PUBACK came."""
        _client, _userdata, mid, reason_code, properties = event
        future = self._pending.pop(mid, None)
        self._freed.set()
        if future is None or future.done():
            return
        taken = reason_code.value == _TAKEN.code
        future.set_result(_TAKEN if taken else _answer(reason_code, properties))

    def _flush(self) -> None:
        """Write what paho holds; what the socket does not take now goes when it is writable."""
        self._flush_soon = False
        self._client.on_publish = None  # written is not published, and QoS 0 needs no answer
        try:
            self._client.loop_write()
        except Exception as exc:  # noqa: BLE001 - paho failed; this connection alone ends
            self.abort(f"cannot send: {exc}")
        self._client.on_publish = self._on_publish
        sock = self._client.socket()
        if sock is not None and self._client.want_write() and not self._writer_on:
            self._writer_on = True
            self._loop.add_writer(sock.fileno(), self._flush)

    def _on_socket_register_write(self, *_: Any, **__: Any) -> None:
        if not self._corked and not self._flush_soon:
            self._flush_soon = True
            self._loop.call_soon_threadsafe(self._flush)

    def _on_socket_unregister_write(self, *event: Any, **_: Any) -> None:
        if self._writer_on:
            self._writer_on = False
            self._loop.remove_writer(event[2].fileno())


def _forget_us() -> Properties:
    """Ask the broker to keep no session: the outbox is the only memory."""
    return _properties(PacketTypes.CONNECT, SessionExpiryInterval=0)


def _properties(packet: int, **values: Any) -> Properties:
    properties = Properties(packet)  # type: ignore[no-untyped-call] # paho leaves it untyped
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


def _end(future: asyncio.Future[Any], why: str) -> None:
    if not future.done():
        future.set_exception(UpstreamError(why))
        future.exception()  # seen: an answer that nobody waits for is no news


def _get(properties: Properties | None, name: str, default: Any) -> Any:
    return default if properties is None else getattr(properties, name, default)


def _answer(reason_code: ReasonCode, properties: Properties | None) -> Answer:
    said = _get(properties, "ReasonString", "")
    text = f"{reason_code}: {said}" if said else str(reason_code)
    return Answer(reason_code.value, text)


def _reason_of(exc: Exception) -> str:
    if isinstance(exc, aiomqtt.MqttCodeError) and isinstance(exc.rc, ReasonCode):
        return f"the broker refused the connection: {_answer(exc.rc, None)}"
    return str(exc) or type(exc).__name__


def _no_delay(sock: Any) -> None:
    """Small packets go out at once; a socket that is closed already says so on the next write."""
    with contextlib.suppress(OSError, AttributeError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

"""The socket of one MQTT connection: aiomqtt opens and reads it, this file loses and writes it.

Read in aiomqtt 2.5.1 and paho-mqtt 2.2, and changed here and in `mqtt_connection`, the only files
that know either:

* A client that reconnects resends by itself. A `Wire` is opened once, with a clean start.
* Connecting blocks a thread of the loop's executor, which a stopping process waits for. Ours is a
  daemon thread that nobody waits for.
* A broker that closes before its CONNACK, or right behind it, is noticed at once.
* Writes wait for a turn of the loop and pay for an acknowledgement object even at QoS 0. Ours go
  to the socket at once.
"""

import asyncio
import contextlib
import socket
from collections import deque
from typing import Any

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gatewayd.errors import UpstreamError
from gatewayd.upstreams.aside import aside
from gatewayd.upstreams.mqtt_terms import UNSPECIFIED, Answer, Dial, Will

CONNECT_S_MAX = 10.0
"""Name lookup, TCP, TLS and the broker's CONNACK together."""

CLOSE_S_MAX = 0.5
"""How long a congested socket may take to swallow our DISCONNECT."""

RECEIVE_MAXIMUM_DEFAULT = 65_535
QOS_MAX = 2
PACKET_BYTES_MAX = 16_777_216  # the broker keeps larger ones to itself (MQTT 5, 3.1.2.11.4)
PUBLISH = 0x30
"""Type of a packet in its first byte (MQTT 5, 2.1.2)."""


class Wire(aiomqtt.Client):
    """Opened once, used until `gone`, then `why` says what happened. Use on one event loop."""

    def __init__(self, dial: Dial) -> None:
        super().__init__(
            dial.host,
            dial.port,
            identifier=dial.client_id,
            username=dial.username,
            password=dial.password,
            protocol=aiomqtt.ProtocolVersion.V5 if dial.v5 else aiomqtt.ProtocolVersion.V311,
            will=_will(dial.will),
            clean_session=None if dial.v5 else True,
            clean_start=True if dial.v5 else paho.MQTT_CLEAN_START_FIRST_ONLY,
            keepalive=dial.keepalive_s,
            max_inflight_messages=0,  # `send` keeps the window; paho must never queue
            properties=_forget_us() if dial.v5 else None,
        )
        self._client.disable_logger()
        self._client.connect_timeout = CONNECT_S_MAX
        self._dial = dial
        self._dialling = False
        self._corked = False
        self._flush_soon = False
        self._writer_on = False
        self._qos_max = QOS_MAX
        self._disconnected.add_done_callback(self._on_broken)
        self.receive_maximum = RECEIVE_MAXIMUM_DEFAULT
        """Messages that the broker lets wait for their PUBACK."""
        self.packet_bytes_max: int | None = None
        """The largest packet the broker takes, None when it does not say."""
        self.gone = asyncio.Event()
        self.why = ""
        self.code: int | None = None
        """The reason code of the broker's DISCONNECT, None when it sent none."""

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
        if self._qos_max == 0:
            raise UpstreamError("the broker offers QoS 0 only; records need QoS 1")
        self._check()

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
        """Close the socket without a word, so that the broker publishes the will.

        Never from inside a callback of paho: it would wait for itself.
        """
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
        self.receive_maximum = _get(properties, "ReceiveMaximum", RECEIVE_MAXIMUM_DEFAULT)
        self.packet_bytes_max = _get(properties, "MaximumPacketSize", None)
        self._qos_max = _get(properties, "MaximumQoS", QOS_MAX)
        super()._on_connect(*event)

    # Losing

    def _check(self) -> None:
        if self.gone.is_set():
            raise UpstreamError(self.why)

    def _lose(self, code: int | None, why: str) -> None:
        """Mark the connection lost and end every wait, once."""
        if self.gone.is_set():
            return
        self.code, self.why = code, why
        self.gone.set()
        end_waiting(self._connected, why)
        self._on_gone()

    def _on_gone(self) -> None:
        """End what else waits on this connection."""

    def _on_disconnect(self, *event: Any, **_: Any) -> None:
        _client, _userdata, flags, reason_code, properties = event
        if not flags.is_disconnect_packet_from_server:
            what = "" if reason_code.value == UNSPECIFIED else f": {reason_code}"
            self._lose(None, f"connection lost{what}")
            return
        answer = answer_of(reason_code, properties)
        self._lose(answer.code, f"the broker hung up: {answer}")

    def _on_broken(self, broken: asyncio.Future[None]) -> None:
        """Aiomqtt caught an error of paho while it read or wrote."""
        error = None if broken.cancelled() else broken.exception()
        self.abort(f"connection lost: {error}")

    # Writing

    def _flush(self) -> None:
        """Write what paho holds; what the socket does not take now goes when it is writable."""
        self._flush_soon = False
        _join(self._client._out_packet)  # noqa: SLF001 - paho writes each packet by itself
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

    def _flush_at_the_next_turn(self) -> None:
        """What is sent until then goes to the socket in one piece."""
        if not self._flush_soon:
            self._flush_soon = True
            self._loop.call_soon(self._flush)

    def _on_socket_register_write(self, *_: Any, **__: Any) -> None:
        if not self._corked and not self._flush_soon:
            self._flush_soon = True
            self._loop.call_soon_threadsafe(self._flush)

    def _on_socket_unregister_write(self, *event: Any, **_: Any) -> None:
        if self._writer_on:
            self._writer_on = False
            self._loop.remove_writer(event[2].fileno())


def _join(waiting: deque[Any]) -> None:
    """Make one packet of all PUBLISH packets at QoS 1 that wait behind each other.

    Paho calls `send` for every packet; a system call costs more than everything else of a record.
    What is told apart by its packet is only QoS 0 and DISCONNECT, which stay alone.
    """
    packets = list(waiting)
    if len(packets) < 2 or not all(_is_plain(packet) for packet in packets):  # noqa: PLR2004 - none to join
        return
    body = b"".join(bytes(packet["packet"]) for packet in packets)
    waiting.clear()
    waiting.append({**packets[-1], "packet": body, "pos": 0, "to_process": len(body)})


def _is_plain(packet: Any) -> bool:
    """A PUBLISH at QoS 1 of which nothing has been written."""
    return bool(packet["command"] & 0xF0 == PUBLISH and packet["qos"] == 1 and not packet["pos"])


def _will(will: Will | None) -> aiomqtt.Will | None:
    return None if will is None else aiomqtt.Will(will.topic, will.payload, 1, will.retained)


def _forget_us() -> Properties:
    """Ask the broker to keep no session: the outbox is the only memory. And to spare our own."""
    said = {"SessionExpiryInterval": 0, "MaximumPacketSize": PACKET_BYTES_MAX}
    return properties_of(PacketTypes.CONNECT, **said)


def properties_of(packet: int, **values: Any) -> Properties:
    """MQTT 5 properties for a packet type of paho, by paho's names."""
    properties = Properties(packet)  # type: ignore[no-untyped-call] # paho leaves it untyped
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


def end_waiting(future: asyncio.Future[Any], why: str) -> None:
    """Raise UpstreamError in whoever waits for this future; nobody may be waiting."""
    if not future.done():
        future.set_exception(UpstreamError(why))
        future.exception()  # seen: an answer that nobody waits for is no news


def _get(properties: Properties | None, name: str, default: Any) -> Any:
    return default if properties is None else getattr(properties, name, default)


def answer_of(reason_code: ReasonCode, properties: Properties | None) -> Answer:
    """A reason code in the words of the standard, and what the broker added."""
    said = _get(properties, "ReasonString", "")
    text = f"{reason_code}: {said}" if said else str(reason_code)
    return Answer(reason_code.value, text)


def _reason_of(exc: Exception) -> str:
    if isinstance(exc, aiomqtt.MqttCodeError) and isinstance(exc.rc, ReasonCode):
        return f"the broker refused the connection: {answer_of(exc.rc, None)}"
    return str(exc) or type(exc).__name__


def _no_delay(sock: Any) -> None:
    """Small packets go out at once; a socket that is closed already says so on the next write."""
    with contextlib.suppress(OSError, AttributeError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

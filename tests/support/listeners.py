"""An independent MQTT client, paho in its own thread, that has its subscriptions before it is used."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.support import waiting


class Listener(ABC):
    """Hears every message of `filters` at QoS 1, from before `__enter__` returns."""

    def __init__(
        self,
        port: int,
        filters: Sequence[str],
        *,
        protocol: MQTTProtocolVersion = paho.MQTTv5,
        name: str = "",
    ) -> None:
        self._port = port
        self._filters = [(text, 1) for text in filters]
        self._ready = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=protocol)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        self._connect()
        self._client.loop_start()
        assert self._ready.wait(waiting.WITHIN_S), "the broker never confirmed the subscription"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _connect(self) -> None:
        self._client.connect("127.0.0.1", self._port)

    def _on_connect(self, client: paho.Client, *_: Any) -> None:
        client.subscribe(self._filters)

    def _on_subscribe(self, *_: Any) -> None:
        self._ready.set()

    @abstractmethod
    def _on_message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        """One message, in paho's thread."""

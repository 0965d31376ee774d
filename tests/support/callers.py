"""An independent MQTT client that asks and waits for answers: paho in its own thread."""

import json
import threading
import time
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.support import waiting
from tests.support.listeners import Listener

WAIT_S_MAX = waiting.WITHIN_S


class Caller(Listener):
    """Publishes requests below `root` and collects every reply, by topic and correlation data."""

    def __init__(self, port: int, root: str, *, answers: str = "answers/me") -> None:
        super().__init__(port, (f"{root}/cmd/+/reply", answers))
        self._root = root
        self._changed = threading.Condition()
        self.replies: list[tuple[str, bytes | None, dict[str, Any]]] = []

    def publish(
        self,
        name: str,
        body: bytes,
        *,
        respond: str | None = None,
        correlation: bytes | None = None,
        retain: bool = False,
    ) -> None:
        """Publish one request at QoS 1; returns when the broker has it."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho leaves it untyped
        if respond is not None:
            properties.ResponseTopic = respond
        if correlation is not None:
            properties.CorrelationData = correlation
        topic = f"{self._root}/cmd/{name}"
        sent = self._client.publish(topic, body, 1, retain, properties)
        sent.wait_for_publish(WAIT_S_MAX)

    def ask(self, name: str, body: bytes, **more: Any) -> dict[str, Any]:
        """Publish one request and wait for the next reply."""
        before = len(self.replies)
        self.publish(name, body, **more)
        return self.wait(before + 1)[-1][2]

    def wait(self, count: int) -> list[tuple[str, bytes | None, dict[str, Any]]]:
        """Return once so many replies have come in all."""
        deadline = time.monotonic() + WAIT_S_MAX
        with self._changed:
            while len(self.replies) < count:
                left = deadline - time.monotonic()
                assert left > 0, f"{len(self.replies)} replies of {count}: {self.replies[-3:]}"
                self._changed.wait(left)
            return list(self.replies)

    def _on_message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        del client, userdata
        correlation = getattr(message.properties, "CorrelationData", None)
        with self._changed:
            self.replies.append((message.topic, correlation, json.loads(message.payload)))
            self._changed.notify_all()

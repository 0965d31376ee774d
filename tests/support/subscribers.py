"""An independent MQTT subscriber: paho in its own thread, no code of ours in the way."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho

from tests.support import waiting
from tests.support.listeners import Listener

WAIT_S_MAX = waiting.WITHIN_S


@dataclass(frozen=True, slots=True)
class Seen:
    """One message as it arrived; `at_ns` is CLOCK_MONOTONIC, shared by every process."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    content_type: str | None
    at_ns: int
    user: tuple[tuple[str, str], ...] = ()


class Subscriber(Listener):
    """Collects every message of the given filters, from before `__enter__` returns."""

    def __init__(
        self,
        port: int,
        *filters: str,
        version: str = "5",
        user: tuple[str, str] | None = None,
        ca: Path | None = None,
    ) -> None:
        protocol = paho.MQTTv5 if version == "5" else paho.MQTTv311
        super().__init__(port, filters or ("#",), protocol=protocol)
        self._changed = threading.Condition()
        self._messages: list[Seen] = []
        self._client.reconnect_delay_set(1, 1)
        if user is not None:
            self._client.username_pw_set(*user)
        if ca is not None:
            self._client.tls_set(str(ca))

    def messages(self, topic_part: str = "") -> Sequence[Seen]:
        """What has arrived so far on topics that contain `topic_part`, in order of arrival."""
        with self._changed:
            return [seen for seen in self._messages if topic_part in seen.topic]

    def last(self, topic: str) -> Seen | None:
        """The newest message of exactly that topic."""
        with self._changed:
            return next((seen for seen in reversed(self._messages) if seen.topic == topic), None)

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish at QoS 0, as a host does."""
        self._client.publish(topic, payload, retain=retain)

    def wait(self, holds: Callable[[], bool], timeout_s: float = WAIT_S_MAX) -> None:
        """Return as soon as `holds()`, which is asked again after each message."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not holds():
                left = deadline - time.monotonic()
                assert left > 0, f"waited {timeout_s} s in vain; saw {self.summary()}"
                self._changed.wait(left)

    async def until(self, holds: Callable[[], bool], timeout_s: float = WAIT_S_MAX) -> None:
        """`wait` without blocking the event loop, for as many at once as like."""
        await waiting.until(holds, timeout_s, instead=self.summary)

    def summary(self) -> str:
        """How much has come, and what came last."""
        tail = ", ".join(f"{seen.topic} {seen.payload[:80]!r}" for seen in self._messages[-10:])
        return f"{len(self._messages)} messages, the last: {tail}"

    def _on_message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        del client, userdata
        at_ns = time.monotonic_ns()
        content_type = getattr(message.properties, "ContentType", None)
        seen = Seen(
            message.topic,
            bytes(message.payload),
            message.qos,
            message.retain,
            content_type,
            at_ns,
            tuple(getattr(message.properties, "UserProperty", ())),
        )
        with self._changed:
            self._messages.append(seen)
            self._changed.notify_all()

"""Hearing over one MQTT connection: who asked for a topic gets its messages, at once."""

import contextlib
from collections.abc import Callable
from functools import partial
from typing import Any

from paho.mqtt.client import MQTTMessage
from paho.mqtt.subscribeoptions import SubscribeOptions

from gatewayd.upstreams.mqtt_terms import Dial, Heard
from gatewayd.upstreams.mqtt_wire import Wire


class Ears(Wire):
    """A wire that hears; what nobody asked for is thrown away."""

    def __init__(self, dial: Dial) -> None:
        super().__init__(dial)
        self._deaf: dict[int, Callable[[str], None]] = {}

    def listen(
        self,
        topic: str,
        hear: Callable[[Heard], None],
        deaf: Callable[[str], None],
        *,
        as_published: bool = True,
    ) -> None:
        """Subscribe at QoS 1; `hear` gets each message, `deaf` why the broker refuses. No raising.

        Filters must not overlap. Under 3.1.1, or not `as_published`, a retained message says so only
        when it was waiting at the broker. Raises UpstreamError when the connection is lost.
        """
        self._check()
        self._client.message_callback_add(topic, partial(_tell, hear))
        if self._dial.v5:
            options = SubscribeOptions(1, retainAsPublished=as_published)
            _, mid = self._client.subscribe(topic, options=options)
        else:
            _, mid = self._client.subscribe(topic, 1)
        if mid is not None:
            self._deaf[mid] = deaf

    def _on_subscribe(self, *event: Any, **_: Any) -> None:
        _client, _userdata, mid, codes = event[:4]
        deaf = self._deaf.pop(mid, None)
        refused = [code for code in codes if code.is_failure]
        if refused and deaf is not None:
            deaf(str(refused[0]))

    def _on_message(self, *_event: Any, **_: Any) -> None:
        """Nobody asked for it."""


def _tell(
    hear: Callable[[Heard], None], _client: object, _userdata: object, message: MQTTMessage
) -> None:
    properties = message.properties
    with contextlib.suppress(UnicodeDecodeError):  # no topic of ours
        hear(
            Heard(
                message.topic,
                bytes(message.payload),
                retained=bool(message.retain),
                response_topic=getattr(properties, "ResponseTopic", None),
                correlation=getattr(properties, "CorrelationData", None),
            )
        )

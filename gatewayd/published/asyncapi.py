"""The AsyncAPI 3 document of the MQTT interface (contract §6), from the same source as the schemas.

Shapes that several messages share stand once under `components`; a reference inside a schema would
be read from the top of the document, so none points into a schema's own `$defs`.
"""

from collections.abc import Mapping
from typing import Any, Final

from gatewayd.commands.schemas import documents as command_documents
from gatewayd.shapes import documents
from gatewayd.shapes.catalogue import (
    RECORDS,
    TOPICS,
    VERSION,
    Topic,
    command_ids,
    record_id,
    topic_id,
)
from gatewayd.upstreams.door import COMMANDS

NAME: Final = "asyncapi"
ROOT: Final = "{prefix}/{station}"
CLOUD_EVENT: Final = "application/cloudevents+json"
JSON: Final = "application/json"
SCHEMA_FORMAT: Final = "application/schema+json;version=2020-12"
PLACES: Final[Mapping[str, str]] = {
    "prefix": "`prefix` of the upstream's settings, `gatewayd/v1` where it says nothing.",
    "station": "Id of the station.",
    "device": "Name of a device.",
    "rig": "Name of a rig.",
    "point": "Name of a scan point.",
    "alarm": "Kind and subject of an alarm, with a dot between them.",
    "upstream": "Name of an upstream.",
}
MQTT_BINDING: Final = "0.2.0"


class _Parts:
    """The document while it grows."""

    def __init__(self) -> None:
        self.channels: dict[str, Any] = {}
        self.operations: dict[str, Any] = {}
        self.messages: dict[str, Any] = {}
        self.schemas: dict[str, Any] = {}

    def message(self, name: str, schema: Mapping[str, Any], content_type: str = JSON) -> None:
        """A message and its schema, whose shapes become components of the document."""
        self.schemas[name] = self._component(name, schema)
        payload = {"schemaFormat": SCHEMA_FORMAT, "schema": _ref("schemas", name)}
        self.messages[name] = {"name": name, "contentType": content_type, "payload": payload}

    def _component(self, name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
        own = {part: f"{name}.{part}" for part in schema.get("$defs", {})}
        for part, shape in schema.get("$defs", {}).items():
            self.schemas[own[part]] = _moved(shape, name, own)
        plain = {
            key: part for key, part in schema.items() if key not in {"$defs", "$schema", "$id"}
        }
        moved: dict[str, Any] = _moved(plain, name, own)
        return moved

    def channel(self, name: str, path: str, *messages: str) -> None:
        """A topic below the station, and what comes there."""
        address = f"{ROOT}/{path}"
        places = {
            place: {"description": said}
            for place, said in PLACES.items()
            if "{" + place + "}" in address
        }
        channel = {"address": address, "parameters": places}
        self.channels[name] = channel | {
            "messages": {each: _ref("messages", each) for each in messages}
        }

    def operation(self, name: str, channel: str, action: str, **more: Any) -> None:
        """What the gateway does there: `send` or `receive`."""
        self.operations[name] = {
            "action": action,
            "channel": {"$ref": f"#/channels/{channel}"},
            **more,
        }


def document() -> dict[str, Any]:
    """The whole document."""
    parts = _Parts()
    for kind in RECORDS:
        _record(parts, kind)
    for topic in TOPICS:
        _board(parts, topic)
    schemas = command_documents()
    for command in sorted(COMMANDS):
        _command(parts, command, schemas)
    _confirmation(parts)
    return {
        "asyncapi": "3.0.0",
        "id": "urn:gatewayd:asyncapi",
        "info": _INFO,
        "defaultContentType": JSON,
        "servers": {"broker": _SERVER},
        "channels": parts.channels,
        "operations": parts.operations,
        "components": {"messages": parts.messages, "schemas": parts.schemas},
    }


_INFO: Final = {
    "title": "gatewayd over MQTT",
    "version": VERSION,
    "description": "Records and states of a gas-cylinder filling station, and what a platform may "
    "ask of it. Seen from the gateway: it sends records and states and receives commands. Records "
    "come at least once; one that comes again has the same `id`.",
    "license": {"name": "Apache-2.0"},
}
_SERVER: Final = {
    "host": "{host}",
    "protocol": "mqtt",
    "protocolVersion": "5.0",
    "description": "The broker of an upstream's `url`; MQTT 3.1.1 where its settings say so.",
    "variables": {"host": {"default": "localhost:1883"}},
    "bindings": {
        "mqtt": {
            "lastWill": {"topic": f"{ROOT}/status", "qos": 1, "retain": True},
            "bindingVersion": MQTT_BINDING,
        }
    },
}


def _record(parts: _Parts, kind: str) -> None:
    name = record_id(kind)
    parts.message(name, documents.record_schema(kind), CLOUD_EVENT)
    parts.channel(f"records.{kind}", f"records/{kind}", name)
    parts.operation(f"send.records.{kind}", f"records.{kind}", "send", bindings=_mqtt(qos=1))


def _board(parts: _Parts, topic: Topic) -> None:
    name = topic_id(topic)
    parts.message(name, documents.topic_schema(topic))
    parts.channel(topic.name, topic.address, name)
    qos = 1 if topic.retained else 0
    bindings = _mqtt(qos=qos, retain=topic.retained)
    parts.operation(f"send.{topic.name}", topic.name, "send", bindings=bindings)


def _command(parts: _Parts, command: str, schemas: Mapping[str, Mapping[str, Any]]) -> None:
    asks, answers = command_ids(command)
    parts.message(asks, schemas[f"{command}/request"])
    parts.message(answers, schemas[f"{command}/reply"])
    parts.channel(f"cmd.{command}", f"cmd/{command}", asks)
    parts.channel(f"cmd.{command}.reply", f"cmd/{command}/reply", answers)
    reply = {
        "channel": {"$ref": f"#/channels/cmd.{command}.reply"},
        "messages": [{"$ref": f"#/channels/cmd.{command}.reply/messages/{answers}"}],
    }
    parts.operation(
        f"receive.cmd.{command}", f"cmd.{command}", "receive", reply=reply, bindings=_mqtt(qos=1)
    )


def _confirmation(parts: _Parts) -> None:
    """What a platform confirms where an upstream says `ack: required`."""
    name = f"gatewayd.ack.{VERSION}"
    parts.message(name, documents.confirmation_schema())
    parts.channel("ack", "ack", name)
    parts.operation("receive.ack", "ack", "receive", bindings=_mqtt(qos=1))


def _mqtt(*, qos: int, retain: bool = False) -> dict[str, Any]:
    return {"mqtt": {"qos": qos, "retain": retain, "bindingVersion": MQTT_BINDING}}


def _ref(what: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{what}/{name}"}


def _moved(part: Any, name: str, own: Mapping[str, str]) -> Any:
    """A part of a schema whose references point at components of the document."""
    if isinstance(part, list):
        return [_moved(each, name, own) for each in part]
    if not isinstance(part, dict):
        return part
    target = part.get("$ref")
    if isinstance(target, str):
        inside = target.removeprefix("#/$defs/")
        where = name if target == "#" else own[inside]
        return {**part, **_ref("schemas", where)}
    return {key: _moved(each, name, own) for key, each in part.items()}

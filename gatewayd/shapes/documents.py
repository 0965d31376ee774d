"""JSON Schemas (2020-12) from the shapes. Open: more keys may come, those named always do."""

from collections.abc import Mapping
from typing import Any, Final, NotRequired

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import TypedDict

from gatewayd.shapes.catalogue import RECORDS, TOPICS, VERSION, Topic, record_id, topic_id
from gatewayd.shapes.common import Moment

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
URN: Final = "urn:gatewayd:{}"
HEX_64: Final = "^[0-9a-f]{64}$"


class Envelope(TypedDict):
    """A record: a CloudEvents 1.0 envelope around its `data` (contract §7)."""

    specversion: str
    id: str
    source: str
    type: str
    time: Moment
    datacontenttype: str
    sequence: int
    prevhash: str
    hash: str
    signature: NotRequired[str]
    data: dict[str, Any]


class Confirmation(TypedDict):
    """What a platform has safe: one record, several, or everything up to a sequence. One of them."""

    id: NotRequired[str]
    ids: NotRequired[list[str]]
    through_sequence: NotRequired[int]


_FIXED: Final[Mapping[str, Mapping[str, Any]]] = {
    "specversion": {"const": "1.0"},
    "id": {"format": "uuid", "description": "UUIDv7, made once: the key to tell repetitions by."},
    "source": {"pattern": "^/stations/[^/]+(/(rigs|points)/[^/]+)?$"},
    "datacontenttype": {"const": "application/json"},
    "sequence": {"minimum": 1, "description": "Without a gap in this gateway, from 1."},
    "prevhash": {"pattern": HEX_64, "description": "`hash` of the record before; first: zeros."},
    "hash": {
        "pattern": HEX_64,
        "description": "SHA-256 of the RFC 8785 form of everything but `hash` and `signature`.",
    },
}


def record_schema(kind: str) -> dict[str, Any]:
    """The schema of a whole record of a kind."""
    data = _schema(RECORDS[kind])
    definitions = data.pop("$defs", {})
    envelope = _schema(Envelope)
    properties = envelope["properties"]
    for name, more in _FIXED.items():
        properties[name] |= more
    properties["type"]["const"] = record_id(kind)
    properties["data"] = {"$ref": "#/$defs/Data"}
    envelope |= {"title": f"Record {kind}", "$defs": {**definitions, "Data": data}}
    return identified(record_id(kind), envelope)


def topic_schema(topic: Topic) -> dict[str, Any]:
    """The schema of what a topic shows."""
    return identified(topic_id(topic), _schema(topic.shape))


def confirmation_schema() -> dict[str, Any]:
    """The schema of what a platform confirms on `{p}/ack`."""
    return identified(f"gatewayd.ack.{VERSION}", _schema(Confirmation))


def schemas() -> dict[str, dict[str, Any]]:
    """Every schema of records and topics by its id."""
    made = {record_id(kind): record_schema(kind) for kind in RECORDS}
    return made | {topic_id(one): topic_schema(one) for one in TOPICS}


def identified(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema that says which dialect it speaks and what it is called."""
    return {"$schema": DIALECT, "$id": URN.format(name), **schema}


class _Plain(GenerateJsonSchema):
    """Without a title that only repeats the key."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never."""
        del schema
        return False


def _schema(shape: Any) -> dict[str, Any]:
    return TypeAdapter(shape).json_schema(schema_generator=_Plain)

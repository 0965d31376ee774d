"""Sparkplug B payloads as protobuf; the only file that knows that library.

Field numbers and data types: Eclipse Sparkplug 3.0.0, 6.4 (payload definition) and 6.4.16. The
message is declared here because the published definition has another licence than this program.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeAlias

from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

PAYLOAD_BYTES_MAX: Final = 65_536
"""A larger command is not read."""
Value: TypeAlias = int | float | bool | str | None


class Type(IntEnum):
    """Data types that we use (6.4.16)."""

    INT64 = 4
    UINT64 = 8
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12


@dataclass(frozen=True, slots=True)
class Metric:
    """One value. In a birth `name` and `alias`, later the alias alone; times are ms since 1970."""

    type: Type
    value: Value
    at_ms: int
    name: str | None = None
    alias: int | None = None
    historical: bool = False


class NoPayloadError(ValueError):
    """These bytes are no Sparkplug payload."""


_FIELD: Final = descriptor_pb2.FieldDescriptorProto
_METRIC: Final = (
    ("name", 1, _FIELD.TYPE_STRING),
    ("alias", 2, _FIELD.TYPE_UINT64),
    ("timestamp", 3, _FIELD.TYPE_UINT64),
    ("datatype", 4, _FIELD.TYPE_UINT32),
    ("is_historical", 5, _FIELD.TYPE_BOOL),
    ("is_null", 7, _FIELD.TYPE_BOOL),
    ("long_value", 11, _FIELD.TYPE_UINT64),
    ("double_value", 13, _FIELD.TYPE_DOUBLE),
    ("boolean_value", 14, _FIELD.TYPE_BOOL),
    ("string_value", 15, _FIELD.TYPE_STRING),
)
_PAYLOAD: Final = (("timestamp", 1, _FIELD.TYPE_UINT64), ("seq", 3, _FIELD.TYPE_UINT64))
_ENTRY: Final = {
    Type.INT64: "long_value",
    Type.UINT64: "long_value",
    Type.DOUBLE: "double_value",
    Type.BOOLEAN: "boolean_value",
    Type.STRING: "string_value",
}


def _payload_class() -> Any:
    """The class of a payload, in a pool of its own: others may declare the same message."""
    file = descriptor_pb2.FileDescriptorProto(name="gatewayd_sparkplug.proto", syntax="proto2")
    for owner, fields in (("Metric", _METRIC), ("Payload", _PAYLOAD)):
        made = file.message_type.add(name=owner)
        for name, number, kind in fields:
            made.field.add(name=name, number=number, type=kind, label=_FIELD.LABEL_OPTIONAL)
    several = {"label": _FIELD.LABEL_REPEATED, "type": _FIELD.TYPE_MESSAGE}
    file.message_type[1].field.add(name="metrics", number=2, type_name="Metric", **several)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("Payload"))


_Payload: Final = _payload_class()


def encode(metrics: Sequence[Metric], *, at_ms: int, seq: int | None) -> bytes:
    """A payload; `seq` None only for a death."""
    payload = _Payload(timestamp=at_ms)
    if seq is not None:
        payload.seq = seq
    for metric in metrics:
        _put(payload.metrics.add(), metric)
    return bytes(payload.SerializeToString())


def _put(into: Any, metric: Metric) -> None:
    into.timestamp, into.datatype = metric.at_ms, int(metric.type)
    if metric.name is not None:
        into.name = metric.name
    if metric.alias is not None:
        into.alias = metric.alias
    if metric.historical:
        into.is_historical = True
    if metric.value is None:
        into.is_null = True
        return
    value = metric.value
    if metric.type is Type.INT64:
        assert isinstance(value, int), metric
        value %= 2**64  # two's complement (6.4.16)
    setattr(into, _ENTRY[metric.type], value)


def asks_for(body: bytes, name: str) -> bool:
    """Whether a command sets the boolean metric of this name; raises NoPayloadError."""
    if len(body) > PAYLOAD_BYTES_MAX:
        raise NoPayloadError(f"{len(body)} bytes")
    return any(one.name == name and one.boolean_value for one in _decoded(body).metrics)


def texts(body: bytes) -> list[str]:
    """The values of a payload that are text; raises NoPayloadError."""
    return [one.string_value for one in _decoded(body).metrics if one.HasField("string_value")]


def _decoded(body: bytes) -> Any:
    try:
        return _Payload.FromString(body)
    except message.DecodeError as exc:
        raise NoPayloadError(str(exc)) from exc

"""LLRP messages as values and back: the only file that touches `llrpkit`.

Of llrpkit 0.3 only the generated encoder and decoder is used, not its client: that client ends the
link at the first message it cannot decode, does not notice missing keepalives, hides raw bytes and
drops the oldest reports of a full queue. The codec itself computes bytes only. What it does not do
is done here: vendor parameters of a firmware it does not know stay bytes instead of failing the
message, endless nesting is refused, and the XPC words of LLRP 1.1 are known.

Names of parameters and of their values are llrpkit's: the standard's names in snake case.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias, TypeVar, cast

from llrpkit.exceptions import MessageDecodeError
from llrpkit.protocol import codec, impinj, messages, params
from llrpkit.protocol.codec import BitStr, LLRPMessage, LLRPParameter

from protocols.framing import FrameError, shown
from protocols.readers.llrp_envelope import check, message_name

T = TypeVar("T")

NESTED_MAX = 12
"""Parameters inside parameters; the deepest of the standard are 7 deep."""


@dataclass(frozen=True, slots=True)
class Bits:
    """A string of bits, first bit first, packed into bytes and filled up with zeros."""

    count: int
    packed: bytes


Value: TypeAlias = int | str | bytes | Bits | tuple[int, ...]
"""A number (an IntEnum when the standard names it), text, bytes, bits, or several numbers."""
Values: TypeAlias = Mapping[str, Value]

NO_VALUES: Values = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter: its own values, then the parameters inside it, in the standard's order."""

    name: str
    values: Values = field(default_factory=lambda: NO_VALUES)
    params: tuple["Param", ...] = ()

    def first(self, name: str) -> "Param | None":
        """The first parameter of that name directly inside."""
        return next((param for param in self.params if param.name == name), None)

    def all(self, name: str) -> tuple["Param", ...]:
        """All parameters of that name directly inside, in order."""
        return tuple(param for param in self.params if param.name == name)

    def number(self, name: str, default: int = 0) -> int:
        """A value that is a number, `default` when there is none."""
        value = self.values.get(name, default)
        assert isinstance(value, int), (name, value)
        return value


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message. `name` is the standard's, or the vendor's own for a known custom message."""

    name: str
    message_id: int
    body: Param
    version: int = 1

    def first(self, name: str) -> Param | None:
        """The first parameter of that name at the top."""
        return self.body.first(name)


@codec.register_parameter
@dataclass(kw_only=True)
class _Xpcw1(LLRPParameter):
    """First extended protocol control word (LLRP 1.1, TV 19, from memory of the standard)."""

    PARAM_TYPE: ClassVar[int] = 19
    IS_TV: ClassVar[bool] = True
    xpc: int = 0

    def _encode_fields(self, w: codec.ByteWriter) -> None:
        w.u16(self.xpc)

    @classmethod
    def _decode_fields(cls, r: codec.ByteReader, _end: int) -> dict[str, Any]:
        return {"xpc": r.u16()}


@codec.register_parameter
@dataclass(kw_only=True)
class _Xpcw2(_Xpcw1):
    """Second extended protocol control word (TV 20)."""

    PARAM_TYPE: ClassVar[int] = 20


_OUR_NAMES: Mapping[type, str] = {
    _Xpcw1: "C1G2XPCW1",
    _Xpcw2: "C1G2XPCW2",
    codec.UnknownParameter: "Unknown",
    codec.UnknownCustomParameter: "Custom",
    codec.UnknownMessage: "Unknown",
    codec.UnknownCustomMessage: "CUSTOM_MESSAGE",
}
_OUR_CLASSES: Mapping[str, type[LLRPParameter]] = {
    "C1G2XPCW1": _Xpcw1,
    "C1G2XPCW2": _Xpcw2,
    "Unknown": codec.UnknownParameter,
    "Custom": codec.UnknownCustomParameter,
}


def decode(frame: bytes) -> Message:
    """A whole message; raises FrameError saying why it is none."""
    check(frame)
    found = _guarded(lambda: codec.decode_message(frame), frame)
    body = _param(found, 0)
    name = body.name
    if isinstance(found, codec.UnknownMessage):
        name = message_name(found.msg_type)
    return Message(name, found.message_id, body, found.protocol_version)


def decode_params(payload: bytes) -> tuple[Param, ...]:
    """The parameters of a message whose header was cut off; raises FrameError."""

    def read() -> list[LLRPParameter]:
        reader = codec.ByteReader(payload)
        found = []
        while reader.byte_pos < reader.size:
            found.append(codec.decode_parameter(reader))
        return found

    return tuple(_param(found, 0) for found in _guarded(read, payload))


def encode(message: Message) -> bytes:
    """The bytes of a message; asserts that it is well formed, for we made it."""
    made = _build(_message_class(message.name), message.body)
    assert isinstance(made, LLRPMessage), made
    return made.to_bytes(message_id=message.message_id, version=message.version)


def _guarded(read: Callable[[], T], raw: bytes) -> T:
    """Decode with vendor parameters known, then without: firmwares add fields to them."""
    try:
        try:
            return read()
        except MessageDecodeError:
            with _vendors_unknown():
                return read()
    except (MessageDecodeError, RecursionError) as exc:
        reason = str(exc) if isinstance(exc, MessageDecodeError) else "nested without end"
        raise FrameError(f"{reason}: {shown(raw)}") from exc


@contextmanager
def _vendors_unknown() -> Iterator[None]:
    """All that is a vendor's stays bytes; decoding is synchronous, so nobody else sees this."""
    known = dict(codec.CUSTOM_PARAMETER_REGISTRY)
    asked = dict(codec.CUSTOM_MESSAGE_REGISTRY)
    codec.CUSTOM_PARAMETER_REGISTRY.clear()
    codec.CUSTOM_MESSAGE_REGISTRY.clear()
    try:
        yield
    finally:
        codec.CUSTOM_PARAMETER_REGISTRY.update(known)
        codec.CUSTOM_MESSAGE_REGISTRY.update(asked)


@cache
def _names(kind: Hashable) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Our name of a class of llrpkit, and the names of its values and of what is inside it."""
    assert isinstance(kind, type), kind
    assert issubclass(kind, codec.LLRPStruct), kind
    inside = tuple(slot.attr for slot in kind._SLOTS)  # noqa: SLF001 - nothing public tells it
    values = tuple(f.name for f in fields(cast("Any", kind)) if f.name not in inside)
    return _OUR_NAMES.get(kind, kind.__name__), values, inside


def _class(found: object) -> Hashable:
    """The class as a key; mypy takes a class of unhashable values for unhashable itself."""
    return cast("Hashable", type(found))


def _param(found: codec.LLRPStruct, depth: int) -> Param:
    """The mutable object of llrpkit as our frozen one."""
    if depth > NESTED_MAX:
        raise FrameError(f"parameters nested more than {NESTED_MAX} deep")
    own_name, value_names, inside_names = _names(_class(found))
    values = {name: _frozen(getattr(found, name)) for name in value_names}
    inside: list[LLRPParameter] = []
    for name in inside_names:
        if value := getattr(found, name):
            inside += value if isinstance(value, list) else (value,)
    inside += found.unbound_params
    nested = tuple([_param(param, depth + 1) for param in inside])
    return Param(own_name, MappingProxyType(values), nested)


_AS_IT_IS = frozenset({int, bytes, str, bool})


def _frozen(value: Any) -> Value:
    if type(value) in _AS_IT_IS:
        return cast("Value", value)
    if isinstance(value, BitStr):
        return Bits(value.bit_len, value.data)
    if isinstance(value, list):
        return tuple(value)
    assert isinstance(value, int | str | bytes), value
    return value


def _thawed(value: Value) -> Any:
    if isinstance(value, Bits):
        return BitStr(value.count, value.packed)
    return list(value) if isinstance(value, tuple) else value


def _build(kind: type[codec.LLRPStruct], param: Param) -> codec.LLRPStruct:
    values = {name: _thawed(value) for name, value in param.values.items()}
    inside = [_build(_param_class(child.name), child) for child in param.params]
    assert all(isinstance(child, LLRPParameter) for child in inside), param
    left = codec.bind_params(kind, values, [c for c in inside if isinstance(c, LLRPParameter)])
    made = kind(**values)
    made.unbound_params.extend(left)
    return made


def _message_class(name: str) -> type[LLRPMessage]:
    if name == "CUSTOM_MESSAGE":
        return codec.UnknownCustomMessage
    if name.startswith("TYPE_"):
        return codec.UnknownMessage
    found: type = getattr(messages, name, None) or getattr(impinj, name)
    assert issubclass(found, LLRPMessage), name
    return found


def _param_class(name: str) -> type[LLRPParameter]:
    found = _OUR_CLASSES.get(name) or getattr(params, name, None) or getattr(impinj, name)
    assert issubclass(found, LLRPParameter), name
    return found

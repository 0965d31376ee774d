"""An LLRP message as plain named fields for people and tools: `gatewayd decode`, probing.

What the gateway knows by name is flat (`epc`, `antenna`, `connection_attempt`); everything else is
shown under the standard's own names, so no parameter and no vendor's extension is hidden. Bytes are
lower-case hex, enumerations the standard's words, unknown numbers stay numbers.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, TypeAlias

from protocols.framing import FrameError, Noise, shown
from protocols.readers.llrp.reports import epc_of, results_of
from protocols.readers.llrp.tables import antenna_numbers, capability_fields, config_fields
from protocols.readers.llrp.values import plain, snake, word
from protocols.readers.llrp.vendors import custom
from protocols.readers.llrp.wire import Message, Param, decode, decode_params
from protocols.readers.llrp_envelope import HEADER_BYTES, is_from_reader, new_framer, unseal

Fields: TypeAlias = dict[str, Any]

PAYLOAD_STARTS = {
    0x00F0: "RO_ACCESS_REPORT",
    0x00F6: "READER_EVENT_NOTIFICATION",
    0x011F: "",
}
"""First parameter of a payload whose header was cut off (some tools store only that): a tag report,
an event, or LLRPStatus, which begins every response."""
_RESPONSES = {
    "GeneralDeviceCapabilities": "GET_READER_CAPABILITIES_RESPONSE",
    "Identification": "GET_READER_CONFIG_RESPONSE",
    "AntennaProperties": "GET_READER_CONFIG_RESPONSE",
    "AntennaConfiguration": "GET_READER_CONFIG_RESPONSE",
    "ROSpec": "GET_ROSPECS_RESPONSE",
    "AccessSpec": "GET_ACCESSSPECS_RESPONSE",
}
_TAG_NAMES: Mapping[str, str] = {
    "AntennaID": "antenna",
    "PeakRSSI": "peak_rssi_dbm",
    "FirstSeenTimestampUTC": "first_seen_utc_us",
    "FirstSeenTimestampUptime": "first_seen_uptime_us",
    "LastSeenTimestampUTC": "last_seen_utc_us",
    "LastSeenTimestampUptime": "last_seen_uptime_us",
    "TagSeenCount": "seen_count",
    "ChannelIndex": "channel_index",
    "ROSpecID": "rospec_id",
    "SpecIndex": "spec_index",
    "InventoryParameterSpecID": "inventory_parameter_spec_id",
    "AccessSpecID": "accessspec_id",
}
_TAG_WORDS = {
    "C1G2_PC": "pc",
    "C1G2_CRC": "crc",
    "C1G2XPCW1": "xpc_w1",
    "C1G2XPCW2": "xpc_w2",
}


def fields(data: bytes) -> Fields:
    """What one message, several back to back, or a bare payload says; raises FrameError."""
    if int.from_bytes(data[:2], "big") in PAYLOAD_STARTS:
        return _payload(data)
    if len(data) > (size := int.from_bytes(data[2:6], "big")) >= HEADER_BYTES:
        unseal(data[:size])
        return _stream(data)
    return message_fields(decode(data))


def message_fields(message: Message) -> Fields:
    """What one message says."""
    found: Fields = {
        "direction": "device>host" if is_from_reader(message.name) else "host>device",
        "type": message.name,
        "version": message.version,
        "message_id": message.message_id,
    }
    if message.name == "CUSTOM_MESSAGE" or message.name.startswith("IMPINJ_"):
        found |= custom(message)
    if message.name == "RO_ACCESS_REPORT":
        found["tags"] = []  # A report may be empty; it is a report all the same.
    return {**found, **_body(message.body)}


def _stream(data: bytes) -> Fields:
    """Several messages back to back; anything else between them is an error."""
    framer = new_framer()
    messages: list[Message] = []
    lengths: Counter[int] = Counter()
    for piece in framer.feed(data) + framer.idle():
        if isinstance(piece, Noise):
            raise FrameError(f"{piece.reason}: {shown(piece.raw)}")
        lengths[len(piece)] += 1
        messages.append(decode(piece))
    return {
        "messages": len(messages),
        "tags": sum(len(message.body.all("TagReportData")) for message in messages),
        "lengths": _lengths(lengths),
        "frames": [message_fields(message) for message in messages],
    }


def _lengths(lengths: Counter[int]) -> str:
    """As `44 of 44 bytes and one of 55`."""
    (size, count), *others = lengths.most_common()
    rest = [f"{'one' if more == 1 else more} of {other}" for other, more in others]
    return " and ".join([f"{count} of {size} bytes", *rest])


def _payload(data: bytes) -> Fields:
    """A message without its header: its first parameters tell what it was."""
    body = Param("", params=decode_params(data))
    name = PAYLOAD_STARTS[int.from_bytes(data[:2], "big")]
    found: Fields = {"direction": "device>host", "note": "message payload only, without its header"}
    guesses = [_RESPONSES[param.name] for param in body.params if param.name in _RESPONSES]
    if name or guesses:
        found["type"] = name or guesses[0]
    return {**found, **_body(body)}


def _body(body: Param) -> Fields:
    """The values and parameters of a message, the known ones by their names."""
    found: Fields = {}
    if body.all("TagReportData"):
        found["tags"] = [tag_fields(tag) for tag in body.all("TagReportData")]
    for name, value in body.values.items():
        found[_ID_NAMES.get(name, name)] = word(value)
    rest: list[Param] = []
    for param in body.params:
        if param.name in _KNOWN:
            found |= _KNOWN[param.name](param)
        elif param.name != "TagReportData":
            rest.append(param)
    return {**found, **config_fields(rest), **capability_fields(rest), **_others(rest)}


_ID_NAMES = {"ro_spec_id": "rospec_id", "access_spec_id": "accessspec_id"}
_SHOWN_FLAT = frozenset(
    {"Identification", "AntennaProperties", "AntennaConfiguration"}
    | {"GeneralDeviceCapabilities", "RegulatoryCapabilities"}
)


def _others(params: list[Param]) -> Fields:
    """Parameters nobody named, under the standard's names."""
    found: Fields = {}
    for param in params:
        if param.name not in _SHOWN_FLAT:
            found.setdefault("parameters", []).append(plain(param))
    return found


def tag_fields(tag: Param) -> Fields:
    """One TagReportData."""
    epc = epc_of(tag)
    found: Fields = {"epc": epc.packed.hex()}
    for param in tag.params:
        if param.name in _TAG_NAMES:
            (found[_TAG_NAMES[param.name]],) = param.values.values()
        elif param.name in _TAG_WORDS:
            (number,) = (int(v) for v in param.values.values() if isinstance(v, int))
            found[_TAG_WORDS[param.name]] = f"0x{number:04X}"
        elif param.name == "ImpinjPeakRSSI":
            found["impinj_peak_rssi_cdbm"] = param.number("rssi")
        elif param.name == "EPCData":
            found |= {"epc_bits": epc.count, "epc_param": "EPCData TLV 241, not EPC-96 TV"}
        elif not param.name.endswith("OpSpecResult") and param.name != "EPC_96":
            found.setdefault("parameters", []).append(plain(param))
    if results := results_of(tag):
        found["results"] = [
            {
                "operation": r.name.removesuffix("OpSpecResult"),
                "opspec_id": r.op_id,
                "result": r.text,
            }
            | ({"data": r.data.hex()} if r.data else {})
            for r in results
        ]
    return found


def _status(param: Param) -> Fields:
    code = param.values["status_code"]
    assert isinstance(code, int), param
    found: Fields = {"llrp_status": int(code)}
    if isinstance(code, IntEnum):
        found["llrp_status_name"] = code.name
    if text := param.values["error_description"]:
        found["error_description"] = text
    return found | ({"errors": [plain(p) for p in param.params]} if param.params else {})


def _event(param: Param) -> Fields:
    found: Fields = {}
    for inside in param.params:
        if inside.name == "UTCTimestamp":
            found["utc_us"] = inside.number("microseconds")
        elif inside.name == "Uptime":
            found["uptime_us"] = inside.number("microseconds")
        elif inside.name == "ConnectionAttemptEvent":
            found["connection_attempt"] = word(inside.values["status"])
        elif not inside.values and not inside.params:
            found[snake(inside.name)] = True
        else:
            found[snake(inside.name)] = plain(inside, named=False)
    return found


def _rospec(spec: Param) -> Fields:
    found: Fields = {
        "rospec_id": spec.number("ro_spec_id"),
        "priority": spec.number("priority"),
        "state": word(spec.values["current_state"]),
    }
    boundary = spec.first("ROBoundarySpec")
    assert boundary is not None, spec
    for name, key in (
        ("ROSpecStartTrigger", "start_trigger"),
        ("ROSpecStopTrigger", "stop_trigger"),
    ):
        trigger = boundary.first(name)
        assert trigger is not None, spec
        found |= _trigger(trigger, key)
    aispecs = [_aispec(p) for p in spec.all("AISpec")]
    found |= aispecs[0] if len(aispecs) == 1 else {"aispecs": aispecs}
    known = {"ROBoundarySpec", "AISpec"}
    return found | {
        snake(p.name): plain(p, named=False) for p in spec.params if p.name not in known
    }


def _trigger(trigger: Param, key: str) -> Fields:
    """A trigger by its kind, with its numbers where it has any."""
    (kind, *_) = trigger.values.values()
    found: Fields = {key: word(kind)}
    numbers = plain(trigger, named=False)
    numbers.pop(next(iter(trigger.values)))
    numbers = {name: value for name, value in numbers.items() if value}
    return found | ({f"{key}_values": numbers} if numbers else {})


def _aispec(spec: Param) -> Fields:
    found: Fields = {"antennas": antenna_numbers(spec)}
    stop = spec.first("AISpecStopTrigger")
    assert stop is not None, spec
    found |= _trigger(stop, "aispec_stop")
    inventories = [_inventory(p) for p in spec.all("InventoryParameterSpec")]
    one = len(inventories) == 1
    found["inventory_parameter_spec" + ("" if one else "s")] = (
        inventories[0] if one else inventories
    )
    return found


def _inventory(spec: Param) -> Fields:
    found: Fields = {
        "id": spec.number("inventory_parameter_spec_id"),
        "protocol": word(spec.values["protocol_id"]),
    }
    return found | config_fields(list(spec.params))


def _accessspec(spec: Param) -> Fields:
    found = plain(spec, named=False)
    return {_ID_NAMES.get(name, name): value for name, value in found.items()}


def _keepalive(spec: Param) -> Fields:
    return {
        "keepalive": word(spec.values["keepalive_trigger_type"]),
        "keepalive_ms": spec.number("periodic_trigger_value"),
    }


_KNOWN: Mapping[str, Callable[[Param], Fields]] = {
    "LLRPStatus": _status,
    "ReaderEventNotificationData": _event,
    "KeepaliveSpec": _keepalive,
    "ROSpec": _rospec,
    "AccessSpec": _accessspec,
}

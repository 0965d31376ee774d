"""Fields of what a host says; a command of unknown shape yields None and is shown as bytes."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from protocols.framing import FrameError, parse
from protocols.readers.thingmagic import codes
from protocols.readers.thingmagic.commands import (
    ANTENNA_LIST,
    SEARCH_LAYOUT,
    STREAM_LAYOUT,
    STREAM_STOP,
    decode_access,
)
from protocols.readers.thingmagic.names import protocol_text
from protocols.readers.thingmagic.silion import (
    MARKER,
    START_ASYNC,
    SUBCOMMAND_NAMES,
    decode_extended_command,
)

Found: TypeAlias = dict[str, Any] | None

_WORD = 2
_SEARCH_PLAIN_BYTES = 4
"""M5e: search flags and timeout without an option byte."""
_ASYNC_HEAD_BYTES = 5
"""Metadata flags (2), option, search flags (2)."""


def _single(data: bytes) -> Found:
    if len(data) < _WORD:
        return None
    found: dict[str, Any] = {"timeout_ms": int.from_bytes(data[:2])}
    if len(data) > _WORD:
        found["option"] = f"0x{data[2]:02X}"
    return {**found, "data": data[3:].hex()} if data[3:] else found


def _search(data: bytes) -> Found:
    if len(data) == _WORD:
        return {"timeout_ms": int.from_bytes(data)}
    if len(data) == _SEARCH_PLAIN_BYTES:
        flags, timeout_ms = int.from_bytes(data[:2]), int.from_bytes(data[2:])
        return {"search_flags": f"0x{flags:04X}", "timeout_ms": timeout_ms}
    try:
        found = parse(SEARCH_LAYOUT, data, "search")
    except FrameError:
        return None
    fields: dict[str, Any] = {
        "option": f"0x{found.option:02X}",
        "search_flags": f"0x{found.search_flags:04X}",
        "timeout_ms": found.timeout_ms,
    }
    if found.metadata is not None:
        fields["metadata_flags"] = f"0x{found.metadata:04X}"
    return {**fields, "data": found.rest.hex()} if found.rest else fields


def _buffer(data: bytes) -> Found:
    if len(data) != len(("flags", "flags", "options")):
        return None
    return {"metadata_flags": f"0x{int.from_bytes(data[:2]):04X}", "read_options": data[2]}


def _access(opcode: int, data: bytes) -> Found:
    try:
        found = decode_access(opcode, data)
    except FrameError:
        return None
    fields: dict[str, Any] = {
        "timeout_ms": found.timeout_ms,
        "bank": codes.BANKS.get(found.bank, found.bank),
        "word_addr": found.address,
        "word_count": found.count,
        "password": f"{found.password:08x}",
    }
    if found.epc:
        fields["epc"] = found.epc.hex()
    return {**fields, "data": found.data.hex()} if found.data else fields


def _read_data(data: bytes) -> Found:
    return _access(codes.READ_DATA, data)


def _write_data(data: bytes) -> Found:
    return _access(codes.WRITE_DATA, data)


def _continuous(data: bytes) -> Found:
    if data[2:] == bytes((STREAM_STOP,)):
        return {"action": "stop continuous reading"}
    try:
        found = parse(STREAM_LAYOUT, data, "continuous reading")
    except FrameError:
        return None
    inner = _search(found.command) if found.opcode == codes.READ_MULTIPLE else None
    head = {"action": "start continuous reading", "protocol": protocol_text(found.protocol)}
    return {**head, **(inner or {"data": found.command.hex()})}


def _antennas(data: bytes) -> Found:
    if len(data) == _WORD:
        return {"antenna_tx": data[0], "antenna_rx": data[1]}
    if not data or len(data) % 2 == 0:
        return None
    pairs = [list(data[at : at + 2]) for at in range(1, len(data), 2)]
    if data[0] == ANTENNA_LIST:
        return {"option": ANTENNA_LIST, "antennas": pairs}
    if data[0] == 0 and len(pairs) == 1:
        return {"option": 0, "antenna_tx": data[1], "antenna_rx": data[2]}
    return None


def _power(data: bytes) -> Found:
    return {"power_cdbm": int.from_bytes(data, signed=True)} if len(data) == _WORD else None


def _protocol(data: bytes) -> Found:
    return {"protocol": protocol_text(int.from_bytes(data))} if len(data) == _WORD else None


def _region(data: bytes) -> Found:
    if len(data) != 1:
        return None
    return {"region": data[0], "region_name": codes.REGION_NAMES.get(data[0], "unknown")}


def _asked(data: bytes) -> Found:
    return {"option": data[0]} if len(data) == 1 else None


def _option(data: bytes) -> Found:
    if len(data) < _WORD:
        return None
    found: dict[str, Any] = {"option": data[0], "key": f"0x{data[1]:02X}"}
    return {**found, "value": data[2:].hex()} if data[2:] else found


def _extended(data: bytes) -> Found:
    """Marker, subcommand, sum and end; raises FrameError when one of them is wrong."""
    found = decode_extended_command(data)
    code = f"{found.subcommand:04X}"
    name = SUBCOMMAND_NAMES.get(found.subcommand, "")
    fields: dict[str, Any] = {
        "marker": MARKER.decode(),
        "subcmd": f"{code} {name}".strip(),
        "sub_checksum": f"{found.sub_checksum:02x} = sum of bytes from {code} on",
        "sub_end": "bb",
    }
    if found.subcommand == START_ASYNC and len(found.data) >= _ASYNC_HEAD_BYTES:
        fields["metadata_flags"] = f"0x{int.from_bytes(found.data[:2]):04X}"
        fields["option"] = f"0x{found.data[2]:02X}"
        fields["search_flags"] = f"0x{int.from_bytes(found.data[3:5]):04X}"
    return {**fields, "data": found.data.hex()} if found.data else fields


COMMAND_FIELDS: Mapping[int, Callable[[bytes], Found]] = {
    codes.READ_SINGLE: _single,
    codes.READ_MULTIPLE: _search,
    codes.GET_BUFFER: _buffer,
    codes.READ_DATA: _read_data,
    codes.WRITE_DATA: _write_data,
    codes.CONTINUOUS: _continuous,
    codes.GET_ANTENNA: _asked,
    codes.GET_READ_POWER: _asked,
    codes.GET_WRITE_POWER: _asked,
    codes.SET_ANTENNA: _antennas,
    codes.SET_READ_POWER: _power,
    codes.SET_WRITE_POWER: _power,
    codes.SET_PROTOCOL: _protocol,
    codes.SET_REGION: _region,
    codes.GET_OPTION: _option,
    codes.SET_OPTION: _option,
    codes.EXTENDED: _extended,
}

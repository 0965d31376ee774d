"""A ThingMagic frame as plain named fields for people and tools: `gatewayd decode`, probing.

Bytes are lower-case hex, codes are `0x..` text with their name where one is known, counts and
statuses are numbers.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from protocols.framing import FrameError, Noise, shown
from protocols.readers.thingmagic import codes
from protocols.readers.thingmagic.command_fields import COMMAND_FIELDS
from protocols.readers.thingmagic.envelope import (
    REPLY_EXTRA,
    Command,
    Reply,
    decode_either,
    new_tap_framer,
)
from protocols.readers.thingmagic.names import opcode_text, protocol_text
from protocols.readers.thingmagic.records import Tag
from protocols.readers.thingmagic.replies import (
    BUFFER_HEAD_BYTES,
    Cycle,
    Searched,
    Streamed,
    buffered,
    memory,
    read_multiple,
    single,
)
from protocols.readers.thingmagic.silion import (
    MARKER,
    SUBCOMMAND_NAMES,
    AsyncTag,
    Heartbeat,
    decode_extended_reply,
)

Fields: TypeAlias = dict[str, Any]

VERSION_BYTES = 20


def fields(data: bytes) -> Fields:
    """What one frame of either direction says, or several back to back; raises FrameError."""
    if len(data) > 1 and len(data) > data[1] + REPLY_EXTRA:
        return _several(data)
    frame = decode_either(data)
    return _command(frame) if isinstance(frame, Command) else _reply(frame)


def tag_fields(tag: Tag) -> Fields:
    """One sighting; what the module did not tell is left out."""
    plain = ("read_count", "rssi_dbm", "freq_khz", "timestamp_ms", "phase", "protocol", "data_bits")
    found: Fields = {name: getattr(tag, name) for name in plain if getattr(tag, name) is not None}
    if tag.antenna_raw is not None:
        found["antenna"] = tag.antenna
        found["antenna_tx"], found["antenna_rx"] = tag.antenna_raw >> 4, tag.antenna_raw & 0x0F
    if tag.data:
        found["data"] = tag.data.hex()
    if tag.gpio is not None:
        found["gpio"] = tag.gpio
    if tag.pc:
        found["epc_bits"] = 8 * len(tag.pc + tag.epc + tag.crc)
        found["pc"] = tag.pc.hex()
    if not tag.pc and not tag.crc_ok:  # No PC and no proof: an id of some other tag protocol.
        return {**found, "tag_id": tag.epc.hex(), "tag_crc": tag.crc.hex(), "gen2_crc_ok": False}
    crc = {"gen2_crc": tag.crc.hex(), "gen2_crc_ok": tag.crc_ok}
    return {**found, "epc": tag.epc.hex(), **crc}


def _several(data: bytes) -> Fields:
    framer = new_tap_framer()
    found = []
    for piece in framer.feed(data) + framer.idle():
        if isinstance(piece, Noise):
            raise FrameError(f"{piece.reason}: {shown(piece.raw)}")
        found.append(fields(piece))
    return {"frames": found}


def _command(command: Command) -> Fields:
    head: Fields = {"direction": "host>device", "opcode": opcode_text(command.opcode, asked=True)}
    if command.opcode in codes.OPCODE_NAMES:
        head["opcode_name"] = codes.OPCODE_NAMES[command.opcode]
    read = COMMAND_FIELDS.get(command.opcode)
    found = read(command.data) if read is not None else None
    if found is None:
        found = {"data": command.data.hex()} if command.data else {}
    return {**head, **found}


def _reply(reply: Reply) -> Fields:
    head: Fields = {
        "direction": "device>host",
        "opcode": opcode_text(reply.opcode, asked=False),
        "status": reply.status,
    }
    if reply.opcode in codes.OPCODE_NAMES:
        head["opcode_name"] = codes.OPCODE_NAMES[reply.opcode]
    if reply.status in codes.STATUS_NAMES:
        head["status_name"] = codes.STATUS_NAMES[reply.status]
    if reply.status == codes.NO_TAG and reply.opcode == codes.READ_MULTIPLE and not reply.data:
        head["meaning"] = "no tag; in a stream: the reader lives"
    read = _REPLIES.get(reply.opcode)
    if read is None or not reply.data or reply.status != codes.OK:
        return {**head, "data": reply.data.hex()} if reply.data else head
    return {**head, **read(reply)}


def _version(reply: Reply) -> Fields:
    if len(reply.data) != VERSION_BYTES:
        return {"data": reply.data.hex()}
    names = ("boot_loader", "hardware", "firmware_date", "firmware", "protocols")
    words = [reply.data[at : at + 4].hex() for at in range(0, VERSION_BYTES, 4)]
    return dict(zip(names, words, strict=True))


def _program(reply: Reply) -> Fields:
    code = reply.data[0]
    boot_loader = code & codes.PROGRAM_BITS == codes.BOOT_LOADER
    name = "boot loader" if boot_loader else "application"
    return {"program": f"0x{code:02X} {name}"}


def _single(reply: Reply) -> Fields:
    return tag_fields(single(reply.data))


def _multiple(reply: Reply) -> Fields:
    found = read_multiple(reply)
    match found:
        case Searched():
            return {"tags_found": found.count, "data": reply.data.hex()}
        case Streamed():
            return _streamed(found)
        case Cycle():
            return {}


def _streamed(found: Streamed) -> Fields:
    head: Fields = {
        "option": f"0x{found.option:02X}",
        "search_flags": f"0x{found.search_flags:04X}",
        "response_type": found.response_type,
    }
    if found.flags is not None:
        head["metadata_flags"] = f"0x{found.flags:04X}"
    if found.tag is not None:
        return {**head, **tag_fields(found.tag)}
    if found.temperature_c is not None:
        head["temperature_c"] = found.temperature_c
    return {**head, "report": found.report.hex()}


def _buffered(reply: Reply) -> Fields:
    data = reply.data
    if len(data) == BUFFER_HEAD_BYTES and data[-1]:
        return {"read_index": int.from_bytes(data[:2]), "write_index": int.from_bytes(data[2:])}
    found = buffered(reply)
    tags = [tag_fields(tag) for tag in found.tags]
    head: Fields = {"metadata_flags": f"0x{found.flags:04X}", "read_options": found.options}
    only = tags[0] if len(tags) == 1 else {}
    return {**head, "count": len(tags), "tags": tags, **only}


def _memory(reply: Reply) -> Fields:
    return {"option": f"0x{reply.data[0]:02X}", "data": memory(reply).hex()}


def _antennas(reply: Reply) -> Fields:
    option, data = reply.data[0], reply.data[1:]
    pairs = [list(data[at : at + 2]) for at in range(0, len(data) - 1, 2)]
    if option == codes.ANTENNA_DETECTED:
        return {"option": option, "connected": [port for port, there in pairs if there == 1]}
    return {"option": option, "antennas": pairs, "data": data.hex()}


def _power(reply: Reply) -> Fields:
    names = ("power_cdbm", "power_max_cdbm", "power_min_cdbm")
    data = reply.data[1:]
    words = [int.from_bytes(data[at : at + 2], signed=True) for at in range(0, len(data) - 1, 2)]
    return {"option": reply.data[0], **dict(zip(names, words, strict=False))}


def _protocol(reply: Reply) -> Fields:
    return {"protocol": protocol_text(int.from_bytes(reply.data))}


def _region(reply: Reply) -> Fields:
    code = reply.data[0]
    return {"region": code, "region_name": codes.REGION_NAMES.get(code, "unknown")}


def _temperature(reply: Reply) -> Fields:
    return {"temperature_c": int.from_bytes(reply.data[:1], signed=True)}


def _extended(reply: Reply) -> Fields:
    found = decode_extended_reply(reply.data)
    match found:
        case AsyncTag():
            return {"metadata_flags": f"0x{found.flags:04X}", **tag_fields(found.tag)}
        case Heartbeat():
            flags = f"0x{found.flags:04X}"
            return {"meaning": "heartbeat", "search_flags": flags, "state": found.state.hex()}
        case _:
            name = SUBCOMMAND_NAMES.get(found.subcommand, "")
            head = {"marker": MARKER.decode(), "subcmd": f"{found.subcommand:04X} {name}".strip()}
            return {**head, "data": found.data.hex()} if found.data else head


_REPLIES: Mapping[int, Callable[[Reply], Fields]] = {
    codes.VERSION: _version,
    codes.BOOT: _version,
    codes.PROGRAM: _program,
    codes.READ_SINGLE: _single,
    codes.READ_MULTIPLE: _multiple,
    codes.READ_DATA: _memory,
    codes.GET_BUFFER: _buffered,
    codes.GET_ANTENNA: _antennas,
    codes.GET_READ_POWER: _power,
    codes.GET_WRITE_POWER: _power,
    codes.GET_PROTOCOL: _protocol,
    codes.GET_REGION: _region,
    codes.GET_TEMPERATURE: _temperature,
    codes.EXTENDED: _extended,
}

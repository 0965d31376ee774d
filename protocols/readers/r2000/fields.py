"""An R2000 frame as plain named fields for people and tools: `gatewayd decode`, probing.

Bytes are lower-case hex, register-like codes are `0x..` text, counts are numbers.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from construct import Bytes, Int8ub, Int16ub, Struct, Terminated, this

from protocols.checksums import genibus
from protocols.framing import FrameError, Noise, parse, shown
from protocols.readers.r2000 import codes
from protocols.readers.r2000.commands import (
    MATCH_LAYOUT,
    PASSWORD_BYTES,
    READ_LAYOUT,
    SESSION,
    WRITE_LAYOUT,
    decode_fast_switch,
)
from protocols.readers.r2000.direction import Direction, direction
from protocols.readers.r2000.envelope import HEAD_BYTES, Envelope, new_framer, unseal
from protocols.readers.r2000.replies import (
    Access,
    Answer,
    AntennaError,
    Reply,
    Result,
    RoundEnd,
    Seen,
    SwitchEnd,
    Version,
    decode_envelope,
    epc_bytes,
    freq_khz,
    is_known_reply,
)
from protocols.readers.r2000.values import value_fields

Fields: TypeAlias = dict[str, Any]

BUFFERED = Struct(
    "tags" / Int16ub,
    "size" / Int8ub,
    "tag" / Bytes(this.size),
    "rssi" / Int8ub,
    "freq_ant" / Int8ub,
    "count" / Int8ub,
    Terminated,
)
"""A tag of the buffer: how many there are, `PC EPC CRC`, signal, channel and antenna, sightings."""


def fields(data: bytes, *, way: Direction | None = None) -> Fields:
    """What one frame, or several back to back, says; raises FrameError if anything is off.

    Without `way` the frame itself tells who sent it (see `direction`).
    """
    if len(data) > HEAD_BYTES and len(data) > HEAD_BYTES + data[1]:
        found = cut(data)
        if len(found) > 1:
            return {"frames": [fields(frame, way=way) for frame in found]}
    envelope = unseal(data)
    way = way or direction(envelope)
    found_fields: Fields = {"direction": way, "adr": envelope.address}
    found_fields["cmd"] = f"0x{envelope.code:02X}"
    if envelope.code in codes.COMMAND_NAMES:
        found_fields["cmd_name"] = codes.COMMAND_NAMES[envelope.code]
    if way == "host>device":
        return {**found_fields, **_command(envelope)}
    if envelope.miscount:
        found_fields["len_leaves_out"] = envelope.miscount
    return {**found_fields, **_reply(decode_envelope(envelope))}


def cut(data: bytes) -> list[bytes]:
    """Frames back to back; anything else between them raises FrameError."""
    framer = new_framer(is_known_reply)
    frames = []
    for piece in [*framer.feed(data), *framer.idle()]:
        if isinstance(piece, Noise):
            raise FrameError(f"{piece.reason}: {shown(piece.raw)}")
        frames.append(piece)
    return frames


def named(names: Mapping[int, str], code: int) -> str:
    """`0x22 antenna missing`; an unknown code is only its number."""
    return f"0x{code:02X} {names.get(code, '')}".rstrip()


def _command(envelope: Envelope) -> Fields:
    data = envelope.data
    match envelope.code:
        case _ if not data:
            return {}
        case codes.INVENTORY | codes.BUFFERED_INVENTORY if len(data) == 1:
            return {"repeat": data[0]}
        case codes.SESSION_INVENTORY:
            return _session(data)
        case codes.FAST_SWITCH:
            return _fast_switch(data)
        case codes.READ:
            return _read(data)
        case codes.WRITE | codes.BLOCK_WRITE:
            return _write(data)
        case codes.LOCK if len(data) == PASSWORD_BYTES + 2:
            found = {"password": data[:PASSWORD_BYTES].hex()}
            bank, kind = codes.LOCK_BANKS.get(data[4], data[4]), codes.LOCK_TYPES.get(data[5])
            return {**found, "bank": bank, "lock": data[5] if kind is None else kind}
        case codes.KILL:
            return {"password": data.hex()}
        case codes.SET_MATCH:
            return _match(data)
    return value_fields(envelope.code, data)


def _session(data: bytes) -> Fields:
    found = parse(SESSION, data, "session inventory")
    target = codes.TARGETS.get(found.target, found.target)
    fields_: Fields = {"session": found.session, "target": target}
    if len(found.rest) == 3:  # noqa: PLR2004 - SL, phase, repeat of newer firmware
        fields_ |= {"sl": found.rest[0], "phase": found.rest[1]}
    elif len(found.rest) != 1:
        raise FrameError(f"session inventory of {len(data)} bytes")
    return {**fields_, "repeat": found.rest[-1]}


def _fast_switch(data: bytes) -> Fields:
    switch = decode_fast_switch(data)
    found: Fields = {
        "antennas": [{"antenna_index": index, "stay": stay} for index, stay in switch.stays],
        "interval_ms": switch.interval_ms,
    }
    if switch.extension:
        target = switch.extension.target
        found |= {"session": switch.extension.session, "target": codes.TARGETS.get(target, target)}
        found["phase"] = switch.extension.phase
    return {**found, "repeat": switch.repeat}


def _read(data: bytes) -> Fields:
    found = parse(READ_LAYOUT, data, "read")
    if len(found.password) not in {0, PASSWORD_BYTES}:
        raise FrameError(f"password of {len(found.password)} bytes in a read")
    password = {"password": found.password.hex()} if found.password else {}
    bank = codes.BANKS.get(found.bank, found.bank)
    return {"bank": bank, "word_addr": found.start, "word_count": found.count, **password}


def _write(data: bytes) -> Fields:
    found = parse(WRITE_LAYOUT, data, "write")
    return {
        "password": f"{found.password:08x}",
        "bank": codes.BANKS.get(found.bank, found.bank),
        "word_addr": found.start,
        "word_count": found.count,
        "data": found.data.hex(),
    }


def _match(data: bytes) -> Fields:
    mode = f"{data[0]} = {codes.MATCH_MODES[data[0]]}" if data[0] in codes.MATCH_MODES else data[0]
    if len(data) == 1:
        return {"mode": mode}
    found = parse(MATCH_LAYOUT, data, "select EPC")
    return {"mode": mode, "epc_len": found.size, "epc": found.epc.hex()}


def _reply(reply: Reply) -> Fields:
    match reply:
        case Result():
            return {"code": named(codes.RESULT_NAMES, reply.result)}
        case AntennaError():
            found = {"antenna_index": reply.antenna_index, "antenna": reply.antenna_index + 1}
            return {**found, "code": named(codes.RESULT_NAMES, reply.result)}
        case Seen():
            return _seen(reply)
        case RoundEnd():
            found = {"antenna_index": reply.antenna_index, "antenna": reply.antenna_index + 1}
            tags = {} if reply.tags is None else {"tag_count": reply.tags}
            end = {"read_rate": reply.reads_per_s, "total_read": reply.total}
            return {"meaning": "end of round", **found, **tags, **end}
        case SwitchEnd():
            end = {"total_read": reply.total, "duration_ms": reply.duration_ms}
            return {"meaning": "end of round", **end}
        case Version():
            return {"version": f"{reply.major}.{reply.minor}"}
        case Access():
            return _access(reply)
        case Answer(code=codes.GET_MATCH):
            return _match(reply.data)
        case Answer(code=codes.GET_BUFFER | codes.GET_AND_RESET_BUFFER):
            return _buffered(reply.data)
        case Answer():
            return value_fields(reply.code, reply.data)


def _seen(seen: Seen) -> Fields:
    khz = freq_khz(seen.freq_index)
    found: Fields = {"freq_index": seen.freq_index}
    if khz is not None:
        found["freq_mhz"] = khz / 1000
    found |= {"antenna": seen.antenna, "pc": f"{seen.pc:04x}", "epc": seen.epc.hex()}
    found |= {"rssi_raw": seen.rssi_raw, "rssi_dbm": seen.rssi_dbm}
    return found if seen.phase is None else {**found, "phase": seen.phase}


def _crc(pc: int, epc: bytes, crc: int) -> Fields:
    """What the tag sent behind its EPC, and whether it covers PC and EPC."""
    good = genibus(pc.to_bytes(2) + epc)
    return {"gen2_crc": f"{crc:04x}", "gen2_crc_ok": crc == good}


def _buffered(data: bytes) -> Fields:
    """One tag of the reader's buffer (0x90, 0x91): the manual's word, no capture exists."""
    found = parse(BUFFERED, data, "tag of the buffer")
    pc, crc_at = int.from_bytes(found.tag[:2]), 2 + epc_bytes(int.from_bytes(found.tag[:2]))
    if len(found.tag) != crc_at + 2:
        raise FrameError(f"tag of {len(found.tag)} bytes does not hold what it announces")
    epc, crc = found.tag[2:crc_at], int.from_bytes(found.tag[crc_at:])
    seen = Seen(0, codes.GET_BUFFER, found.freq_ant, pc, epc, found.rssi)
    count = {"count": found.count & 0x7F}
    return {"tag_count": found.tags, **_seen(seen), **_crc(pc, epc, crc), **count}


def _access(access: Access) -> Fields:
    found: Fields = {"tag_count": access.tag_count, "pc": f"{access.pc:04x}"}
    found |= {"epc": access.epc.hex(), **_crc(access.pc, access.epc, access.crc)}
    if access.code == codes.READ:
        found |= {"data": access.data.hex(), "read_len": len(access.data)}
    else:
        found["code"] = named(codes.RESULT_NAMES, access.result)
    if access.rssi_raw is not None:
        found["rssi_raw"] = access.rssi_raw
    return {**found, "antenna": access.antenna, "count": access.count_raw & 0x7F}

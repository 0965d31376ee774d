"""A CF frame as plain named fields for people and tools: `gatewayd decode`, probing.

Bytes are lower-case hex, register-like codes are `0x..` text, counts are numbers.
"""

import dataclasses
from typing import Any, TypeAlias

from protocols.framing import FrameError, Noise, parse, shown
from protocols.readers.chafon_cf import codes, commands
from protocols.readers.chafon_cf.direction import direction
from protocols.readers.chafon_cf.envelope import (
    GREETING,
    OVERHEAD_BYTES,
    Envelope,
    new_framer,
    unseal,
)
from protocols.readers.chafon_cf.params import Params, decode_params
from protocols.readers.chafon_cf.replies import (
    ANTENNA_POWER,
    ANTENNA_POWER_BYTES,
    Answer,
    Barcode,
    InfoReply,
    ParamsReply,
    TagAccess,
    TagSeen,
    decode_envelope,
)

Fields: TypeAlias = dict[str, Any]

_LENGTH_AT = 4
_BY = {commands.BY_TIME: "time", commands.BY_ROUNDS: "rounds"}


def fields(data: bytes) -> Fields:
    """What one frame, or several back to back, says; raises FrameError if anything is off.

    The greeting of a TCP connection may stand before them.
    """
    greeted = data.startswith(GREETING)
    data = data.removeprefix(GREETING)
    several = len(data) > _LENGTH_AT and len(data) > OVERHEAD_BYTES + data[_LENGTH_AT]
    if several:
        found: Fields = {"frames": [frame_fields(unseal(frame)) for frame in split(data)]}
    else:
        found = frame_fields(unseal(data))
    return {"greeting": GREETING.hex(), **found} if greeted else found


def split(data: bytes) -> list[bytes]:
    """Frames back to back, whichever way they go; anything between them is refused."""
    framer = new_framer(len_min=0)
    frames = []
    for piece in framer.feed(data) + framer.idle():
        if isinstance(piece, Noise):
            raise FrameError(f"{piece.reason}: {shown(piece.raw)}")
        frames.append(piece)
    return frames


def frame_fields(envelope: Envelope) -> Fields:
    """The fields of one proven frame."""
    way = direction(envelope)
    found: Fields = {
        "direction": way,
        "addr": envelope.address,
        "cmd": f"0x{envelope.code:04X}",
    }
    if envelope.code in codes.COMMAND_NAMES:
        found["cmd_name"] = codes.COMMAND_NAMES[envelope.code]
    if way == "host>device":
        return found | _command(envelope.code, envelope.data)
    return found | _reply(envelope)


def _command(code: int, data: bytes) -> Fields:
    match code:
        case codes.INVENTORY if data:
            return _inventory(data)
        case codes.SET_POWER:
            power = parse(commands.POWER, data, "power")
            return {"power_dbm": power.power_dbm, "reserved": power.reserved}
        case codes.ANTENNA_POWER if len(data) == 1:
            return _op(data[0])
        case codes.ANTENNA_POWER:
            return _antenna_power(data)
        case codes.READ | codes.WRITE:
            return _memory(data)
        case codes.SELECT_MASK:
            return _select(data)
        case codes.SET_PARAMS:
            return _params(decode_params(data))
    return {"data": data.hex()} if data else {}


def _inventory(data: bytes) -> Fields:
    inventory = commands.decode_inventory(data)
    found: Fields = {"by": _BY.get(inventory.by, inventory.by), "value": inventory.value}
    until_stopped = inventory == commands.Inventory(commands.BY_TIME, commands.FOR_EVER)
    return {**found, "note": "0 = until stopped"} if until_stopped else found


def _memory(data: bytes) -> Fields:
    memory = commands.decode_memory(data)
    bank = memory.bank
    found: Fields = {
        "password": f"{memory.password:08x}",
        "bank": codes.BANK_NAMES[bank] if bank < len(codes.BANK_NAMES) else bank,
        "word_addr": memory.start,
        "word_count": memory.count,
    }
    return {**found, "data": memory.data.hex()} if memory.data else found


def _select(data: bytes) -> Fields:
    select = parse(commands.SELECT, data, "select mask")
    return {
        "ptr_bits": select.pointer_bits,
        "mask_bits": select.mask_bits,
        "mask": select.mask.hex(),
    }


def _op(op: int) -> Fields:
    return {"op": codes.OPS.get(op, op)}


def _antenna_power(data: bytes) -> Fields:
    """Some models have less or more of it: their bytes stay as they are."""
    if len(data) != ANTENNA_POWER_BYTES:
        return {"data": data.hex()}
    found = parse(ANTENNA_POWER, data, "antenna power")
    return {
        **_op(found.op),
        "enabled": bool(found.enabled),
        "antenna_power_dbm": list(found.power_dbm),
    }


def _params(params: Params) -> Fields:
    found: Fields = dataclasses.asdict(params)
    found["work_mode_name"] = codes.WORK_MODES.get(params.work_mode)
    found["interface_name"] = codes.INTERFACES.get(params.interface)
    found["region_name"] = codes.REGIONS.get(params.region)
    if params.baud_code < len(codes.BAUDS):
        found["baud"] = codes.BAUDS[params.baud_code]
    return {name: value for name, value in found.items() if value is not None}


def _reply(envelope: Envelope) -> Fields:
    reply = decode_envelope(envelope)
    match reply:
        case Answer():
            return _answer(reply)
        case TagSeen():
            found = _radio(reply.rssi_ddbm, reply.antenna, reply.channel)
            return {"status": codes.OK, **found, "epc": reply.epc.hex()}
        case Barcode():
            found = {"status": codes.OK, **_radio(0, 0, 0), "barcode": reply.text}
            return {**found, "text": reply.text}
        case TagAccess():
            return _access(reply)
        case InfoReply(info=info):
            texts = dataclasses.asdict(info)
            texts |= {"serial": info.serial.hex(), "module_serial": info.module_serial.hex()}
            return {"status": codes.OK, **texts}
        case ParamsReply():
            return {"status": codes.OK, **_params(reply.params)}


def _answer(answer: Answer) -> Fields:
    found: Fields = {"status": codes.status_value(answer.status)}
    if answer.code == codes.ANTENNA_POWER and answer.data:
        return {**found, **_antenna_power(answer.data)}
    return {**found, "data": answer.data.hex()} if answer.data else found


def _radio(rssi_ddbm: int, antenna: int, channel: int) -> Fields:
    return {"rssi_dbm": rssi_ddbm / 10, "antenna": antenna, "channel": channel}


def _access(access: TagAccess) -> Fields:
    found: Fields = {
        "status": codes.OK,
        "tag_status": access.tag_status,
        "antenna": access.antenna,
        "pc": f"{access.pc:04x}",
        "epc": access.epc.hex(),
        "gen2_crc": f"{access.crc:04x}",
        "gen2_crc_ok": access.crc_ok,
    }
    return {**found, "data": access.data.hex()} if access.code == codes.READ else found

"""A UHFReader frame as plain named fields for people and tools: `gatewayd decode`, probing.

Bytes are lower-case hex, register-like codes are `0x..` text, counts are numbers.
"""

from typing import Any, TypeAlias

from protocols.framing import FrameError, Noise, parse, shown
from protocols.readers.uhfreader.access import ON_MEMORY, access_fields, reply_fields
from protocols.readers.uhfreader.antennas import Encoding, antennas
from protocols.readers.uhfreader.codes import (
    COMMAND_NAMES,
    INFO,
    INVENTORY,
    SET_ADDRESS,
    SET_BAUD,
    SET_POWER,
    SET_REGION,
    SET_SCAN_TIME,
    SET_WORK_MODE_18,
    SET_WORK_MODE_288,
    STATUS_NAMES,
)
from protocols.readers.uhfreader.commands import (
    ANTENNA_SELECTOR,
    SESSION_AUTO,
    TID,
    Command,
    decode_params,
)
from protocols.readers.uhfreader.direction import Direction, direction
from protocols.readers.uhfreader.envelope import (
    BRIDGE_HEARTBEAT,
    LEN_MIN,
    Dialect,
    new_framer,
    unseal,
)
from protocols.readers.uhfreader.replies import (
    Answer,
    AntennaHeartbeat,
    Info,
    Inventory,
    Push,
    Reply,
    Statistics,
    Tag,
    WorkMode,
    decode_envelope,
)

Fields: TypeAlias = dict[str, Any]

BANDS = {
    0: "user 902.6+0.4N",
    1: "China2 920.125+0.25N",
    2: "US 902.75+0.5N",
    3: "Korea 917.1+0.2N",
    4: "EU 865.1+0.2N",
}
"""Band number to name and channel plan in MHz; an unknown band stays a number."""
BAUDS = {0: 9600, 1: 19200, 2: 38400, 5: 57600, 6: 115200}
PROTOCOLS = ("6B", "6C")
TARGETS = {0: "A", 1: "B"}
_ASKS_18 = {INFO: "0x21 reader info", INVENTORY: "0x01 inventory, EPC, no data"}
"""Commands without data of dialect 18, as the published vectors name them."""
_ONE_NUMBER = {
    SET_POWER: "power_dbm",
    SET_SCAN_TIME: "scan_time_100ms",
    SET_ADDRESS: "new_adr",
    SET_WORK_MODE_288: "read_mode",
}


def fields(
    data: bytes,
    dialect: Dialect,
    *,
    way: Direction | None = None,
    encoding: Encoding = "mask",
) -> Fields:
    """What one frame, or several replies back to back, says; raises FrameError if anything is off.

    Without `way` the frame itself tells who sent it (see `direction`).
    """
    if data == BRIDGE_HEARTBEAT:
        return {"meaning": "heartbeat of the HW-VX serial-to-Ethernet bridge, not a frame"}
    if data.startswith(BRIDGE_HEARTBEAT) or (data and len(data) > 1 + data[0] > LEN_MIN):
        return _stream(data, dialect, encoding)
    envelope = unseal(data)
    way = way or direction(envelope, dialect)
    if way == "host>device":
        command = Command(envelope.address, envelope.code, envelope.payload)
        return {"direction": way, **_command(command, dialect)}
    return {"direction": way, **_reply(decode_envelope(envelope, dialect), encoding)}


def cut(data: bytes) -> list[bytes]:
    """Frames of either side and heartbeats back to back; raises FrameError for anything else."""
    framer = new_framer(len_min=LEN_MIN)
    frames: list[bytes] = []
    for piece in framer.feed(data) + framer.idle():
        if isinstance(piece, Noise):
            raise FrameError(f"{piece.reason}: {shown(piece.raw)}")
        frames.append(piece)
    return frames


def _stream(data: bytes, dialect: Dialect, encoding: Encoding) -> Fields:
    """What several frames back to back say; commands among the replies are told aside."""
    replies: list[Reply] = []
    commands: list[Fields] = []
    for frame in cut(data):
        if frame == BRIDGE_HEARTBEAT:
            continue
        envelope = unseal(frame)
        if direction(envelope, dialect) == "device>host":
            replies.append(decode_envelope(envelope, dialect))
        else:
            command = Command(envelope.address, envelope.code, envelope.payload)
            commands.append(_command(command, dialect))
    tags = [tag for reply in replies for tag in tags_of(reply)]
    return {
        "frames": len(replies) + len(commands),
        "tags": [tag.epc.hex() for tag in tags],
        "rssi_raw": [tag.rssi_raw for tag in tags],
        "end_status": replies[-1].status if replies else None,
        "replies": [_reply(reply, encoding) for reply in replies],
        **({"commands": commands} if commands else {}),
    }


def tags_of(reply: Reply) -> tuple[Tag, ...]:
    """The sightings in a reply, in order."""
    if isinstance(reply, Inventory):
        return reply.tags
    return (reply.tag,) if isinstance(reply, Push) else ()


def _hex(code: int) -> str:
    return f"0x{code:02X}"


def _band(max_fre: int, min_fre: int) -> Fields:
    band = max_fre >> 6 << 2 | min_fre >> 6
    found: Fields = {"max_fre": _hex(max_fre), "min_fre": _hex(min_fre), "band": band}
    if band in BANDS:
        found["band_name"] = BANDS[band]
    return {**found, "n_max": max_fre & 0x3F, "n_min": min_fre & 0x3F}


def _command(command: Command, dialect: Dialect) -> Fields:
    data = command.data
    asks = _ASKS_18.get(command.code) if dialect == "18" and not data else None
    found: Fields = {"adr": command.address, "cmd": asks or _hex(command.code)}
    if command.code in COMMAND_NAMES:
        found["cmd_name"] = COMMAND_NAMES[command.code]
    if command.code == INVENTORY and data:
        return {**found, **(_params(data) if dialect == "288" else _tid_area(data))}
    if command.code == SET_REGION and len(data) == len(("max", "min")):
        return {**found, **_band(data[0], data[1])}
    if command.code == SET_BAUD and len(data) == 1:
        return {**found, "baud_code": data[0], "baud": BAUDS.get(data[0])}
    if command.code in ON_MEMORY and data:
        return {**found, **_access(command)}
    if command.code in _ONE_NUMBER and len(data) == 1:
        return {**found, _ONE_NUMBER[command.code]: data[0]}
    if command.code == SET_WORK_MODE_18 and data:
        return {**found, "read_mode": data[0], "data": data.hex()}
    return {**found, "data": data.hex()} if data else found


def _access(command: Command) -> Fields:
    """A layout that does not fit is some model's own: its bytes as they are."""
    try:
        return access_fields(command.code, command.data)
    except FrameError:
        return {"data": command.data.hex()}


def _tid_area(data: bytes) -> Fields:
    area = parse(TID, data, "inventory, dialect 18")
    return {"tid_word_address": area.word_address, "tid_words": area.words}


def _params(data: bytes) -> Fields:
    params = decode_params(data)
    session = "0xFF auto" if params.session == SESSION_AUTO else params.session
    found: Fields = {"q": params.q, "session": session}
    flags = ("statistics", "strategy", "fast_id", "trailer")
    found |= {name: True for name in flags if getattr(params, name)}
    if params.mask:
        found["mask_bank"] = params.mask.bank
        found["mask_bit_address"] = params.mask.bit_address
        found["mask_bits"] = params.mask.bits
        found["mask"] = params.mask.data.hex()
    if params.tid:
        found["tid_word_address"] = params.tid.word_address
        found["tid_words"] = params.tid.words
    if params.aim:
        selector = params.aim.antenna_selector
        number = selector - ANTENNA_SELECTOR + 1
        found["target"] = TARGETS.get(params.aim.target, params.aim.target)
        found["antenna_selector"] = _hex(selector) + (f" = ant {number}" if number > 0 else "")
        found["scan_time_100ms"] = params.aim.scan_time_100ms
    return found


def _reply(reply: Reply, encoding: Encoding) -> Fields:
    found: Fields = {"adr": reply.address, **_status(reply)}
    match reply:
        case Info():
            found |= _info(reply)
        case Inventory():
            found |= _antenna(reply.antenna_raw, encoding)
            found |= {"num": len(reply.tags), "tags": [_tag(tag) for tag in reply.tags]}
        case Push():
            found |= _antenna(reply.antenna_raw, encoding) | _push(reply)
        case Statistics():
            found |= _antenna(reply.antenna_raw, encoding)
            found |= {"reads_per_s": reply.reads_per_s, "total": reply.total}
        case AntennaHeartbeat():
            found |= {"meaning": "heartbeat", "packet_no": reply.packet_no, "count": reply.count}
            found["antenna_status"] = list(reply.antenna_status)
        case WorkMode():
            found |= {"read_mode": reply.mode[0], "answers": reply.answers}
            found |= {"mode": reply.mode.hex(), "settings": reply.settings.hex()}
        case Answer(data=data) if data:
            found |= reply_fields(reply.code, reply.status, data)
    return found


def _status(reply: Reply) -> Fields:
    found: Fields = {"recmd": _hex(reply.code), "status": reply.status}
    if reply.status in STATUS_NAMES:
        found["status_name"] = STATUS_NAMES[reply.status]
    return found


def _antenna(raw: int | None, encoding: Encoding) -> Fields:
    if raw is None:
        return {}
    numbers = antennas(raw, encoding)
    found: Fields = {"antenna_mask" if encoding == "mask" else "antenna_index": raw}
    return {**found, "antenna": numbers[0], "antennas": list(numbers)}


def _tag(tag: Tag) -> Fields:
    found: Fields = {"epc": tag.epc.hex()}
    if tag.rssi_raw is not None:
        found["rssi_raw"] = tag.rssi_raw
    if tag.tid:
        found["tid"] = tag.tid.hex()
    if tag.trailer:
        found["phase_frequency"] = tag.trailer.hex()
    return found


def _push(push: Push) -> Fields:
    if push.antenna_raw is None:
        return {"epc": push.tag.epc.hex(), "data": push.tag.epc.hex()}
    return _tag(push.tag)


def _info(info: Info) -> Fields:
    bits = enumerate(PROTOCOLS)
    found: Fields = {
        "version": f"{info.version[0]}.{info.version[1]}",
        "type": _hex(info.type_code),
        "protocols": [name for bit, name in bits if info.protocols >> bit & 1],
        **_band(info.max_fre, info.min_fre),
        "power_dbm": info.power_dbm,
        "scan_time": info.scan_time_100ms,
        "scan_time_100ms": info.scan_time_100ms,
    }
    if info.ports is None:
        return {**found, "data": info.extra.hex()} if info.extra else found
    return {
        **found,
        "antenna": info.ports.antenna,
        "beep": info.ports.beep,
        "check_ant": info.ports.check_ant,
    }

"""An M100 frame as plain named fields for people and tools: `gatewayd decode`, probing.

Bytes are lower-case hex, register-like codes are `0x..` text, counts are numbers.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from protocols.framing import FrameError, Noise, parse, shown
from protocols.readers.m100 import codes, commands, settings
from protocols.readers.m100.envelope import (
    COMMAND,
    HEAD_BYTES,
    NOTIFICATION,
    OVERHEAD_BYTES,
    RESPONSE,
    TYPES,
    Frame,
    new_framer,
    unseal,
)
from protocols.readers.m100.replies import Access, Answer, Failure, TagSeen, decode_frame

Fields: TypeAlias = dict[str, Any]

TYPE_NAMES = {COMMAND: "command", RESPONSE: "response", NOTIFICATION: "notification"}


def fields(data: bytes) -> Fields:
    """What one frame, or several back to back, says; raises FrameError if anything is off."""
    announced = OVERHEAD_BYTES + int.from_bytes(data[3:HEAD_BYTES])
    if OVERHEAD_BYTES <= announced < len(data):
        return {"frames": [frame_fields(unseal(frame)) for frame in split(data)]}
    return frame_fields(unseal(data))


def split(data: bytes) -> list[bytes]:
    """Frames back to back, whichever way they go; anything between them is refused."""
    framer = new_framer(types=TYPES)
    frames = []
    for piece in framer.feed(data) + framer.idle():
        if isinstance(piece, Noise):
            raise FrameError(f"{piece.reason}: {shown(piece.raw)}")
        frames.append(piece)
    return frames


def frame_fields(frame: Frame) -> Fields:
    """The fields of one proven frame."""
    is_command = frame.type == COMMAND
    found: Fields = {
        "direction": "host>device" if is_command else "device>host",
        "style": frame.style.name,
        "type": TYPE_NAMES[frame.type],
        "cmd": f"0x{frame.code:02X}",
    }
    if frame.code in codes.COMMAND_NAMES:
        found["cmd_name"] = codes.COMMAND_NAMES[frame.code]
    if is_command:
        return found | _told(_COMMANDS, frame.code, frame.param)
    reply = decode_frame(frame)
    match reply:
        case TagSeen():
            return found | _tag(reply)
        case Access():
            return found | _access(reply)
        case Failure():
            return found | _failure(reply)
        case Answer():
            return found | _answer(reply)


def _tag(tag: TagSeen) -> Fields:
    return {
        "rssi_dbm": tag.rssi_dbm,
        **_identity(tag.pc, tag.epc),
        "gen2_crc": f"{tag.crc:04x}",
        "gen2_crc_ok": tag.crc_ok,
    }


def _access(access: Access) -> Fields:
    found: Fields = {"ul": 2 + len(access.epc), **_identity(access.pc, access.epc)}
    if access.code == codes.READ:
        return {**found, "data": access.data.hex()}
    if len(access.data) == 1:
        return {**found, "status": access.data[0]}
    return {**found, "data": access.data.hex()} if access.data else found


def _failure(failure: Failure) -> Fields:
    found: Fields = {"error": codes.error_text(failure.error), "error_code": failure.error}
    if failure.pc is None:
        return found
    return {**found, "ul": 2 + len(failure.epc), **_identity(failure.pc, failure.epc)}


def _identity(pc: int, epc: bytes) -> Fields:
    return {"pc": f"{pc:04x}", "epc": epc.hex()}


def _answer(answer: Answer) -> Fields:
    if len(answer.param) == 1 and answer.code not in _ANSWERS:
        return {"status": answer.param[0]}
    return _told(_ANSWERS, answer.code, answer.param)


Teller: TypeAlias = Callable[[bytes], Fields]


def _told(tellers: Mapping[int, Teller], code: int, param: bytes) -> Fields:
    """The parameter by its command's layout; of an unknown command, or none, as it came."""
    teller = tellers.get(code)
    if teller is not None:
        return teller(param)
    return {"data": param.hex()} if param else {}


def _info(param: bytes) -> Fields:
    found = settings.decode_info(param)
    return {"which": found.which, "text": found.text}


def _number(name: str) -> Teller:
    def tell(param: bytes) -> Fields:
        if len(param) != 1:
            raise FrameError(f"{name} of {len(param)} bytes; expected 1")
        return {name: param[0]}

    return tell


def _region(param: bytes) -> Fields:
    region = settings.region_code(param)
    return {"region": codes.region_text(region), "region_code": region}


def _power(param: bytes) -> Fields:
    power_cdbm = settings.decode_power(param)
    return {"power_cdbm": power_cdbm, "power_dbm": power_cdbm / 100}


def _multi_poll(param: bytes) -> Fields:
    found = parse(settings.MULTI_POLL, param, "multi poll")
    return {"reserved": f"0x{found.reserved:02X}", "count": found.count}


def _select(param: bytes) -> Fields:
    select = commands.decode_select(param)
    return {
        "target": select.target,
        "action": select.action,
        "bank": codes.BANK_NAMES[select.bank],
        "ptr_bits": select.pointer_bits,
        "mask_bits": select.mask_bits,
        "truncate": select.truncate,
        "mask": select.mask.hex(),
    }


def _memory(param: bytes) -> Fields:
    memory = commands.decode_memory(param)
    bank = memory.bank
    found: Fields = {
        "password": f"{memory.password:08x}",
        "bank": codes.BANK_NAMES[bank] if bank < len(codes.BANK_NAMES) else bank,
        "word_addr": memory.start,
        "word_count": memory.count,
    }
    return {**found, "data": memory.data.hex()} if memory.data else found


def _lock(param: bytes) -> Fields:
    found = parse(settings.LOCK, param, "lock")
    return {"password": f"{found.password:08x}", "lock": found.lock.hex()}


def _kill(param: bytes) -> Fields:
    return {"password": f"{parse(settings.KILL, param, 'kill').password:08x}"}


def _baud(param: bytes) -> Fields:
    return {"baud": 100 * parse(settings.BAUD, param, "baud").baud_100}


def _demodulator(param: bytes) -> Fields:
    found = parse(settings.DEMODULATOR, param, "demodulator")
    return {name: found[name] for name in ("mixer_gain", "if_gain", "threshold")}


def _scan(param: bytes) -> Fields:
    found = parse(settings.SCAN, param, "scan")
    channels = {"first_channel": found.first_channel, "last_channel": found.last_channel}
    return {**channels, "dbm": list(found.dbm)}


_COMMANDS: Mapping[int, Teller] = {
    codes.INFO: _number("which"),
    codes.SET_REGION: _region,
    codes.SET_SELECT: _select,
    codes.SET_QUERY: settings.query_fields,
    codes.SET_BAUD: _baud,
    codes.SELECT_MODE: _number("mode"),
    codes.MULTI_POLL: _multi_poll,
    codes.READ: _memory,
    codes.WRITE: _memory,
    codes.LOCK: _lock,
    codes.KILL: _kill,
    codes.SET_CHANNEL: _number("channel"),
    codes.AUTO_HOP: _number("hopping"),
    codes.CONTINUOUS_WAVE: _number("on"),
    codes.SET_POWER: _power,
    codes.SET_DEMODULATOR: _demodulator,
}
_ANSWERS: Mapping[int, Teller] = {
    codes.INFO: _info,
    codes.GET_REGION: _region,
    codes.GET_SELECT: _select,
    codes.GET_QUERY: settings.query_fields,
    codes.GET_CHANNEL: _number("channel"),
    codes.GET_POWER: _power,
    codes.GET_DEMODULATOR: _demodulator,
    codes.SCAN_JAMMER: _scan,
    codes.SCAN_RSSI: _scan,
}

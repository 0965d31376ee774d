"""PC/SC data as a format of `gatewayd decode`: ATR, command and response APDU, CCID message."""

from collections.abc import Iterator
from typing import Any, TypeAlias

from construct import Bytes, Int8ub, Int32ul, Struct, Terminated, this

from protocols.formats import Format, Part, unhex
from protocols.framing import FrameError, parse, shown
from protocols.readers import pcsc

Fields: TypeAlias = dict[str, Any]

CCID_MESSAGES = {
    0x61: "PC_to_RDR_SetParameters",
    0x62: "PC_to_RDR_IccPowerOn",
    0x63: "PC_to_RDR_IccPowerOff",
    0x65: "PC_to_RDR_GetSlotStatus",
    0x69: "PC_to_RDR_Secure",
    0x6B: "PC_to_RDR_Escape",
    0x6C: "PC_to_RDR_GetParameters",
    0x6F: "PC_to_RDR_XfrBlock",
    0x80: "RDR_to_PC_DataBlock",
    0x81: "RDR_to_PC_SlotStatus",
    0x82: "RDR_to_PC_Parameters",
    0x83: "RDR_to_PC_Escape",
}
XFR_BLOCK, DATA_BLOCK = 0x6F, 0x80
_FROM_READER = 0x80
CCID = Struct(
    "message" / Int8ub,
    "size" / Int32ul,
    "slot" / Int8ub,
    "seq" / Int8ub,
    "specific" / Bytes(3),
    "data" / Bytes(this.size),
    Terminated,
)
_CCID_HEAD_BYTES = 10
_ICC = {0: "active", 1: "inactive", 2: "absent"}

COMMANDS = {0xCA: "GET DATA", 0xB0: "READ BINARY", 0xD6: "UPDATE BINARY", 0x82: "LOAD KEY"}
_GET_DATA = {0: "UID", 1: "ATS"}
PSEUDO = {
    bytes.fromhex("ff00480000"): "ACR122 firmware string",
    pcsc.NO_BEEP: "ACR122 no beep",
    bytes.fromhex("ff00500000"): "ACR122 read operating parameter",
}
_PCSC_CLASS = 0xFF
_HEAD_BYTES = 4
_AUTHENTICATE, _DIRECT, _SELECT = 0x86, 0x00, 0xA4
_AUTHENTICATE_BYTES = 10
_KEY_TYPES = {0x60: "A", 0x61: "B"}


def fields(data: bytes) -> Fields:
    """What an ATR, an APDU, a response or a CCID message says; raises FrameError."""
    if not data:
        raise FrameError("no bytes")
    if data[0] in pcsc.TS:
        return {"direction": "device>host"} | _atr(pcsc.decode_atr(data), data)
    if data[0] in CCID_MESSAGES and len(data) >= _CCID_HEAD_BYTES:
        return _ccid(data)
    if data[0] == _PCSC_CLASS and len(data) >= _HEAD_BYTES:
        return {"direction": "host>device"} | _apdu(data)
    if len(data) >= len(("sw1", "sw2")) and _is_status(int.from_bytes(data[-2:])):
        answer = pcsc.decode_answer(data)
        return {"direction": "device>host"} | _answer(answer)
    if len(data) > _HEAD_BYTES and not data[0]:
        return {"direction": "host>device"} | _apdu(data)
    raise FrameError(f"no ATR, APDU, response or CCID message: {shown(data)}")


def _is_status(sw: int) -> bool:
    return sw >> 12 == 0x6 or sw >> 12 == 0x9  # noqa: PLR2004 - ISO/IEC 7816-4 table 5


def _atr(atr: pcsc.Atr, raw: bytes) -> Fields:
    found: Fields = {"kind": "ATR", "historical": atr.historical.hex()}
    found["protocols"] = list(atr.protocols)
    if any(atr.protocols):
        found["tck"] = f"0x{raw[-1]:02X}"
    if atr.standard is not None and atr.card is not None:
        found["standard"] = _named(atr.standard, pcsc.STANDARDS, 2)
        found["card"] = _named(atr.card, pcsc.CARDS, 4)
    return found


def _named(code: int, names: dict[int, str], digits: int) -> str:
    told = f"0x{code:0{digits}X}"
    return f"{told} {names[code]}" if code in names else told


def _apdu(raw: bytes) -> Fields:
    """A command; the key of LOAD KEY is a secret and is not told."""
    if raw in PSEUDO:
        return {"apdu": PSEUDO[raw]}
    cla, ins, p1, p2 = raw[:_HEAD_BYTES]
    body = raw[_HEAD_BYTES:]
    block = p1 << 8 | p2
    if cla != _PCSC_CLASS:
        name = "SELECT" if ins == _SELECT else f"CLA 0x{cla:02X} INS 0x{ins:02X}"
        return {"apdu": name, "p1": p1, "p2": p2, "data": body.hex()}
    match COMMANDS.get(ins):
        case "GET DATA":
            return {"apdu": f"GET DATA {_GET_DATA.get(p1, f'0x{p1:02X}')}"}
        case "READ BINARY" if len(body) == 1:
            return {"apdu": "READ BINARY", "block": block, "le": body[0]}
        case "UPDATE BINARY" if body and len(body) == 1 + body[0]:
            return {"apdu": "UPDATE BINARY", "block": block, "data": body[1:].hex()}
        case "LOAD KEY" if body and len(body) == 1 + body[0]:
            return {"apdu": "LOAD KEY", "slot": p2, "key_bytes": body[0]}
    if ins == _AUTHENTICATE and len(raw) == _AUTHENTICATE_BYTES:
        key = _KEY_TYPES.get(body[4], f"0x{body[4]:02X}")
        authenticated = int.from_bytes(body[2:4])
        return {"apdu": "AUTHENTICATE", "block": authenticated, "key": key, "slot": body[5]}
    if ins in COMMANDS:
        raise FrameError(f"{COMMANDS[ins]}: length {len(raw)} is wrong: {shown(raw)}")
    name = "DIRECT TRANSMIT" if ins == _DIRECT else f"INS 0x{ins:02X}"
    return {"apdu": name, "p1": p1, "p2": p2} | ({"data": body.hex()} if body else {})


def _answer(answer: pcsc.Answer) -> Fields:
    found: Fields = {"sw": f"{answer.sw:04x}", "meaning": pcsc.status_text(answer.sw)}
    return found | ({"data": answer.data.hex()} if answer.data else {})


def _ccid(raw: bytes) -> Fields:
    found = parse(CCID, raw, "CCID message")
    from_reader = found.message >= _FROM_READER
    told: Fields = {"direction": "device>host" if from_reader else "host>device"}
    told |= {"ccid": CCID_MESSAGES[found.message], "len": found.size}
    told |= {"slot": found.slot, "seq": found.seq}
    if from_reader:
        told |= {"icc": _ICC.get(found.specific[0] & 3, "unknown"), "error": found.specific[1]}
    if not found.data:
        return told
    if found.message == XFR_BLOCK:
        return told | {"apdu": f"{found.data.hex()} {_apdu_name(found.data)}".rstrip()}
    return told | {"data": found.data.hex()}


def _apdu_name(data: bytes) -> str:
    """The command in a block; its bytes are told even when they are none we know."""
    try:
        return str(_apdu(data)["apdu"]) if len(data) >= _HEAD_BYTES else ""
    except FrameError:
        return ""


def _parts(data: str, found: Any) -> Iterator[Part]:
    raw = unhex(data)
    if "ccid" in found:
        yield Part(raw[:_CCID_HEAD_BYTES].hex(" "), f"CCID head: {found['ccid']}")
        raw = raw[_CCID_HEAD_BYTES:]
    if raw:
        meaning = found.get("apdu") or found.get("meaning") or found.get("card")
        yield Part(raw.hex(" "), str(meaning or found.get("kind", "data")))


PCSC = Format(
    name="pcsc",
    kind="frame",
    read=lambda data: fields(unhex(data)),
    summary="PC/SC: ATR, APDU, response or CCID message",
    summary_zh="PC/SC：ATR、APDU、响应或 CCID 消息",
    parts=_parts,
    caveats=("only an ATR proves itself, by its check byte",),
)

"""What goes over a serial scanner's line, as named fields: codes, and the heads' own commands.

Zebra SSI (Simple Serial Interface guide 72-40451), GM65 / GM861 modules (their user manual §2.3;
a CRC of AB CD means do not check), Honeywell triggers. Checked on captures of both.
"""

from typing import Any, TypeAlias

from construct import Bytes, Const, Int8ub, Int16ub, Struct, Terminated, this

from protocols.checksums import sum16c, xmodem
from protocols.framing import FrameError, parse, shown
from protocols.scanners.text import decode_text, is_no_read

Fields: TypeAlias = dict[str, Any]

SSI = Struct(
    "length" / Int8ub,
    "opcode" / Int8ub,
    "source" / Int8ub,
    "status" / Int8ub,
    "data" / Bytes(this.length - 4),
    "sum" / Int16ub,
    Terminated,
)
SSI_LEN_MIN = 4
SSI_SUM_BYTES = 2
SSI_SOURCES = frozenset({0, 4})
"""0 is the decoder, 4 the host."""
SSI_OPCODES = {
    0xC6: "parameter",
    0xD0: "ack",
    0xD1: "nak",
    0xE4: "start decode",
    0xE5: "stop decode",
    0xE9: "scan enable",
    0xEA: "scan disable",
    0xF3: "decode data",
}
"""Known opcodes; an unknown one stays a number."""

GM65_COMMAND = Struct(
    "head" / Const(b"\x7e\x00"),
    "type" / Int8ub,
    "len" / Int8ub,
    "addr" / Int16ub,
    "data" / Bytes(this.len),
    "crc" / Int16ub,
    Terminated,
)
GM65_REPLY = Struct(
    "head" / Const(b"\x02\x00"),
    "type" / Int8ub,
    "len" / Int8ub,
    "data" / Bytes(this.len),
    "crc" / Int16ub,
    Terminated,
)
GM65_TYPES = {0x07: "read", 0x08: "write", 0x09: "save"}
GM65_UNCHECKED = 0xABCD
GM65_REPLY_BYTES = 6
"""A reply without its data; the length is its fourth byte."""

HONEYWELL = {b"\x16T\r": "trigger on", b"\x16U\r": "trigger off"}

_AFFIXES = {b"\r\n": "CRLF", b"\r": "CR", b"\n": "LF"}


def serial_fields(data: bytes) -> Fields:
    """One message of a serial scanner or its host; raises FrameError when it is none."""
    if not data:
        raise FrameError("no bytes")
    if data in HONEYWELL:
        return {"proto": "Honeywell", "command": HONEYWELL[data]}
    if data.startswith(b"\x7e\x00"):
        return _gm65_command(data)
    if data.startswith(b"\x02\x00"):
        return _gm65_reply(data)
    if _looks_like_ssi(data):
        return _ssi(data)
    return _text(data)


def _looks_like_ssi(data: bytes) -> bool:
    whole = len(data) == data[0] + SSI_SUM_BYTES and data[0] >= SSI_LEN_MIN
    return whole and data[2] in SSI_SOURCES


def _ssi(data: bytes) -> Fields:
    found = parse(SSI, data, "SSI")
    good = sum16c(data[:-SSI_SUM_BYTES])
    if found.sum != good:
        raise FrameError(f"wrong SSI sum {found.sum:04x}, expected {good:04x}")
    fields: Fields = {"proto": "Zebra SSI", "opcode": f"0x{found.opcode:02X}"}
    if found.opcode in SSI_OPCODES:
        fields["opcode_name"] = SSI_OPCODES[found.opcode]
    fields |= {"source": found.source, "status": found.status}
    return {**fields, "data": found.data.hex()} if found.data else fields


def _gm65_command(data: bytes) -> Fields:
    found = parse(GM65_COMMAND, data, "GM65 command")
    name = GM65_TYPES.get(found.type)
    return {
        "proto": "GM65/GM861/Waveshare",
        "type": f"0x{found.type:02X}" + (f" {name}" if name else ""),
        "len": found.len,
        "addr": f"0x{found.addr:04X}",
        "value": int.from_bytes(found.data),
        "crc": _gm65_crc(data, found.crc),
    }


def _gm65_reply(data: bytes) -> Fields:
    """The acknowledgement; the code may come right behind it in the same read."""
    size = GM65_REPLY_BYTES + data[3] if len(data) >= GM65_REPLY_BYTES else len(data)
    found = parse(GM65_REPLY, data[:size], "GM65 reply")
    fields: Fields = {
        "type": found.type,
        "len": found.len,
        "data": int.from_bytes(found.data),
        "crc": _gm65_crc(data[:size], found.crc),
    }
    return {**fields, **_text(data[size:])} if len(data) > size else fields


def _gm65_crc(data: bytes, crc: int) -> str:
    if crc == GM65_UNCHECKED:
        return "ABCD = do not check"
    good = xmodem(data[2:-2])
    if crc != good:
        raise FrameError(f"wrong GM65 checksum {crc:04x}, expected {good:04x}: {shown(data)}")
    return f"0x{crc:04X}"


def _text(data: bytes) -> Fields:
    text, fields = data, {}
    if data[:1] == b"\x02" and data.rstrip(b"\r\n")[-1:] == b"\x03":
        text, fields = data.rstrip(b"\r\n")[1:-1], {"prefix": "STX", "suffix": "ETX"}
    for affix, name in _AFFIXES.items():
        if not fields and data.endswith(affix):
            text, fields = data[: -len(affix)], {"suffix": name}
    if not text:
        raise FrameError("an empty code")
    decoded = decode_text(text)
    found: Fields = {"text": decoded, **fields, "no_read": is_no_read(decoded)}
    if decoded.startswith("]") and len(decoded) > len("]C0"):
        found |= {"aim": decoded[:3]}
    return found

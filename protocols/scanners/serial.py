"""What goes over a serial scanner's line, as named fields: codes, and the heads' own commands.

Zebra SSI (`ssi`), GM65 modules (`gm65`) and Honeywell triggers (`honeywell`) know their messages;
here one message of any of them is told apart and named. Checked on captures.
"""

import contextlib
from typing import Any, TypeAlias

from protocols.framing import FrameError, parse
from protocols.scanners import gm65, honeywell, ssi
from protocols.scanners.aim import split_aim
from protocols.scanners.text import decode_text, is_no_read

Fields: TypeAlias = dict[str, Any]

_AFFIXES = {b"\r\n": "CRLF", b"\r": "CR", b"\n": "LF"}


def serial_fields(data: bytes) -> Fields:
    """One message of a serial scanner or its host; raises FrameError when it is none."""
    if not data:
        raise FrameError("no bytes")
    if data in honeywell.COMMANDS:
        does, written = honeywell.COMMANDS[data]
        return {"proto": "Honeywell", "command": does, "cmd": written}
    if data.startswith(gm65.COMMAND_HEAD):
        return _gm65_command(data)
    if data.startswith(gm65.REPLY_HEAD):
        return _gm65_reply(data)
    if ssi.looks_like(data):
        return _ssi(data)
    return _text(data)


def _ssi(data: bytes) -> Fields:
    found = ssi.decode(data)
    fields: Fields = {"proto": "Zebra SSI", "opcode": f"0x{found.opcode:02X}"}
    if found.opcode in ssi.OPCODES:
        fields["opcode_name"] = ssi.OPCODES[found.opcode]
    fields |= {"source": found.source, "status": found.status}
    if found.data:
        fields["data"] = found.data.hex()
    if found.opcode == ssi.NAK and found.data:
        fields["reason"] = ssi.NAK_REASONS.get(found.data[0], found.data[0])
    if found.opcode == ssi.DECODE_DATA and len(found.data) > 1:
        fields["code_type"] = f"0x{found.data[0]:02X}"
        with contextlib.suppress(FrameError):  # A part of a longer code, or no text: still proven.
            fields |= _text(found.data[1:])
    return fields


def _gm65_command(data: bytes) -> Fields:
    found = parse(gm65.GM65_COMMAND, data, "GM65 command")
    name = gm65.TYPES.get(found.type)
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
    at = gm65.LENGTH_AT
    size = gm65.REPLY_BYTES + data[at] if len(data) >= gm65.REPLY_BYTES else len(data)
    found = parse(gm65.GM65_REPLY, data[:size], "GM65 reply")
    fields: Fields = {
        "type": found.type,
        "len": found.len,
        "data": int.from_bytes(found.data),
        "crc": _gm65_crc(data[:size], found.crc),
    }
    return {**fields, **_text(data[size:])} if len(data) > size else fields


def _gm65_crc(data: bytes, crc: int) -> str:
    return f"0x{crc:04X}" if gm65.prove(data, crc) else "ABCD = do not check"


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
    aim, rest = split_aim(decoded)
    return {**found, "aim": aim} if rest and aim else found

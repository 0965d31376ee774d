"""A Yusheng frame as plain named fields for people and tools: `gatewayd decode`, probing.

Fields that end in `_raw` are weights in a unit that no source states.
"""

from datetime import datetime
from typing import Any, TypeAlias

from protocols.framing import FrameError, parse, shown
from protocols.scales.yusheng import codes, layouts
from protocols.scales.yusheng.envelope import COMMAND_BIT, HEAD_BYTES, unseal

Fields: TypeAlias = dict[str, Any]

_CENTURY = 2000
_PLACE = ("cmd", "province", "city", "station", "address")
_REPORT = ("end_weight_raw", "tare_raw", "set_weight_raw", "client", "operator")
_REPORT_END = ("cylinder_type_code", "mode_code", "frame_id")
_BY_GROSS, _REAL_TARE = 0x80, 0x40
_PASSWORD_CHARS = 8


def fields(raw: bytes) -> Fields:
    """One whole frame, either way; raises FrameError."""
    body = unseal(raw)
    found = _from_scale(body) if body.startswith(layouts.HEAD) else _from_host(body)
    return {**found, "checksum_ok": True}


def _from_scale(body: bytes) -> Fields:
    cmd = body[len(layouts.HEAD)]
    if not cmd & COMMAND_BIT:
        return _points(body)
    if cmd == codes.CODE and not body[HEAD_BYTES] & COMMAND_BIT:
        return _scanned(body)
    if body[HEAD_BYTES] in codes.REPORTS:
        return _report(body)
    return _bare(body)


def _report(body: bytes) -> Fields:
    found = parse(layouts.REPORT, body, "report")
    more: Fields = {
        "command_name": codes.REPORTS[found.command],
        "card_digits": card_digits(found.card),
        "stamp": found.stamp,
        **{name: found[name] for name in _REPORT},
        **{name: found[name] for name in _REPORT_END},
        "time": _time(found.time),
        "used_seconds": found.used_seconds,
        "ticket": found.ticket,
        "set_weight_is": "gross" if found.cylinder_type_code & _BY_GROSS else "net",
        "tare_is": "weighed" if found.cylinder_type_code & _REAL_TARE else "as set",
    }
    if found.machine_no is not None:
        more["machine_no"] = found.machine_no
    if found.qr is not None:
        more["qr"] = _text(found.qr)
    return {**_place(found), "command": found.command, **more}


def _place(found: Any) -> Fields:
    return {"header": layouts.HEAD.hex().upper(), **{name: found[name] for name in _PLACE}}


def _scanned(body: bytes) -> Fields:
    found = parse(layouts.SCANNED, body, "code of the cylinder")
    if found.code_bytes > layouts.CODE_BYTES:
        raise FrameError(f"a code of {found.code_bytes} bytes in {layouts.CODE_BYTES}")
    return {
        **_place(found),
        "command_name": codes.NAMES[codes.CODE],
        "qr": _text(found.code[: found.code_bytes]),
        "machine_no": found.machine_no,
    }


def _points(body: bytes) -> Fields:
    found = parse(layouts.POINTS, body, "points")
    names = ("province", "city", "station", "address", "points")
    told = {name: found[name] for name in names}
    header = {"header": layouts.HEAD.hex().upper()}
    return {**header, **told, "data": list(found.data), "machine_no": found.machine_no}


def _bare(body: bytes) -> Fields:
    """A scale's frame that is only a command, or a command with a password."""
    found = parse(layouts.BARE, body, "command")
    told = {**_place(found), "command": found.command}
    told["command_name"] = codes.NAMES.get(found.command, found.command)
    if len(found.data) == _PASSWORD_CHARS and found.command == codes.PASSWORD:
        return told  # A password is not shown.
    return {**told, "data": found.data.hex()} if found.data else told


def _from_host(body: bytes) -> Fields:
    address, cmd = body[0], body[1]
    found: Fields = {"address": address, "cmd": cmd}
    match cmd:
        case codes.PERMIT:
            return {**found, "decision": _decision(body[2])}
        case codes.ACK:
            ack = parse(layouts.ACKNOWLEDGED, body, "acknowledgement")
            net = {} if ack.net_raw is None else {"net_raw": ack.net_raw}
            return {**found, "command": ack.command, "frame_id": ack.frame_id, **net}
    more = {"value": f"0x{body[2]:02X}"} if len(body) > 2 else {}  # noqa: PLR2004 - address, cmd
    return {**found, "command_name": codes.NAMES[cmd], **more}


def _decision(code: int) -> str:
    name = codes.DECISIONS.get(code)
    return f"0x{code:02X}" if name is None else f"{name} (0x{code:02X})"


def card_digits(card: bytes) -> str:
    """The digits of a card, low nibble first; a nibble that is no digit stays hexadecimal."""
    return "".join(f"{byte & 0xF:X}{byte >> 4:X}" for byte in card)


def _time(bcd: bytes) -> str | None:
    """The scale's own clock; None when it was never set or is no date."""
    digits = bcd.hex()
    if not digits.isdecimal():
        return None
    year, month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(0, 12, 2))
    try:
        found = datetime(_CENTURY + year, month, day, hour, minute, second)  # noqa: DTZ001 - no zone
    except ValueError:
        return None
    return found.isoformat()


def _text(raw: bytes) -> str:
    text = raw.rstrip(b"\0 ")
    if not text.isascii():
        raise FrameError(f"a code that is not ASCII: {shown(raw)}")
    return text.decode("ascii")

"""Modbus RTU frames as RFID heads exchange them, laid out for people: `gatewayd decode`.

MODBUS Application Protocol 1.1b3 §6 (functions 1 to 6, 15, 16), §7 (exceptions); the CRC proves a
frame, its length tells request from reply. A write of one register and its reply are the same bytes;
the text tells the request. What the registers mean is the head's own map.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

from protocols.formats import Fields, Format, Part, unhex
from protocols.framing import UNDECIDED, FrameError, Framer, Noise, shown
from protocols.modbus import (
    EXCEPTION_BIT,
    EXCEPTIONS,
    READ_HOLDING,
    READ_INPUT,
    WRITE_COIL,
    WRITE_MANY,
    WRITE_ONE,
    crc16,
)

READ_COILS = 1
READ_DISCRETE = 2
WRITE_COILS = 15
FRAME_BYTES_MAX = 256
FUNCTION_NAMES = {
    READ_COILS: "read coils",
    READ_DISCRETE: "read discrete inputs",
    READ_HOLDING: "read holding registers",
    READ_INPUT: "read input registers",
    WRITE_COIL: "write one coil",
    WRITE_ONE: "write one register",
    WRITE_COILS: "write coils",
    WRITE_MANY: "write registers",
}
COILS_READ_MAX = 2000
_READS_BITS = frozenset({READ_COILS, READ_DISCRETE})
_READS = frozenset({READ_HOLDING, READ_INPUT}) | _READS_BITS
_WRITES_ONE = frozenset({WRITE_COIL, WRITE_ONE})
_WRITES_MANY = frozenset({WRITE_COILS, WRITE_MANY})
_EXCEPTION_BYTES = 5
_SHORT_BYTES = 8
"""Unit, function, address, count or value, CRC."""
_READ_REPLY_EXTRA = 5
_WRITE_REQUEST_EXTRA = 9
_HEAD_BYTES = 7
"""As many bytes tell every length there may be."""
_CRC_BYTES = 2

Found: TypeAlias = dict[str, Any]


def new_framer() -> Framer:
    """Requests and replies of a bus that is listened to, each proven by its CRC."""
    return Framer(_measure, frame_bytes_max=FRAME_BYTES_MAX + _WRITE_REQUEST_EXTRA)


def fields(data: bytes) -> Found:
    """What one frame, or several back to back, says; raises FrameError."""
    framer = new_framer()
    frames = []
    for piece in framer.feed(data) + framer.idle():
        if isinstance(piece, Noise):
            raise FrameError(f"{piece.reason}: {shown(piece.raw)}")
        frames.append(_fields(piece))
    if not frames:
        raise FrameError("no bytes")
    return frames[0] if len(frames) == 1 else {"frames": frames}


def _fields(frame: bytes) -> Found:
    function = frame[1]
    head: Found = {"unit": frame[0], "fc": function & ~EXCEPTION_BIT}
    name = FUNCTION_NAMES[function & ~EXCEPTION_BIT]
    if function & EXCEPTION_BIT:
        code = frame[2]
        found = {"exception": code, "exception_name": EXCEPTIONS.get(code, "unknown")}
        return {"direction": "device>host", **head, "fc_name": name, **found}
    way = "device>host" if _is_reply(frame) else "host>device"
    return {"direction": way, **head, "fc_name": name, **_body(function, frame[2:-_CRC_BYTES], way)}


def _is_reply(frame: bytes) -> bool:
    """By length; a coil reply of three bytes is as long as a request, then by what it could ask."""
    function = frame[1]
    if function in _READS:
        fits = len(frame) == _READ_REPLY_EXTRA + frame[2]
        if len(frame) != _SHORT_BYTES:
            return fits
        return fits and not 0 < int.from_bytes(frame[4:6]) <= COILS_READ_MAX
    return function in _WRITES_MANY and len(frame) == _SHORT_BYTES


def _body(function: int, body: bytes, way: str) -> Found:
    if function in _READS and way == "device>host":
        return _values(function, body[1:])
    start, second = int.from_bytes(body[:2]), int.from_bytes(body[2:4])
    if function in _WRITES_ONE:
        value: int | bool = second if function == WRITE_ONE else second != 0
        return {"start": start, "count": 1, "values": [value]}
    found: Found = {"start": start, "count": second}
    if function in _WRITES_MANY and way == "host>device":
        values = _values(function, body[5:])["values"]
        return {**found, "values": values[:second]}
    return found


def _values(function: int, data: bytes) -> Found:
    if function in _READS_BITS or function == WRITE_COILS:
        bits = [bool(byte >> bit & 1) for byte in data for bit in range(8)]
        return {"count": len(bits), "values": bits}
    words = [int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2)]
    return {"count": len(words), "values": words, "data": data.hex()}


def _sizes(window: bytes) -> list[int]:
    """Every length that a frame which begins like this may have; raises FrameError for none."""
    function = window[1]
    if function & ~EXCEPTION_BIT not in FUNCTION_NAMES:
        raise FrameError(f"function {function} is not known")
    if function & EXCEPTION_BIT:
        return [_EXCEPTION_BYTES]
    if function in _WRITES_ONE:
        return [_SHORT_BYTES]
    if function in _WRITES_MANY:
        return [_SHORT_BYTES, _WRITE_REQUEST_EXTRA + window[6]]
    data = window[2]
    whole = data > 0 and (data % 2 == 0 or function in _READS_BITS)
    reply = [_READ_REPLY_EXTRA + data] if whole else []
    return sorted([_SHORT_BYTES, *reply])


def _measure(window: bytes) -> int:
    if len(window) < 2:  # noqa: PLR2004 - unit and function
        return UNDECIDED
    if window[1] & ~EXCEPTION_BIT not in FUNCTION_NAMES:
        raise FrameError("no Modbus function known")
    if len(window) < _HEAD_BYTES and not window[1] & EXCEPTION_BIT:
        return _short(window)
    sizes = _sizes(window)
    for size in sizes:
        if len(window) >= size and _proven(window[:size]):
            return size
    if len(window) < max(sizes):
        return UNDECIDED
    raise FrameError("wrong checksum")


def _short(window: bytes) -> int:
    """A read reply of one byte or register ends before the other lengths can be told."""
    if window[1] in _READS and len(window) > 2:  # noqa: PLR2004 - the byte count is there
        size = _READ_REPLY_EXTRA + window[2]
        if len(window) >= size > _READ_REPLY_EXTRA and _proven(window[:size]):
            return size
    return UNDECIDED


def _proven(frame: bytes) -> bool:
    return crc16(frame[:-_CRC_BYTES]) == int.from_bytes(frame[-_CRC_BYTES:], "little")


def _read(data: str) -> Fields:
    return fields(unhex(data))


def _parts(data: str, _found: Fields) -> Iterator[Part]:
    for frame in [*(framer := new_framer()).feed(unhex(data)), *framer.idle()]:
        assert isinstance(frame, bytes), frame
        name = FUNCTION_NAMES[frame[1] & ~EXCEPTION_BIT]
        yield Part(f"{frame[0]:02x}", f"unit {frame[0]}")
        yield Part(f"{frame[1]:02x}", name + (": refused" if frame[1] & EXCEPTION_BIT else ""))
        yield Part(frame[2:-_CRC_BYTES].hex(" "), "address, count and values")
        yield Part(frame[-_CRC_BYTES:].hex(" "), "CRC-16/MODBUS, low byte first: correct")


MODBUS_RFID = Format(
    name="modbus_rfid",
    kind="frame",
    read=_read,
    summary="Modbus RTU frame of an RFID head or any other Modbus device",
    summary_zh="Modbus RTU 帧（RFID 读头或其他 Modbus 设备）",
    parts=_parts,
    framer=new_framer,
    proof_bits=16,
    caveats=(
        "what the registers mean is the head's own map: profiles of rfid.modbus",
        "a write of one register or coil and its reply are the same bytes; the request is told",
    ),
)

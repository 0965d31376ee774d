"""The frames between a reader and an ISO 15693 tag: `flags cmd ... CRC`, CRC X-25, low byte first.

Source: ISO/IEC 15693-3 §7 to §10. No length is sent: only a whole frame can be proven. A reply is
told from a request by its flags: a tag sets bit 0 (error) or nothing.
"""

from typing import Any, TypeAlias

from construct import Bytes, GreedyBytes, If, Int8ub, Struct, Terminated, this

from protocols.checksums import x25
from protocols.framing import FrameError, parse
from protocols.readers.hf.iso15693 import ERRORS, UID_BYTES, is_uid, maker, named, printed

Fields: TypeAlias = dict[str, Any]

SUBCARRIERS, HIGH_RATE, INVENTORY, EXTENDED = 0x01, 0x02, 0x04, 0x08
SELECTED, ADDRESSED, OPTION = 0x10, 0x20, 0x40
AFI, ONE_SLOT = 0x10, 0x20
"""The same bits in an inventory request."""
REPLY_FLAGS = frozenset({0x00, 0x01})

COMMANDS = {
    0x01: "inventory",
    0x02: "stay quiet",
    0x20: "read single block",
    0x21: "write single block",
    0x22: "lock block",
    0x23: "read multiple blocks",
    0x25: "select",
    0x26: "reset to ready",
    0x27: "write AFI",
    0x28: "lock AFI",
    0x29: "write DSFID",
    0x2A: "lock DSFID",
    0x2B: "get system information",
    0x2C: "get multiple block security status",
}
CUSTOM_FIRST = 0xA0
"""Commands from here on are a maker's own and carry its byte."""
_BLOCK_COMMANDS = frozenset({0x20, 0x21, 0x22, 0x23, 0x2C})
_COUNTED = frozenset({0x23, 0x2C})
_CRC_BYTES = 2
_BYTES_MIN = 1 + _CRC_BYTES
_REQUEST_BYTES_MIN = 2 + _CRC_BYTES

INVENTORY_REQUEST = Struct(
    "flags" / Int8ub,
    "code" / Int8ub,
    "afi" / If(this.flags & AFI, Int8ub),
    "mask_len" / Int8ub,
    "mask" / Bytes((this.mask_len + 7) // 8),
    Terminated,
)
REQUEST = Struct(
    "flags" / Int8ub,
    "code" / Int8ub,
    "maker" / If(this.code >= CUSTOM_FIRST, Int8ub),
    "uid" / If(this.flags & ADDRESSED, Bytes(UID_BYTES)),
    "rest" / GreedyBytes,
    Terminated,
)
INVENTORY_REPLY = Struct("flags" / Int8ub, "dsfid" / Int8ub, "uid" / Bytes(UID_BYTES), Terminated)
ERROR_REPLY = Struct("flags" / Int8ub, "error" / Int8ub, Terminated)
_INVENTORY_REPLY_BYTES = 2 + UID_BYTES


def seal(body: bytes) -> bytes:
    """Flags, command and data with their CRC."""
    return body + x25(body).to_bytes(_CRC_BYTES, "little")


def unseal(frame: bytes) -> bytes:
    """The body of exactly one frame; raises FrameError when the CRC does not prove it."""
    if len(frame) < _BYTES_MIN:
        raise FrameError(f"{len(frame)} bytes are too short for an ISO 15693 air frame")
    body, told = frame[:-_CRC_BYTES], frame[-_CRC_BYTES:]
    good = x25(body).to_bytes(_CRC_BYTES, "little")
    if told != good:
        raise FrameError(f"wrong checksum {told.hex()}, expected {good.hex()}")
    return body


def is_proven(data: bytes) -> bool:
    """Whether the CRC proves these bytes as one air frame."""
    try:
        unseal(data)
    except FrameError:
        return False
    return True


def fields(frame: bytes) -> Fields:
    """What one air frame says; raises FrameError."""
    body = unseal(frame)
    crc = f"{int.from_bytes(frame[-_CRC_BYTES:], 'little'):04x} (X-25, LSB first)"
    if body[0] in REPLY_FLAGS or len(frame) < _REQUEST_BYTES_MIN:
        return {"direction": "tag>reader", **_reply(body), "crc": crc}
    return {"direction": "reader>tag", **_request(body), "crc": crc}


def flags_text(flags: int) -> str:
    """Request flags in words: `0x22 addressed, high rate`."""
    words = ["inventory", "1 slot" if flags & ONE_SLOT else "16 slots"]
    if not flags & INVENTORY:
        told = ((SELECTED, "selected"), (ADDRESSED, "addressed"))
        words = [name for bit, name in told if flags & bit]
    words.append("high rate" if flags & HIGH_RATE else "low rate")
    if flags & SUBCARRIERS:
        words.append("two subcarriers")
    if flags & OPTION:
        words.append("option")
    return f"0x{flags:02X} {', '.join(words)}"


def _request(body: bytes) -> Fields:
    flags, code = body[0], body[1]
    found: Fields = {"flags": flags_text(flags), "cmd": f"0x{code:02X}"}
    if code in COMMANDS:
        found["cmd_name"] = COMMANDS[code]
    if flags & INVENTORY:
        return found | _inventory(body)
    request = parse(REQUEST, body, "ISO 15693 request")
    if request.maker is not None:
        found["maker"] = f"0x{request.maker:02X}"
    if request.uid is not None:
        uid = printed(request.uid)
        found |= {"uid": uid.hex(), "maker": maker(uid)}
    return found | _rest(code, request.rest)


def _inventory(body: bytes) -> Fields:
    request = parse(INVENTORY_REQUEST, body, "ISO 15693 inventory")
    found: Fields = {} if request.afi is None else {"afi": request.afi}
    found["mask_len"] = request.mask_len
    return found | ({"mask": request.mask.hex()} if request.mask else {})


def _rest(code: int, rest: bytes) -> Fields:
    found: Fields = {}
    if code in _BLOCK_COMMANDS:
        if not rest:
            raise FrameError(f"ISO 15693 {COMMANDS[code]} without a block")
        found["block"], rest = rest[0], rest[1:]
    if code in _COUNTED:
        if len(rest) != 1:
            raise FrameError(f"ISO 15693 {COMMANDS[code]}: {len(rest)} bytes where a count is due")
        return found | {"count": rest[0] + 1}
    return found | ({"data": rest.hex()} if rest else {})


def _reply(body: bytes) -> Fields:
    if body[0] & 1:
        error = parse(ERROR_REPLY, body, "ISO 15693 error").error
        return {"flags": "0x01 error", "error": named(error, ERRORS)}
    found: Fields = {"flags": f"0x{body[0]:02X} ok"}
    if len(body) == _INVENTORY_REPLY_BYTES and is_uid(printed(body[2:])):
        reply = parse(INVENTORY_REPLY, body, "ISO 15693 inventory reply")
        uid = printed(reply.uid)
        return found | {"dsfid": reply.dsfid, "uid": uid.hex(), "maker": maker(uid)}
    return found | ({"data": body[1:].hex()} if body[1:] else {})

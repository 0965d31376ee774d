"""What is in an NFC tag: GET_VERSION, UID with its check bytes, capability container, TLVs, NDEF.

Source: NXP NTAG213/215/216 and MIFARE Ultralight EV1 data sheets (§8.5, §10.1), NFC Forum Type 2
and Type 5 Tag specifications (capability container, TLV blocks), ISO/IEC 14443-3 (check bytes).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from construct import Bytes, GreedyBytes, Int8ub, Struct, Terminated

from protocols.checksums import xor8
from protocols.formats import Format, Part, unhex
from protocols.framing import FrameError, parse, shown
from protocols.tags import ndef

Fields: TypeAlias = dict[str, Any]

CASCADE_TAG = 0x88
CC_MAGIC = frozenset({0xE1, 0xE2})
"""First byte of a capability container; E2 is used by large Type 5 tags."""
NULL, LOCK, MEMORY, NDEF, PROPRIETARY, TERMINATOR = 0x00, 0x01, 0x02, 0x03, 0xFD, 0xFE
LONG_LENGTH = 0xFF
TLVS_MAX = 64
MEMORY_BYTES_MAX = 4096
_DATA_UNIT_BYTES = 8
_VERSION_BYTES = 8
_HEAD_BYTES = 12
"""UID, check bytes, internal and lock bytes: pages 0 to 2."""
_CC_BYTES = 4
_UID_BYTES_MIN = 9

VENDORS = {0x04: "NXP", 0x02: "STMicroelectronics", 0x05: "Infineon"}
PRODUCTS = {0x03: "MIFARE Ultralight", 0x04: "NTAG", 0x21: "NT3H", 0x08: "DESFire light"}
SUBTYPES = {0x01: "17pF", 0x02: "50pF", 0x05: "50pF I2C"}
TYPES = {
    (0x03, 0x0B): "MIFARE Ultralight EV1 48 B user",
    (0x03, 0x0E): "MIFARE Ultralight EV1 128 B user",
    (0x04, 0x0B): "NTAG210 48 B user",
    (0x04, 0x0E): "NTAG212 128 B user",
    (0x04, 0x0F): "NTAG213 144 B user",
    (0x04, 0x11): "NTAG215 504 B user",
    (0x04, 0x13): "NTAG216 888 B user",
}
"""Product and storage byte to the type; an unknown pair has no type."""
_I2C = 0x05

VERSION = Struct(
    "header" / Int8ub,
    "vendor" / Int8ub,
    "product" / Int8ub,
    "subtype" / Int8ub,
    "major" / Int8ub,
    "minor" / Int8ub,
    "storage" / Int8ub,
    "protocol" / Int8ub,
    Terminated,
)
HEAD = Struct(
    "uid0" / Bytes(3),
    "bcc0" / Int8ub,
    "uid1" / Bytes(4),
    "bcc1" / Int8ub,
    "rest" / GreedyBytes,
    Terminated,
)


@dataclass(frozen=True, slots=True)
class Tlv:
    """One block of the data area; `value` is shorter than `length` where the dump ends."""

    tag: int
    length: int
    value: bytes


def uid_of(memory: bytes) -> bytes:
    """The 7-byte UID of pages 0 to 2; raises FrameError when a check byte is wrong."""
    head = parse(HEAD, memory, "tag head")
    good0, good1 = xor8(bytes((CASCADE_TAG,)) + head.uid0), xor8(head.uid1)
    if head.bcc0 != good0:
        raise FrameError(f"wrong check byte BCC0 {head.bcc0:02x}, expected {good0:02x}")
    if head.bcc1 != good1:
        raise FrameError(f"wrong check byte BCC1 {head.bcc1:02x}, expected {good1:02x}")
    return bytes(head.uid0 + head.uid1)


def tlvs(data: bytes) -> tuple[Tlv, ...]:
    """The blocks of a data area up to its terminator or its end; raises FrameError."""
    found: list[Tlv] = []
    while data and len(found) < TLVS_MAX:
        tag, data = data[0], data[1:]
        if tag == NULL:
            continue
        if tag == TERMINATOR:
            return (*found, Tlv(tag, 0, b""))
        length, data = _length(data)
        found.append(Tlv(tag, length, data[:length]))
        data = data[length:]
    return tuple(found)


def fields(data: bytes) -> Fields:
    """What a GET_VERSION reply, a memory from page 0, or one from page 3 on says.

    Raises FrameError when it is none of these or a check byte is wrong.
    """
    if len(data) > MEMORY_BYTES_MAX:
        raise FrameError(f"{len(data)} bytes; a tag has at most {MEMORY_BYTES_MAX}")
    if len(data) == _VERSION_BYTES and data[0] == 0:
        return _version(data)
    if data[:1] and data[0] in CC_MAGIC:
        return _area(data)
    if len(data) < _UID_BYTES_MIN:
        raise FrameError(
            f"neither a version, a UID with check bytes nor a container: {shown(data)}"
        )
    found: Fields = {"uid": uid_of(data).hex(), "bcc0": f"0x{data[3]:02X}"}
    found["bcc1"] = f"0x{data[8]:02X}"
    if len(data) >= _HEAD_BYTES:
        found["static_lock"] = data[10:12].hex()
    rest = data[_HEAD_BYTES:]
    return found | (_area(rest) if rest[:1] and rest[0] in CC_MAGIC else {})


def _version(data: bytes) -> Fields:
    found = parse(VERSION, data, "GET_VERSION")
    vendor = f"0x{found.vendor:02X}"
    fields: Fields = {
        "vendor": f"{VENDORS[found.vendor]} {vendor}" if found.vendor in VENDORS else vendor,
        "product": _named(found.product, PRODUCTS),
        "subtype": _named(found.subtype, SUBTYPES),
        "version": f"{found.major}.{found.minor}",
        "storage": f"0x{found.storage:02X}",
        "protocol": f"0x{found.protocol:02X}",
    }
    kind = TYPES.get((found.product, found.storage)) if found.subtype != _I2C else None
    return fields | ({"type": kind} if kind else {})


def _area(data: bytes) -> Fields:
    """Capability container, then blocks, then the message in the first NDEF block."""
    if len(data) < _CC_BYTES:
        raise FrameError(f"capability container of {len(data)} bytes")
    found: Fields = {"cc": data[:_CC_BYTES].hex(), "data_area_bytes": data[2] * _DATA_UNIT_BYTES}
    blocks = tlvs(data[_CC_BYTES:])
    found["tlvs"] = [_told(block) for block in blocks]
    message = next((block.value for block in blocks if block.tag == NDEF), b"")
    if len(message) < sum(block.length for block in blocks if block.tag == NDEF):
        found["cut"] = True
    return found | ({"ndef": _ndef(message)} if message else {})


def _told(block: Tlv) -> Fields:
    if block.tag == TERMINATOR:
        return {"t": block.tag}
    told: Fields = {"t": block.tag, "l": block.length}
    return told | ({"v": block.value.hex()} if block.tag != NDEF else {})


def _ndef(message: bytes) -> Fields:
    records = ndef.records(message)
    first = records[0]
    found: Fields = {"tnf": first.tnf, "type": first.type, "payload_len": first.payload_len}
    if first.tnf == ndef.WELL_KNOWN and first.type == "T" and first.payload:
        found["lang"], text = ndef.text(first)
        found |= {"text": text} if first.is_whole else {}
    elif first.tnf == ndef.WELL_KNOWN and first.type == "U" and first.is_whole:
        found["uri"] = ndef.uri(first)
    elif first.is_whole and first.payload:
        found["payload"] = first.payload.hex()
    return found | ({"records": len(records)} if len(records) > 1 else {})


def _length(data: bytes) -> tuple[int, bytes]:
    """The length of a block and what follows it: one byte, or FF and two."""
    if not data:
        raise FrameError("a block without a length")
    if data[0] != LONG_LENGTH:
        return data[0], data[1:]
    if len(data) < len(("ff", "high", "low")):
        raise FrameError("a block without its long length")
    return int.from_bytes(data[1:3]), data[3:]


def _named(code: int, names: dict[int, str]) -> str:
    return f"0x{code:02X} {names[code]}" if code in names else f"0x{code:02X}"


def _parts(data: str, found: Any) -> Iterator[Part]:
    raw = unhex(data)
    if "storage" in found:
        yield Part(raw.hex(" "), f"GET_VERSION: {found.get('type', found['product'])}")
        return
    if "uid" in found:
        yield Part(raw[:_UID_BYTES_MIN].hex(" "), f"UID {found['uid']}, check bytes correct")
        if len(raw) >= _HEAD_BYTES:
            yield Part(raw[_UID_BYTES_MIN:_HEAD_BYTES].hex(" "), "internal and lock bytes")
        raw = raw[_HEAD_BYTES:]
    if "cc" in found:
        area = f"{found['data_area_bytes']} bytes of data"
        yield Part(raw[:_CC_BYTES].hex(" "), f"capability container: {area}")
        yield Part(raw[_CC_BYTES:].hex(" "), f"{len(found['tlvs'])} blocks")


NFC_TAG_MEMORY = Format(
    name="nfc_tag_memory",
    kind="tag",
    read=lambda data: fields(unhex(data)),
    summary="NFC tag: GET_VERSION, UID with check bytes, capability container, TLVs, NDEF",
    summary_zh="NFC 标签：版本、带校验的 UID、能力容器、TLV、NDEF",
    parts=_parts,
    caveats=("only the check bytes of the UID prove anything; the rest is taken as told",),
)

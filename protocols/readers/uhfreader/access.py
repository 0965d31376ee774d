"""Reading and writing the memory of one tag: what the host says, for building and decoding alike.

Commands 0x02, 0x03 of both dialects and 0x15, 0x16 of dialect 288, whose word address has two bytes
(UHFReader18 manual V2.0 §8.2; UR-series manual V1.14 §8.2, the 288's). No capture is public. What
follows the password, an optional mask, differs between the dialects and is kept as sent. Write EPC
(0x04) changes whichever tag answers: it is only decoded here, never built.
"""

from dataclasses import dataclass
from typing import Any

from construct import Bytes, GreedyBytes, Int8ub, Int16ub, Int32ub, Struct, Terminated, this

from protocols.framing import parse
from protocols.readers.uhfreader.codes import (
    BANK_NAMES,
    BLOCK_ERASE,
    EXTENDED_READ,
    EXTENDED_WRITE,
    KILL,
    LOCK,
    LOCK_AREAS,
    LOCK_KINDS,
    READ,
    TAG_ERROR,
    TAG_ERRORS,
    WRITE,
    WRITE_EPC,
)
from protocols.readers.uhfreader.envelope import seal

WORDS_MAX = 32
"""Words of one write; a read takes up to 120, but old 18s answer in at most 96 bytes."""
EPC_WORDS_MAX = 15
BY_MASK = 0xFF
"""Instead of the length of an EPC: the tag is named by a mask behind the password."""
START_8_MAX = 0xFF

READS = frozenset({READ, EXTENDED_READ})
WRITES = frozenset({WRITE, EXTENDED_WRITE})
ON_MEMORY = READS | WRITES | {WRITE_EPC, KILL, LOCK, BLOCK_ERASE}


def _epc_bytes(found: Any) -> int:
    return 0 if found.epc_words == BY_MASK else 2 * found.epc_words


def _read(start: Any) -> "Struct[Any, Any]":
    return Struct(
        "epc_words" / Int8ub,
        "epc" / Bytes(_epc_bytes),
        "bank" / Int8ub,
        "start" / start,
        "count" / Int8ub,
        "password" / Int32ub,
        "mask" / GreedyBytes,
        Terminated,
    )


def _write(start: Any) -> "Struct[Any, Any]":
    return Struct(
        "count" / Int8ub,
        "epc_words" / Int8ub,
        "epc" / Bytes(_epc_bytes),
        "bank" / Int8ub,
        "start" / start,
        "data" / Bytes(2 * this.count),
        "password" / Int32ub,
        "mask" / GreedyBytes,
        Terminated,
    )


_LAYOUTS: "dict[int, Struct[Any, Any]]" = {
    READ: _read(Int8ub),
    EXTENDED_READ: _read(Int16ub),
    WRITE: _write(Int8ub),
    EXTENDED_WRITE: _write(Int16ub),
}
_KILL_LAYOUT = Struct(
    "epc_words" / Int8ub,
    "epc" / Bytes(_epc_bytes),
    "password" / Int32ub,
    "mask" / GreedyBytes,
    Terminated,
)
_LOCK_LAYOUT = Struct(
    "epc_words" / Int8ub,
    "epc" / Bytes(_epc_bytes),
    "area" / Int8ub,
    "protection" / Int8ub,
    "password" / Int32ub,
    "mask" / GreedyBytes,
    Terminated,
)
_EPC_LAYOUT = Struct(
    "epc_words" / Int8ub, "password" / Int32ub, "epc" / Bytes(2 * this.epc_words), Terminated
)


@dataclass(frozen=True, slots=True)
class Access:
    """Read `count` words, or write `data`, on the tag with this EPC (all zero words: any tag)."""

    epc: bytes
    bank: int
    start: int
    count: int
    password: int = 0
    data: bytes = b""
    mask: bytes = b""
    by_mask: bool = False


@dataclass(frozen=True, slots=True)
class EpcWrite:
    """Give any one tag in the field this EPC (0x04)."""

    epc: bytes
    password: int


def build_read(address: int, access: Access) -> bytes:
    """Read words; an address above START_8_MAX needs dialect 288."""
    code = READ if access.start <= START_8_MAX else EXTENDED_READ
    return seal(address, code, _data(code, access))


def build_write(address: int, access: Access) -> bytes:
    """Write whole words; an address above START_8_MAX needs dialect 288."""
    assert len(access.data) == 2 * access.count, access
    assert access.count <= WORDS_MAX, access
    code = WRITE if access.start <= START_8_MAX else EXTENDED_WRITE
    return seal(address, code, _data(code, access))


def _data(code: int, access: Access) -> bytes:
    assert len(access.epc) % 2 == 0, access
    assert len(access.epc) // 2 <= EPC_WORDS_MAX, access
    words = BY_MASK if access.by_mask else len(access.epc) // 2
    names = ("epc", "bank", "start", "count", "password", "data", "mask")
    values = {name: getattr(access, name) for name in names}
    return bytes(_LAYOUTS[code].build({"epc_words": words, **values}))


def decode_access(code: int, data: bytes) -> Access:
    """Data of a read or write command; raises FrameError."""
    found = parse(_LAYOUTS[code], data, "memory access")
    return Access(
        epc=found.epc,
        bank=found.bank,
        start=found.start,
        count=found.count,
        password=found.password,
        data=found.data if code in WRITES else b"",
        mask=found.mask,
        by_mask=found.epc_words == BY_MASK,
    )


def decode_epc_write(data: bytes) -> EpcWrite:
    """Data of command 0x04; raises FrameError."""
    found = parse(_EPC_LAYOUT, data, "write EPC")
    return EpcWrite(found.epc, found.password)


def access_fields(code: int, data: bytes) -> dict[str, Any]:
    """A command on a tag's memory as named fields; raises FrameError."""
    if code == WRITE_EPC:
        write = decode_epc_write(data)
        return {"epc": write.epc.hex(), "password": f"{write.password:08x}"}
    if code in {KILL, LOCK}:
        return _for_good(code, data)
    access = decode_access(READ if code == BLOCK_ERASE else code, data)
    found: dict[str, Any] = {"epc": access.epc.hex()} if not access.by_mask else {}
    found |= {"bank": BANK_NAMES.get(access.bank, access.bank), "word_addr": access.start}
    found |= {"word_count": access.count, "password": f"{access.password:08x}"}
    if code in WRITES:
        found["data"] = access.data.hex()
    return {**found, "mask": access.mask.hex()} if access.mask else found


def _for_good(code: int, data: bytes) -> dict[str, Any]:
    """What cannot be taken back: the manual's word (§8.2.5, §8.2.6), decoded and never built."""
    told = parse(_KILL_LAYOUT if code == KILL else _LOCK_LAYOUT, data, "access to a tag")
    found: dict[str, Any] = {"epc": told.epc.hex()} if told.epc_words != BY_MASK else {}
    if code == LOCK:
        area = LOCK_AREAS.get(told.area, told.area)
        found |= {"area": area, "protection": LOCK_KINDS.get(told.protection, told.protection)}
    found["password"] = f"{told.password:08x}"
    return {**found, "mask": told.mask.hex()} if told.mask else found


def reply_fields(code: int, status: int, data: bytes) -> dict[str, Any]:
    """Data of a reply to a command on a tag: the words read, or the tag's own error."""
    if status == TAG_ERROR and len(data) == 1:
        return {"tag_error": f"0x{data[0]:02X} {TAG_ERRORS.get(data[0], '')}".rstrip()}
    if code in READS and status == 0:
        return {"word_count": len(data) // 2, "data": data.hex()}
    return {"data": data.hex()}

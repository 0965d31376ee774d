"""TI S6350 / HF Reader System Series 6000: `01 Len(2 LE) Node(2) Flags Cmd Data XOR ~XOR`.

Source: TI S6350 Reader Reference Guide 11-06-21-700 (September 2001) §3, and a public capture of an
inventory with four tags that proves its checksum. Command 60 carries an ISO 15693 request without
its CRC behind a configuration byte (bit 4: 100 % modulation, bit 0: one out of four coding). The
reply to an inventory has a mask of valid and one of collided slots, then 10 bytes a valid slot.
"""

from construct import Bytes, Const, GreedyBytes, Int8ub, Int16ul, Struct, Terminated

from protocols.checksums import xor8
from protocols.framing import FrameError, parse
from protocols.readers.hf.air import COMMANDS, HIGH_RATE
from protocols.readers.hf.envelope import Envelope, Sealed
from protocols.readers.hf.family import Asked, Family, Fields, Reply, Seen, Voice, Way
from protocols.readers.hf.iso15693 import ERRORS as TAG_ERRORS
from protocols.readers.hf.iso15693 import UID_BYTES, Air, is_uid, named, printed, split

ISO = 0x60
CONFIG = 0x11
INVENTORY, READ, WRITE = 0x01, 0x20, 0x21
ONE_SLOT, ALL_SLOTS = 0x26, 0x06
READ_FLAGS, WRITE_FLAGS = 0x22, 0x62
"""High data rate, addressed; writes also need the option flag (guide, note on page 34)."""
FAILED = 0x10
"""Bit 4 of the flags of a reply: the reader could not do it, the only data byte says why."""
NOT_FOUND = 0x01
ERRORS = {NOT_FOUND: "no tag", 0x02: "command not supported", 0x04: "invalid flags"}
SLOT_BYTES = 2 + UID_BYTES
_MASK_BYTES = 4

PAYLOAD = Struct("flags" / Int8ub, "code" / Int8ub, "data" / GreedyBytes, Terminated)
SLOTS = Struct("valid" / Int16ul, "collided" / Int16ul, "entries" / GreedyBytes, Terminated)
REQUEST = Struct(
    "config" / Int8ub, "flags" / Int8ub, "code" / Int8ub, "rest" / GreedyBytes, Terminated
)
ADDRESSED = Struct("uid" / Bytes(UID_BYTES), "block" / Int8ub, "data" / GreedyBytes, Terminated)
BLOCK = Struct("flags" / Const(b"\x00"), "data" / GreedyBytes, Terminated)

ENVELOPE = Envelope(
    name="ti_s6350",
    framing="01 LENlo LENhi NODE(2) FLAGS CMD DATA XOR ~XOR",
    heads=frozenset({0x01}),
    size=lambda window: int.from_bytes(window[1:3], "little"),
    size_bytes=3,
    head=lambda payload, address: (
        b"\x01" + (payload + 7).to_bytes(2, "little") + address.to_bytes(2, "little")
    ),
    head_bytes=5,
    address=lambda frame: int.from_bytes(frame[3:5], "little"),
    checksum=lambda body: bytes((xor8(body), xor8(body) ^ 0xFF)),
    sum_bytes=2,
    bytes_min=9,
    bytes_max=512,
)


def _understand(sealed: Sealed) -> Reply:
    found = parse(PAYLOAD, sealed.payload, "TI reply")
    if len(found.data) == 1 and (found.flags & FAILED or found.data[0] in ERRORS):
        no_tag = found.data[0] == NOT_FOUND
        error = named(found.data[0], ERRORS)
        return Reply(found.code, found.data, error, no_tag, refused=not no_tag)
    if len(found.data) == len(("flags", "code")) and found.data[0] & 1:
        error = f"tag says {named(found.data[1], TAG_ERRORS)}"
        return Reply(found.code, found.data, error)
    return Reply(found.code, found.data)


def _seen(reply: Reply, _air: Air) -> Seen:
    found = parse(SLOTS, reply.data, "TI inventory")
    uids = tuple(printed(uid) for uid in split(found.entries, SLOT_BYTES, before=2))
    if len(uids) != found.valid.bit_count():
        raise FrameError(f"TI inventory: {found.valid.bit_count()} valid slots, {len(uids)} tags")
    return Seen(uids, found.collided.bit_count())


def _way(sealed: Sealed) -> Way:
    """A request has a configuration byte with reserved bits 0, flags, and a known ISO command."""
    data = parse(PAYLOAD, sealed.payload, "TI frame").data
    if len(data) < len(("config", "flags", "code")) or data[0] & ~CONFIG:
        return "device>host"
    requested = data[1] & HIGH_RATE and data[2] in COMMANDS
    return "device>host" if not requested or _is_inventory(data) else "host>device"


def _is_inventory(data: bytes) -> bool:
    """An inventory reply, whose length its own mask foretells."""
    valid = int.from_bytes(data[:2], "little").bit_count()
    return len(data) == _MASK_BYTES + SLOT_BYTES * valid


def _is_list(data: bytes) -> bool:
    """Whole entries behind two masks, each with a UID in its place."""
    entries = data[_MASK_BYTES:]
    if not entries or len(entries) % SLOT_BYTES:
        return False
    return all(is_uid(printed(uid)) for uid in split(entries, SLOT_BYTES, before=2))


def _fields(sealed: Sealed, way: Way) -> Fields:
    found = parse(PAYLOAD, sealed.payload, "TI frame")
    fields: Fields = {
        "sof": sealed.head,
        "len_le": len(sealed.payload) + ENVELOPE.overhead_bytes,
        "node": sealed.address,
        "cmd": f"0x{found.code:02X}" + (" ISO15693" if found.code == ISO else ""),
        "bcc": "xor then its complement",
    }
    if way == "host>device" and found.code == ISO:
        return fields | _asked(found.data)
    reply = _understand(sealed)
    if reply.error:
        return fields | {"error": reply.error}
    if found.code == ISO and _is_inventory(found.data):
        slots = parse(SLOTS, found.data, "TI inventory")
        uids = [uid.hex() for uid in _seen(reply, "iso15693").uids]
        fields |= {
            "valid_slots": f"0x{slots.valid:04X}",
            "collisions": slots.collided,
            "uids": uids,
        }
        return fields | ({"uid": uids[0]} if len(uids) == 1 else {})
    if found.code == ISO and _is_list(found.data):
        _seen(reply, "iso15693")  # Says why: a mask that lies names no tag.
    return fields | ({"data": found.data.hex()} if found.data else {})


def _asked(data: bytes) -> Fields:
    found = parse(REQUEST, data, "TI request")
    fields: Fields = {"config": f"0x{found.config:02X}", "flags": f"0x{found.flags:02X}"}
    fields["iso_cmd"] = f"0x{found.code:02X}"
    if found.code in {READ, WRITE} and found.flags & 0x20:
        blocks = parse(ADDRESSED, found.rest, "TI request")
        fields |= {"uid": printed(blocks.uid).hex(), "block": blocks.block}
        return fields | ({"data": blocks.data.hex()} if blocks.data else {})
    return fields | ({"data": found.rest.hex()} if found.rest else {})


def _iso(flags: int, code: int, rest: bytes) -> bytes:
    return bytes((0, ISO, CONFIG, flags, code)) + rest


def _hear(payload: bytes) -> Asked:
    found = parse(REQUEST, parse(PAYLOAD, payload, "TI request").data, "TI request")
    if found.code == INVENTORY:
        return Asked("identify" if found.flags == ONE_SLOT else "inventory")
    blocks = parse(ADDRESSED, found.rest, "TI request")
    what = "read" if found.code == READ else "write"
    return Asked(
        "read" if what == "read" else "write", printed(blocks.uid), blocks.block, blocks.data
    )


def _tell(uids: tuple[bytes, ...]) -> tuple[bytes, ...]:
    valid = (1 << len(uids)) - 1
    entries = b"".join(bytes(2) + printed(uid) for uid in uids)
    return (bytes((0, ISO)) + SLOTS.build({"valid": valid, "collided": 0, "entries": entries}),)


FAMILY = Family(
    name="ti_s6350",
    title="TI S6350",
    envelopes=(ENVELOPE,),
    baud=57_600,
    identify=_iso(ONE_SLOT, INVENTORY, b"\x00"),
    inventories={"iso15693": _iso(ALL_SLOTS, INVENTORY, b"\x00")},
    understand=_understand,
    seen=_seen,
    describe=lambda _reply: "reader",
    way=_way,
    fields=_fields,
    voice=Voice(
        identity=bytes((0, ISO)) + bytes(_MASK_BYTES),
        inventory=_tell,
        no_tag=bytes((0, ISO)) + bytes(_MASK_BYTES),
        no_block=bytes((0, ISO, 0x01, 0x10)),
        hear=_hear,
        block=lambda data: bytes((0, ISO, 0)) + data,
        written=bytes((0, ISO, 0)),
    ),
    read=lambda uid, block: _iso(READ_FLAGS, READ, printed(uid) + bytes((block,))),
    write=lambda uid, block, data: _iso(WRITE_FLAGS, WRITE, printed(uid) + bytes((block,)) + data),
    block=lambda reply: bytes(parse(BLOCK, reply.data, "TI block").data),
    code_at=1,
    caveats=("an inventory of all 16 slots takes about 0.3 s",),
)

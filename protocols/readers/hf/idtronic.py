"""iDTRONIC "50" readers (NEO2, embedded HF-DESFire modules): `50 Len(2) Cmd Data XOR`.

Source: examples.txt of the vendor's Card Reader NEO2 SDK; its frames are captures and prove their
checksum. Replies repeat the command; a refusal starts with F0 and carries one code. The SDK's
examples tell inventories and the firmware number; no document that we have tells block commands.
"""

from construct import Bytes, GreedyBytes, Int8ub, Rebuild, Struct, Terminated, len_, this

from protocols.checksums import xor8
from protocols.framing import FrameError, parse
from protocols.readers.hf.envelope import Envelope, Sealed
from protocols.readers.hf.family import Asked, Family, Fields, Reply, Seen, Voice, Way
from protocols.readers.hf.iso15693 import (
    NFCA_UID_BYTES,
    UID_BYTES,
    Air,
    is_uid,
    maker,
    named,
    printed,
    slots,
    split,
)

REPLY, ERROR = 0x50, 0xF0
FIRMWARE, ACTIVATE, INVENTORY = 0x04, 0x22, 0xA1
NO_ANSWER = 0xE0
ERRORS = {NO_ANSWER: "no card answered in time"}

PAYLOAD = Struct("code" / Int8ub, "data" / GreedyBytes, Terminated)
INVENTORY_COMMAND = Struct(
    "flags" / Int8ub, "afi" / Int8ub, "mask_len" / Int8ub, "mask" / GreedyBytes, Terminated
)
CARD = Struct(
    "atqa" / Bytes(2),
    "sak" / Int8ub,
    "size" / Rebuild(Int8ub, len_(this.uid)),
    "uid" / Bytes(this.size),
    Terminated,
)
_INVENTORY_BYTES = 3

ENVELOPE = Envelope(
    name="idtronic",
    framing="50 LENhi LENlo CMD DATA XOR",
    heads=frozenset({REPLY, ERROR}),
    size=lambda window: 5 + int.from_bytes(window[1:3]),
    size_bytes=3,
    head=lambda payload, _address: bytes((REPLY,)) + (payload - 1).to_bytes(2),
    head_bytes=3,
    address=lambda _frame: 0,
    checksum=lambda body: bytes((xor8(body),)),
    sum_bytes=1,
    bytes_min=5,
    bytes_max=512,
)


def _understand(sealed: Sealed) -> Reply:
    found = parse(PAYLOAD, sealed.payload, "iDTRONIC reply")
    if sealed.head != ERROR:
        return Reply(found.code, found.data)
    if len(found.data) != 1:
        raise FrameError(f"iDTRONIC error reply with {len(found.data)} codes")
    error = named(found.data[0], ERRORS)
    empty = found.data[0] == NO_ANSWER
    return Reply(found.code, found.data, error, no_tag=empty, refused=not empty)


def _seen(reply: Reply, air: Air) -> Seen:
    if air == "iso14443a":
        uid = parse(CARD, reply.data, "iDTRONIC card").uid
        if len(uid) not in NFCA_UID_BYTES:
            raise FrameError(f"ISO 14443A UID of {len(uid)} bytes")
        return Seen((uid,))
    return Seen(tuple(printed(uid) for uid in split(reply.data, UID_BYTES)))


def _way(sealed: Sealed) -> Way:
    """Requests carry their few parameters, replies at least four bytes."""
    if sealed.head == ERROR:
        return "device>host"
    found = parse(PAYLOAD, sealed.payload, "iDTRONIC frame")
    asked = {FIRMWARE: 0, ACTIVATE: 2, INVENTORY: _INVENTORY_BYTES}.get(found.code)
    if asked is None:
        return "device>host" if found.data else "host>device"
    masked = found.code == INVENTORY and _is_masked(found.data)
    return "host>device" if len(found.data) == asked or masked else "device>host"


def _is_masked(data: bytes) -> bool:
    """An inventory for tags whose UID begins with a mask, and no list of UIDs."""
    if len(data) <= _INVENTORY_BYTES or _are_uids(data):
        return False
    return len(data) == _INVENTORY_BYTES + (data[2] + 7) // 8 and data[0] & 0x04 != 0


def _are_uids(data: bytes) -> bool:
    """Whether these are whole UIDs, each with its E0 in the place of the last byte."""
    if len(data) % UID_BYTES:
        return False
    return all(is_uid(printed(uid)) for uid in split(data, UID_BYTES))


def _fields(sealed: Sealed, way: Way) -> Fields:
    found = parse(PAYLOAD, sealed.payload, "iDTRONIC frame")
    fields: Fields = {"framing": ENVELOPE.framing, "cmd": f"0x{found.code:02X}"}
    if way == "host>device":
        return fields | _asked(found.code, found.data)
    reply = _understand(sealed)
    if reply.error:
        return fields | {"error": reply.error}
    if found.code == FIRMWARE:
        return fields | {"firmware": found.data.hex()}
    if found.code == INVENTORY and len(found.data) % UID_BYTES == 0:
        uids = _seen(reply, "iso15693").uids
        fields |= {"uids": [uid.hex() for uid in uids]}
        return fields | ({"uid": uids[0].hex(), "maker": maker(uids[0])} if len(uids) == 1 else {})
    if found.code == ACTIVATE:
        card = parse(CARD, found.data, "iDTRONIC card")
        card_fields = {"atqa": card.atqa.hex(), "sak": f"{card.sak:02x}", "uid": card.uid.hex()}
        return fields | card_fields
    return fields | ({"data": found.data.hex()} if found.data else {})


def _asked(code: int, data: bytes) -> Fields:
    if code != INVENTORY:
        return {"data": data.hex()} if data else {}
    found = parse(INVENTORY_COMMAND, data, "iDTRONIC inventory")
    mask = {"mask": found.mask.hex()} if found.mask else {}
    return {"flags": slots(found.flags), "afi": found.afi, "mask_len": found.mask_len, **mask}


def _hear(payload: bytes) -> Asked:
    found = parse(PAYLOAD, payload, "iDTRONIC command")
    if found.code == FIRMWARE:
        return Asked("identify")
    return Asked("inventory" if found.code in {INVENTORY, ACTIVATE} else "other")


def _tell(uids: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return (bytes((INVENTORY,)) + b"".join(printed(uid) for uid in uids),)


FAMILY = Family(
    name="idtronic",
    title="iDTRONIC",
    envelopes=(ENVELOPE,),
    baud=115_200,
    identify=bytes((FIRMWARE,)),
    inventories={
        "iso15693": bytes((INVENTORY, 0x06, 0, 0)),
        "iso14443a": bytes((ACTIVATE, 0x10, 0x26)),
    },
    understand=_understand,
    seen=_seen,
    describe=lambda reply: f"firmware {reply.data.hex()}",
    way=_way,
    fields=_fields,
    voice=Voice(
        identity=bytes((FIRMWARE, 0x71, 0x17, 0x03, 0x20)),
        inventory=_tell,
        no_tag=bytes((INVENTORY, NO_ANSWER)),
        no_block=bytes((0x00, 0xE1)),
        hear=_hear,
        block=lambda data: bytes((0x00,)) + data,
        written=bytes((0x00,)),
        error_head=ERROR,
    ),
    code_at=0,
    caveats=("block commands are in no document that we have: it reads UIDs only",),
)

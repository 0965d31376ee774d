"""FEIG OBID i-scan and classic-pro readers, standard and advanced protocol.

Standard `Len Adr Cmd [Status] Data CRC`, advanced `02 ALen(2) Adr Cmd [Status] Data CRC`; both
lengths count the whole frame, CRC is mcrf4xx, low byte first. Source: FEIG system manuals H60301
(ID ISC.MR/PR/PRH101), H01000, H01114, H20411. No public capture of an inventory exists: layouts
are the manuals' word, and that they send a UID most significant byte first is our reading of them.
"""

from construct import Array, Bytes, GreedyBytes, Int8ub, Rebuild, Struct, Terminated, len_, this

from protocols.checksums import mcrf4xx
from protocols.framing import FrameError, parse
from protocols.readers.hf.envelope import Envelope, Sealed
from protocols.readers.hf.family import Asked, Family, Fields, Reply, Seen, Voice, Way
from protocols.readers.hf.iso15693 import ERRORS as TAG_ERRORS
from protocols.readers.hf.iso15693 import UID_BYTES, Air, named

SOFTWARE, RF_RESET, HOST_COMMAND = 0x65, 0x69, 0xB0
INVENTORY, READ_BLOCKS, WRITE_BLOCKS = 0x01, 0x23, 0x24
ADDRESSED, MORE_MODE = 0x01, 0x80
OK, NO_TAG, RF_WARNING, MORE_DATA, TAG_ERROR = 0x00, 0x01, 0x84, 0x94, 0x95
STATUSES = {
    NO_TAG: "no tag",
    0x02: "data false",
    0x03: "write error",
    0x04: "address error",
    0x05: "wrong tag type",
    0x06: "read error",
    0x10: "EEPROM error",
    0x80: "unknown command",
    0x81: "wrong length",
    0x82: "command not available, as in scan mode",
    0x83: "RF communication error",
    RF_WARNING: "RF warning",
    MORE_DATA: "more data",
    TAG_ERROR: "tag error",
}
"""Status bytes (manuals, annex D); 0x84 and 0x94 come with data. An unknown one stays a number."""
REFUSALS = frozenset({0x80, 0x81, 0x82})
TR_ISO15693 = 0x03
TR_TYPES = {0x01: "I-CODE 1", 0x04: "ISO 14443A", 0x05: "ISO 14443B"}

COMMAND = Struct("code" / Int8ub, "data" / GreedyBytes, Terminated)
REPLY = Struct("code" / Int8ub, "status" / Int8ub, "data" / GreedyBytes, Terminated)
VERSION = Struct(
    "revision" / Bytes(2),
    "development" / Int8ub,
    "hardware" / Int8ub,
    "reader_type" / Int8ub,
    "tag_types" / Bytes(2),
    Terminated,
)
TAG_15693 = Struct("type" / Int8ub, "dsfid" / Int8ub, "uid" / Bytes(UID_BYTES))
TAGS_15693 = Struct(
    "count" / Rebuild(Int8ub, len_(this.tags)), "tags" / Array(this.count, TAG_15693), Terminated
)
BLOCK = Struct(
    "count" / Int8ub,
    "size" / Rebuild(Int8ub, len_(this.data)),
    "security" / Int8ub,
    "data" / Bytes(this.size),
    Terminated,
)
READ = Struct(
    "sub" / Int8ub,
    "mode" / Int8ub,
    "uid" / Bytes(UID_BYTES),
    "first" / Int8ub,
    "count" / Int8ub,
    "rest" / GreedyBytes,
    Terminated,
)


def _crc(body: bytes) -> bytes:
    return mcrf4xx(body).to_bytes(2, "little")


STANDARD = Envelope(
    name="feig",
    framing="LEN ADR CMD [STATUS] DATA CRC",
    heads=frozenset(),
    size=lambda window: window[0],
    size_bytes=1,
    head=lambda payload, address: bytes((payload + 4, address)),
    head_bytes=2,
    address=lambda frame: frame[1],
    checksum=_crc,
    sum_bytes=2,
    bytes_min=5,
    bytes_max=255,
)
ADVANCED = Envelope(
    name="feig advanced",
    framing="02 LENhi LENlo ADR CMD [STATUS] DATA CRC",
    heads=frozenset({0x02}),
    size=lambda window: int.from_bytes(window[1:3]),
    size_bytes=3,
    head=lambda payload, address: b"\x02" + (payload + 6).to_bytes(2) + bytes((address,)),
    head_bytes=4,
    address=lambda frame: frame[3],
    checksum=_crc,
    sum_bytes=2,
    bytes_min=7,
    bytes_max=2048,
)


def _understand(sealed: Sealed) -> Reply:
    found = parse(REPLY, sealed.payload, "FEIG reply")
    more = found.status == MORE_DATA
    error = "" if found.status in {OK, MORE_DATA, RF_WARNING} else named(found.status, STATUSES)
    if found.status == TAG_ERROR and found.data:
        error = f"tag says {named(found.data[0], TAG_ERRORS)}"
    return Reply(
        found.code,
        found.data,
        error,
        no_tag=found.status == NO_TAG,
        refused=found.status in REFUSALS,
        more=more,
        address=sealed.address,
    )


def _seen(reply: Reply, _air: Air) -> Seen:
    if reply.error or not reply.data:
        return Seen(())
    found = parse(TAGS_15693, reply.data, "FEIG inventory")
    strange = {tag.type for tag in found.tags} - {TR_ISO15693}
    if strange:
        types = ", ".join(named(each, TR_TYPES) for each in sorted(strange))
        raise FrameError(f"FEIG inventory: tags of type {types}, expected ISO 15693")
    return Seen(tuple(tag.uid for tag in found.tags))


def _describe(reply: Reply) -> str:
    found = parse(VERSION, reply.data, "FEIG software version")
    return f"type 0x{found.reader_type:02X} software {found.revision.hex('.')}"


def _way(sealed: Sealed) -> Way:
    """No reply is without a status; a host command begins with its number and a mode."""
    found = parse(COMMAND, sealed.payload, "FEIG frame")
    if not found.data:
        return "host>device"
    subs = {0x01, 0x02} | set(range(0x20, 0x30))
    mode_follows = len(found.data) > 1 and found.data[0] in subs
    return "host>device" if found.code == HOST_COMMAND and mode_follows else "device>host"


def _fields(sealed: Sealed, way: Way) -> Fields:
    code = sealed.payload[0]
    fields: Fields = {"framing": sealed.envelope.framing, "adr": sealed.address}
    fields["cmd"] = f"0x{code:02X}"
    if way == "host>device":
        return fields | _asked(sealed.payload)
    found = parse(REPLY, sealed.payload, "FEIG reply")
    fields["status"] = found.status
    reply = _understand(sealed)
    if found.status:
        fields["status_name"] = reply.error or STATUSES[found.status]
    if reply.error or not found.data:
        return fields
    if code == SOFTWARE:
        version = parse(VERSION, found.data, "FEIG software version")
        reader_type = f"0x{version.reader_type:02X}"
        return fields | {"software": version.revision.hex("."), "reader_type": reader_type}
    if code == HOST_COMMAND:
        return fields | _tags_or_data(found.data)
    return fields | {"data": found.data.hex()}


def _tags_or_data(data: bytes) -> Fields:
    """A reply does not say which host command it answers: an inventory is told by its layout."""
    try:
        found = parse(TAGS_15693, data, "FEIG inventory")
    except FrameError:
        return {"data": data.hex()}
    tags = [
        {"tr_type": f"0x{tag.type:02X}", "dsfid": tag.dsfid, "uid": tag.uid.hex()}
        for tag in found.tags
    ]
    fields: Fields = {"data_sets": found.count, "tags": tags, "uids": [tag["uid"] for tag in tags]}
    return fields | ({"uid": tags[0]["uid"]} if len(tags) == 1 else {})


def _asked(payload: bytes) -> Fields:
    found = parse(COMMAND, payload, "FEIG command")
    if found.code != HOST_COMMAND or len(found.data) < len(("sub", "mode")):
        return {"data": found.data.hex()} if found.data else {}
    fields: Fields = {"sub": f"0x{found.data[0]:02X}", "mode": f"0x{found.data[1]:02X}"}
    if found.data[0] not in {READ_BLOCKS, WRITE_BLOCKS} or not found.data[1] & ADDRESSED:
        return fields | ({"data": found.data[2:].hex()} if found.data[2:] else {})
    blocks = parse(READ, found.data, "FEIG block command")
    fields |= {"uid": blocks.uid.hex(), "block": blocks.first, "count": blocks.count}
    return fields | ({"data": blocks.rest.hex()} if blocks.rest else {})


def _read(uid: bytes, block: int) -> bytes:
    return bytes((HOST_COMMAND, READ_BLOCKS, ADDRESSED)) + uid + bytes((block, 1))


def _write(uid: bytes, block: int, data: bytes) -> bytes:
    head = bytes((HOST_COMMAND, WRITE_BLOCKS, ADDRESSED))
    return head + uid + bytes((block, 1, len(data))) + data


def _block(reply: Reply) -> bytes:
    found = parse(BLOCK, reply.data, "FEIG block")
    if found.count != 1:
        raise FrameError(f"FEIG block: {found.count} blocks, expected one")
    return bytes(found.data)


def _hear(payload: bytes) -> Asked:
    found = parse(COMMAND, payload, "FEIG command")
    if found.code == SOFTWARE:
        return Asked("identify")
    if found.code != HOST_COMMAND or found.data[0] == INVENTORY:
        return Asked("inventory" if found.code == HOST_COMMAND else "other")
    blocks = parse(READ, found.data, "FEIG block command")
    what = "read" if blocks.sub == READ_BLOCKS else "write"
    return Asked("read" if what == "read" else "write", blocks.uid, blocks.first, blocks.rest[1:])


def _tell(uids: tuple[bytes, ...]) -> tuple[bytes, ...]:
    tags = [{"type": TR_ISO15693, "dsfid": 0, "uid": uid} for uid in uids]
    return (bytes((HOST_COMMAND, OK)) + TAGS_15693.build({"tags": tags}),)


FAMILY = Family(
    name="feig",
    title="FEIG OBID",
    envelopes=(ADVANCED, STANDARD),
    baud=38_400,
    parity="even",
    identify=bytes((SOFTWARE,)),
    inventories={"iso15693": bytes((HOST_COMMAND, INVENTORY, 0))},
    understand=_understand,
    seen=_seen,
    describe=_describe,
    way=_way,
    fields=_fields,
    voice=Voice(
        identity=bytes((SOFTWARE, OK)) + bytes.fromhex("0400000050 0008"),
        inventory=_tell,
        no_tag=bytes((HOST_COMMAND, NO_TAG)),
        no_block=bytes((HOST_COMMAND, TAG_ERROR, 0x10)),
        hear=_hear,
        block=lambda data: bytes((HOST_COMMAND, OK, 1, len(data), 0)) + data,
        written=bytes((HOST_COMMAND, OK)),
    ),
    read=_read,
    write=_write,
    block=_block,
    code_at=0,
    anyone=0xFF,
    follow=bytes((HOST_COMMAND, INVENTORY, MORE_MODE)),
    reset=bytes((RF_RESET,)),
    tcp_ports=(10_001,),
    caveats=(
        (
            "built from the manuals: no capture of an inventory is public, check the first UID against "
            "the printed one and set uid_order: reversed if it ends with E0"
        ),
        "its serial ports usually leave the factory with even parity: link: {parity: even}",
    ),
)

"""Chafon and RR HF readers (RR9001, RR9036, RR9201, HF-15693): `Len Adr Cmd State Data CRC`.

The envelope is UHFReader's (Len counts what follows, CRC mcrf4xx low byte first), the commands are
its own, and a reply `Len Adr Status Data CRC` does not repeat the command. Source: fragments of the
RR9001/RR9201 user's manual V3.80A (command and status layouts, block commands) and public host
programs (inventory state 06, 9 bytes a tag: DSFID and UID low byte first, end statuses 0A, 0B,
0E). No capture is public; statuses of several frames a round are our reading.
"""

from construct import Bytes, GreedyBytes, Int8ub, Struct, Terminated

from protocols.checksums import mcrf4xx
from protocols.framing import FrameError, parse
from protocols.readers.hf.envelope import Envelope, Sealed
from protocols.readers.hf.family import Asked, Family, Fields, Reply, Seen, Voice, Way
from protocols.readers.hf.iso15693 import ERRORS as TAG_ERRORS
from protocols.readers.hf.iso15693 import UID_BYTES, Air, named, printed, split

INFO, INVENTORY, READ, WRITE = 0x00, 0x01, 0x20, 0x21
NEW_SCAN = 0x06
OK, SCAN_TIMED_OUT, NOT_ALL, ISO_ERROR, NO_TAG, OPERATION_ERROR = 0, 0x0A, 0x0B, 0x0C, 0x0E, 0x0F
STATUSES = {
    0x01: "wrong command length",
    0x02: "command not supported",
    0x03: "operand out of range",
    0x04: "command not possible now",
    0x05: "RF field is off",
    0x06: "EEPROM error",
    SCAN_TIMED_OUT: "scan timed out",
    NOT_ALL: "not all tags were read in time",
    ISO_ERROR: "tag error",
    NO_TAG: "no tag",
    OPERATION_ERROR: "operation failed",
}
REFUSALS = frozenset({0x01, 0x02, 0x03, 0x04, 0x05})
_TAG_BYTES = 1 + UID_BYTES
_ROUND_ENDS = frozenset({SCAN_TIMED_OUT, NOT_ALL, NO_TAG})

COMMAND = Struct("code" / Int8ub, "state" / Int8ub, "data" / GreedyBytes, Terminated)
REPLY = Struct("status" / Int8ub, "data" / GreedyBytes, Terminated)
READER = Struct(
    "version" / Bytes(2), "type" / Int8ub, "tag_types" / Bytes(2), "scan_time" / Int8ub, Terminated
)
ADDRESSED = Struct("uid" / Bytes(UID_BYTES), "block" / Int8ub, "data" / GreedyBytes, Terminated)
BLOCK = Struct("security" / Int8ub, "data" / GreedyBytes, Terminated)
_READER_BYTES = 6

ENVELOPE = Envelope(
    name="uhfreader_hf",
    framing="LEN ADR CMD STATE DATA CRC, reply LEN ADR STATUS DATA CRC",
    heads=frozenset(),
    size=lambda window: 1 + window[0],
    size_bytes=1,
    head=lambda payload, address: bytes((payload + 3, address)),
    head_bytes=2,
    address=lambda frame: frame[1],
    checksum=lambda body: mcrf4xx(body).to_bytes(2, "little"),
    sum_bytes=2,
    bytes_min=5,
    bytes_max=256,
)


def _understand(sealed: Sealed) -> Reply:
    found = parse(REPLY, sealed.payload, "HF reader reply")
    address = sealed.address
    if found.status in _ROUND_ENDS:
        error = "" if found.data else named(found.status, STATUSES)
        return Reply(None, found.data, error, no_tag=not found.data, address=address)
    if found.status == OK:
        more = bool(found.data) and len(found.data) % _TAG_BYTES == 0
        return Reply(None, found.data, more=more, address=address)
    error = named(found.status, STATUSES)
    if found.status in {ISO_ERROR, OPERATION_ERROR} and found.data:
        error = f"tag says {named(found.data[0], TAG_ERRORS)}"
    refused = found.status in REFUSALS
    return Reply(None, found.data, error, refused=refused, address=address)


def _seen(reply: Reply, _air: Air) -> Seen:
    if reply.error:
        return Seen(())
    return Seen(tuple(printed(uid) for uid in split(reply.data, _TAG_BYTES, before=1)))


def _describe(reply: Reply) -> str:
    found = parse(READER, reply.data, "HF reader information")
    version = f"{found.version[0]}.{found.version[1]}"
    return f"type 0x{found.type:02X} version {version}, address {reply.address}"


def _way(sealed: Sealed) -> Way:
    """Commands have one length each, which no reply of that status has."""
    code, rest = sealed.payload[0], sealed.payload[1:]
    lengths = {INFO: {1}, INVENTORY: {1, 2}, 0x02: {_TAG_BYTES}, READ: {10}, WRITE: {14, 18}}
    if code in lengths:
        return "host>device" if len(rest) in lengths[code] else "device>host"
    return "host>device" if code > OPERATION_ERROR and rest else "device>host"


def _fields(sealed: Sealed, way: Way) -> Fields:
    fields: Fields = {"framing": ENVELOPE.framing, "adr": sealed.address}
    if way == "host>device":
        return fields | _asked(sealed.payload)
    found = parse(REPLY, sealed.payload, "HF reader reply")
    fields["status"] = found.status
    if found.status in STATUSES:
        fields["status_name"] = STATUSES[found.status]
    reply = _understand(sealed)
    if reply.error and found.data:
        return fields | {"error": reply.error}
    if found.data and len(found.data) % _TAG_BYTES == 0:
        uids = [uid.hex() for uid in _seen(reply, "iso15693").uids]
        return fields | ({"uid": uids[0]} if len(uids) == 1 else {}) | {"uids": uids}
    if len(found.data) == _READER_BYTES:
        return fields | {"reader": _describe(reply)}
    return fields | ({"data": found.data.hex()} if found.data else {})


def _asked(payload: bytes) -> Fields:
    found = parse(COMMAND, payload, "HF reader command")
    fields: Fields = {"cmd": f"0x{found.code:02X}", "state": f"0x{found.state:02X}"}
    if found.code in {READ, WRITE}:
        blocks = parse(ADDRESSED, found.data, "HF reader block command")
        fields |= {"uid": printed(blocks.uid).hex(), "block": blocks.block}
        return fields | ({"data": blocks.data.hex()} if blocks.data else {})
    return fields | ({"data": found.data.hex()} if found.data else {})


def _block(reply: Reply) -> bytes:
    data = bytes(parse(BLOCK, reply.data, "HF reader block").data)
    if not data:
        raise FrameError("HF reader block: no data")
    return data


def _hear(payload: bytes) -> Asked:
    found = parse(COMMAND, payload, "HF reader command")
    if found.code in {INFO, INVENTORY}:
        return Asked("identify" if found.code == INFO else "inventory")
    blocks = parse(ADDRESSED, found.data, "HF reader block command")
    what = "read" if found.code == READ else "write"
    return Asked(
        "read" if what == "read" else "write", printed(blocks.uid), blocks.block, blocks.data
    )


def _tell(uids: tuple[bytes, ...]) -> tuple[bytes, ...]:
    tags = tuple(bytes((OK, 0)) + printed(uid) for uid in uids)
    return (*tags, bytes((NO_TAG,)))


FAMILY = Family(
    name="uhfreader_hf",
    title="HF reader RR9",
    envelopes=(ENVELOPE,),
    baud=19_200,
    identify=bytes((INFO, 0)),
    inventories={"iso15693": bytes((INVENTORY, NEW_SCAN))},
    understand=_understand,
    seen=_seen,
    describe=_describe,
    way=_way,
    fields=_fields,
    voice=Voice(
        identity=bytes((OK, 3, 80, 0x66, 0, 8, 30)),
        inventory=_tell,
        no_tag=bytes((NO_TAG,)),
        no_block=bytes((OPERATION_ERROR, 0x10)),
        hear=_hear,
        block=lambda data: bytes((OK, 0)) + data,
        written=bytes((OK,)),
    ),
    read=lambda uid, block: bytes((READ, 0)) + printed(uid) + bytes((block,)),
    write=lambda uid, block, data: bytes((WRITE, 0)) + printed(uid) + bytes((block,)) + data,
    block=_block,
    anyone=0xFF,
    tcp_ports=(6800,),
    caveats=("built from manual fragments and host programs: no capture is public",),
)

"""AA..BB desktop readers and modules (iDTRONIC, YHY, Sycreader): `AA Adr Len Cmd Data XOR BB`.

Source: the vendor's published example telegrams (capture): card request 25, its replies with 4- and
7-byte UIDs and the refusal 01 83 prove their checksum. A reply has a status (00, 01 with a reason)
where a command has its number. ISO 15693 inventory 10 is the word of a parameter list only, and
its reply layout is told by its length and the E0 of every UID; block commands are unproven.
"""

from construct import GreedyBytes, Int8ub, Struct, Terminated

from protocols.checksums import xor8
from protocols.framing import FrameError, parse
from protocols.readers.hf.envelope import Envelope, Sealed
from protocols.readers.hf.family import Asked, Family, Fields, Reply, Seen, Voice, Way
from protocols.readers.hf.iso15693 import (
    NFCA_UID_BYTES,
    UID_BYTES,
    Air,
    is_uid,
    named,
    printed,
    slots,
    split,
)

REQUEST, INVENTORY = 0x25, 0x10
OK, FAILED = 0x00, 0x01
NO_TAG = 0x83
ERRORS = {
    0x80: "parameter not set",
    0x82: "tag did not answer in time",
    NO_TAG: "no tag",
    0x84: "bad data from the tag",
    0x85: "wrong parameter",
    0x87: "unknown error",
    0x8F: "unknown command",
}
REFUSALS = frozenset({0x85, 0x8F})
_ONE_FLAG = 1
_DSFID_BYTES = 1

PAYLOAD = Struct("code" / Int8ub, "data" / GreedyBytes, Terminated)

ENVELOPE = Envelope(
    name="aa_bb",
    framing="AA ADR LEN CMD DATA XOR BB",
    heads=frozenset({0xAA}),
    size=lambda window: 5 + window[2],
    size_bytes=3,
    head=lambda payload, address: bytes((0xAA, address, payload)),
    head_bytes=3,
    address=lambda frame: frame[1],
    checksum=lambda body: bytes((xor8(body),)),
    sum_bytes=1,
    sum_from=1,
    trailer=b"\xbb",
    bytes_min=6,
    bytes_max=260,
)


def _understand(sealed: Sealed) -> Reply:
    found = parse(PAYLOAD, sealed.payload, "AA..BB reply")
    if found.code == OK:
        return Reply(None, found.data, address=sealed.address)
    if found.code != FAILED:
        raise FrameError(f"AA..BB: 0x{found.code:02X} is no status of a reply")
    reason = found.data[0] if found.data else 0
    error = named(reason, ERRORS)
    return Reply(
        None,
        found.data,
        error,
        no_tag=reason == NO_TAG,
        refused=reason in REFUSALS,
        address=sealed.address,
    )


def _seen(reply: Reply, air: Air) -> Seen:
    if air == "iso15693":
        return Seen(_iso15693(reply.data))
    flag, uid = reply.data[:_ONE_FLAG], reply.data[_ONE_FLAG:]
    if len(uid) not in NFCA_UID_BYTES:
        raise FrameError(f"AA..BB: ISO 14443A UID of {len(uid)} bytes")
    return Seen((uid,), int(flag != b"\x00"))


def _iso15693(data: bytes) -> tuple[bytes, ...]:
    """Bare UIDs, with DSFID, with flags and DSFID, or a count first: one layout must fit alone."""
    fits = set()
    for skip, before in ((0, 0), (0, _DSFID_BYTES), (0, 2), (1, _DSFID_BYTES)):
        try:
            uids = split(data[skip:], before + UID_BYTES, before=before)
        except FrameError:
            continue
        if uids and all(is_uid(printed(uid)) for uid in uids):
            fits.add(tuple(printed(uid) for uid in uids))
    if len(fits) != 1:
        raise FrameError(f"AA..BB: {len(data)} bytes are no list of ISO 15693 tags")
    return fits.pop()


def _way(sealed: Sealed) -> Way:
    """No command is numbered like a status."""
    return "device>host" if sealed.payload[0] in {OK, FAILED} else "host>device"


def _fields(sealed: Sealed, way: Way) -> Fields:
    found = parse(PAYLOAD, sealed.payload, "AA..BB frame")
    fields: Fields = {"framing": ENVELOPE.framing, "adr": sealed.address}
    if way == "host>device":
        fields["cmd"] = f"0x{found.code:02X}"
        if found.code == INVENTORY and len(found.data) == len(("flags", "afi", "mask_len")):
            flags, afi, mask_len = found.data
            return fields | {"flags": slots(flags), "afi": afi, "mask_len": mask_len}
        return fields | ({"data": found.data.hex()} if found.data else {})
    reply = _understand(sealed)
    fields["status"] = found.code
    if reply.error:
        return fields | {"error": reply.error}
    return fields | _uid_or_data(reply)


def _uid_or_data(reply: Reply) -> Fields:
    """A reply does not repeat its command; its UID is told by its layout."""
    for air in ("iso15693", "iso14443a"):
        try:
            uids = _seen(reply, "iso15693" if air == "iso15693" else "iso14443a").uids
        except FrameError:
            continue
        named_uids = [uid.hex() for uid in uids]
        one = {"uid": named_uids[0]} if len(uids) == 1 else {}
        return {"air": air, **one, "uids": named_uids}
    return {"data": reply.data.hex()} if reply.data else {}


def _hear(payload: bytes) -> Asked:
    code = parse(PAYLOAD, payload, "AA..BB command").code
    if code == REQUEST:
        return Asked("identify")
    return Asked("inventory" if code == INVENTORY else "other")


def _tell(uids: tuple[bytes, ...]) -> tuple[bytes, ...]:
    entries = b"".join(bytes((0,)) + printed(uid) for uid in uids)
    return (bytes((OK, len(uids))) + entries,)


FAMILY = Family(
    name="aa_bb",
    title="AA..BB",
    envelopes=(ENVELOPE,),
    baud=9_600,
    identify=bytes((REQUEST, 0x26, 0)),
    inventories={
        "iso15693": bytes((INVENTORY, 0x06, 0, 0)),
        "iso14443a": bytes((REQUEST, 0x26, 0)),
    },
    understand=_understand,
    seen=_seen,
    describe=lambda reply: f"address {reply.address}",
    way=_way,
    fields=_fields,
    voice=Voice(
        identity=bytes((FAILED, NO_TAG)),
        inventory=_tell,
        no_tag=bytes((FAILED, NO_TAG)),
        no_block=bytes((FAILED, 0x85)),
        hear=_hear,
        block=lambda data: bytes((OK,)) + data,
        written=bytes((OK,)),
    ),
    caveats=(
        (
            "only its ISO 14443A request is proven by captures; the ISO 15693 inventory rests on a "
            "parameter list, and block commands are left out"
        ),
    ),
)

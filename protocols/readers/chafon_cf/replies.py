"""What a CF reader says, as frozen values; building them serves simulated readers."""

from dataclasses import dataclass
from typing import TypeAlias

from construct import Bytes, Int8ub, Int16sb, Int16ub, Struct, Terminated, this

from protocols.checksums import genibus
from protocols.framing import FrameError, parse
from protocols.readers.chafon_cf import codes
from protocols.readers.chafon_cf.envelope import Envelope, seal, unseal
from protocols.readers.chafon_cf.params import (
    INFO_BYTES,
    Info,
    Params,
    decode_info,
    decode_params,
    info_data,
    params_data,
)
from protocols.scanners import decode_text

STX = b"\x02"
ETXS = (b"\x03\r", b"\x03")
"""How a barcode ends inside the frame of a tag."""

TAG = Struct(
    "rssi_ddbm" / Int16sb,
    "antenna" / Int8ub,
    "channel" / Int8ub,
    "epc_bytes" / Int8ub,
    "epc" / Bytes(this.epc_bytes),
    Terminated,
)
READ = Struct(
    "tag_status" / Int8ub,
    "antenna" / Int8ub,
    "crc" / Int16ub,
    "pc" / Int16ub,
    "epc_bytes" / Int8ub,
    "epc" / Bytes(this.epc_bytes),
    "words" / Int8ub,
    "data" / Bytes(2 * this.words),
    Terminated,
)
WRITTEN = Struct(
    "tag_status" / Int8ub,
    "antenna" / Int8ub,
    "crc" / Int16ub,
    "pc" / Int16ub,
    "epc_bytes" / Int8ub,
    "epc" / Bytes(this.epc_bytes),
    Terminated,
)
ANTENNA_POWER = Struct("op" / Int8ub, "enabled" / Int8ub, "power_dbm" / Int8ub[8], Terminated)
ANTENNA_POWER_BYTES = 10


@dataclass(frozen=True, slots=True)
class TagSeen:
    """One sighting: RSSI in tenths of a dBm, antenna from 1, channel as an index."""

    address: int
    rssi_ddbm: int
    antenna: int
    channel: int
    epc: bytes


@dataclass(frozen=True, slots=True)
class Barcode:
    """What the barcode head of a combined reader saw, without its STX and ETX."""

    address: int
    text: str


@dataclass(frozen=True, slots=True)
class TagAccess:
    """A tag was read (`data` is its memory) or written (`data` is empty); `tag_status` 0 is done.

    `crc` is what the reader hands over as the tag's own.
    """

    address: int
    code: int
    tag_status: int
    antenna: int
    crc: int
    pc: int
    epc: bytes
    data: bytes = b""

    @property
    def crc_ok(self) -> bool:
        """Whether that CRC covers PC and EPC (EPC Gen2 v2, 6.3.1.5)."""
        return self.crc == genibus(self.pc.to_bytes(2) + self.epc)


@dataclass(frozen=True, slots=True)
class InfoReply:
    """What the reader says it is."""

    address: int
    info: Info


@dataclass(frozen=True, slots=True)
class ParamsReply:
    """All parameters of the reader."""

    address: int
    params: Params


@dataclass(frozen=True, slots=True)
class Answer:
    """Any other reply: status and data as they came."""

    address: int
    code: int
    status: int
    data: bytes = b""


Reply: TypeAlias = TagSeen | Barcode | TagAccess | InfoReply | ParamsReply | Answer


def code_of(reply: Reply) -> int:
    """The command a reply belongs to."""
    match reply:
        case TagSeen() | Barcode():
            return codes.INVENTORY
        case InfoReply():
            return codes.INFO
        case ParamsReply():
            return codes.GET_PARAMS
        case TagAccess() | Answer():
            return reply.code


def decode_reply(raw: bytes) -> Reply:
    """One whole frame of a reader; raises FrameError."""
    return decode_envelope(unseal(raw))


def decode_envelope(envelope: Envelope) -> Reply:
    """A proven frame of a reader; raises FrameError when its layout is not what it should be."""
    if not envelope.data:
        raise FrameError("a command, not a reader's reply")
    address, code = envelope.address, envelope.code
    status, data = envelope.data[0], envelope.data[1:]
    if status == codes.OK and data:
        if code == codes.INVENTORY:
            return _seen(address, data)
        if code in {codes.READ, codes.WRITE}:
            return _access(address, code, data)
        if code == codes.GET_PARAMS:
            return ParamsReply(address, decode_params(data))
        if code == codes.INFO and len(data) == INFO_BYTES:
            return InfoReply(address, decode_info(data))
    return Answer(address, code, status, data)


def _seen(address: int, data: bytes) -> TagSeen | Barcode:
    """A tag, or a barcode in a tag's frame: no radio saw that, and its text is marked."""
    found = parse(TAG, data, "tag")
    if found.rssi_ddbm or found.antenna or found.channel:
        return TagSeen(address, found.rssi_ddbm, found.antenna, found.channel, found.epc)
    ending = next((etx for etx in ETXS if found.epc.endswith(etx)), b"")
    if not found.epc.startswith(STX) or not ending:
        raise FrameError("neither a tag nor a barcode: no RSSI, no antenna, no STX..ETX")
    text = decode_text(found.epc[len(STX) : -len(ending)])
    if not text:
        raise FrameError("a barcode without a character")
    return Barcode(address, text)


def _access(address: int, code: int, data: bytes) -> TagAccess:
    found = parse(READ if code == codes.READ else WRITTEN, data, "memory access")
    return TagAccess(
        address=address,
        code=code,
        tag_status=found.tag_status,
        antenna=found.antenna,
        crc=found.crc,
        pc=found.pc,
        epc=found.epc,
        data=found.data if code == codes.READ else b"",
    )


def build_reply(reply: Reply) -> bytes:
    """What a reader sends for a value: the opposite of `decode_reply`."""
    status, data = codes.OK, b""
    match reply:
        case TagSeen():
            data = _tag(reply.epc, reply.rssi_ddbm, reply.antenna, reply.channel)
        case Barcode():
            data = _tag(STX + reply.text.encode() + ETXS[0], 0, 0, 0)
        case TagAccess():
            data = _access_data(reply)
        case InfoReply():
            data = info_data(reply.info)
        case ParamsReply():
            data = params_data(reply.params)
        case Answer():
            status, data = reply.status, reply.data
    return seal(reply.address, code_of(reply), bytes((status,)) + data)


def _tag(epc: bytes, rssi_ddbm: int, antenna: int, channel: int) -> bytes:
    values = {"epc": epc, "epc_bytes": len(epc), "antenna": antenna, "channel": channel}
    return bytes(TAG.build({**values, "rssi_ddbm": rssi_ddbm}))


def _access_data(access: TagAccess) -> bytes:
    values = {name: getattr(access, name) for name in access.__slots__}
    values |= {"epc_bytes": len(access.epc), "words": len(access.data) // 2}
    return bytes((READ if access.code == codes.READ else WRITTEN).build(values))

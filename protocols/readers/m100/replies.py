"""What an M100 says, as frozen values; building them serves simulated readers.

Layouts after the QM100/M100 firmware manual; tags and access replies checked on captures by the
tag's own CRC. No capture exists of an error that carries PC and EPC: that layout is the manual's.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

from construct import Bytes, GreedyBytes, Int8sb, Int8ub, Int16ub, Struct, Terminated, this

from protocols.checksums import genibus
from protocols.framing import FrameError, parse
from protocols.readers.m100 import codes
from protocols.readers.m100.envelope import (
    BB_7E,
    COMMAND,
    NOTIFICATION,
    RESPONSE,
    Frame,
    Style,
    seal,
    unseal,
)

XPC = 0x0200
"""Bit of the PC: an extended PC follows, and a module may count it as EPC."""
TAG_BYTES_MIN = 5
"""RSSI, PC and CRC of a tag without an EPC."""
POLLS = frozenset({codes.POLL, codes.MULTI_POLL})
ACCESSES = frozenset({codes.READ, codes.WRITE, codes.LOCK, codes.KILL})

TAG = Struct(
    "rssi_dbm" / Int8sb,
    "pc" / Int16ub,
    "epc" / Bytes(2 * (this.pc >> 11)),
    "crc" / Int16ub,
    Terminated,
)
ACCESS = Struct(
    "ul" / Int8ub,
    "pc" / Int16ub,
    "epc" / Bytes(this.ul - 2),
    "data" / GreedyBytes,
    Terminated,
)


@dataclass(frozen=True, slots=True)
class TagSeen:
    """One sighting: no antenna, no time. The EPC's length is what the PC says."""

    rssi_dbm: int
    pc: int
    epc: bytes
    crc: int
    code: int = codes.POLL

    @property
    def crc_ok(self) -> bool:
        """Whether the tag's own CRC covers PC and EPC as they arrived."""
        return self.crc == tag_crc(self.pc, self.epc)


@dataclass(frozen=True, slots=True)
class Access:
    """A tag was read (`data` is its memory), written, locked or killed (`data` is 00)."""

    code: int
    pc: int
    epc: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Failure:
    """A command was refused or had no tag; PC and EPC name the tag where it was one's doing."""

    error: int
    pc: int | None = None
    epc: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """Any other reply: its parameter as it came."""

    code: int
    param: bytes

    @property
    def ok(self) -> bool:
        """Whether a setting was taken."""
        return self.param == bytes((codes.OK,))


Reply: TypeAlias = TagSeen | Access | Failure | Answer


def tag_crc(pc: int, epc: bytes) -> int:
    """The CRC a Gen2 tag sends behind PC and EPC (EPC Gen2 v2, 6.3.1.5)."""
    return genibus(pc.to_bytes(2) + epc)


def pc_of(epc: bytes) -> int:
    """The plainest PC of an EPC of whole words: its length and nothing else."""
    assert len(epc) % 2 == 0, epc
    return len(epc) // 2 << 11


def decode_reply(raw: bytes) -> Reply:
    """One whole frame of a reader; raises FrameError."""
    return decode_frame(unseal(raw))


def decode_frame(frame: Frame) -> Reply:
    """A proven frame of a reader; raises FrameError when it is a command or its layout is wrong."""
    if frame.type == COMMAND:
        raise FrameError("a command, not a reader's answer")
    if frame.code == codes.FAILURE:
        return _failure(frame.param)
    if frame.code in POLLS and (frame.type == NOTIFICATION or len(frame.param) >= TAG_BYTES_MIN):
        found = parse(TAG, frame.param, "tag")
        return TagSeen(found.rssi_dbm, found.pc, found.epc, found.crc, frame.code)
    if frame.code in ACCESSES and len(frame.param) > 1:
        tag = _one(frame.param, "memory access")
        return Access(frame.code, tag.pc, tag.epc, tag.data)
    return Answer(frame.code, frame.param)


def _one(param: bytes, what: str) -> Any:
    """The tag of an access: UL and the tag's own PC must tell the same length of its EPC."""
    tag = parse(ACCESS, param, what)
    told, found = 2 * (tag.pc >> 11), len(tag.epc)
    if found != told and not tag.pc & XPC:
        raise FrameError(f"{what}: the PC tells an EPC of {told} bytes, UL one of {found}")
    return tag


def _failure(param: bytes) -> Failure:
    if not param:
        raise FrameError("error without a number")
    if len(param) == 1:
        return Failure(param[0])
    tag = _one(param[1:], "error of a tag")
    if tag.data:
        raise FrameError(f"{len(tag.data)} bytes too many in an error")
    return Failure(param[0], tag.pc, tag.epc)


def build_reply(reply: Reply, style: Style = BB_7E) -> bytes:
    """What a reader sends for a value: the opposite of `decode_reply`."""
    match reply:
        case TagSeen():
            param = reply.rssi_dbm.to_bytes(1, signed=True) + reply.pc.to_bytes(2)
            param += reply.epc + reply.crc.to_bytes(2)
            return seal(Frame(NOTIFICATION, reply.code, param, style))
        case Access():
            return seal(Frame(RESPONSE, reply.code, _tag(reply.pc, reply.epc) + reply.data, style))
        case Failure():
            tag = b"" if reply.pc is None else _tag(reply.pc, reply.epc)
            return seal(Frame(RESPONSE, codes.FAILURE, bytes((reply.error,)) + tag, style))
        case Answer():
            return seal(Frame(RESPONSE, reply.code, reply.param, style))


def _tag(pc: int, epc: bytes) -> bytes:
    return bytes((2 + len(epc),)) + pc.to_bytes(2) + epc

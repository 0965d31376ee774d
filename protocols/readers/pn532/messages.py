"""What goes to and comes from a PN532, as frozen values (UM0701-02 §7)."""

from dataclasses import dataclass
from typing import TypeAlias

from construct import (
    Array,
    Bytes,
    GreedyBytes,
    If,
    Int8ub,
    Optional,
    Rebuild,
    Struct,
    Terminated,
    len_,
    this,
)

from protocols.framing import FrameError, parse, shown
from protocols.readers.pn532.envelope import ACK, ERROR, FROM_CHIP, TO_CHIP, unseal

GET_FIRMWARE, SAM, RF_CONFIGURATION = 0x02, 0x14, 0x32
DATA_EXCHANGE, COMMUNICATE_THRU, LIST_TARGETS = 0x40, 0x42, 0x4A
COMMAND_NAMES = {
    0x00: "Diagnose",
    GET_FIRMWARE: "GetFirmwareVersion",
    0x04: "GetGeneralStatus",
    0x06: "ReadRegister",
    0x08: "WriteRegister",
    0x0C: "ReadGPIO",
    0x0E: "WriteGPIO",
    0x10: "SetSerialBaudRate",
    0x12: "SetParameters",
    SAM: "SAMConfiguration",
    0x16: "PowerDown",
    RF_CONFIGURATION: "RFConfiguration",
    DATA_EXCHANGE: "InDataExchange",
    COMMUNICATE_THRU: "InCommunicateThru",
    0x44: "InDeselect",
    LIST_TARGETS: "InListPassiveTarget",
    0x50: "InATR",
    0x52: "InRelease",
    0x54: "InSelect",
    0x60: "InAutoPoll",
}
STATUSES = {
    0x01: "tag did not answer in time",
    0x02: "CRC error in the air",
    0x03: "parity error in the air",
    0x05: "framing error in the air",
    0x06: "collision in the air",
    0x07: "buffer too small",
    0x09: "RF buffer overflow",
    0x0A: "RF field not switched on in time",
    0x0B: "RF protocol error",
    0x0D: "overheated",
    0x10: "invalid parameter",
    0x13: "wrong data format",
    0x14: "authentication failed",
    0x23: "wrong UID check byte",
    0x25: "not possible in this state",
    0x26: "not allowed here",
    0x27: "wrong context",
    0x29: "tag was released",
    0x2A: "another tag has come",
    0x2B: "tag has gone",
    0x2D: "over-current",
}
"""Status bits 5..0 of an exchange (§7.1); an unknown status stays a number."""
_STATUS_BITS = 0x3F
_ISO_DEP = 0x20
"""SEL_RES bit 6: the tag also sends an ATS."""
RANDOM_HEAD = 0x08
SINGLE_UID_BYTES = 4
UID_BYTES = frozenset({4, 7, 10})

FIRMWARE = Struct("ic" / Int8ub, "ver" / Int8ub, "rev" / Int8ub, "support" / Int8ub, Terminated)
ATS = Struct("size" / Rebuild(Int8ub, len_(this.data) + 1), "data" / Bytes(this.size - 1))
TARGET = Struct(
    "tg" / Int8ub,
    "sens_res" / Bytes(2),
    "sel_res" / Int8ub,
    "size" / Rebuild(Int8ub, len_(this.uid)),
    "uid" / Bytes(this.size),
    "ats" / If(this.sel_res & _ISO_DEP, Optional(ATS)),
)
TARGETS = Struct(
    "count" / Rebuild(Int8ub, len_(this.targets)), "targets" / Array(this.count, TARGET), Terminated
)
EXCHANGED = Struct("status" / Int8ub, "data" / GreedyBytes, Terminated)


@dataclass(frozen=True, slots=True)
class Ack:
    """The other side has the last frame; from a host it also ends a command."""


@dataclass(frozen=True, slots=True)
class Nack:
    """The other side wants the last frame again."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The chip did not understand the command (error frame, TFI 7F)."""


@dataclass(frozen=True, slots=True)
class Command:
    """From the host: number and data."""

    code: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """From the chip: `code` is the number of the command it answers."""

    code: int
    data: bytes = b""


Message: TypeAlias = Ack | Nack | Refused | Command | Reply


@dataclass(frozen=True, slots=True)
class Firmware:
    """Who the chip is; `ic` 0x32 is a PN532, `support` bit 0 is ISO 14443A."""

    ic: int
    ver: int
    rev: int
    support: int


@dataclass(frozen=True, slots=True)
class Target:
    """One ISO 14443A tag in the field; `uid` as printed, `tg` its number for exchanges."""

    tg: int
    sens_res: bytes
    sel_res: int
    uid: bytes
    ats: bytes = b""


def decode(frame: bytes) -> Message:
    """One whole frame of either side; raises FrameError."""
    payload = unseal(frame)
    if not payload:
        return Ack() if frame == ACK else Nack()
    if payload == bytes((ERROR,)):
        return Refused()
    if payload[0] not in {TO_CHIP, FROM_CHIP} or len(payload) < len(("tfi", "code")):
        raise FrameError(f"neither to nor from a PN532: {shown(payload)}")
    code, data = payload[1], payload[2:]
    if payload[0] == TO_CHIP:
        return Command(code, data)
    if not code & 1:
        raise FrameError(f"0x{code:02X} answers no command")
    return Reply(code - 1, data)


def firmware_of(reply: Reply) -> Firmware:
    """The reply to GetFirmwareVersion; raises FrameError."""
    found = parse(FIRMWARE, reply.data, "PN532 firmware")
    return Firmware(found.ic, found.ver, found.rev, found.support)


def targets_of(reply: Reply) -> tuple[Target, ...]:
    """The tags of InListPassiveTarget at 106 kbit/s type A; raises FrameError."""
    found = parse(TARGETS, reply.data, "PN532 targets")
    targets = []
    for tag in found.targets:
        if len(tag.uid) not in UID_BYTES:
            raise FrameError(f"ISO 14443A UID of {len(tag.uid)} bytes")
        ats = tag.ats.data if tag.ats is not None else b""
        targets.append(Target(tag.tg, tag.sens_res, tag.sel_res, tag.uid, ats))
    return tuple(targets)


def exchanged(reply: Reply) -> tuple[int, bytes]:
    """Status (0 is ok) and data of InDataExchange; raises FrameError."""
    found = parse(EXCHANGED, reply.data, "PN532 exchange")
    return found.status & _STATUS_BITS, found.data


def is_random(uid: bytes) -> bool:
    """A UID made up for this one contact (phones, payment cards): ISO/IEC 14443-3 §6.5.4."""
    return len(uid) == SINGLE_UID_BYTES and uid[0] == RANDOM_HEAD

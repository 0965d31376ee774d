"""What a UHFReader says, as frozen values: decode for the host, build for a simulated reader.

Layouts after the UHFReader18 manual V2.0 §8, the UHFReader288 manual §6 and captures; where no
capture is public the layout is the manual's (statistics 0x26, antenna heartbeat EE 28, 0x36, 0x77).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, TypeAlias

from construct import Bytes, Int32ub, Struct, Terminated

from protocols.framing import FrameError, parse
from protocols.readers.uhfreader.codes import (
    ANTENNA_HEARTBEAT,
    DONE,
    GET_WORK_MODE_18,
    GET_WORK_MODE_288,
    INFO,
    INVENTORY,
    MEMORY_FULL,
    MORE_FOLLOWS,
    OK,
    PUSH,
    SINGLE_INVENTORY,
    STATISTICS,
    TIMED_OUT,
)
from protocols.readers.uhfreader.envelope import Dialect, Envelope, unseal
from protocols.readers.uhfreader.layouts import (
    INFO_LAYOUT,
    INVENTORY_18,
    INVENTORY_288,
    PORTS,
    PORTS_BYTES,
    PUSH_18,
    PUSH_288,
    STATISTICS_288,
    TID_BYTES,
    WORK_MODE_18,
    WORK_MODE_288,
)

TAG_STATUSES = frozenset({DONE, TIMED_OUT, MORE_FOLLOWS, MEMORY_FULL})
"""Inventory statuses whose data is a tag list."""
_COUNT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Tag:
    """One sighting.

    `rssi_raw` is uncalibrated, None in dialect 18; `trailer` is phase and frequency as sent.
    """

    epc: bytes
    rssi_raw: int | None = None
    tid: bytes = b""
    trailer: bytes = b""


@dataclass(frozen=True, slots=True)
class Ports:
    """The part of an info reply only dialect 288 sends."""

    antenna: int
    beep: int
    reserved: int
    check_ant: int


@dataclass(frozen=True, slots=True)
class Info:
    """Who the reader is (0x21). Codes stay numbers; `protocols` bit 0 is 6B, bit 1 is 6C."""

    address: int
    version: tuple[int, int]
    type_code: int
    protocols: int
    max_fre: int
    min_fre: int
    power_dbm: int
    scan_time_100ms: int
    extra: bytes = b""
    code: ClassVar[int] = INFO
    status: ClassVar[int] = OK

    @property
    def ports(self) -> Ports | None:
        """The antenna part, when this reader sends one."""
        if len(self.extra) != PORTS_BYTES:
            return None
        found = parse(PORTS, self.extra, "reader info")
        return Ports(found.antenna, found.beep, found.reserved, found.check_ant)


@dataclass(frozen=True, slots=True)
class Inventory:
    """One frame of an inventory round (0x01, 0x0F); the round goes on while MORE_FOLLOWS."""

    address: int
    code: int
    status: int
    antenna_raw: int | None
    tags: tuple[Tag, ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    """End of a dialect 288 round that was asked for statistics (status 0x26)."""

    address: int
    code: int
    antenna_raw: int
    reads_per_s: int
    total: int
    status: ClassVar[int] = STATISTICS


@dataclass(frozen=True, slots=True)
class Push:
    """One tag nobody asked for (0xEE): dialect 18 scan mode or dialect 288 real-time mode."""

    address: int
    antenna_raw: int | None
    tag: Tag
    code: ClassVar[int] = PUSH
    status: ClassVar[int] = OK


@dataclass(frozen=True, slots=True)
class AntennaHeartbeat:
    """Real-time mode says it lives (EE 28): packet number, a status byte an antenna, a count."""

    address: int
    packet_no: int
    antenna_status: bytes
    count: int
    code: ClassVar[int] = PUSH
    status: ClassVar[int] = ANTENNA_HEARTBEAT


@dataclass(frozen=True, slots=True)
class WorkMode:
    """Work mode (0x36: six bytes, 0x77: one); `settings` is the rest of the reply as sent."""

    address: int
    code: int
    mode: bytes
    settings: bytes
    status: ClassVar[int] = OK

    @property
    def answers(self) -> bool:
        """True when the reader speaks only when asked."""
        return self.mode[0] & self._mode_bits == 0

    def switched(self, *, pushing: bool) -> bytes:
        """The same mode but answering or pushing, as data of the set command."""
        return bytes((self.mode[0] & ~self._mode_bits | pushing, *self.mode[1:]))

    @property
    def _mode_bits(self) -> int:
        return 0b11 if self.code == GET_WORK_MODE_18 else 0xFF


@dataclass(frozen=True, slots=True)
class Answer:
    """Any other reply: its status and its data as sent."""

    address: int
    code: int
    status: int
    data: bytes


Reply: TypeAlias = Info | Inventory | Statistics | Push | AntennaHeartbeat | WorkMode | Answer


@lru_cache(maxsize=4096)
def decode_reply(frame: bytes, dialect: Dialect) -> Reply:
    """One whole frame of a reader to its value; raises FrameError.

    Cached: a tag at rest repeats the same bytes many times a second, and a value is immutable.
    """
    return decode_envelope(unseal(frame), dialect)


def decode_envelope(envelope: Envelope, dialect: Dialect) -> Reply:
    """As `decode_reply`, for a frame already opened."""
    if not envelope.payload:
        raise FrameError(f"no status in reply to 0x{envelope.code:02X}")
    status, data = envelope.payload[0], envelope.payload[1:]
    answer = Answer(envelope.address, envelope.code, status, data)
    if answer.code == PUSH:
        return _push(answer, dialect)
    if answer.code in {INVENTORY, SINGLE_INVENTORY}:
        return _round(answer, dialect)
    if status == OK and data:
        return _settings(answer)
    return answer


def _round(answer: Answer, dialect: Dialect) -> Inventory | Statistics | Answer:
    if answer.status in TAG_STATUSES:
        return _inventory(answer, dialect)
    if answer.status == STATISTICS and dialect == "288":
        found = parse(STATISTICS_288, answer.data, "inventory statistics")
        return Statistics(
            answer.address, answer.code, found.antenna, found.reads_per_s, found.total
        )
    return answer


def _settings(answer: Answer) -> Info | WorkMode | Answer:
    if answer.code == INFO:
        return _info(answer)
    if answer.code == GET_WORK_MODE_18:
        found = parse(WORK_MODE_18, answer.data, "work mode")
        return WorkMode(answer.address, answer.code, found.mode, found.wiegand + found.tuning)
    if answer.code == GET_WORK_MODE_288:
        found = parse(WORK_MODE_288, answer.data, "work mode")
        return WorkMode(answer.address, answer.code, found.mode, found.settings)
    return answer


def _inventory(answer: Answer, dialect: Dialect) -> Inventory:
    layout = INVENTORY_18 if dialect == "18" else INVENTORY_288
    found = parse(layout, answer.data, f"inventory, dialect {dialect}")
    read = _tag_18 if dialect == "18" else _tag_288
    tags = tuple(read(tag) for tag in found.tags)
    return Inventory(answer.address, answer.code, answer.status, found.antenna, tags)


def _tag_18(found: Any) -> Tag:
    return Tag(found.epc)


def _tag_288(found: Any) -> Tag:
    trailer = found.trailer or b""
    if not found.head.with_tid:
        return Tag(found.epc, found.rssi, trailer=trailer)
    if len(found.epc) < TID_BYTES:
        raise FrameError(f"EPC and TID announced in {len(found.epc)} bytes")
    epc, tid = found.epc[:-TID_BYTES], found.epc[-TID_BYTES:]
    return Tag(epc, found.rssi, tid, trailer)


def _push(answer: Answer, dialect: Dialect) -> Push | AntennaHeartbeat:
    if answer.status == ANTENNA_HEARTBEAT and dialect == "288":
        ports = len(answer.data) - 2 * _COUNT_BYTES
        if ports < 0:
            raise FrameError(f"antenna heartbeat of {len(answer.data)} bytes")
        layout = Struct("no" / Int32ub, "ports" / Bytes(ports), "count" / Int32ub, Terminated)
        found = parse(layout, answer.data, "antenna heartbeat")
        return AntennaHeartbeat(answer.address, found.no, found.ports, found.count)
    if answer.status != OK:
        raise FrameError(f"push with status 0x{answer.status:02X}")
    if dialect == "18":
        found = parse(PUSH_18, answer.data, "push, dialect 18")
        return Push(answer.address, None, Tag(found.epc))
    found = parse(PUSH_288, answer.data, "push, dialect 288")
    return Push(answer.address, found.antenna, _tag_288(found.tag))


def _info(answer: Answer) -> Info:
    found = parse(INFO_LAYOUT, answer.data, "reader info")
    return Info(
        address=answer.address,
        version=(found.major, found.minor),
        type_code=found.type_code,
        protocols=found.protocols,
        max_fre=found.max_fre,
        min_fre=found.min_fre,
        power_dbm=found.power_dbm,
        scan_time_100ms=found.scan_time_100ms,
        extra=found.extra,
    )

"""What an R2000 serial reader says, as frozen values: decode for the host, build for simulators.

Layouts after UHF RFID Reader Serial Interface V3.7, chapter 2. Tags, ends of rounds and results are
proven on captures; the replies of read, write and of fast-switch inventory are the manual's and
public drivers' word, no capture exists.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, TypeAlias

from construct import Int8ub, Int16ub, Int24ub, Int32ub, Struct, Terminated

from protocols.framing import FrameError, parse, shown
from protocols.readers.r2000 import codes
from protocols.readers.r2000.envelope import Envelope, unseal

RSSI_ZERO_DBM = 129
"""dBm = (raw & 0x7F) - 129 (two independent public drivers)."""
PORTS_A_BANK = 4
"""FreqAnt has two bits for the antenna; on 8 ports bit 7 of the RSSI says which four."""
EU_INDEX_MAX = 6
INDEX_MAX = 59
PHASE_BYTES = 2
_PC_BYTES = 2
_CRC_BYTES = 2
_TAG_BYTES_MIN = 4
"""FreqAnt, PC and RSSI around an EPC of any length."""
_ACCESS_BYTES_MIN = 10
_ONE_BYTE = 1
_PORTS = frozenset({1, 4, 8})
"""A power is told once for all antennas, or once each."""

ROUND_END = Struct("antenna" / Int8ub, "rate" / Int16ub, "total" / Int32ub, Terminated)
SWITCH_END = Struct("total" / Int24ub, "duration_ms" / Int32ub, Terminated)
BUFFERED_END = Struct(
    "antenna" / Int8ub, "tags" / Int16ub, "rate" / Int16ub, "total" / Int32ub, Terminated
)
VERSION = Struct("major" / Int8ub, "minor" / Int8ub, Terminated)
_END_BYTES = 7
_SWITCH_ERROR_BYTES = (2, 3)
"""Antenna and error; a third byte, an antenna group, comes first where there is one."""
_ON_TAGS = frozenset({codes.WRITE, codes.LOCK, codes.KILL, codes.BLOCK_WRITE})
_TAGS = frozenset({codes.INVENTORY, codes.FAST_SWITCH, codes.SESSION_INVENTORY})
_ONE_BYTE_VALUES = {
    codes.GET_ANTENNA: range(0x10),
    codes.GET_POWER: range(34),
    codes.GET_ANTENNA_DETECTOR: range(0x22),
    codes.GET_LINK_PROFILE: range(0xD0, 0xD4),
    codes.RETURN_LOSS: range(0x80),
    codes.GET_MATCH: range(2),
    codes.GET_FAST_TID: range(0x100),
}
"""Questions answered with one byte that is no result; outside its range it is one."""


def freq_khz(index: int) -> int | None:
    """Channel to kHz: 0..6 are 865.0 MHz on, 7..59 are 902.0 MHz on; None beyond, user-defined."""
    if index > INDEX_MAX:
        return None
    if index <= EU_INDEX_MAX:
        return 865_000 + 500 * index
    return 902_000 + 500 * (index - EU_INDEX_MAX - 1)


def antenna_of(freq_ant: int, high: int) -> int:
    """Antenna from 1: two bits of FreqAnt, and bit 7 of the RSSI (or of the read count) for 5..8."""
    return (freq_ant & 0b11) + 1 + PORTS_A_BANK * (high >> 7)


def epc_bytes(pc: int) -> int:
    """How long the EPC is by its protocol control word: bits 15..11 count words."""
    return 2 * (pc >> 11)


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended, one byte; SUCCESS or what went wrong."""

    address: int
    code: int
    result: int


@dataclass(frozen=True, slots=True)
class Seen:
    """One tag of a round (0x89, 0x8A, 0x8B). `phase` only when it was asked for."""

    address: int
    code: int
    freq_ant: int
    pc: int
    epc: bytes
    rssi_raw: int
    phase: int | None = None

    @property
    def antenna(self) -> int:
        """From 1."""
        return antenna_of(self.freq_ant, self.rssi_raw)

    @property
    def freq_index(self) -> int:
        """Channel; see `freq_khz`."""
        return self.freq_ant >> 2

    @property
    def rssi_dbm(self) -> int:
        """Signal strength in dBm."""
        return (self.rssi_raw & 0x7F) - RSSI_ZERO_DBM


@dataclass(frozen=True, slots=True)
class RoundEnd:
    """A round is over (0x89, 0x8B; 0x80 also counts the tags in its buffer)."""

    address: int
    code: int
    antenna_index: int
    reads_per_s: int
    total: int
    tags: int | None = None


@dataclass(frozen=True, slots=True)
class SwitchEnd:
    """A fast-switch inventory is over (0x8A)."""

    address: int
    total: int
    duration_ms: int
    code: ClassVar[int] = codes.FAST_SWITCH


@dataclass(frozen=True, slots=True)
class AntennaError:
    """One antenna of a fast-switch inventory failed, the others go on (0x8A)."""

    address: int
    antenna_index: int
    result: int
    code: ClassVar[int] = codes.FAST_SWITCH


@dataclass(frozen=True, slots=True)
class Version:
    """Firmware version (0x72)."""

    address: int
    major: int
    minor: int
    miscount: int = 0
    code: ClassVar[int] = codes.VERSION


@dataclass(frozen=True, slots=True)
class Access:
    """One tag of a read or write (0x81, 0x82, 0x83, 0x84, 0x94).

    `data` is what was read; `result` is SUCCESS on a read. `antenna_raw` and `count_raw` are as
    sent, `tag_count` is how many tags this command found, each with its own frame.
    """

    address: int
    code: int
    tag_count: int
    pc: int
    epc: bytes
    crc: int
    data: bytes
    result: int
    antenna_raw: int
    count_raw: int
    rssi_raw: int | None = None

    @property
    def antenna(self) -> int:
        """From 1."""
        return antenna_of(self.antenna_raw, self.count_raw)


@dataclass(frozen=True, slots=True)
class Answer:
    """Any other reply: its data as sent."""

    address: int
    code: int
    data: bytes


Reply: TypeAlias = Result | Seen | RoundEnd | SwitchEnd | AntennaError | Version | Access | Answer


@lru_cache(maxsize=4096)
def decode_reply(frame: bytes) -> Reply:
    """One whole frame of a reader to its value; raises FrameError.

    Cached: a tag at rest repeats the same bytes many times a second, and a value is immutable.
    """
    return decode_envelope(unseal(frame))


def decode_envelope(envelope: Envelope) -> Reply:
    """As `decode_reply`, for a frame already opened."""
    address, code, data = envelope.address, envelope.code, envelope.data
    if not data:
        raise FrameError(f"no data in reply to 0x{code:02X}")
    if len(data) == _ONE_BYTE and data[0] not in _ONE_BYTE_VALUES.get(code, ()):
        return Result(address, code, data[0])
    if code in _TAGS:
        return _round(envelope)
    if code == codes.BUFFERED_INVENTORY:
        found = parse(BUFFERED_END, data, "end of buffered inventory")
        return RoundEnd(address, code, found.antenna, found.rate, found.total, found.tags)
    if code == codes.READ or code in _ON_TAGS:
        return _access(envelope)
    if code == codes.VERSION:
        found = parse(VERSION, data, "firmware version")
        return Version(address, found.major, found.minor, envelope.miscount)
    return Answer(address, code, data)


def is_known_reply(envelope: Envelope) -> bool:
    """Whether this is a whole reply of a known layout."""
    try:
        reply = decode_envelope(envelope)
    except FrameError:
        return False
    if not isinstance(reply, Answer):
        return True
    if reply.code == codes.GET_POWER:
        return len(reply.data) in _PORTS
    return reply.code in _ONE_BYTE_VALUES and len(reply.data) == _ONE_BYTE


def _round(envelope: Envelope) -> Reply:
    """Inventory replies are told apart by their length."""
    address, code, data = envelope.address, envelope.code, envelope.data
    if code == codes.FAST_SWITCH and len(data) in _SWITCH_ERROR_BYTES:
        return AntennaError(address, data[-2], data[-1])
    if len(data) != _END_BYTES:
        return _seen(envelope)
    if code == codes.FAST_SWITCH:
        end = parse(SWITCH_END, data, "end of fast-switch inventory")
        return SwitchEnd(address, end.total, end.duration_ms)
    end = parse(ROUND_END, data, "end of a round")
    return RoundEnd(address, code, end.antenna, end.rate, end.total)


def _seen(envelope: Envelope) -> Seen:
    data = envelope.data
    if len(data) < _TAG_BYTES_MIN:
        raise FrameError(f"{len(data)} bytes are no tag: {shown(data)}")
    size = epc_bytes(int.from_bytes(data[1:3]))
    rssi_at = 3 + size
    more = len(data) - rssi_at - 1
    if more not in {0, PHASE_BYTES}:
        raise FrameError(f"tag with an EPC of {size} bytes in {len(data)}: {shown(data)}")
    return Seen(
        envelope.address,
        envelope.code,
        freq_ant=data[0],
        pc=int.from_bytes(data[1:3]),
        epc=data[3:rssi_at],
        rssi_raw=data[rssi_at],
        phase=int.from_bytes(data[-PHASE_BYTES:]) if more else None,
    )


def _access(envelope: Envelope) -> Access:
    """Count, length, `PC EPC CRC Data`, then the length read (or the result), antenna and count.

    A read of an odd length carries the RSSI as its last byte (a public driver's finding).
    """
    data = envelope.data
    size = data[2] if len(data) >= _ACCESS_BYTES_MIN else 0
    if len(data) != 3 + size + 3 or size < _PC_BYTES + _CRC_BYTES:
        raise FrameError(f"tag of {size} bytes in {len(data)}: {shown(data)}")
    tag, (third_last, antenna_raw, count_raw) = data[3:-3], data[-3:]
    pc = int.from_bytes(tag[:_PC_BYTES])
    crc_at = _PC_BYTES + epc_bytes(pc)
    read = tag[crc_at + _CRC_BYTES :]
    is_read = envelope.code == codes.READ
    if len(tag) < crc_at + _CRC_BYTES or len(read) != (third_last if is_read else 0):
        raise FrameError(f"tag of {size} bytes does not hold what it announces: {shown(data)}")
    words = len(read) // 2 * 2
    return Access(
        address=envelope.address,
        code=envelope.code,
        tag_count=int.from_bytes(data[:2]),
        pc=pc,
        epc=tag[_PC_BYTES:crc_at],
        crc=int.from_bytes(tag[crc_at : crc_at + _CRC_BYTES]),
        data=read[:words],
        result=codes.SUCCESS if is_read else third_last,
        antenna_raw=antenna_raw,
        count_raw=count_raw,
        rssi_raw=read[-1] if len(read) > words else None,
    )

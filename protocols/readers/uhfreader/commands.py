"""What a host says to a UHFReader: build for the driver, decode for tools and simulated readers.

Layouts after the UHFReader18 manual V2.0 §8 and the UHFReader288 manual §6, checked on captures.
"""

from dataclasses import dataclass

from construct import (
    BitsInteger,
    BitStruct,
    Bytes,
    Flag,
    GreedyBytes,
    Int8ub,
    Int16ub,
    Struct,
    Terminated,
    this,
)

from protocols.framing import FrameError, parse
from protocols.readers.uhfreader.codes import INVENTORY
from protocols.readers.uhfreader.envelope import seal, unseal

SESSION_AUTO = 0xFF
ANTENNA_SELECTOR = 0x80
"""Antenna n is selected by 0x80 + n - 1."""

HEAD = Struct(
    "q"
    / BitStruct(
        "statistics" / Flag,
        "strategy" / Flag,
        "fast_id" / Flag,
        "trailer" / Flag,
        "value" / BitsInteger(4),
    ),
    "session" / Int8ub,
    "rest" / GreedyBytes,
    Terminated,
)
MASK = Struct(
    "bank" / Int8ub,
    "bit_address" / Int16ub,
    "bits" / Int8ub,
    "data" / Bytes((this.bits + 7) // 8),
    "rest" / GreedyBytes,
    Terminated,
)
TID = Struct("word_address" / Int8ub, "words" / Int8ub, Terminated)
AIM = Struct("target" / Int8ub, "antenna_selector" / Int8ub, "scan_time_100ms" / Int8ub, Terminated)
_TID_BYTES = 2
_AIM_BYTES = 3


@dataclass(frozen=True, slots=True)
class Command:
    """Any command: number and data as sent."""

    address: int
    code: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Mask:
    """Only tags whose memory matches take part; `bits` may be 0 (all do)."""

    bank: int
    bit_address: int
    bits: int
    data: bytes


@dataclass(frozen=True, slots=True)
class TidArea:
    """Report this part of the TID instead of the EPC, in words."""

    word_address: int
    words: int


@dataclass(frozen=True, slots=True)
class Aim:
    """Target 0 is A, 1 is B; the antenna by its selector byte; scan time 0 means no limit."""

    target: int
    antenna_selector: int
    scan_time_100ms: int


@dataclass(frozen=True, slots=True)
class InventoryParams:
    """Parameters of a dialect 288 inventory; `session` 0..3 or SESSION_AUTO."""

    q: int = 4
    session: int = SESSION_AUTO
    statistics: bool = False
    strategy: bool = False
    fast_id: bool = False
    trailer: bool = False
    mask: Mask | None = None
    tid: TidArea | None = None
    aim: Aim | None = None


def build_command(address: int, code: int, data: bytes = b"") -> bytes:
    """Any command, sealed; `data` is at most 251 bytes."""
    return seal(address, code, data)


def build_inventory(address: int, params: InventoryParams | None = None) -> bytes:
    """Command 0x01: without parameters in dialect 18, with them in dialect 288."""
    return build_command(address, INVENTORY, encode_params(params) if params else b"")


def encode_params(params: InventoryParams) -> bytes:
    """Inventory parameters as command data."""
    q = {
        "statistics": params.statistics,
        "strategy": params.strategy,
        "fast_id": params.fast_id,
        "trailer": params.trailer,
        "value": params.q,
    }
    rest = _build(MASK, params.mask, rest=b"") + _build(TID, params.tid) + _build(AIM, params.aim)
    return bytes(HEAD.build({"q": q, "session": params.session, "rest": rest}))


def _build(
    layout: "Struct[dict[str, object], dict[str, object]]",
    part: Mask | TidArea | Aim | None,
    **extra: bytes,
) -> bytes:
    if part is None:
        return b""
    values = {name: getattr(part, name) for name in part.__slots__}
    return bytes(layout.build({**values, **extra}))


def decode_command(frame: bytes) -> Command:
    """One whole frame of a host; raises FrameError."""
    envelope = unseal(frame)
    return Command(envelope.address, envelope.code, envelope.payload)


def decode_params(data: bytes) -> InventoryParams:
    """Data of a dialect 288 inventory command; raises FrameError.

    Which optional parts are there follows from the length alone; five bytes are TID and aim when
    the fourth is an antenna selector (a mask of one byte has at most 8 bits there).
    """
    head = parse(HEAD, data, "inventory parameters")
    rest, mask = head.rest, None
    aimed = len(rest) == _TID_BYTES + _AIM_BYTES and rest[3] >= ANTENNA_SELECTOR
    if len(rest) not in {0, _TID_BYTES, _AIM_BYTES} and not aimed:
        found = parse(MASK, rest, "inventory mask")
        rest, mask = found.rest, Mask(found.bank, found.bit_address, found.bits, found.data)
    if len(rest) not in {0, _TID_BYTES, _AIM_BYTES, _TID_BYTES + _AIM_BYTES}:
        raise FrameError(f"{len(rest)} bytes too many in inventory parameters")
    return InventoryParams(
        q=head.q.value,
        session=head.session,
        statistics=head.q.statistics,
        strategy=head.q.strategy,
        fast_id=head.q.fast_id,
        trailer=head.q.trailer,
        mask=mask,
        tid=_tid(rest),
        aim=_aim(rest),
    )


def _tid(rest: bytes) -> TidArea | None:
    if len(rest) not in {_TID_BYTES, _TID_BYTES + _AIM_BYTES}:
        return None
    found = parse(TID, rest[:_TID_BYTES], "TID area")
    return TidArea(found.word_address, found.words)


def _aim(rest: bytes) -> Aim | None:
    if len(rest) not in {_AIM_BYTES, _TID_BYTES + _AIM_BYTES}:
        return None
    found = parse(AIM, rest[-_AIM_BYTES:], "antenna and time")
    return Aim(found.target, found.antenna_selector, found.scan_time_100ms)

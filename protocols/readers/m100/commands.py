"""What a host says to an M100: build for the driver, decode for tools and simulated readers."""

from dataclasses import dataclass

from construct import (
    BitsInteger,
    BitStruct,
    Bytes,
    GreedyBytes,
    Int8ub,
    Int16ub,
    Int32ub,
    Struct,
    Terminated,
    this,
)

from protocols.framing import FrameError, parse
from protocols.readers.m100.envelope import BB_7E, COMMAND, Frame, Style, seal, unseal

MULTI_POLL_RESERVED = 0x22
MULTI_POLL_MAX = 0xFFFF
"""Rounds a multi poll runs at most before it must be started again."""
EPC_POINTER_BITS = 0x20
"""The EPC begins behind CRC and PC of its bank."""
SELECT_ALWAYS, SELECT_NEVER, SELECT_FOR_ACCESS = 0, 1, 2

SELECT = Struct(
    "head"
    / BitStruct("target" / BitsInteger(3), "action" / BitsInteger(3), "bank" / BitsInteger(2)),
    "pointer_bits" / Int32ub,
    "mask_bits" / Int8ub,
    "truncate" / Int8ub,
    "mask" / Bytes((this.mask_bits + 7) // 8),
    Terminated,
)
MEMORY = Struct(
    "password" / Int32ub,
    "bank" / Int8ub,
    "start" / Int16ub,
    "count" / Int16ub,
    "data" / GreedyBytes,
    Terminated,
)


@dataclass(frozen=True, slots=True)
class Command:
    """Any command: number and parameter as sent."""

    code: int
    param: bytes = b""
    style: Style = BB_7E


@dataclass(frozen=True, slots=True)
class Select:
    """Which tags take part: their bank holds `mask` at `pointer_bits`; `mask_bits` is its length."""

    bank: int
    pointer_bits: int
    mask: bytes
    mask_bits: int
    target: int = 0
    action: int = 0
    truncate: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """A stretch of the selected tag's memory in words; `data` is what a write writes."""

    password: int
    bank: int
    start: int
    count: int
    data: bytes = b""


def build_command(code: int, param: bytes = b"", style: Style = BB_7E) -> bytes:
    """Any command, sealed."""
    return seal(Frame(COMMAND, code, param, style))


def decode_command(raw: bytes) -> Command:
    """One whole frame of a host; raises FrameError."""
    frame = unseal(raw)
    if frame.type != COMMAND:
        raise FrameError("not a command: a reader's answer")
    return Command(frame.code, frame.param, frame.style)


def multi_poll_param(count: int) -> bytes:
    """Parameter of a multi poll of 1..MULTI_POLL_MAX rounds."""
    return bytes((MULTI_POLL_RESERVED,)) + count.to_bytes(2)


def epc_select(epc: bytes) -> Select:
    """Only the tag with this EPC takes part."""
    return Select(bank=1, pointer_bits=EPC_POINTER_BITS, mask=epc, mask_bits=8 * len(epc))


def select_param(select: Select) -> bytes:
    """Parameter of set select, and of the answer to get select."""
    values = {name: getattr(select, name) for name in select.__slots__}
    return bytes(SELECT.build({**values, "head": values}))


def decode_select(param: bytes) -> Select:
    """The opposite of `select_param`; raises FrameError."""
    found = parse(SELECT, param, "select")
    return Select(
        bank=found.head.bank,
        pointer_bits=found.pointer_bits,
        mask=found.mask,
        mask_bits=found.mask_bits,
        target=found.head.target,
        action=found.head.action,
        truncate=found.truncate,
    )


def memory_param(memory: Memory) -> bytes:
    """Parameter of read (without data) and write."""
    return bytes(MEMORY.build({name: getattr(memory, name) for name in memory.__slots__}))


def decode_memory(param: bytes) -> Memory:
    """The opposite of `memory_param`; raises FrameError."""
    found = parse(MEMORY, param, "memory access")
    if len(found.data) not in {0, 2 * found.count}:
        raise FrameError(f"{found.count} words announced, {len(found.data)} bytes present")
    return Memory(found.password, found.bank, found.start, found.count, found.data)

"""What a host says to a ThingMagic module: data of the commands that have a layout of their own.

After the M5e developer's guide (read tags, tag buffer, memory access, selection), the vendor's
public API sources (continuous reading, option bytes) and captures of both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from construct import (
    Byte,
    Bytes,
    Const,
    GreedyBytes,
    If,
    Int8ub,
    Int16ub,
    Int32ub,
    Rebuild,
    Struct,
    Terminated,
    len_,
    this,
)

from protocols.framing import FrameError, parse
from protocols.readers.thingmagic.codes import (
    CONTINUOUS,
    GEN2,
    GET_BUFFER,
    READ_DATA,
    READ_MULTIPLE,
    SET_ANTENNA,
    WITH_METADATA,
    WRITE_DATA,
)
from protocols.readers.thingmagic.envelope import build_command

CONFIGURED_ANTENNA = 0x0000
CONFIGURED_LIST = 0x0003
"""Search flags: the one antenna set by 0x91, or its list one after the other."""
STREAMED = 0x0008
LARGE_POPULATION = 0x0010
STREAM_SEARCH_MS = 1000
"""One search of continuous reading; the module says that it lives after each."""

SELECT_BITS = 0b111
SELECT_EPC = 0x01
SELECT_PASSWORD_ONLY = 0x05
LONG_SELECT = 0x20
"""Option bits: select by the whole EPC; the length of the selection has two bytes."""
READ_WORDS_MAX = 64
WRITE_WORDS_MAX = 32
"""Words of one access; more are read and written in pieces. 32 is Silion's limit of a write."""

ANTENNA_LIST = 0x02
STREAM_START = 0x01
STREAM_STOP = 0x02

_SELECTION = (
    "password" / If(lambda this: this.option & SELECT_BITS, Int32ub),
    "bits_high" / If(lambda this: this.option & LONG_SELECT, Int8ub),
    "bits_low" / If(lambda this: this.option & SELECT_BITS == SELECT_EPC, Int8ub),
    "epc"
    / If(
        lambda this: this.option & SELECT_BITS == SELECT_EPC,
        Bytes(lambda this: ((this.bits_high or 0) << 8 | this.bits_low) // 8),
    ),
)
READ_DATA_LAYOUT = Struct(
    "timeout_ms" / Int16ub,
    "option" / Int8ub,
    "metadata" / If(lambda this: this.option & WITH_METADATA, Int16ub),
    "bank" / Int8ub,
    "address" / Int32ub,
    "count" / Int8ub,
    *_SELECTION,
    Terminated,
)
WRITE_DATA_LAYOUT = Struct(
    "timeout_ms" / Int16ub,
    "option" / Int8ub,
    "address" / Int32ub,
    "bank" / Int8ub,
    *_SELECTION,
    "data" / GreedyBytes,
    Terminated,
)
STREAM_LAYOUT = Struct(
    "timeout_ms" / Const(0, Int16ub),
    "action" / Const(STREAM_START, Byte),
    "embedded" / Int8ub,
    "search_flags" / Int16ub,
    "protocol" / Int8ub,
    "size" / Rebuild(Byte, len_(this.command)),
    "opcode" / Int8ub,
    "command" / Bytes(this.size),
    Terminated,
)
SEARCH_LAYOUT = Struct(
    "option" / Int8ub,
    "search_flags" / Int16ub,
    "timeout_ms" / Int16ub,
    "metadata" / If(lambda this: this.option & WITH_METADATA, Int16ub),
    "rest" / GreedyBytes,
    Terminated,
)


@dataclass(frozen=True, slots=True)
class Access:
    """Read (`count` words) or write (`data`) the memory of the tag with this whole `epc`.

    `epc` empty takes whichever tag answers, and then `password` must be 0. `address` is in words.
    """

    bank: int
    address: int
    epc: bytes = b""
    count: int = 0
    data: bytes = b""
    password: int = 0
    timeout_ms: int = 1000


def build_search(search_flags: int, timeout_ms: int, metadata: int | None = None) -> bytes:
    """Read tags into the buffer; with `metadata` as the vendor's API asks newer modules."""
    option = 0 if metadata is None else WITH_METADATA
    body = {"option": option, "search_flags": search_flags, "timeout_ms": timeout_ms}
    layout = {**body, "metadata": metadata, "rest": b""}
    return build_command(READ_MULTIPLE, bytes(SEARCH_LAYOUT.build(layout)))


def build_get_buffer(metadata: int) -> bytes:
    """Fetch the next tags of the buffer with this metadata, as many as fit into a reply."""
    return build_command(GET_BUFFER, metadata.to_bytes(2) + b"\x00")


def build_start_stream(metadata: int, *, antenna_list: bool) -> bytes:
    """Read continuously and say every tag at once, until `build_stop_stream`."""
    flags = STREAMED | LARGE_POPULATION | (CONFIGURED_LIST if antenna_list else 0)
    search = {
        "option": WITH_METADATA,
        "search_flags": flags,
        "timeout_ms": STREAM_SEARCH_MS,
        "metadata": metadata,
        "rest": b"",
    }
    body = {
        "embedded": READ_MULTIPLE,
        "search_flags": 0,
        "protocol": GEN2,
        "opcode": READ_MULTIPLE,
        "command": bytes(SEARCH_LAYOUT.build(search)),
    }
    return build_command(CONTINUOUS, bytes(STREAM_LAYOUT.build(body)))


def build_stop_stream() -> bytes:
    """End continuous reading; harmless when there is none."""
    return build_command(CONTINUOUS, bytes((0, 0, STREAM_STOP)))


def build_antenna_list(antennas: Sequence[int]) -> bytes:
    """Search these ports one after the other, each sending and receiving."""
    pairs = bytes(port for antenna in antennas for port in (antenna, antenna))
    return build_command(SET_ANTENNA, bytes((ANTENNA_LIST,)) + pairs)


def build_antenna(antenna: int) -> bytes:
    """Use this one port for access to a tag's memory."""
    return build_command(SET_ANTENNA, bytes((antenna, antenna)))


def build_read_data(access: Access) -> bytes:
    """Read memory; with metadata none, the form that M5e, M7e and Silion all understand."""
    assert 0 < access.count <= READ_WORDS_MAX, access
    body = {**_selection(access, WITH_METADATA), "metadata": 0, "count": access.count}
    return build_command(READ_DATA, bytes(READ_DATA_LAYOUT.build(body)))


def build_write_data(access: Access) -> bytes:
    """Write memory, whole words."""
    assert 0 < len(access.data) <= 2 * WRITE_WORDS_MAX, access
    assert len(access.data) % 2 == 0, access
    body = {**_selection(access, 0), "data": access.data}
    return build_command(WRITE_DATA, bytes(WRITE_DATA_LAYOUT.build(body)))


def decode_access(opcode: int, data: bytes) -> Access:
    """Data of a read or write command; raises FrameError, also for selections other than by EPC."""
    reads = opcode == READ_DATA
    found = parse(READ_DATA_LAYOUT if reads else WRITE_DATA_LAYOUT, data, "memory access")
    if found.option & SELECT_BITS not in {0, SELECT_EPC, SELECT_PASSWORD_ONLY}:
        raise FrameError(f"selection 0x{found.option:02X} is not by EPC")
    return Access(
        bank=found.bank,
        address=found.address,
        epc=found.epc or b"",
        count=found.count if reads else len(found.data) // 2,
        data=b"" if reads else found.data,
        password=found.password or 0,
        timeout_ms=found.timeout_ms,
    )


def _selection(access: Access, option: int) -> dict[str, object]:
    """The fields that both accesses share."""
    bits = 8 * len(access.epc)
    if access.epc:
        option |= SELECT_EPC | (LONG_SELECT if bits > 0xFF else 0)  # noqa: PLR2004 - one byte
    elif access.password:
        option |= SELECT_PASSWORD_ONLY
    return {
        "timeout_ms": access.timeout_ms,
        "option": option,
        "bank": access.bank,
        "address": access.address,
        "password": access.password,
        "bits_high": bits >> 8,
        "bits_low": bits & 0xFF,
        "epc": access.epc,
    }

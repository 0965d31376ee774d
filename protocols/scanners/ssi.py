"""Zebra SSI: length-driven packets between a scan engine and its host.

Source: Zebra Simple Serial Interface guide 72E-40451 and the SE923 guide 70-37052 chapter 6:
`length opcode source status data sum(2)`; the length counts everything but the sum. Bits of the
status: 0 sent again, 1 more of this message follows (the second from memory, never seen captured).
DECODE_DATA is a byte for the kind of code and the code with its affixes; no public capture of one
exists, so it is the guides' word. The host acknowledges it within 2 s or it is sent again.
"""

from dataclasses import dataclass

from construct import Bytes, Int8ub, Int16ub, Struct, Terminated, this

from protocols.checksums import sum16c
from protocols.framing import UNDECIDED, FrameError, Framer, parse

SSI = Struct(
    "length" / Int8ub,
    "opcode" / Int8ub,
    "source" / Int8ub,
    "status" / Int8ub,
    "data" / Bytes(this.length - 4),
    "sum" / Int16ub,
    Terminated,
)
LEN_MIN = 4
SUM_BYTES = 2
PACKET_BYTES_MAX = 255 + SUM_BYTES
DATA_BYTES_MAX = 255 - LEN_MIN
DECODER, HOST = 0, 4
SOURCES = frozenset({DECODER, HOST})

PARAMETER, ACK, NAK = 0xC6, 0xD0, 0xD1
START_DECODE, STOP_DECODE = 0xE4, 0xE5
SCAN_ENABLE, SCAN_DISABLE = 0xE9, 0xEA
DECODE_DATA = 0xF3
OPCODES = {
    PARAMETER: "parameter",
    ACK: "ack",
    NAK: "nak",
    START_DECODE: "start decode",
    STOP_DECODE: "stop decode",
    SCAN_ENABLE: "scan enable",
    SCAN_DISABLE: "scan disable",
    DECODE_DATA: "decode data",
}
"""Known opcodes; an unknown one stays a number."""
RESEND = 0x01
NAK_REASONS = {RESEND: "resend", 0x02: "bad context", 0x06: "denied", 0x0A: "cancelled"}
"""What a NAK says; an unknown reason stays a number."""

SENT_AGAIN, MORE_FOLLOWS = 0x01, 0x02
WAKE_UP = b"\x00"
"""Said before the first command; a sleeping engine loses one byte."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet whose sum is right. `source` is 0 for the engine, 4 for the host."""

    opcode: int
    source: int
    status: int = 0
    data: bytes = b""


def build(packet: Packet) -> bytes:
    """The packet as sent; `data` is at most 251 bytes."""
    assert len(packet.data) <= DATA_BYTES_MAX, len(packet.data)
    head = bytes((LEN_MIN + len(packet.data), packet.opcode, packet.source, packet.status))
    body = head + packet.data
    return body + sum16c(body).to_bytes(SUM_BYTES)


def command(opcode: int, data: bytes = b"") -> bytes:
    """What the host says."""
    return build(Packet(opcode, HOST, 0, data))


def decode(raw: bytes) -> Packet:
    """One whole packet. Raises FrameError when its sum or form is wrong."""
    found = parse(SSI, raw, "SSI")
    _prove(raw)
    return Packet(found.opcode, found.source, found.status, found.data)


def new_framer() -> Framer:
    """Cuts packets of either side out of a stream."""
    return Framer(_measure, frame_bytes_max=PACKET_BYTES_MAX)


def looks_like(raw: bytes) -> bool:
    """Whether these bytes have the form of one packet, whatever the sum says."""
    whole = len(raw) == raw[0] + SUM_BYTES and raw[0] >= LEN_MIN
    return whole and raw[2] in SOURCES


def _measure(window: bytes) -> int:
    if window[0] < LEN_MIN:
        raise FrameError(f"no SSI packet is {window[0]} bytes long")
    if window[2:3] and window[2] not in SOURCES:
        raise FrameError(f"source {window[2]} is neither engine nor host")
    size = window[0] + SUM_BYTES
    if len(window) < size:
        return UNDECIDED
    _prove(window[:size])
    return size


def _prove(raw: bytes) -> None:
    told, good = int.from_bytes(raw[-SUM_BYTES:]), sum16c(raw[:-SUM_BYTES])
    if told != good:
        raise FrameError(f"wrong SSI sum {told:04x}, expected {good:04x}")

"""The header every LLRP message has, the names of the messages, and the framer.

Header, 10 bytes, big endian: 3 reserved bits, 3 version bits, 10 type bits; u32 length of the whole
message; u32 message id (EPCglobal LLRP 1.0.1 and 1.1, §"LLRP binary encoding"; 46 captured messages
agree). LLRP has no checksum: a message is proven by a header without a stray bit, a type that
exists, and a length that fits.
"""

from dataclasses import dataclass

from construct import BitsInteger, BitStruct, Bytes, Const, Int32ub, Struct, Terminated, this

from protocols.framing import UNDECIDED, FrameError, Framer, parse, shown

HEADER_BYTES = 10
MESSAGE_BYTES_MAX = 65_536
"""Longest message taken from a stream: a report of about a thousand tags, ten times the longest
capabilities seen. The protocol would allow 4 GiB, which is what garbage announces."""
VERSIONS = {1: "1.0.1", 2: "1.1"}
"""Version bits to the document that defines them."""
CUSTOM = 1023

MESSAGE_NAMES = {
    1: "GET_READER_CAPABILITIES",
    2: "GET_READER_CONFIG",
    3: "SET_READER_CONFIG",
    4: "CLOSE_CONNECTION_RESPONSE",
    11: "GET_READER_CAPABILITIES_RESPONSE",
    12: "GET_READER_CONFIG_RESPONSE",
    13: "SET_READER_CONFIG_RESPONSE",
    14: "CLOSE_CONNECTION",
    20: "ADD_ROSPEC",
    21: "DELETE_ROSPEC",
    22: "START_ROSPEC",
    23: "STOP_ROSPEC",
    24: "ENABLE_ROSPEC",
    25: "DISABLE_ROSPEC",
    26: "GET_ROSPECS",
    30: "ADD_ROSPEC_RESPONSE",
    31: "DELETE_ROSPEC_RESPONSE",
    32: "START_ROSPEC_RESPONSE",
    33: "STOP_ROSPEC_RESPONSE",
    34: "ENABLE_ROSPEC_RESPONSE",
    35: "DISABLE_ROSPEC_RESPONSE",
    36: "GET_ROSPECS_RESPONSE",
    40: "ADD_ACCESSSPEC",
    41: "DELETE_ACCESSSPEC",
    42: "ENABLE_ACCESSSPEC",
    43: "DISABLE_ACCESSSPEC",
    44: "GET_ACCESSSPECS",
    45: "CLIENT_REQUEST_OP",
    46: "GET_SUPPORTED_VERSION",
    47: "SET_PROTOCOL_VERSION",
    50: "ADD_ACCESSSPEC_RESPONSE",
    51: "DELETE_ACCESSSPEC_RESPONSE",
    52: "ENABLE_ACCESSSPEC_RESPONSE",
    53: "DISABLE_ACCESSSPEC_RESPONSE",
    54: "GET_ACCESSSPECS_RESPONSE",
    55: "CLIENT_REQUEST_OP_RESPONSE",
    56: "GET_SUPPORTED_VERSION_RESPONSE",
    57: "SET_PROTOCOL_VERSION_RESPONSE",
    60: "GET_REPORT",
    61: "RO_ACCESS_REPORT",
    62: "KEEPALIVE",
    63: "READER_EVENT_NOTIFICATION",
    64: "ENABLE_EVENTS_AND_REPORTS",
    72: "KEEPALIVE_ACK",
    100: "ERROR_MESSAGE",
    CUSTOM: "CUSTOM_MESSAGE",
}
"""Message types of LLRP 1.0.1 and 1.1 (45..47 and 55..57 from memory of the standard)."""

FROM_READER = frozenset(
    {"RO_ACCESS_REPORT", "KEEPALIVE", "READER_EVENT_NOTIFICATION", "ERROR_MESSAGE"}
)
"""What a reader says besides `..._RESPONSE`; the rest comes from the host."""

_EMPTY = frozenset(
    {"KEEPALIVE", "KEEPALIVE_ACK", "CLOSE_CONNECTION", "GET_ROSPECS", "GET_ACCESSSPECS"}
    | {"GET_REPORT", "ENABLE_EVENTS_AND_REPORTS", "GET_SUPPORTED_VERSION"}
)


def is_from_reader(name: str) -> bool:
    """Which way a message of this name goes; custom messages are asked by their own name."""
    return name in FROM_READER or name.endswith("_RESPONSE")


_CHAINS = frozenset(
    number
    for number, name in MESSAGE_NAMES.items()
    if is_from_reader(name) and name not in _EMPTY | {"GET_SUPPORTED_VERSION_RESPONSE"}
)
"""Messages that consist of TLV parameters alone."""
_TLV_HEADER_BYTES = 4

HEADER = Struct(
    "first"
    / BitStruct(
        "reserved" / Const(0, BitsInteger(3)), "version" / BitsInteger(3), "type" / BitsInteger(10)
    ),
    "length" / Int32ub,
    "message_id" / Int32ub,
    "payload" / Bytes(this.length - HEADER_BYTES),
    Terminated,
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A whole message before its parameters are read; `message_id` is the asker's."""

    version: int
    type_number: int
    message_id: int
    payload: bytes

    @property
    def name(self) -> str:
        """The standard's name, or `TYPE_n`."""
        return message_name(self.type_number)


def new_framer() -> Framer:
    """A framer for one stream of either direction; a type nobody defined is noise to it."""
    return Framer(measure, frame_bytes_max=MESSAGE_BYTES_MAX)


def measure(window: bytes) -> int:
    """Length of the message at the start; raises FrameError where none can start.

    The chain of parameters is walked as far as it has come, so that a length that lies is found out
    where the next message begins, not when all it announced has been swallowed.
    """
    _check_version(window[0])
    if len(window) < HEADER_BYTES:
        return UNDECIDED
    number = (window[0] << 8 | window[1]) & CUSTOM
    if number not in MESSAGE_NAMES:
        raise FrameError(f"unknown message type {number}")
    size = int.from_bytes(window[2:6], "big")
    if not HEADER_BYTES <= size <= MESSAGE_BYTES_MAX:
        raise FrameError(f"message length {size}; expected {HEADER_BYTES}..{MESSAGE_BYTES_MAX}")
    name = MESSAGE_NAMES[number]
    if name in _EMPTY and size != HEADER_BYTES:
        raise FrameError(f"message length {size}; {name} has {HEADER_BYTES}")
    if number in _CHAINS:
        _walk(window, size)
    return size if len(window) >= size else UNDECIDED


def _walk(window: bytes, size: int) -> None:
    """Raise FrameError unless the parameters so far fit each other and the message."""
    at = HEADER_BYTES
    while at + _TLV_HEADER_BYTES <= min(size, len(window)):
        length = int.from_bytes(window[at + 2 : at + 4], "big")
        if window[at] >> 2 or length < _TLV_HEADER_BYTES or at + length > size:
            raise FrameError("parameters do not fit the length of their message")
        at += length
    if len(window) >= size and at != size:
        raise FrameError("parameters do not fill the length of their message")


def check(frame: bytes) -> None:
    """Raise FrameError unless this is exactly one message by version, length and reserved bits."""
    if len(frame) < HEADER_BYTES:
        raise FrameError(
            f"{len(frame)} bytes; the header alone needs {HEADER_BYTES}: {shown(frame)}"
        )
    _check_version(frame[0])
    size = int.from_bytes(frame[2:6], "big")
    if size != len(frame):
        raise FrameError(f"message length {size}, {len(frame)} bytes present: {shown(frame)}")


def unseal(frame: bytes) -> Envelope:
    """Open exactly one message; raises FrameError on a wrong version, length or reserved bit."""
    check(frame)
    parsed = parse(HEADER, frame, "LLRP header")
    return Envelope(parsed.first.version, parsed.first.type, parsed.message_id, parsed.payload)


def message_name(number: int) -> str:
    """The standard's name of a message type, or `TYPE_n`."""
    return MESSAGE_NAMES.get(number, f"TYPE_{number}")


def _check_version(first: int) -> None:
    if first >> 5:
        raise FrameError("reserved bits of the message header are set")
    if first >> 2 not in VERSIONS:
        raise FrameError(f"LLRP version {first >> 2}; expected 1 (LLRP 1.0.1) or 2 (LLRP 1.1)")

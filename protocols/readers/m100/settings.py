"""Settings of an M100 as values: what it is, its power, its air parameters.

Layouts: QM100/M100 firmware manual. Power and information were seen in captures, the rest not.
"""

from dataclasses import dataclass
from typing import Any

from construct import (
    BitsInteger,
    BitStruct,
    Bytes,
    GreedyBytes,
    GreedyRange,
    Int8sb,
    Int8ub,
    Int16ub,
    Int32ub,
    Padding,
    Struct,
    Terminated,
)

from protocols.framing import FrameError, parse

POWER = Struct("power_cdbm" / Int16ub, Terminated)
INFO = Struct("which" / Int8ub, "text" / GreedyBytes, Terminated)
QUERY = Struct(
    "query"
    / BitStruct(
        "dr" / BitsInteger(1),
        "m" / BitsInteger(2),
        "trext" / BitsInteger(1),
        "sel" / BitsInteger(2),
        "session" / BitsInteger(2),
        "target" / BitsInteger(1),
        "q" / BitsInteger(4),
        Padding(3),
    ),
    Terminated,
)
LOCK = Struct("password" / Int32ub, "lock" / Bytes(3), Terminated)
KILL = Struct("password" / Int32ub, Terminated)
MULTI_POLL = Struct("reserved" / Int8ub, "count" / Int16ub, Terminated)
BAUD = Struct("baud_100" / Int16ub, Terminated)
DEMODULATOR = Struct("mixer_gain" / Int8ub, "if_gain" / Int8ub, "threshold" / Int16ub, Terminated)
SCAN = Struct(
    "first_channel" / Int8ub, "last_channel" / Int8ub, "dbm" / GreedyRange(Int8sb), Terminated
)


@dataclass(frozen=True, slots=True)
class Info:
    """What the module says it is: `which` 0 hardware, 1 software, 2 maker."""

    which: int
    text: str


def decode_info(param: bytes) -> Info:
    """Parameter of the answer to the information command; raises FrameError."""
    found = parse(INFO, param, "module information")
    try:
        text = found.text.decode("ascii")
    except UnicodeDecodeError as exc:
        raise FrameError("module information is not ASCII") from exc
    return Info(found.which, text.rstrip("\0 "))


def info_param(info: Info) -> bytes:
    """The opposite of `decode_info`."""
    return bytes((info.which,)) + info.text.encode("ascii")


def decode_power(param: bytes) -> int:
    """Transmit power in hundredths of a dBm; raises FrameError."""
    return int(parse(POWER, param, "power").power_cdbm)


def power_param(power_cdbm: int) -> bytes:
    """The opposite of `decode_power`."""
    return power_cdbm.to_bytes(2)


def query_fields(param: bytes) -> dict[str, Any]:
    """The Gen2 Query parameters of get and set query; raises FrameError."""
    found = parse(QUERY, param, "query").query
    return {name: found[name] for name in ("dr", "m", "trext", "sel", "session", "target", "q")}


def region_code(param: bytes) -> int:
    """The region number of get and set region; raises FrameError."""
    if len(param) != 1:
        raise FrameError(f"region of {len(param)} bytes; expected 1")
    return param[0]

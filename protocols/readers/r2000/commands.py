"""What a host says to an R2000 serial reader: build for the driver, decode for simulators.

Layouts after UHF RFID Reader Serial Interface V3.7, chapter 2; the extended fast-switch inventory is
newer firmware's, known from public drivers only.
"""

from dataclasses import dataclass

from construct import Array, Byte, Bytes, GreedyBytes, Int8ub, Int32ub, Struct, Terminated, this

from protocols.framing import FrameError, parse
from protocols.readers.r2000 import codes
from protocols.readers.r2000.envelope import seal, unseal

NOT_POLLED = 0xFF
"""Any antenna number beyond the ports means: leave this one out."""
PASSWORD_BYTES = 4
READ_BYTES = 3
EPC_MATCH_BYTES_MAX = 62

SESSION = Struct("session" / Int8ub, "target" / Int8ub, "rest" / GreedyBytes, Terminated)
PAIR = Struct("antenna" / Int8ub, "stay" / Int8ub)
EXTENSION = Struct(
    "reserved" / Bytes(5),
    "session" / Int8ub,
    "target" / Int8ub,
    "optimize" / Int8ub,
    "ongoing" / Int8ub,
    "target_quantity" / Int8ub,
    "phase" / Int8ub,
    Terminated,
)
EXTENSION_BYTES = 11
_PORTS = {10: 4, 10 + EXTENSION_BYTES: 4, 18: 8, 18 + EXTENSION_BYTES: 8}
"""Ports by how many bytes a fast-switch inventory has: pairs, interval, [extension,] repeat."""
FAST_SWITCH_SIZES = frozenset(_PORTS)
READ_LAYOUT = Struct(
    "bank" / Int8ub, "start" / Int8ub, "count" / Int8ub, "password" / GreedyBytes, Terminated
)
WRITE_LAYOUT = Struct(
    "password" / Int32ub,
    "bank" / Int8ub,
    "start" / Int8ub,
    "count" / Int8ub,
    "data" / Bytes(2 * this.count),
    Terminated,
)
MATCH_LAYOUT = Struct("mode" / Int8ub, "size" / Byte, "epc" / Bytes(this.size), Terminated)


@dataclass(frozen=True, slots=True)
class Command:
    """Any command: number and data as sent."""

    address: int
    code: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Extension:
    """What newer firmware takes in a fast-switch inventory; target 0 is A, 1 is B."""

    session: int
    target: int = 0
    phase: bool = False


@dataclass(frozen=True, slots=True)
class FastSwitch:
    """Polls antennas in turn: (antenna index, rounds to stay) each, `interval_ms` between rounds."""

    stays: tuple[tuple[int, int], ...]
    interval_ms: int
    repeat: int
    ports: int = 4
    extension: Extension | None = None

    def __post_init__(self) -> None:
        """Antennas must fit the ports."""
        assert self.ports in {4, 8}, self
        assert len(self.stays) <= self.ports, self


def build_command(address: int, code: int, data: bytes = b"") -> bytes:
    """Any command, sealed; `data` is at most DATA_BYTES_MAX bytes."""
    return seal(address, code, data)


def build_inventory(address: int, *, repeat: int = 1) -> bytes:
    """One round on the work antenna (0x89)."""
    return seal(address, codes.INVENTORY, bytes((repeat,)))


def build_session_inventory(
    address: int, *, session: int, target: int = 0, repeat: int = 1
) -> bytes:
    """One round on the work antenna in a session of its own (0x8B)."""
    return seal(address, codes.SESSION_INVENTORY, bytes((session, target, repeat)))


def build_fast_switch(address: int, switch: FastSwitch) -> bytes:
    """Rounds on several antennas (0x8A)."""
    idle = [(NOT_POLLED, 0)] * (switch.ports - len(switch.stays))
    pairs = bytes(byte for pair in (*switch.stays, *idle) for byte in pair)
    extension = switch.extension
    more = b""
    if extension is not None:
        values = {"session": extension.session, "target": extension.target}
        values |= {"optimize": 0, "ongoing": 0, "target_quantity": 0}
        more = EXTENSION.build({"reserved": bytes(5), "phase": extension.phase, **values})
    tail = bytes((switch.interval_ms,)) + more + bytes((switch.repeat,))
    return seal(address, codes.FAST_SWITCH, pairs + tail)


def build_read(address: int, *, bank: int, start: int, count: int, password: int | None) -> bytes:
    """Read words (0x81); older firmware takes no password: None."""
    tail = b"" if password is None else password.to_bytes(PASSWORD_BYTES)
    return seal(address, codes.READ, bytes((bank, start, count)) + tail)


def build_write(
    address: int, *, bank: int, start: int, data: bytes, password: int, code: int = codes.WRITE
) -> bytes:
    """Write whole words (0x82, or 0x94 with block write)."""
    assert len(data) % 2 == 0, data
    found = {"password": password, "bank": bank, "start": start}
    body = WRITE_LAYOUT.build({**found, "count": len(data) // 2, "data": data})
    return seal(address, code, bytes(body))


def build_match(address: int, epc: bytes) -> bytes:
    """From now on access only the tag with this EPC (0x85); empty: any."""
    if not epc:
        return seal(address, codes.SET_MATCH, b"\x01")
    assert len(epc) <= EPC_MATCH_BYTES_MAX, epc
    return seal(address, codes.SET_MATCH, bytes((0, len(epc))) + epc)


def decode_command(frame: bytes) -> Command:
    """One whole frame of a host; raises FrameError."""
    envelope = unseal(frame)
    if envelope.miscount:
        raise FrameError(f"Len leaves out {envelope.miscount} bytes; only readers do that")
    return Command(envelope.address, envelope.code, envelope.data)


def decode_fast_switch(data: bytes) -> FastSwitch:
    """Data of command 0x8A; raises FrameError. Antennas beyond the ports are left out."""
    if len(data) not in _PORTS:
        raise FrameError(f"fast-switch inventory of {len(data)} bytes")
    ports = _PORTS[len(data)]
    layout = Struct(
        "pairs" / Array(ports, PAIR), "interval" / Int8ub, "more" / GreedyBytes, Terminated
    )
    found = parse(layout, data, "fast-switch inventory")
    stays = tuple((pair.antenna, pair.stay) for pair in found.pairs if pair.antenna < ports)
    more, repeat = found.more[:-1], found.more[-1]
    extension = None
    if more:
        told = parse(EXTENSION, more, "extended fast-switch inventory")
        extension = Extension(told.session, told.target, bool(told.phase))
    return FastSwitch(stays, found.interval, repeat, ports, extension)

"""Modbus requests and replies as bytes: functions 1 to 6 and 16, over TCP (MBAP) and RTU.

Sources: MODBUS Application Protocol 1.1b3 §6 (PDUs) and §7 (exceptions), MODBUS Messaging on
TCP/IP 1.0b §3.1.3 (MBAP), MODBUS over Serial Line 1.02 §2.5.1 (RTU silence) and §6.2.2 (CRC).

A request knows the one reply that answers it, because a Modbus reply does not say what it answers:
`Request.answer` checks function, length and echo, and returns the register bytes.
struct instead of construct: a poll is decoded ten times a second for every device.
"""

from dataclasses import dataclass
from struct import Struct

READ_COILS = 1
READ_DISCRETE = 2
READ_HOLDING = 3
READ_INPUT = 4
WRITE_COIL = 5
WRITE_ONE = 6
WRITE_MANY = 16
EXCEPTION_BIT = 0x80

REGISTERS_READ_MAX = 125
REGISTERS_WRITTEN_MAX = 123
BITS_READ_MAX = 2000
REGISTERS = 65_536
PDU_BYTES_MAX = 253

MBAP = Struct(">HHHB")
"""Transaction, protocol (0), length of unit and PDU, unit."""
MBAP_LENGTHS = range(3, 2 + PDU_BYTES_MAX)
"""Unit, function and at least one byte of data or exception code."""

_FUNCTION_PAIR = Struct(">BHH")
_WRITE_MANY_HEAD = Struct(">BHHB")

EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge, still working",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not answer",
}
EXCEPTIONS_PASSING = frozenset({5, 6, 11})
"""Exceptions that say "not now"; every other one says "never like this"."""


class ModbusError(Exception):
    """Bytes that are no reply, or not the reply to this request."""


class ExceptionReplyError(ModbusError):
    """The device answered that it will not; `code` is the Modbus exception code."""

    def __init__(self, function: int, code: int) -> None:
        self.code = code
        name = EXCEPTIONS.get(code, "unknown exception")
        super().__init__(f"function {function} refused with exception {code}, {name}")


@dataclass(frozen=True, slots=True)
class Request:
    """One request PDU and the reply it needs.

    `head` is how the reply must begin, `data_bytes` how many register bytes must follow it.
    """

    pdu: bytes
    head: bytes
    data_bytes: int

    def answer(self, reply: bytes) -> bytes:
        """The register bytes of the reply PDU (empty for writes).

        Raises ExceptionReplyError when the device refused, ModbusError when the reply answers
        something else.
        """
        head = len(self.head)
        if reply[:head] == self.head and len(reply) == head + self.data_bytes:
            return reply[head:]
        function = self.pdu[0]
        if len(reply) == 2 and reply[0] == function | EXCEPTION_BIT:  # noqa: PLR2004 - §7
            raise ExceptionReplyError(function, reply[1])
        raise ModbusError(f"reply {reply.hex()} does not answer request {self.pdu.hex()}")


def read(address: int, count: int, *, function: int = READ_HOLDING) -> Request:
    """Read `count` registers from base-0 `address`; `function` 3 holding or 4 input."""
    assert function in (READ_HOLDING, READ_INPUT), function
    assert 1 <= count <= REGISTERS_READ_MAX, count
    assert 0 <= address <= REGISTERS - count, (address, count)
    pdu = _FUNCTION_PAIR.pack(function, address, count)
    return Request(pdu, bytes((function, 2 * count)), 2 * count)


def read_bits(address: int, count: int, *, function: int = READ_COILS) -> Request:
    """Read `count` single bits from base-0 `address`; `function` 1 coils or 2 discrete inputs.

    The answer holds the first of them in the lowest bit of its first byte.
    """
    assert function in (READ_COILS, READ_DISCRETE), function
    assert 1 <= count <= BITS_READ_MAX, count
    assert 0 <= address <= REGISTERS - count, (address, count)
    pdu = _FUNCTION_PAIR.pack(function, address, count)
    size = (count + 7) // 8
    return Request(pdu, bytes((function, size)), size)


def write_one(address: int, value: int) -> Request:
    """Write one holding register; the reply echoes the request."""
    pdu = _FUNCTION_PAIR.pack(WRITE_ONE, address, value)
    return Request(pdu, pdu, 0)


def write_coil(address: int, *, on: bool) -> Request:
    """Switch one coil; the reply echoes the request."""
    pdu = _FUNCTION_PAIR.pack(WRITE_COIL, address, 0xFF00 if on else 0)
    return Request(pdu, pdu, 0)


def write_many(address: int, data: bytes) -> Request:
    """Write consecutive holding registers; `data` is two bytes a register, high byte first."""
    count, odd = divmod(len(data), 2)
    assert not odd, data
    assert 1 <= count <= REGISTERS_WRITTEN_MAX, count
    assert 0 <= address <= REGISTERS - count, (address, count)
    head = _WRITE_MANY_HEAD.pack(WRITE_MANY, address, count, len(data))
    return Request(head + data, head[:-1], 0)


def tcp_frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """A request or reply as it goes over TCP."""
    return MBAP.pack(transaction, 0, 1 + len(pdu), unit) + pdu


def tcp_frame_bytes(received: bytes | bytearray) -> int:
    """How many bytes the frame at the start of `received` has; 0 = not known yet.

    Raises ModbusError when no Modbus frame begins like this.
    """
    if len(received) < MBAP.size:
        return 0
    _, protocol, length, _ = MBAP.unpack_from(received)
    if protocol != 0 or length not in MBAP_LENGTHS:
        raise ModbusError(f"no Modbus TCP frame: {bytes(received[:16]).hex()}")
    return MBAP.size - 1 + int(length)


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """A request or reply as it goes over RS-485: unit, PDU, CRC low byte first."""
    body = bytes((unit,)) + pdu
    return body + crc16(body).to_bytes(2, "little")


def rtu_reply_bytes(received: bytes | bytearray) -> int:
    """How many bytes the reply at the start of `received` has; 0 = not known yet.

    RTU has no length field, so the function code tells. Raises ModbusError for a function that
    is never asked for.
    """
    if len(received) < 3:  # noqa: PLR2004 - unit, function, byte count or exception code
        return 0
    function = received[1]
    if function & EXCEPTION_BIT:
        return 5
    if function in (READ_COILS, READ_DISCRETE, READ_HOLDING, READ_INPUT):
        return 5 + received[2]
    if function in (WRITE_COIL, WRITE_ONE, WRITE_MANY):
        return 8
    raise ModbusError(f"no Modbus reply: {bytes(received[:16]).hex()}")


def rtu_pdu(frame: bytes, unit: int) -> bytes:
    """The PDU of a whole RTU reply; raises ModbusError on a bad CRC or another unit."""
    if crc16(frame[:-2]) != int.from_bytes(frame[-2:], "little"):
        raise ModbusError(f"bad CRC: {frame.hex()}")
    if frame[0] != unit:
        raise ModbusError(f"unit {frame[0]} answered instead of {unit}: {frame.hex()}")
    return frame[1:-2]


def rtu_silence_s(char_s: float) -> float:
    """The silence between frames: 3.5 characters, 1.75 ms when a character is shorter than that."""
    return max(3.5 * char_s, 0.001_75)


def crc16(data: bytes) -> int:
    """CRC-16/MODBUS: polynomial 0x8005 reflected, start 0xFFFF."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc


def _crc_row(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return value


_CRC_TABLE = tuple(_crc_row(index) for index in range(256))

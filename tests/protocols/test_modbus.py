"""Modbus frames, with pymodbus as the oracle for every byte we send and every byte we take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersRequest,
    ReadInputRegistersResponse,
    WriteMultipleRegistersRequest,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterRequest,
    WriteSingleRegisterResponse,
)

from protocols import modbus
from protocols.modbus import ExceptionReplyError, ModbusError, Request

TCP = FramerSocket(DecodePDU(is_server=False))
RTU = FramerRTU(DecodePDU(is_server=False))

ADDRESS = st.integers(0, 60_000)
VALUE = st.integers(0, 0xFFFF)
VALUES = st.lists(VALUE, min_size=1, max_size=123)
UNIT = st.integers(1, 247)
TRANSACTION = st.integers(1, 0xFFFF)


def data(values: list[int]) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)


@st.composite
def exchanges(draw: st.DrawFn) -> tuple[Request, ModbusPDU, ModbusPDU, bytes]:
    """Our request, pymodbus's request, pymodbus's reply, the register bytes of the reply."""
    address, values = draw(ADDRESS), draw(VALUES)
    count = len(values)
    kind = draw(st.sampled_from(["holding", "input", "one", "many"]))
    if kind == "holding":
        return (
            modbus.read(address, count),
            ReadHoldingRegistersRequest(address=address, count=count),
            ReadHoldingRegistersResponse(registers=values),
            data(values),
        )
    if kind == "input":
        return (
            modbus.read(address, count, function=modbus.READ_INPUT),
            ReadInputRegistersRequest(address=address, count=count),
            ReadInputRegistersResponse(registers=values),
            data(values),
        )
    if kind == "one":
        return (
            modbus.write_one(address, values[0]),
            WriteSingleRegisterRequest(address=address, registers=values[:1]),
            WriteSingleRegisterResponse(address=address, registers=values[:1]),
            b"",
        )
    return (
        modbus.write_many(address, data(values)),
        WriteMultipleRegistersRequest(address=address, registers=values),
        WriteMultipleRegistersResponse(address=address, count=count),
        b"",
    )


@given(exchanges(), UNIT, TRANSACTION)
def test_every_tcp_byte_is_what_pymodbus_says(
    exchange: tuple[Request, ModbusPDU, ModbusPDU, bytes], unit: int, transaction: int
) -> None:
    request, oracle, reply, expected = exchange
    for pdu in (oracle, reply):
        pdu.dev_id, pdu.transaction_id = unit, transaction
    assert modbus.tcp_frame(transaction, unit, request.pdu) == TCP.buildFrame(oracle)
    frame = TCP.buildFrame(reply)
    assert modbus.tcp_frame_bytes(frame) == len(frame)
    assert request.answer(frame[modbus.MBAP.size :]) == expected


@given(exchanges(), UNIT)
def test_every_rtu_byte_is_what_pymodbus_says(
    exchange: tuple[Request, ModbusPDU, ModbusPDU, bytes], unit: int
) -> None:
    request, oracle, reply, expected = exchange
    oracle.dev_id = reply.dev_id = unit
    assert modbus.rtu_frame(unit, request.pdu) == RTU.buildFrame(oracle)
    frame = RTU.buildFrame(reply)
    assert modbus.rtu_reply_bytes(frame) == len(frame)
    assert request.answer(modbus.rtu_pdu(frame, unit)) == expected


@given(exchanges(), UNIT, st.data())
def test_any_flipped_bit_of_an_rtu_reply_is_noticed(
    exchange: tuple[Request, ModbusPDU, ModbusPDU, bytes], unit: int, draw: st.DataObject
) -> None:
    _, _, reply, _ = exchange
    reply.dev_id = unit
    frame = bytearray(RTU.buildFrame(reply))
    bit = draw.draw(st.integers(0, 8 * len(frame) - 1))
    frame[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ModbusError, match="bad CRC"):
        modbus.rtu_pdu(bytes(frame), unit)


@given(exchanges(), st.binary(max_size=300))
def test_only_the_answer_to_the_request_is_taken(
    exchange: tuple[Request, ModbusPDU, ModbusPDU, bytes], reply: bytes
) -> None:
    request, _, oracle, expected = exchange
    right = bytes((oracle.function_code,)) + oracle.encode()
    for wrong in (reply, right[:-1], right + b"\0", b"", bytes((right[0] ^ 1,)) + right[1:]):
        if wrong == right or wrong[:1] == bytes((right[0] | 0x80,)):
            continue
        with pytest.raises(ModbusError):
            request.answer(wrong)
    assert request.answer(right) == expected


def test_the_worked_examples_of_the_application_protocol_hold() -> None:
    """MODBUS Application Protocol 1.1b3, §6.3, §6.6, §6.12."""
    read = modbus.read(0x6B, 3)
    assert read.pdu == bytes.fromhex("03006b0003")
    assert read.answer(bytes.fromhex("0306022b00000064")) == bytes.fromhex("022b00000064")
    one = modbus.write_one(1, 3)
    assert one.pdu == bytes.fromhex("0600010003")
    assert one.answer(one.pdu) == b""
    many = modbus.write_many(1, bytes.fromhex("000a0102"))
    assert many.pdu == bytes.fromhex("100001000204000a0102")
    assert many.answer(bytes.fromhex("1000010002")) == b""


def test_another_echo_of_a_write_is_no_answer() -> None:
    with pytest.raises(ModbusError, match="does not answer"):
        modbus.write_one(0, 7).answer(modbus.write_one(0, 0).pdu)


@pytest.mark.parametrize(
    ("code", "name"), [(2, "2, illegal data address"), (11, "11, gateway target"), (99, "unknown")]
)
def test_a_refusal_is_told_by_name(code: int, name: str) -> None:
    with pytest.raises(ExceptionReplyError, match=name) as caught:
        modbus.read(0, 1).answer(bytes((0x83, code)))
    assert caught.value.code == code


def test_a_tcp_header_is_believed_only_when_it_can_be_one() -> None:
    good = modbus.tcp_frame(1, 1, b"\x83\x02")
    for cut in range(7):
        assert modbus.tcp_frame_bytes(good[:cut]) == 0
    assert modbus.tcp_frame_bytes(good[:7]) == 9
    for wrong in ("0001 0001 0003 01", "0001 0000 0002 01", "0001 0000 00ff 01", "47455420 2f2048"):
        with pytest.raises(ModbusError, match="no Modbus TCP frame"):
            modbus.tcp_frame_bytes(bytes.fromhex(wrong))


def test_an_rtu_length_is_known_from_the_function() -> None:
    assert modbus.rtu_reply_bytes(b"\x01\x03") == 0
    assert modbus.rtu_reply_bytes(b"\x01\x03\x20") == 37
    assert modbus.rtu_reply_bytes(b"\x01\x83\x02") == 5
    assert modbus.rtu_reply_bytes(b"\x01\x10\x00") == 8
    with pytest.raises(ModbusError, match="no Modbus reply"):
        modbus.rtu_reply_bytes(b"\x00\x41\x20")


def test_single_bits_are_read_eight_a_byte() -> None:
    """MODBUS Application Protocol 1.1b3, the example of 6.1: coils 20 to 38."""
    request = modbus.read_bits(19, 19)
    assert request.pdu == bytes.fromhex("0100130013")
    assert request.answer(bytes.fromhex("0103cd6b05")) == bytes.fromhex("cd6b05")
    assert modbus.read_bits(196, 22, function=2).pdu == bytes.fromhex("0200c40016")
    assert modbus.rtu_reply_bytes(bytes.fromhex("0101 03")) == 8
    with pytest.raises(ModbusError, match="does not answer"):
        request.answer(bytes.fromhex("0102cd6b"))


def test_another_units_reply_is_refused() -> None:
    with pytest.raises(ModbusError, match="unit 3 answered instead of 4"):
        modbus.rtu_pdu(modbus.rtu_frame(3, b"\x03\x02\0\1"), 4)


def test_the_silence_is_three_and_a_half_characters_down_to_a_floor() -> None:
    assert modbus.rtu_silence_s(11 / 9600) == pytest.approx(0.00401, abs=1e-5)
    assert modbus.rtu_silence_s(11 / 115_200) == 0.00175


def test_the_crc_has_its_check_value() -> None:
    assert modbus.crc16(b"123456789") == 0x4B37

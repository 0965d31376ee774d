"""A Modbus slave for TCP and RTU wires: functions 3, 6 and 16 over any bank of registers.

pymodbus decodes and builds the frames. Its own server is not used: it starts a loose task for
every request, cannot sit on a pty, and hides the faults that a test must be able to switch on.
Modbus Application Protocol V1.1b3; Modbus over serial line V1.02; Messaging on TCP/IP V1.0b.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    WriteMultipleRegistersRequest,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterRequest,
    WriteSingleRegisterResponse,
)

from gatewayd.sim.wires import Feed, Line

READ_COUNT_MAX = 125
WRITE_COUNT_MAX = 123
REGISTERS = 65_536
MBAP_BYTES = 7
PDU_BYTES_MAX = 253
RTU_BYTES_MAX = 256
RTU_GAP_S = 0.05
"""Bytes that are no frame are dropped after this silence; 3.5 characters on a real line."""


class Bank(Protocol):
    """Where the registers live."""

    def read(self, address: int, count: int) -> Sequence[int]:
        """`count` registers from `address`; both are in range."""
        ...

    def write(self, address: int, values: Sequence[int]) -> bool:
        """Take the values whole, or refuse them whole (False)."""
        ...


@dataclass(slots=True)
class ModbusFaults:
    """What can go wrong on purpose. `shift` answers with the registers that many further on."""

    silent: bool = False
    reply_delay_s: float = 0.0
    exception: ExcCodes | None = None
    shift: int = 0
    wrong_unit: bool = False
    cut_reply_bytes: int = 0
    noise_before: bytes = b""


@dataclass(slots=True)
class ModbusSlave:
    """One unit on a wire. `device_tcp` and `device_rtu` are devices for `wires`."""

    bank: Bank
    unit: int = 1
    faults: ModbusFaults = field(default_factory=ModbusFaults)
    requests: int = 0

    def device_tcp(self, line: Line) -> Feed:
        """Serve one TCP connection."""
        return _TcpSession(self, line).feed

    def device_rtu(self, line: Line) -> Feed:
        """Serve a serial line."""
        return _RtuSession(self, line).feed

    def answer(self, function: int, pdu: bytes) -> ModbusPDU:
        """The reply to one request, given from its function code on."""
        self.requests += 1
        if self.faults.exception is not None:
            return ExceptionResponse(function, self.faults.exception)
        if function not in (3, 6, 16):
            return ExceptionResponse(function, ExcCodes.ILLEGAL_FUNCTION)
        request = _DECODER.decode(pdu)
        if isinstance(request, ReadHoldingRegistersRequest):
            return self._read(request)
        if isinstance(request, WriteSingleRegisterRequest):
            return self._write_one(request)
        if isinstance(request, WriteMultipleRegistersRequest):
            return self._write_many(request, pdu)
        return ExceptionResponse(function, ExcCodes.ILLEGAL_VALUE)

    def _read(self, request: ReadHoldingRegistersRequest) -> ModbusPDU:
        if not 1 <= request.count <= READ_COUNT_MAX:
            return ExceptionResponse(3, ExcCodes.ILLEGAL_VALUE)
        first = request.address + self.faults.shift
        if not 0 <= first <= REGISTERS - request.count:
            return ExceptionResponse(3, ExcCodes.ILLEGAL_ADDRESS)
        values = list(self.bank.read(first, request.count))
        return ReadHoldingRegistersResponse(registers=values)

    def _write_one(self, request: WriteSingleRegisterRequest) -> ModbusPDU:
        if not self.bank.write(request.address, request.registers):
            return ExceptionResponse(6, ExcCodes.ILLEGAL_ADDRESS)
        return WriteSingleRegisterResponse(address=request.address, registers=request.registers)

    def _write_many(self, request: WriteMultipleRegistersRequest, pdu: bytes) -> ModbusPDU:
        whole = len(pdu) - 6 == request.count * 2 == request.byte_count
        if not whole or not 1 <= request.count <= WRITE_COUNT_MAX:
            return ExceptionResponse(16, ExcCodes.ILLEGAL_VALUE)
        if not self.bank.write(request.address, request.registers):
            return ExceptionResponse(16, ExcCodes.ILLEGAL_ADDRESS)
        return WriteMultipleRegistersResponse(address=request.address, count=request.count)


_DECODER = DecodePDU(is_server=True)
_TCP = FramerSocket(_DECODER)
_RTU = FramerRTU(_DECODER)


def _send(slave: ModbusSlave, line: Line, frame: bytes) -> None:
    """Send a reply through the faults that are switched on."""
    faults = slave.faults
    if faults.silent:
        return
    if faults.cut_reply_bytes:
        frame = frame[: -faults.cut_reply_bytes]
    frame = faults.noise_before + frame
    if faults.reply_delay_s > 0:
        loop = asyncio.get_running_loop()
        loop.call_later(faults.reply_delay_s, partial(line.send, frame))
    else:
        line.send(frame)


class _TcpSession:
    """One connection. A stream that is not Modbus is ignored until the peer gives up."""

    def __init__(self, slave: ModbusSlave, line: Line) -> None:
        self._slave = slave
        self._line = line
        self._pending = b""
        self._lost_track = False

    def feed(self, data: bytes) -> None:
        """Take bytes, answer every whole request in order."""
        if self._lost_track:
            return
        self._pending += data
        while len(self._pending) >= MBAP_BYTES:
            length = int.from_bytes(self._pending[4:6], "big")
            if self._pending[2:4] != b"\0\0" or not 2 <= length <= PDU_BYTES_MAX + 1:
                self._lost_track = True
                self._pending = b""
                return
            if len(self._pending) < length + 6:
                return
            frame, self._pending = self._pending[: length + 6], self._pending[length + 6 :]
            self._on_frame(frame)

    def _on_frame(self, frame: bytes) -> None:
        transaction, unit = int.from_bytes(frame[:2], "big"), frame[6]
        if unit != self._slave.unit:
            return
        reply = self._slave.answer(frame[7], frame[7:])
        reply.transaction_id = transaction
        reply.dev_id = unit ^ 1 if self._slave.faults.wrong_unit else unit
        _send(self._slave, self._line, _TCP.buildFrame(reply))


class _RtuSession:
    """A serial line: frames by content and CRC, garbage dropped at the next gap."""

    def __init__(self, slave: ModbusSlave, line: Line) -> None:
        self._slave = slave
        self._line = line
        self._pending = b""
        self._last_s = 0.0

    def feed(self, data: bytes) -> None:
        """Take bytes; answer when they are a whole request to this unit."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._last_s > RTU_GAP_S:
            self._pending = b""
        self._last_s = now_s
        self._pending = (self._pending + data)[-RTU_BYTES_MAX:]
        used, unit, _, pdu = _RTU.decode(self._pending)
        self._pending = self._pending[used:]
        if not pdu or unit != self._slave.unit:
            return
        reply = self._slave.answer(pdu[0], pdu)
        reply.dev_id = unit ^ 1 if self._slave.faults.wrong_unit else unit
        _send(self._slave, self._line, _RTU.buildFrame(reply))

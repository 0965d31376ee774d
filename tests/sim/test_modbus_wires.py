"""The simulated PLC as a Modbus slave, on TCP with pymodbus's client and as RTU on a pty."""

import asyncio
import fcntl
import os
import struct
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from drivers.contract import DriverError
from drivers.links import SerialLink, Stream, open_stream
from gatewayd.clock import SystemClock
from gatewayd.sim.modbus_server import RTU_GAP_S
from gatewayd.sim.plant import Plant
from gatewayd.sim.plc import SCAN_MS, SimPlc
from gatewayd.sim.wires import PtyWire, TcpWire
from tests.support.waiting import until
from tests.support.wiretap import Wiretap

WITHIN_S = 10.0
FRAMER = FramerRTU(DecodePDU(is_server=False))


@asynccontextmanager
async def on_tcp(
    tap: Wiretap | None = None,
) -> AsyncIterator[tuple[SimPlc, TcpWire, AsyncModbusTcpClient]]:
    plc = SimPlc(Plant(seed=1), SystemClock().monotonic_ns)
    wire = TcpWire((tap or Wiretap()).on(plc.slave.device_tcp))
    await wire.plug()
    client = AsyncModbusTcpClient("127.0.0.1", port=wire.port, retries=0, timeout=WITHIN_S)
    try:
        assert await client.connect()
        yield plc, wire, client
    finally:
        client.close()
        wire.unplug()


@asynccontextmanager
async def on_pty(
    folder: Path, tap: Wiretap | None = None
) -> AsyncIterator[tuple[SimPlc, PtyWire, Stream]]:
    plc = SimPlc(Plant(seed=1), SystemClock().monotonic_ns)
    wire = PtyWire((tap or Wiretap()).on(plc.slave.device_rtu), folder / "plc")
    await wire.plug()
    stream = await open_stream(SerialLink(serial=wire.address, baud=19_200))
    try:
        yield plc, wire, stream
    finally:
        await stream.close()
        wire.unplug()


async def ask(stream: Stream, request: ModbusPDU, unit: int = 1) -> ModbusPDU:
    request.dev_id = unit
    await stream.write(FRAMER.buildFrame(request), WITHIN_S)
    data = b""
    while True:
        data += await stream.read(256, WITHIN_S)
        _, reply = FRAMER.handleFrame(data, 0, 0)
        if reply is not None:
            return reply


async def test_tcp_reads_and_writes_the_map_and_nothing_else() -> None:
    async with on_tcp() as (plc, _, client):
        plc.advance()
        assert not (await client.write_registers(2, [0, 5000, 0, 30_000, 2000])).isError()
        assert not (await client.write_register(1, 77)).isError()
        assert (await client.read_holding_registers(0, count=7)).registers == [
            0,
            77,
            0,
            5000,
            0,
            30_000,
            2000,
        ]
        report = (await client.read_holding_registers(100, count=16)).registers
        assert report[15] > 0
        assert (await client.read_holding_registers(50, count=20)).registers == [0] * 20
        assert (await client.read_holding_registers(116, count=4)).registers == [0] * 4
        assert (await client.write_register(7, 1)).exception_code == ExcCodes.ILLEGAL_ADDRESS
        assert (
            await client.write_registers(5, [1, 2, 3])
        ).exception_code == ExcCodes.ILLEGAL_ADDRESS
        assert plc.command == (0, 77, 0, 5000, 0, 30_000, 2000)
        assert (
            await client.read_input_registers(0, count=1)
        ).exception_code == ExcCodes.ILLEGAL_FUNCTION
        assert (await client.read_coils(0, count=1)).exception_code == ExcCodes.ILLEGAL_FUNCTION


async def test_tcp_answers_only_its_unit_and_survives_nonsense() -> None:
    tap, junk = Wiretap(), b"GET / HTTP/1.1\r\n\r\n" + b"\0" * 300 + b"\xff" * 300
    async with on_tcp(tap) as (plc, wire, client):
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        whole = bytes.fromhex("000100000006 02 03 0064 0001")
        writer.write(junk + whole)
        await until(lambda: len(tap.heard) == len(junk + whole))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await reader.read(1)
        writer.close()
        before = plc.slave.requests
        assert not (await client.read_holding_registers(100, count=1)).isError()
        assert plc.slave.requests == before + 1


@pytest.mark.parametrize("cut", range(1, 12))
async def test_tcp_takes_requests_cut_anywhere_and_joined(cut: int) -> None:
    tap = Wiretap()
    async with on_tcp(tap) as (_, wire, _client):
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        requests = bytes.fromhex("000100000006010300000001 000200000006010300000002")
        writer.write(requests[:cut])
        await until(lambda: len(tap.heard) == cut)
        writer.write(requests[cut:])
        async with asyncio.timeout(WITHIN_S):
            replies = await reader.readexactly(11 + 13)
        assert replies.hex() == "0001000000050103020000" + "000200000007010304" + "00" * 4
        writer.close()


async def test_a_write_request_that_lies_about_its_length_changes_nothing() -> None:
    async with on_tcp() as (plc, wire, _client):
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        writer.write(bytes.fromhex("00010000000B 01 10 0000 0002 04 0001 0002"))
        writer.write(bytes.fromhex("000200000009 01 10 0000 0002 04 0001"))
        writer.write(bytes.fromhex("00030000000B 01 10 0000 0003 04 0001 0002"))
        async with asyncio.timeout(WITHIN_S):
            replies = await reader.readexactly(12 + 9 + 9)
        assert replies[12:].hex() == "000200000003019003" + "000300000003019003"
        assert plc.command[:2] == (1, 2)
        writer.close()


async def test_tcp_unplugged_refuses_and_comes_back_at_the_same_port() -> None:
    async with on_tcp() as (_, wire, client):
        port = wire.port
        wire.unplug()
        await until(lambda: wire.lines == ())
        with pytest.raises(OSError, match=r"refused|failed"):
            await asyncio.open_connection("127.0.0.1", port)
        client.close()
        await wire.plug()
        assert wire.port == port
        assert await client.connect()
        assert not (await client.read_holding_registers(100, count=1)).isError()


async def test_every_fault_is_visible_on_the_wire() -> None:
    async with on_tcp() as (plc, _, client):
        plc.advance()

        plc.faults.frozen_heartbeat = True
        first = (await client.read_holding_registers(115, count=1)).registers
        await asyncio.sleep(5 * SCAN_MS / 1000)  # time passes, and the heartbeat may not move
        plc.advance()
        assert (await client.read_holding_registers(115, count=1)).registers == first
        plc.faults.frozen_heartbeat = False
        assert (await client.read_holding_registers(115, count=1)).registers != first

        plc.wire_faults.shift = 2
        await client.write_register(2, 4242)
        assert (await client.read_holding_registers(0, count=1)).registers == [4242]
        plc.wire_faults.shift = 0

        plc.wire_faults.exception = ExcCodes.DEVICE_BUSY
        assert (await client.read_holding_registers(0)).exception_code == ExcCodes.DEVICE_BUSY
        plc.wire_faults.exception = None

        loop = asyncio.get_running_loop()
        plc.wire_faults.reply_delay_s = 0.1
        began_s = loop.time()
        assert not (await client.read_holding_registers(0)).isError()
        assert loop.time() - began_s >= 0.1


async def test_rtu_on_a_pty_speaks_the_same_map(tmp_path: Path) -> None:
    async with on_pty(tmp_path) as (plc, _, stream):
        plc.advance()
        many = WriteMultipleRegistersRequest(address=2, registers=[0, 5000, 0, 30_000, 2000])
        many.count = 5
        assert not (await ask(stream, many)).isError()
        assert not (
            await ask(stream, WriteSingleRegisterRequest(address=1, registers=[9]))
        ).isError()
        assert plc.command == (0, 9, 0, 5000, 0, 30_000, 2000)
        reply = await ask(stream, ReadHoldingRegistersRequest(address=100, count=16))
        assert reply.registers[15] > 0


async def test_rtu_ignores_noise_other_units_and_bad_checksums(tmp_path: Path) -> None:
    tap = Wiretap()
    async with on_pty(tmp_path, tap) as (plc, _, stream):
        read = ReadHoldingRegistersRequest(address=100, count=1)
        read.dev_id = 9
        foreign = FRAMER.buildFrame(read)
        read.dev_id = 1
        frame = FRAMER.buildFrame(read)
        for junk in (foreign, frame[:-1] + bytes((frame[-1] ^ 1,)), b"\xff\x00\x55"):
            tap.heard.clear()
            await stream.write(junk, WITHIN_S)
            await until(lambda junk=junk: tap.heard == junk)  # type: ignore[misc]  # bound now
            await asyncio.sleep(2 * RTU_GAP_S)  # silence is what ends junk
        assert plc.slave.requests == 0
        assert not (await ask(stream, read)).isError()


async def test_a_pty_outlives_its_peers_and_a_killed_exclusive_owner(tmp_path: Path) -> None:
    async with on_pty(tmp_path) as (_, wire, stream):
        await stream.close()
        port = os.open(wire.address, os.O_RDWR | os.O_NOCTTY)
        fcntl.ioctl(port, termios.TIOCEXCL)
        os.close(port)
        wire.tend()
        port = os.open(wire.address, os.O_RDWR | os.O_NOCTTY)
        exclusive = struct.unpack("i", fcntl.ioctl(port, 0x80045440, struct.pack("i", 0)))[0]
        os.close(port)
        assert exclusive == 0, "TIOCGEXCL: the flag a killed owner left is gone"
        again = await open_stream(SerialLink(serial=wire.address, baud=19_200))
        assert not (await ask(again, ReadHoldingRegistersRequest(address=100, count=1))).isError()
        await again.close()


async def test_a_pty_unplugged_is_gone_and_comes_back_under_its_name(tmp_path: Path) -> None:
    async with on_pty(tmp_path) as (_, wire, stream):
        name = wire.address
        wire.unplug()
        with pytest.raises(FileNotFoundError):
            os.stat(name)  # noqa: PTH116 - a path object would block by name
        await until(lambda: stream.lost)
        with pytest.raises(DriverError):
            await stream.write(b"?", WITHIN_S)
        await wire.plug()
        assert wire.address == name
        again = await open_stream(SerialLink(serial=name, baud=19_200))
        assert not (await ask(again, ReadHoldingRegistersRequest(address=100, count=1))).isError()
        await again.close()

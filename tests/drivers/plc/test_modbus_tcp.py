"""The PLC driver over real TCP: against pymodbus's server, and against a PLC that lies."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.contract import DriverError
from tests.drivers.plc.tcp_gate import ORDER, driver, healthy, once
from tests.support.plcs import (
    CLOSE,
    READ_COMMAND,
    READ_REPORT,
    Asked,
    Plc,
    Script,
    Seen,
    Step,
    TcpServer,
    honest,
    running,
)
from tests.support.waiting import until

ORDER_BYTES = bytes.fromhex("10 0001 0006 0c 0001 0000 3a98 0000 7b0c 07d0")
PERMIT = bytes.fromhex("06 0000 0007")


@asynccontextmanager
async def pymodbus_server() -> AsyncIterator[int]:
    """The reference gate's registers in pymodbus's own server; the heartbeat counts reads."""

    async def beat(
        function: int,
        first: int,
        address: int,
        _count: int,
        now: list[int],
        _values: list[int] | list[bool] | None,
    ) -> None:
        if function == 3 and address == 100:
            now[115 - first] += 1

    values = [0] * 100 + [0x1022, 7, 0, 31_000, 0xFFFF, 0xFFFE, 0, 16_000, 1, 2, 3, 1, 0, 9, 6, 0]
    device = SimDevice(1, SimData(0, values=values, datatype=DataType.REGISTERS), action=beat)
    server = ModbusTcpServer(device, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    assert isinstance(server.transport, asyncio.Server)
    try:
        yield server.transport.sockets[0].getsockname()[1]
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


async def test_a_gate_served_by_pymodbus_is_read_opened_renewed_and_locked() -> None:
    async with pymodbus_server() as port:
        plc = driver(port)
        async with running(plc) as [seen]:
            await until(lambda: len(seen.samples) >= 3)
            assert seen.ups == ["reference-gate-v1, unit 1"]
            sample = seen.samples[0]
            assert (sample.device, sample.gross_g, sample.net_g) == ("plc-1", 31_000, -2)
            assert (sample.tare_g, sample.total_g, sample.fills) == (16_000, 65_538, 3)
            assert sample.cylinder_on
            assert sample.stable
            assert sample.valve_open
            assert not sample.filling
            assert seen.heartbeats()[:3] == [2, 3, 4]
            await plc.open(ORDER)
            await plc.renew()
            await plc.lock()


async def test_a_gate_is_opened_limits_first_permit_last_and_read_back() -> None:
    plc = Plc()
    async with healthy(plc) as (gate, _):
        await gate.open(ORDER)
        commands = [pdu for pdu in plc.asked if pdu != READ_REPORT]
        assert commands == [READ_COMMAND, ORDER_BYTES, READ_COMMAND, PERMIT, READ_COMMAND]
        assert plc.command == [7, 1, 0, 15_000, 0, 31_500, 2_000]


async def test_the_lease_moves_on_from_what_the_plc_holds_and_wraps() -> None:
    plc = Plc(command=[0, 0xFFFE, 0, 0, 0, 0, 0])
    async with healthy(plc) as (gate, _):
        await gate.open(ORDER)
        assert plc.command[1] == 0xFFFF
        await gate.renew()
        assert plc.command[1] == 0
        await gate.renew()
        assert plc.command[1] == 1


async def test_a_lock_writes_zero_and_reads_it_back_and_ends_the_lease() -> None:
    plc = Plc()
    async with healthy(plc) as (gate, _):
        await gate.open(ORDER)
        plc.asked.clear()
        await gate.lock()
        assert [pdu for pdu in plc.asked if pdu != READ_REPORT] == [CLOSE, READ_COMMAND]
        assert plc.command[0] == 0
        with pytest.raises(DriverError, match="no permit is open"):
            await gate.renew()


async def test_a_gate_that_is_not_connected_says_so() -> None:
    gate = driver(1)
    for command in (gate.open(ORDER), gate.renew(), gate.lock()):
        with pytest.raises(DriverError, match="plc-1: not connected"):
            await command


@pytest.mark.parametrize(
    ("name", "lie"),
    [
        ("another echo of the permit", lambda a: [a.framed(bytes.fromhex("0600000008"))]),
        ("the echo of another register", lambda a: [a.framed(bytes.fromhex("0600010007"))]),
        ("a refusal", lambda a: [a.framed(b"\x86\x04")]),
        ("silence", lambda _: []),
        ("another unit", lambda a: [a.framed(unit=2)]),
        ("half a frame", lambda a: [a.framed()[:9]]),
        ("garbage", lambda _: [b"garbage garbage"]),
        ("a hang-up", lambda _: [None]),
    ],
)
async def test_a_permit_that_is_not_confirmed_is_taken_back(name: str, lie: Script) -> None:
    plc = Plc(script=once(lambda a: a.pdu == PERMIT, lie))
    async with TcpServer({1: plc}).serving() as server:
        gate, seen = driver(server.port), Seen()
        run = asyncio.ensure_future(gate.run(seen.context()))
        await until(lambda: bool(seen.ups))
        with pytest.raises(DriverError, match="gate not opened"):
            await gate.open(ORDER)
        run.cancel()
        await asyncio.wait([run])
    assert plc.writes() == [ORDER_BYTES, PERMIT, CLOSE], name
    assert plc.command[0] == 0


async def test_a_plc_that_keeps_other_limits_than_written_never_gets_the_permit() -> None:
    """Start may be pressed as soon as the permit is there: then it is too late to read back."""
    plc = Plc()

    def garble(asked: Asked) -> Sequence[Step]:
        if asked.pdu == ORDER_BYTES:
            plc.command[5] ^= 0x0400
        return honest(asked)

    plc.script = garble
    async with healthy(plc) as (gate, _):
        with pytest.raises(DriverError, match="limit_gross_g"):
            await gate.open(ORDER)
        assert plc.writes() == [ORDER_BYTES, CLOSE]


@pytest.mark.parametrize("register", range(7))
async def test_one_register_read_back_otherwise_locks_and_is_an_error(register: int) -> None:
    plc = Plc()

    def lie(asked: Asked) -> Sequence[Step]:
        if asked.pdu != READ_COMMAND or plc.command[0] == 0:
            return honest(asked)
        data = bytearray(asked.reply)
        data[2 + 2 * register + 1] ^= 1
        return [asked.framed(bytes(data))]

    plc.script = lie
    async with healthy(plc) as (gate, _):
        with pytest.raises(DriverError, match=r"gate not opened: .*read back"):
            await gate.open(ORDER)
        assert plc.command[0] == 0


async def test_a_lock_that_reads_back_otherwise_is_an_error() -> None:
    plc = Plc()
    stuck = bytes((3, 14, 0, 9)) + bytes(12)
    plc.script = lambda a: [a.framed(stuck)] if a.pdu == READ_COMMAND else honest(a)
    async with healthy(plc) as (gate, _):
        with pytest.raises(DriverError, match=r"wrote {'permit': 0}, read back {'permit': 9}"):
            await gate.lock()


async def test_a_lock_is_asked_again_once_when_the_first_has_no_answer() -> None:
    plc = Plc(script=once(lambda a: a.pdu == CLOSE, lambda _: []))
    async with healthy(plc) as (gate, _):
        await gate.lock()
        assert plc.asked.count(CLOSE) == 2


async def test_a_lock_during_an_open_wins_and_no_permit_is_written() -> None:
    plc = Plc(script=lambda a: [0.1, a.framed()] if a.pdu == ORDER_BYTES else honest(a))
    async with healthy(plc, timeout_ms=500) as (gate, _):
        opening = asyncio.ensure_future(gate.open(ORDER))
        await until(lambda: ORDER_BYTES in plc.asked)
        await gate.lock()
        with pytest.raises(DriverError, match="locked or lost meanwhile"):
            await opening
        assert PERMIT not in plc.asked
        assert plc.command[0] == 0


async def test_an_open_under_way_when_the_device_is_lost_writes_no_permit() -> None:
    plc = Plc(script=lambda a: [0.1, a.framed()] if a.pdu == ORDER_BYTES else honest(a))
    async with TcpServer({1: plc}).serving() as server:
        gate, seen = driver(server.port, timeout_ms=500), Seen()
        run = asyncio.ensure_future(gate.run(seen.context()))
        await until(lambda: bool(seen.ups))
        opening = asyncio.ensure_future(gate.open(ORDER))
        await until(lambda: ORDER_BYTES in plc.asked)
        run.cancel()
        with pytest.raises(DriverError, match="locked or lost meanwhile"):
            await opening
        assert plc.writes() == [ORDER_BYTES, CLOSE]


async def test_a_lock_that_is_under_way_outlives_the_device_it_was_asked_of() -> None:
    plc = Plc(script=lambda a: [0.1, a.framed()] if a.pdu == CLOSE else honest(a))
    async with TcpServer({1: plc}).serving() as server:
        gate, seen = driver(server.port, timeout_ms=500), Seen()
        run = asyncio.ensure_future(gate.run(seen.context()))
        await until(lambda: bool(seen.ups))
        locking = asyncio.ensure_future(gate.lock())
        await until(lambda: CLOSE in plc.asked)
        run.cancel()
        await locking
        assert plc.asked[-1] == READ_COMMAND


async def test_a_lock_goes_ahead_of_polls_that_wait_for_the_wire() -> None:
    slow: Script = lambda a: [0.03, a.framed()]  # noqa: E731 - a script is a value
    units = {unit: Plc(script=slow) for unit in range(1, 7)}
    order: list[int] = []
    async with TcpServer(units).serving() as server:
        gates = [driver(server.port, unit=unit, timeout_ms=1_000) for unit in units]
        async with running(*gates) as seen:
            await until(lambda: all(one.ups for one in seen))
            for unit, plc in units.items():
                plc.script = lambda a, u=unit: (order.append(u), slow(a))[1]  # type: ignore[misc,func-returns-value]
            await until(lambda: len(order) == 3)
            in_flight = len(order)
            await gates[5].lock()
            assert order[in_flight : in_flight + 3].count(6) >= 2
            assert units[6].asked[-2:] == [CLOSE, READ_COMMAND]
            assert server.connections == 1

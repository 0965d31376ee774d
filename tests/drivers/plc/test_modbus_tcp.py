"""The PLC driver over real TCP: against pymodbus's server, and against a PLC that lies."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.contract import DriverError, FillGate, GateOrder
from drivers.links import TcpLink
from drivers.plc.modbus import DRIVER, PlcModbus
from drivers.plc.settings import PlcModbusSettings
from protocols.modbus import tcp_frame
from tests.support.plcs import (
    CLOSE,
    LATE_S_MAX,
    READ_COMMAND,
    READ_REPORT,
    REFERENCE,
    Asked,
    Plc,
    Script,
    Seen,
    Step,
    TcpServer,
    honest,
    running,
)
from tests.support.waiting import WITHIN_S, until

ORDER = GateOrder(permit_no=7, target_g=15_000, limit_gross_g=31_500, lease_ms=2_000)
ORDER_BYTES = bytes.fromhex("10 0001 0006 0c 0001 0000 3a98 0000 7b0c 07d0")
PERMIT = bytes.fromhex("06 0000 0007")


def driver(port: int, *, unit: int = 1, timeout_ms: int = 100) -> PlcModbus:
    settings = PlcModbusSettings(
        link=TcpLink(tcp=f"127.0.0.1:{port}"),
        unit=unit,
        profile=REFERENCE.id,
        poll_ms=10,
        timeout_ms=timeout_ms,
    )
    made = DRIVER.make(f"plc-{unit}", settings, {REFERENCE.id: REFERENCE})
    assert isinstance(made, PlcModbus)
    assert isinstance(made, FillGate)
    return made


@asynccontextmanager
async def healthy(plc: Plc, *, timeout_ms: int = 100) -> AsyncIterator[tuple[PlcModbus, Seen]]:
    """A running driver that has seen the heartbeat of `plc` move."""
    async with TcpServer({1: plc}).serving() as server:
        plc_driver = driver(server.port, timeout_ms=timeout_ms)
        async with running(plc_driver) as [seen]:
            await until(lambda: bool(seen.ups))
            yield plc_driver, seen


async def failure(plc: Plc) -> tuple[str, Seen]:
    """How a driver ends that meets `plc`."""
    seen = Seen()
    async with TcpServer({1: plc}).serving() as server:
        with pytest.raises(DriverError) as caught:
            async with asyncio.timeout(WITHIN_S):
                await driver(server.port).run(seen.context())
    return str(caught.value), seen


def from_read(number: int, lie: Script) -> Script:
    """Honest but for report read `number` and all after it."""
    reads = 0

    def script(asked: Asked) -> Sequence[Step]:
        nonlocal reads
        reads += asked.pdu == READ_REPORT
        return lie(asked) if reads >= number else honest(asked)

    return script


def once(when: Callable[[Asked], bool], lie: Script) -> Script:
    """Honest but for the first request that `when` picks."""
    told = False

    def script(asked: Asked) -> Sequence[Step]:
        nonlocal told
        if told or not when(asked):
            return honest(asked)
        told = True
        return lie(asked)

    return script


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


async def test_a_late_answer_is_never_the_next_answer() -> None:
    late = once(
        lambda a: a.pdu == READ_REPORT and plc.report[15] == 5, lambda a: [0.15, a.framed()]
    )
    plc = Plc(script=late)
    async with healthy(plc) as (_, seen):
        await until(lambda: len(seen.samples) >= 8)
        assert seen.heartbeats()[:8] == [2, 3, 4, 6, 7, 8, 9, 10]
        assert any(reason == "late answer dropped" for reason, _ in seen.noises)


async def test_busy_is_borne_for_a_while() -> None:
    busy = once(lambda _: plc.report[15] == 4, lambda a: [a.framed(b"\x83\x06")])
    plc = Plc(script=busy)
    async with healthy(plc) as (_, seen):
        await until(lambda: len(seen.samples) >= 4)
        assert seen.heartbeats()[:4] == [2, 3, 5, 6]
        assert "device busy" in seen.noises[0][0]


@pytest.mark.parametrize(
    ("lie", "expected"),
    [
        (lambda a: [a.framed(b"\x83\x02")], "exception 2, illegal data address"),
        (lambda a: [a.framed(unit=2)], "unit 2 answered instead"),
        (lambda a: [a.framed(a.reply[:-2])], "does not answer request 0300640010"),
        (lambda a: [a.framed(a.reply + b"\0\0")], "does not answer request 0300640010"),
        (lambda a: [a.framed(b"\x04" + a.reply[1:])], "does not answer request 0300640010"),
        (lambda a: [a.framed()[:20]], "half a frame"),
        (lambda _: [b"HTTP/1.1 400 Bad Request\r\n\r\n"], "no Modbus TCP frame"),
        (lambda a: [a.framed()[:20], None], "closed by the device"),
        (lambda _: [None], "closed by the device"),
        (lambda a: [a.framed(b"\x03\x20\xe0" + a.reply[3:])], "status = 0xE000 has bits"),
    ],
)
async def test_a_plc_that_lies_or_leaves_is_a_lost_link(lie: Script, expected: str) -> None:
    text, seen = await failure(Plc(script=from_read(4, lie)))
    assert expected in text
    assert seen.heartbeats() == [2, 3]


async def test_an_answer_to_another_transaction_is_silence_and_silence_ends_the_link() -> None:
    started = time.monotonic()
    wrong = from_read(4, lambda a: [tcp_frame(0, 1, a.reply)])
    plc = Plc(script=wrong)
    text, seen = await failure(plc)
    assert text.endswith("unit 1: no answer in 0.1 s")
    assert seen.heartbeats() == [2, 3]
    assert 1.0 <= time.monotonic() - started < 1.0 + LATE_S_MAX
    assert len(plc.asked) <= 3 + 2 * 1.0 / 0.1, "a second of 0.1 s timeouts, on any machine"


async def test_before_it_was_up_one_missed_answer_is_enough() -> None:
    plc = Plc(script=lambda _: [])
    text, seen = await failure(plc)
    assert "no answer in 0.1 s" in text
    assert (len(plc.asked), seen.ups, seen.samples) == (1, [], [])


async def test_a_heartbeat_that_never_moves_is_never_up() -> None:
    text, seen = await failure(Plc(beating=False))
    assert "heartbeat stands still at 0 for 1.0 s" in text
    assert (seen.ups, seen.samples) == ([], [])


async def test_a_heartbeat_that_stops_is_a_lost_device_after_one_second() -> None:
    plc = Plc()

    def stop(asked: Asked) -> Sequence[Step]:
        plc.beating = False
        return honest(asked)

    plc.script = from_read(4, stop)
    text, seen = await failure(plc)
    assert "heartbeat stands still" in text
    began_ns = next(s.at_ns for s in seen.samples if s.heartbeat == 4)
    assert seen.samples[-1].at_ns - began_ns < 1.0e9
    assert time.monotonic_ns() - began_ns >= 1.0e9


async def test_a_plc_that_comes_back_is_served_again_on_a_new_connection() -> None:
    plc = Plc()
    server = TcpServer({1: plc})
    async with server.serving():
        gate = driver(server.port)
        seen = Seen()
        run = asyncio.ensure_future(gate.run(seen.context()))
        await until(lambda: bool(seen.ups))
    with pytest.raises(DriverError, match=r"closed by the device|reset by the device"):
        await run
    with pytest.raises(DriverError, match="connection refused"):
        await gate.run(seen.context())
    async with server.serving(), running(gate) as [again]:
        await until(lambda: bool(again.samples))
        await gate.open(ORDER)


async def test_stopping_leaves_no_task_and_no_descriptor() -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    plc = Plc()
    before = open_files()
    for _ in range(3):
        async with healthy(plc):
            pass
    await until(lambda: open_files() <= before)
    assert len(asyncio.all_tasks()) == 1

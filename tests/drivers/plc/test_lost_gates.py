"""A PLC over real TCP that is late, busy, silent, lies, leaves, or comes back."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from drivers.contract import DriverError
from protocols.modbus import tcp_frame
from tests.drivers.plc.tcp_gate import ORDER, driver, failure, from_read, healthy, once
from tests.support.plcs import (
    LATE_S_MAX,
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

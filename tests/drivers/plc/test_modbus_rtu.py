"""The PLC driver over RTU on a pty, with a scripted bus speaking real bytes."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from drivers.contract import DriverError, GateOrder
from drivers.links import SerialLink
from drivers.plc.breaker import MISSES_MAX
from drivers.plc.modbus import DRIVER, PlcModbus
from drivers.plc.settings import PlcModbusSettings
from tests.support.plcs import (
    CLOSE,
    LATE_S_MAX,
    READ_COMMAND,
    READ_REPORT,
    REFERENCE,
    Asked,
    Plc,
    RtuBus,
    Script,
    Seen,
    Step,
    honest,
    running,
)
from tests.support.waiting import WITHIN_S, until

ORDER = GateOrder(permit_no=7, target_g=15_000, limit_gross_g=31_500, lease_ms=2_000)
PERMIT = bytes.fromhex("06 0000 0007")
BAUD = 115_200


def driver(path: str, *, unit: int = 1, timeout_ms: int = 80, baud: int = BAUD) -> PlcModbus:
    settings = PlcModbusSettings(
        link=SerialLink(serial=path, baud=baud),
        unit=unit,
        profile=REFERENCE.id,
        poll_ms=10,
        timeout_ms=timeout_ms,
    )
    made = DRIVER.make(f"plc-{unit}", settings, {REFERENCE.id: REFERENCE})
    assert isinstance(made, PlcModbus)
    return made


@asynccontextmanager
async def healthy(plc: Plc) -> AsyncIterator[tuple[PlcModbus, Seen]]:
    async with RtuBus({1: plc}).serving() as bus:
        gate = driver(bus.path)
        async with running(gate) as [seen]:
            await until(lambda: bool(seen.ups))
            yield gate, seen


async def failure(plc: Plc) -> tuple[str, Seen]:
    seen = Seen()
    async with RtuBus({1: plc}).serving() as bus:
        with pytest.raises(DriverError) as caught:
            async with asyncio.timeout(WITHIN_S):
                await driver(bus.path).run(seen.context())
    return str(caught.value), seen


def at_beat(beat: int, lie: Script, plc: Plc) -> Script:
    """Honest but for the read of the report that shows heartbeat `beat`."""

    def script(asked: Asked) -> Sequence[Step]:
        lies = asked.pdu == READ_REPORT and plc.report[15] == beat
        return lie(asked) if lies else honest(asked)

    return script


async def test_a_gate_on_a_serial_line_is_read_opened_renewed_and_locked() -> None:
    plc = Plc()
    async with healthy(plc) as (gate, seen):
        await until(lambda: len(seen.samples) >= 3)
        assert seen.heartbeats()[:3] == [2, 3, 4]
        await gate.open(ORDER)
        assert plc.command == [7, 1, 0, 15_000, 0, 31_500, 2_000]
        await gate.renew()
        assert plc.command[1] == 2
        await gate.lock()
        assert plc.command[0] == 0
        assert seen.noises == []


async def test_a_renewal_that_a_lock_overtakes_is_never_written() -> None:
    plc = Plc()
    async with healthy(plc) as (gate, _):
        await gate.open(ORDER)
        first, second, locked = await asyncio.gather(
            gate.renew(), gate.renew(), gate.lock(), return_exceptions=True
        )
        assert first is None or isinstance(first, DriverError), first
        assert isinstance(second, DriverError), second
        assert locked is None
        assert plc.command[0] == 0


async def test_frames_are_parted_by_silence() -> None:
    plc = Plc()
    async with RtuBus({1: plc}).serving() as bus:
        gate = driver(bus.path)
        async with running(gate) as [seen]:
            await until(lambda: bool(seen.ups))
            await gate.open(ORDER)
        assert min(bus.gaps_s[1:]) >= 0.00175


@pytest.mark.parametrize(
    ("name", "lie"),
    [
        ("late", lambda a: [0.12, a.framed()]),
        ("silent", lambda _: []),
        ("bad CRC", lambda a: [a.framed()[:-1] + bytes((a.framed()[-1] ^ 1,))]),
        ("garbage", lambda _: [bytes(range(40))]),
        ("one stray byte ahead", lambda a: [b"\0" + a.framed()]),
        ("bytes too many", lambda a: [a.framed() + b"\0"]),
        ("half a frame", lambda a: [a.framed()[:20]]),
        ("half a frame, the rest late", lambda a: [a.framed()[:20], 0.12, a.framed()[20:]]),
        ("another unit", lambda a: [a.framed(unit=2)]),
        ("another function", lambda a: [a.framed(b"\x04" + a.reply[1:])]),
        ("too short a block", lambda a: [a.framed(b"\x03\x1e" + a.reply[4:])]),
        ("our own echo", lambda a: [a.framed(a.pdu)]),
        ("busy", lambda a: [a.framed(b"\x83\x06")]),
    ],
)
async def test_one_bad_answer_is_noise_and_never_a_sample(name: str, lie: Script) -> None:
    plc = Plc()
    plc.script = at_beat(4, lie, plc)
    async with healthy(plc) as (_, seen):
        await until(lambda: len(seen.samples) >= 6)
        assert seen.heartbeats()[:6] == [2, 3, 5, 6, 7, 8], name
        assert seen.noises


async def test_a_reply_in_pieces_is_one_reply() -> None:
    plc = Plc(script=lambda a: [s for b in a.framed() for s in (bytes((b,)), 0.0005)])
    async with healthy(plc) as (_, seen):
        await until(lambda: len(seen.samples) >= 2)
        assert seen.heartbeats()[:2] == [2, 3]
        assert seen.noises == []


async def test_after_a_missed_answer_the_bus_is_quiet_for_the_worst_reply_time() -> None:
    plc = Plc()
    plc.script = at_beat(4, lambda _: [], plc)
    async with RtuBus({1: plc}).serving() as bus:
        gate = driver(bus.path)
        async with running(gate) as [seen]:
            await until(lambda: len(seen.samples) >= 4)
        # Heartbeat 4 was asked and not answered: the gap counts from the answer before it.
        assert bus.gaps_s[4] >= 0.08 + 0.08


async def test_bytes_nobody_asked_for_are_dropped() -> None:
    plc = Plc()
    async with RtuBus({1: plc}).serving() as bus:
        gate = driver(bus.path)
        async with running(gate) as [seen]:
            await until(lambda: bool(seen.ups))
            bus.say(
                Asked(1, b"", bytes((3, 32)) + bytes(32), lambda u, p: bytes((u,)) + p).framed()
            )
            count = len(seen.samples)
            await until(lambda: len(seen.samples) >= count + 3)
            assert 0 not in seen.heartbeats()
            assert seen.noises


async def test_bad_answers_for_a_second_are_a_lost_device() -> None:
    plc = Plc()
    started = time.monotonic()
    plc.script = lambda a: [b"noise"] if plc.report[15] >= 4 else honest(a)
    text, seen = await failure(plc)
    assert "no Modbus reply" in text
    assert seen.heartbeats() == [2, 3]
    assert 1.0 <= time.monotonic() - started < 1.0 + LATE_S_MAX
    assert len(plc.asked) <= 3 + 2 * 1.0 / 0.08, "a second of 80 ms timeouts, on any machine"


async def test_a_refusal_is_an_error_by_name() -> None:
    plc = Plc()
    plc.script = at_beat(3, lambda a: [a.framed(b"\x83\x02")], plc)
    text, _ = await failure(plc)
    assert text.endswith("unit 1: function 3 refused with exception 2, illegal data address")


async def test_a_dead_unit_fails_alone_and_its_neighbour_lives_on() -> None:
    async with RtuBus({1: Plc()}).serving() as bus:
        alive, dead = driver(bus.path, unit=1), driver(bus.path, unit=2)
        async with running(alive) as [seen]:
            await until(lambda: bool(seen.ups))
            for _ in range(2):
                before = len(seen.samples)
                with pytest.raises(DriverError, match=r"unit 2: no answer in 0.08 s"):
                    await dead.run(Seen().context())
                await until(lambda b=before: len(seen.samples) >= b + 3)  # type: ignore[misc]
        times = [sample.at_ns for sample in seen.samples]
        longest_ns = max(b - a for a, b in pairwise(times))
        assert longest_ns < 2 * 80e6 + 150e6


async def test_a_lock_goes_ahead_of_the_neighbours_polls() -> None:
    slow: Script = lambda a: [0.02, a.framed()]  # noqa: E731 - a script is a value
    units = {1: Plc(script=slow), 2: Plc(script=slow), 3: Plc(script=slow)}
    async with RtuBus(units).serving() as bus:
        gates = [driver(bus.path, unit=unit, timeout_ms=500) for unit in units]
        async with running(*gates) as seen:
            await until(lambda: all(one.ups for one in seen))
            before = sum(len(plc.asked) for plc in units.values())
            await gates[2].lock()
            assert units[3].asked[-2:] == [CLOSE, READ_COMMAND]
            after = sum(len(plc.asked) for plc in units.values())
            assert after - before <= 4


async def test_a_permit_whose_echo_is_late_is_taken_back() -> None:
    plc = Plc(script=lambda a: [0.12, a.framed()] if a.pdu == PERMIT else honest(a))
    async with healthy(plc) as (gate, _):
        with pytest.raises(DriverError, match="gate not opened"):
            await gate.open(ORDER)
        assert plc.command[0] == 0
        assert plc.writes()[-2:] == [PERMIT, CLOSE]


async def test_a_cancelled_question_does_not_disturb_the_next() -> None:
    plc = Plc()
    async with healthy(plc) as (gate, seen):
        plc.script = lambda a: [0.03, a.framed()] if a.pdu == READ_COMMAND else honest(a)
        opening = asyncio.ensure_future(gate.open(ORDER))
        await until(lambda: READ_COMMAND in plc.asked)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        count = len(seen.samples)
        await until(lambda: len(seen.samples) >= count + 3)
        assert all(sample.heartbeat for sample in seen.samples)
        assert plc.writes() == []


async def test_an_unplugged_port_is_a_lost_link() -> None:
    plc = Plc()
    plc.script = at_beat(4, lambda _: [None], plc)
    text, seen = await failure(plc)
    assert "port unplugged or hung up" in text
    assert seen.heartbeats() == [2, 3]


async def test_one_port_with_two_speeds_is_an_error_naming_the_port() -> None:
    async with RtuBus({1: Plc()}).serving() as bus, running(driver(bus.path)) as [seen]:
        await until(lambda: bool(seen.ups))
        with pytest.raises(DriverError, match=r"another device sets this port to .*115200"):
            await driver(bus.path, unit=2, baud=9600).run(seen.context())


async def test_stopping_leaves_no_task_and_no_descriptor() -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = open_files()
    for _ in range(3):
        async with healthy(Plc()):
            pass
    await until(lambda: open_files() <= before)
    assert len(asyncio.all_tasks()) == 1


async def test_a_gate_that_rests_is_down_and_back_when_it_is_probed() -> None:
    units = {1: Plc()}
    async with RtuBus(units).serving() as bus:
        alive, dead = driver(bus.path, timeout_ms=400), driver(bus.path, unit=2, timeout_ms=40)
        async with running(alive) as [seen]:
            await until(lambda: bool(seen.ups))
            for _ in range(MISSES_MAX):
                with pytest.raises(DriverError, match="unit 2: no answer in"):
                    await dead.run(Seen().context())
            returned = Seen()
            probing = asyncio.ensure_future(dead.run(returned.context()))
            await asyncio.sleep(0.2)  # it rests, and nobody asks
            units[2] = Plc()
            with pytest.raises(DriverError, match="plc-2: not connected"):
                await dead.lock()
            assert units[2].asked == [], "closed by its lease, not by a bus that waits for it"
            await until(lambda: bool(returned.ups))
            await dead.lock()
            probing.cancel()
            assert seen.noises == []

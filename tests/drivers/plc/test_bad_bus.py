"""One RS-485 bus, eight units, two that behave: a slow pty, values planted everywhere."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

import pytest

from drivers.contract import DriverError
from drivers.links import SerialLink
from drivers.plc.budget import lock_wait_s_max, miss_s
from drivers.plc.modbus import DRIVER, PlcModbus
from drivers.plc.settings import PlcModbusSettings
from drivers.plc.turns import Rank
from drivers.plc.wire import MissedError, Wire
from protocols.modbus import read, rtu_frame
from tests.support.plcs import CLOSE, REFERENCE, Asked, Plc, Script, Step, honest, running
from tests.support.slowbus import Planted, Poller, SlowBus
from tests.support.waiting import until

WITHIN_S = 0.06
SETTLE_S, WATCHED_S = 2.5, 4.0
BUSY_MACHINE_S = 0.1
"""How much later than it should a loaded machine may do something."""


def instead_of(unit: int) -> Script:
    """Answers with its own values under another unit's number."""
    return lambda asked: [asked.framed(unit=unit)]


def late(times: float) -> Script:
    return lambda asked: [times * WITHIN_S, asked.framed()]


def silent_after_a_write(asked: Asked) -> Sequence[Step]:
    return [] if asked.pdu[0] != 3 else [asked.framed()]


def refusing(asked: Asked) -> Sequence[Step]:
    return [asked.framed(bytes((asked.pdu[0] | 0x80, 2)))]


def units(late_times: float) -> dict[int, Plc]:
    """1 and 2 are healthy, 7 and 8 dead; where 8 is asked, 4 answers."""
    made: dict[int, Plc] = {unit: Planted(unit=unit) for unit in range(1, 7)}
    made[3].script = late(late_times)
    made[4].script = instead_of(1)
    made[5].script = refusing
    made[6].script = silent_after_a_write
    made[8] = Planted(unit=4, script=instead_of(4))
    return made


@dataclass(frozen=True, slots=True)
class Watched:
    """What came of one bus with eight units."""

    bus: SlowBus
    pollers: list[Poller]
    since_s: float
    resting: tuple[int, ...]


async def watched(baud: int, period_s: float, late_times: float) -> Watched:
    """Ask all eight for SETTLE_S and then for WATCHED_S."""
    pollers = [Poller(unit, period_s, writes=unit == 6) for unit in range(1, 9)]
    async with SlowBus(units(late_times), baud).serving() as bus:
        link = SerialLink(serial=bus.path, baud=baud)
        async with Wire.join(link) as wire, asyncio.TaskGroup() as group:
            tasks = [group.create_task(one.run(wire, within_s=WITHIN_S)) for one in pollers]
            await asyncio.sleep(SETTLE_S)
            since_s = asyncio.get_running_loop().time()
            await asyncio.sleep(WATCHED_S)
            resting = wire.budget().resting
            for task in tasks:
                task.cancel()
    return Watched(bus, pollers, since_s, resting)


async def test_healthy_units_keep_their_rate_and_no_value_is_taken_for_another() -> None:
    """Three buses at once: they need the time, not the machine."""
    loads = ((9600, 0.16, 1.4), (19_200, 0.14, 2.6), (115_200, 0.13, 2.9))
    for found in await asyncio.gather(*(watched(*load) for load in loads)):
        pollers = found.pollers
        assert [one.wrong for one in pollers] == [[]] * 8
        rates = [one.rate(found.since_s) for one in pollers[:2]]
        assert min(rates) >= 0.95, rates
        assert found.resting == (3, 4, 6, 7, 8)
        assert not pollers[3].answered_s + pollers[6].answered_s + pollers[7].answered_s
        assert len(pollers[5].answered_s) > 10, "answers what it is asked, but for writes"
        assert all("illegal data address" in text for text in pollers[4].failures)
        assert found.bus.hasty == 0


async def test_what_dead_units_take_of_the_bus_is_under_five_percent() -> None:
    within_s, baud, watched_s = WITHIN_S, 19_200, 6.0
    pollers = [Poller(unit, 0.05) for unit in (1, 2, 3)]
    async with SlowBus({1: Planted(unit=1)}, baud).serving() as bus:
        link = SerialLink(serial=bus.path, baud=baud)
        async with Wire.join(link) as wire, asyncio.TaskGroup() as group:
            tasks = [group.create_task(one.run(wire, within_s=within_s)) for one in pollers]
            await until(lambda: {2, 3} <= set(wire.budget().resting))
            before = len(bus.heard)
            await asyncio.sleep(watched_s)
            budget = wire.budget()
            for task in tasks:
                task.cancel()
    tried = [(at_s, unit) for at_s, unit, _ in bus.heard[before:] if unit != 1]
    assert tried, "they are tried again"
    cost_s = miss_s(link, within_s=within_s, sent=8)
    assert len(tried) * cost_s / watched_s < 0.05
    apart_s = cost_s / 0.05 - BUSY_MACHINE_S  # What a busy kernel hands on late counts as later.
    assert all(after - at_s > apart_s for (at_s, _), (after, _) in pairwise(tried))
    assert budget.resting == (2, 3)
    assert all(budget.by_unit[unit].misses == budget.by_unit[unit].asked for unit in (2, 3))
    assert budget.by_unit[1].missed < 0.05
    assert budget.used + budget.spare == pytest.approx(1)


def gate(path: str, unit: int, *, baud: int) -> PlcModbus:
    settings = PlcModbusSettings(
        link=SerialLink(serial=path, baud=baud),
        unit=unit,
        profile=REFERENCE.id,
        poll_ms=200,
        timeout_ms=250,
    )
    made = DRIVER.make(f"gate-{unit}", settings, {REFERENCE.id: REFERENCE})
    assert isinstance(made, PlcModbus)
    return made


async def ask_for_ever(wire: Wire, unit: int) -> None:
    """What no driver does: a dead unit asked again and again, whatever its breaker says."""
    while True:
        with suppress(DriverError):
            async with wire.turns.take(Rank.POLL):
                await wire.exchange(
                    unit, read(0, 16), within_s=0.1, noise=lambda *_: None, urgent=True
                )


async def test_a_lock_waits_for_one_request_in_flight_and_its_silence_at_most() -> None:
    rng = random.Random(4)
    async with SlowBus({1: Plc(), 2: Plc()}, 9600).serving() as bus:
        gates = [gate(bus.path, unit, baud=9600) for unit in (1, 2)]
        link = SerialLink(serial=bus.path, baud=9600)
        async with running(*gates) as seen, Wire.join(link) as wire:
            await until(lambda: all(one.ups for one in seen))
            async with asyncio.TaskGroup() as group:
                dead = [group.create_task(ask_for_ever(wire, unit)) for unit in (7, 8)]
                waits_s = [await lock_wait_s(gates[1], bus, rng) for _ in range(8)]
                for task in dead:
                    task.cancel()
    bound_s = lock_wait_s_max(link, within_s=0.1, sent=8)
    assert bound_s == pytest.approx(0.208, abs=0.001)
    assert max(waits_s) > 0.05, "the bus was never taken when a lock came"
    assert max(waits_s) <= bound_s + BUSY_MACHINE_S


async def lock_wait_s(locked: PlcModbus, bus: SlowBus, rng: random.Random) -> float:
    """From asking for a lock at any time to its first byte on the bus."""
    await asyncio.sleep(rng.uniform(0, 0.2))
    began_s = asyncio.get_running_loop().time()
    await locked.lock()
    return min(at_s for at_s, _, pdu in bus.heard if pdu == CLOSE and at_s >= began_s) - began_s


async def test_gates_locked_together_are_each_told_before_any_is_asked_and_the_dead_last() -> None:
    plcs = {unit: Plc() for unit in (1, 2, 3)}
    async with SlowBus(plcs, 19_200).serving() as bus:
        gates = [gate(bus.path, unit, baud=19_200) for unit in plcs]
        async with running(*gates) as seen:
            await until(lambda: all(one.ups for one in seen))
            plcs[1].script = lambda _: []
            count = len(plcs[1].asked)
            await until(lambda: len(plcs[1].asked) > count and bool(seen[0].noises))
            began = len(bus.heard)
            locks = [one.lock() for one in gates]
            results = await asyncio.gather(*locks, return_exceptions=True)
            told = [(unit, pdu == CLOSE) for _, unit, pdu in bus.heard[began:]]
    assert isinstance(results[0], DriverError)
    assert results[1:] == [None, None]
    closes = [unit for unit, close in told if close]
    assert closes[:2] == [2, 3]
    assert closes[2:] == [1, 1]
    assert plcs[2].command[0] == plcs[3].command[0] == 0


async def test_an_answer_later_than_the_silence_is_never_another_registers_value() -> None:
    within_s = 0.25
    unit = Planted(unit=3, script=lambda a: [2.6 * within_s, a.framed()])
    async with SlowBus({3: unit}, 115_200).serving() as bus:
        link = SerialLink(serial=bus.path, baud=115_200)

        async def ask(address: int, count: int, rank: Rank = Rank.POLL) -> bytes:
            question = read(address, count)
            return await wire.ask(3, question, within_s=within_s, noise=lambda *_: None, rank=rank)

        async with Wire.join(link) as wire:
            with pytest.raises(MissedError, match="no answer"):
                await ask(0, 2)
            unit.script = honest
            with pytest.raises(MissedError, match="not asked: the answer to 0300000002 may"):
                await ask(10, 2)
            assert await ask(10, 2, Rank.CONFIRM) == Planted(unit=3).answer(read(10, 2).pdu)[2:]
    assert len(unit.asked) == 2


async def test_what_comes_after_its_question_was_given_up_answers_no_later_one() -> None:
    within_s = 0.25
    unit = Planted(unit=3, script=lambda asked: [1.4 * within_s, asked.framed()])
    question, noises = read(0, 2), list[bytes]()
    async with SlowBus({3: unit}, 115_200).serving() as bus:

        async def ask() -> bytes:
            return await wire.ask(
                3, question, within_s=within_s, noise=lambda _reason, raw: noises.append(raw)
            )

        async with Wire.join(SerialLink(serial=bus.path, baud=115_200)) as wire:
            with pytest.raises(MissedError, match="no answer"):
                await ask()
            await until(lambda: not bus._replies)
            unit.script, unit.unit = honest, 4  # What it holds is another weight by now.
            assert await ask() == Planted(unit=4).answer(question.pdu)[2:]
    assert len(unit.asked) == 2
    assert any(raw.endswith(rtu_frame(3, Planted(unit=3).answer(question.pdu))) for raw in noises)

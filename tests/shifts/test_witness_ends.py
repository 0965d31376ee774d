"""The end of a witness's shift: once, whatever dies, restarts or comes in between, or is heard late."""

import asyncio
import threading
from pathlib import Path

import apsw
import pytest

from gatewayd.alarms.words import topic
from tests.alarms.control_room import SUBJECTS, ControlRoom, control_room
from tests.shifts.yard import MINUTE, Yard, begun


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_death_at_the_commit_of_its_end_closes_it_once(
    tmp_path: Path, *, after: bool
) -> None:
    async with control_room(tmp_path) as room:
        yard = await begun(room)
        await yard.fill(14_500, 16_000)
        await yard.pass_h(7 + 59 / 60)
        died = [0]

        def hook() -> bool:
            died[0] += 1
            if died[0] > after:
                raise apsw.IOError("the process is dead")
            return False

        room.store._writer._connection.set_commit_hook(hook)
        await yard.pass_h(1 / 60)
        clock, tank_g = room.clock, yard.tank_g
    assert tank_g is not None
    async with control_room(tmp_path, clock) as room:
        room.alarms.restore(SUBJECTS | {"tank-1"})
        yard = Yard(room, tank_g)
        await yard.witnesses.look()
        await yard.pass_h(0.2)
        assert [data["difference_g"] for data in yard.closed()] == [1_500]
        codes = [data["code"] for data in room.data() if "code" in data]
        assert codes == ["shift_mismatch"]
        assert room.board.get(topic("shift_mismatch", "tank-1")) is not None


async def test_a_record_that_comes_in_between_costs_no_alarm(room: ControlRoom) -> None:
    """The end was made and could not be kept; the one that is made for it alarms as that would have."""
    yard = await begun(room)
    yard.flow(5_000)
    await yard.pass_h(7.9)
    for _ in range(10):
        room.clock.advance(seconds=MINUTE)
        yard.speak()
    held = threading.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(room.store.commit(lambda _connection, _issuer: held.wait(20)))
        await asyncio.sleep(0)
        group.create_task(yard.fill(2_000))
        await asyncio.sleep(0)
        group.create_task(yard.witnesses.look())
        await asyncio.sleep(0)
        held.set()
    assert yard.closed() == []
    assert room.alarms.stands("shift_mismatch", "tank-1")
    yard.speak()
    await yard.witnesses.look()
    (data,) = yard.closed()
    assert (data["net_g"], data["difference_g"], data["agrees"]) == (2_000, 5_000, False)
    told = [each for each in room.data() if each.get("code") == "shift_mismatch"]
    assert [(each["action"], each["values"]["difference_g"]) for each in told] == [
        ("raised", 5_000)
    ]
    shown = room.board.get(topic("shift_mismatch", "tank-1")) or {}
    assert shown["values"]["difference_g"] == 5_000


@pytest.mark.parametrize(("away_s", "why"), [(60, ""), (300, "silent")])
async def test_a_restart_is_a_silence_no_longer_than_it_took(
    tmp_path: Path, away_s: int, why: str
) -> None:
    async with control_room(tmp_path) as room:
        yard = await begun(room)
        await yard.fill(14_500)
        await yard.pass_h(1)
        clock, tank_g = room.clock, yard.tank_g
    assert tank_g is not None
    clock.advance(seconds=away_s)
    async with control_room(tmp_path, clock) as room:
        yard = Yard(room, tank_g)
        await yard.witnesses.look()
        await yard.fill(14_500)
        await yard.pass_h(8)
        assert [(e["why"], e["net_g"]) for e in yard.closed()] == [(why, 29_000)]


async def test_a_witness_that_is_heard_late_is_compared_from_then_on(tmp_path: Path) -> None:
    """What was filled before its first word it cannot have seen; also over a kill right after it."""
    async with control_room(tmp_path) as room:
        yard = Yard(room)
        await yard.witnesses.look()
        room.clock.advance(seconds=60)
        await yard.fill(14_500)
        yard.speak()
        await yard.witnesses.look()
        room.clock.advance(seconds=10)
        await yard.fill(14_500)
        clock, tank_g = room.clock, yard.tank_g
    assert tank_g is not None
    clock.advance(seconds=20)
    async with control_room(tmp_path, clock) as room:
        yard = Yard(room, tank_g)
        await yard.witnesses.look()
        yard.speak()
        await yard.pass_h(8)
        (data,) = yard.closed()
        assert (data["from"], data["why"]) == ("2026-08-01T12:01:00+08:00", "")
        assert (data["net_g"], data["flowed_g"], data["difference_g"]) == (14_500, 14_500, 0)


async def test_a_witness_that_is_back_too_late_compares_nothing(room: ControlRoom) -> None:
    yard = Yard(room)
    await yard.witnesses.look()
    room.clock.advance(seconds=121)
    yard.speak()
    await yard.pass_h(8)
    assert [(each["from"], each["why"]) for each in yard.closed()] == [
        ("2026-08-01T12:00:00+08:00", "silent")
    ]


async def test_a_clock_that_was_set_forward_and_back_silences_no_witness(room: ControlRoom) -> None:
    """The shift that the wrong clock began would else end in years: nothing is compared till then."""
    yard = await begun(room)
    await yard.pass_h(1)
    years_s = 4 * 365 * 24 * 3_600
    room.clock.advance(seconds=years_s)
    yard.speak()
    await yard.witnesses.look()
    assert len(yard.closed()) == 1
    room.clock.advance(seconds=-years_s)
    await yard.fill(14_500, 16_000)
    await yard.pass_h(8)
    assert [data["difference_g"] for data in yard.closed()[1:]] == [1_500]
    assert room.alarms.stands("shift_mismatch", "tank-1")

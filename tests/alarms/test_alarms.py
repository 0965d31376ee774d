"""An alarm is told once, stands until it is over, survives a restart, and is never only in a log."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatewayd.alarms import words
from gatewayd.alarms.alarms import AGAIN_S, STANDING_MAX
from gatewayd.clock import ManualClock
from gatewayd.errors import RejectedError, StoreError
from gatewayd.store import beside
from gatewayd.store.chain import Issuer
from tests.alarms.control_room import ControlRoom, control_room
from tests.support.stores import NOON, STATION, ZONE, chain_breaks

STUCK, FLOW = "gate_not_closed", "unauthorised_flow"
TODAY = {"station_id", "rig_id", "code", "message", "detail"}


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[ControlRoom]:
    async with control_room(tmp_path) as made:
        yield made


async def test_an_alarm_is_shown_at_once_and_recorded_with_its_one_text(room: ControlRoom) -> None:
    room.alarms.raise_(STUCK, "rig-1", detail="permit 7", rig_id="rig-1", values={"permit_no": 7})
    shown = room.shown(STUCK)
    assert shown is not None
    assert (shown["severity"], shown["count"], shown["acknowledged"]) == ("critical", 1, None)
    assert room.store.last_sequence() == 0
    await room.alarms.flush()
    (data,) = room.data()
    assert data.keys() >= TODAY
    assert data["action"] == "raised"
    assert (data["code"], data["subject"], data["rig_id"]) == (STUCK, "rig-1", "rig-1")
    assert data["values"] == {"permit_no": 7}
    for lang in ("zh", "en"):
        assert data["title"][lang] in data["message"][lang]
        assert data["todo"][lang] in data["message"][lang]
        assert shown["cause"][lang] == data["cause"][lang]


async def test_told_again_while_it_stands_it_is_counted(room: ControlRoom) -> None:
    for _ in range(50):
        room.alarms.raise_(STUCK, "rig-1")
        await room.pass_s(0.1)
    assert room.told() == [(STUCK, "raised")]
    assert (room.shown(STUCK) or {})["count"] == 50
    await room.pass_s(AGAIN_S)
    room.alarms.raise_(STUCK, "rig-1")
    await room.alarms.flush()
    assert room.told() == [(STUCK, "raised"), (STUCK, "again")]
    assert room.data()[-1]["detail"] == "(+49)"


async def test_what_is_over_leaves_the_board_and_a_record(room: ControlRoom) -> None:
    room.alarms.raise_(STUCK, "rig-1")
    await room.pass_s(AGAIN_S + 1)
    room.alarms.clear(STUCK, "rig-1")
    assert room.shown(STUCK) is None
    await room.alarms.flush()
    assert room.told() == [(STUCK, "raised"), (STUCK, "cleared")]
    assert room.data()[-1]["cleared_at"] is not None
    assert room.store.alarms(standing=True) == ()
    room.alarms.clear(STUCK, "rig-1")
    await room.alarms.flush()
    assert len(room.told()) == 2


async def test_one_that_flaps_is_one_alarm_and_two_records_a_minute(room: ControlRoom) -> None:
    for _ in range(AGAIN_S * 5):
        room.alarms.raise_(STUCK, "rig-1")
        room.alarms.clear(STUCK, "rig-1")
        assert room.shown(STUCK) is not None, "seen by whoever looks within the minute"
        await room.pass_s(1)
    assert len(room.told()) <= 2 * 5
    await room.pass_s(AGAIN_S)
    assert room.told()[-1] == (STUCK, "cleared")


async def test_what_happened_stands_until_somebody_answers_for_it(room: ControlRoom) -> None:
    for grams in (500, 700):
        room.alarms.raise_(FLOW, "rig-1", detail=f"{grams} g")
        await room.pass_s(1)
    assert [data["detail"] for data in room.data()] == ["500 g", "700 g"]
    room.alarms.clear(FLOW, "rig-1")
    await room.pass_s(10 * AGAIN_S)
    assert room.shown(FLOW) is not None
    await room.alarms.acknowledge(FLOW, "rig-1", by="王工", note="换了阀座")
    assert room.shown(FLOW) is None
    last = room.data()[-1]
    assert (last["action"], last["count"]) == ("acknowledged", 2)
    assert last["acknowledged"]["by"] == "王工"
    assert last["acknowledged"]["note"] == "换了阀座"


async def test_a_state_that_is_answered_for_stands_on_until_it_is_over(room: ControlRoom) -> None:
    room.alarms.raise_(STUCK, "rig-1")
    await room.pass_s(1)
    await room.alarms.acknowledge(STUCK, "rig-1", by="王工")
    assert (room.shown(STUCK) or {})["acknowledged"]["by"] == "王工"
    await room.pass_s(AGAIN_S)
    room.alarms.clear(STUCK, "rig-1")
    await room.alarms.flush()
    assert [action for _, action in room.told()] == ["raised", "acknowledged", "cleared"]
    with pytest.raises(RejectedError, match="no such alarm"):
        await room.alarms.acknowledge(STUCK, "rig-1", by="王工")


async def test_an_answer_is_not_undone_by_the_record_that_waited_for_it(room: ControlRoom) -> None:
    """Else the store would let it stand, which nobody sees: no cylinder of that code could leave."""
    room.alarms.raise_("overfilled", "c1")
    await room.alarms.flush()
    room.clock.advance(seconds=AGAIN_S)
    room.alarms.raise_("overfilled", "c1")
    await room.alarms.acknowledge("overfilled", "c1", by="li")
    await room.alarms.flush()
    assert not room.store.alarm_stands("overfilled", "c1")
    assert [action for _, action in room.told()] == ["raised", "acknowledged", "again"]
    room.alarms.raise_("overfilled", "c1")
    await room.alarms.flush()
    assert room.store.alarm_stands("overfilled", "c1"), "it happened anew"


async def test_a_store_that_cannot_commit_delays_the_record_and_nothing_else(
    room: ControlRoom,
) -> None:
    room.block()
    for _ in range(3 * AGAIN_S):
        room.alarms.raise_(STUCK, "rig-1")
        room.alarms.clear(STUCK, "rig-1")
        room.clock.advance(seconds=1)
    room.alarms.raise_(FLOW, "rig-1", detail="500 g")
    await room.alarms.flush()
    assert room.shown(STUCK) is not None
    assert room.shown(FLOW) is not None
    assert (room.told(), room.alarms.saved) == ([], False)
    with pytest.raises(StoreError):
        await room.alarms.acknowledge(FLOW, "rig-1", by="王工")
    assert room.shown(FLOW) is not None, "an answer that is not durable is none"
    room.free()
    await room.pass_s(1)
    assert room.told() == [(STUCK, "raised"), (FLOW, "raised")], "one draft each waits"
    await room.pass_s(AGAIN_S)
    assert room.told()[-1] == (STUCK, "cleared")
    assert room.data()[-1]["count"] == 3 * AGAIN_S
    assert chain_breaks(room.store) == []


async def test_more_alarms_than_a_station_can_have_are_in_the_log_only(room: ControlRoom) -> None:
    room.block()
    for number in range(STANDING_MAX + 10):
        room.alarms.raise_("device_lost", f"device-{number}")
    assert len(room.alarms.standing) == STANDING_MAX
    room.free()
    await room.alarms.flush()
    assert room.store.last_sequence() == STANDING_MAX


async def test_cylinders_that_nobody_answers_for_keep_no_alarm_of_gas_away(
    room: ControlRoom,
) -> None:
    """Each overfilled cylinder stands until a person answers; dispatch asks whether it does."""
    for number in range(STANDING_MAX + 1):
        draft = room.alarms.raised("overfilled", f"c-{number}")
        assert draft is not None
        await room.store.append(draft)
    assert room.store.alarm_stands("overfilled", f"c-{STANDING_MAX}")
    assert room.alarms.raised(FLOW, "rig-1", detail="500 g") is not None
    room.alarms.raise_("device_lost", "gate-1")
    assert room.shown("device_lost", "gate-1") is not None


async def test_what_stands_survives_a_restart(tmp_path: Path) -> None:
    clock = ManualClock(NOON)
    async with control_room(tmp_path, clock) as first:
        first.alarms.raise_(STUCK, "rig-1", detail="permit 7", rig_id="rig-1")
        first.alarms.raise_(FLOW, "rig-1", detail="500 g")
        first.alarms.raise_("device_lost", "gate-9")
        first.alarms.raise_("device_lost", "gate-1")
        await first.pass_s(AGAIN_S)
        first.alarms.clear("device_lost", "gate-1")
        await first.alarms.flush()
        before = first.shown(STUCK)
    async with control_room(tmp_path, clock) as second:
        assert second.shown(STUCK) == before
        assert second.shown(FLOW) is not None
        assert second.shown("device_lost", "gate-9") is None, "no configuration names it any more"
        watcher = second.board.watch()
        assert words.topic("device_lost", "gate-1") in watcher.changed, "who missed it hears it"
        second.alarms.raise_(STUCK, "rig-1", detail="permit 7")
        await second.alarms.flush()
        assert second.told()[-1] == (STUCK, "again"), "no second life"
        assert (second.shown(STUCK) or {})["since"] == (before or {})["since"]


def _answer(room: ControlRoom, kind: str) -> None:
    """As the command line does, beside the daemon."""
    (alarm,) = (a for a in room.store.alarms(standing=True) if a.kind == kind)
    at = room.clock.wall()
    answered = words.answer(alarm, by="王工", note="seen", at=at)
    draft = words.draft(answered, "acknowledged", station_id=STATION, at=at)
    beside.answer_alarm(room.store.path, draft, issuer=Issuer(STATION, ZONE), quota_mb=64)


async def test_an_answer_from_beside_is_taken_over(room: ControlRoom) -> None:
    room.alarms.raise_(STUCK, "rig-1")
    room.alarms.raise_(FLOW, "rig-1", detail="500 g")
    await room.pass_s(1)
    _answer(room, STUCK)
    _answer(room, FLOW)
    await room.pass_s(1)
    assert (room.shown(STUCK) or {})["acknowledged"]["by"] == "王工"
    assert room.shown(FLOW) is None
    room.alarms.raise_(FLOW, "rig-1", detail="700 g")
    await room.alarms.flush()
    assert (room.shown(FLOW) or {})["count"] == 1, "a new life"
    assert chain_breaks(room.store) == []


async def test_an_answer_is_only_for_what_was_looked_at(room: ControlRoom) -> None:
    room.alarms.raise_(FLOW, "rig-1", detail="500 g")
    await room.pass_s(1)
    (seen,) = room.store.alarms(standing=True)
    room.alarms.raise_(FLOW, "rig-1", detail="700 g")
    await room.pass_s(1)
    answered = words.answer(seen, by="王工", note="", at=NOON)
    draft = words.draft(answered, "acknowledged", station_id=STATION, at=NOON)
    with pytest.raises(RejectedError, match="changed meanwhile"):
        beside.answer_alarm(room.store.path, draft, issuer=Issuer(STATION, ZONE))
    assert room.shown(FLOW) is not None
    assert [action for _, action in room.told()] == ["raised", "again"]


async def test_two_that_commit_at_once_lose_none(room: ControlRoom) -> None:
    """At a stop the house commits what waits while `run` is about to."""
    for number in range(8):
        room.alarms.raise_(FLOW, f"rig-{number}")
    await asyncio.gather(room.alarms.flush(), room.alarms.flush())
    assert room.alarms.saved
    assert len(room.told()) == 8


async def test_looking_for_answers_costs_nothing_while_nobody_writes(room: ControlRoom) -> None:
    """However many alarms there ever were: only what waits for an answer is asked for."""
    room.alarms.raise_(FLOW, "rig-1")
    for _ in range(2):
        await room.pass_s(1)
    asked: list[str] = []

    def hear(_cursor: object, sql: str, _values: object) -> bool:
        asked.append(sql)
        return True

    room.store._read.set_exec_trace(hear)
    for _ in range(5):
        await room.pass_s(1)
    assert set(asked) <= {"PRAGMA data_version"}
    _answer(room, FLOW)
    asked.clear()
    await room.pass_s(1)
    room.store._read.set_exec_trace(None)
    assert len([sql for sql in asked if "alarms" in sql]) == 1
    assert room.alarms.standing == ()

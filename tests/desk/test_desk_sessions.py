"""Logging in and out: who may, whose time counts, what is recorded, what survives."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewayd.desk.desk import Desk
from gatewayd.desk.terms import No
from gatewayd.store.people_model import Session
from tests.desk.front import ASKS, LI, PAGE, START, WANG, Front, Hall, at_front, employ
from tests.rigs.bench import UID
from tests.support.stores import ZONE


async def logged_in(front: Front, operator: str = "op-1") -> Session:
    session = await front.desk.log_in("rig-1", operator=operator, by=PAGE)
    assert isinstance(session, Session), session
    return session


async def test_a_card_in_any_spelling_logs_its_operator_in_and_is_recorded(tmp_path: Path) -> None:
    async with at_front(tmp_path) as front:
        for card in ("04a1b2c3", "04-A1-B2-C3", "OP 1"):
            session = await front.desk.log_in("rig-1", card=card, by=PAGE)
            assert isinstance(session, Session)
            assert session.operator_id == "op-1"
        events = [data["event"] for data in front.records("session")]
        assert events == ["logged_in", "extended", "extended"]
        first = front.records("session")[0]
        assert first["operator"] == {"id": "op-1", "name": "李四", "certificate": "T-370100-1"}
        assert first["since"] == "2026-08-01T12:00:00.000+08:00"
        assert first["until"] == "2026-08-01T13:00:00.000+08:00"
        assert first["by"] == {"who": "zhang", "how": "page", "why": "shift begins"}
        assert front.rig.people.changes == 3


async def test_another_operator_takes_over_and_the_record_names_both(tmp_path: Path) -> None:
    async with at_front(tmp_path) as front:
        await logged_in(front)
        await logged_in(front, "op-2")
        last = front.records("session")[-1]
        assert (last["event"], last["before"]["id"], last["operator"]["id"]) == (
            "taken_over",
            "op-1",
            "op-2",
        )
        now = front.desk.logged_in("rig-1")
        assert now is not None
        assert now.operator_id == "op-2"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"card": "FFFFFFFF"}, "unknown_card"),
        ({"card": "04A1B2C5"}, "barred"),
        ({"operator": "nobody"}, "unknown_operator"),
    ],
)
async def test_who_may_not_is_told_in_both_languages_and_changes_nothing(
    tmp_path: Path, asked: dict[str, str], code: str
) -> None:
    async with at_front(tmp_path) as front:
        await logged_in(front)
        answer = await front.desk.log_in("rig-1", by=PAGE, **asked)
        assert isinstance(answer, No)
        assert answer.code == code
        assert answer.message.zh
        assert answer.message.en
        assert len(front.records("session")) == 1
        assert front.desk.logged_in("rig-1") is not None


async def test_a_cylinders_tag_never_logs_anybody_in_even_when_it_is_listed(tmp_path: Path) -> None:
    async with at_front(tmp_path) as front:
        answer = await front.desk.log_in("rig-1", card=UID, by=PAGE)
        assert isinstance(answer, No)
        assert answer.code == "unknown_card"
        await employ(front.store, LI.__class__("op-9", cards=(UID,)))
        answer = await front.desk.log_in("rig-1", card=UID, by=PAGE)
        assert isinstance(answer, No)
        assert answer.code == "card_is_cylinder"


async def test_a_rig_that_does_not_ask_logs_nobody_in(tmp_path: Path) -> None:
    async with at_front(tmp_path) as front:
        answers = [
            await front.desk.log_in("rig-2", operator="op-1", by=PAGE),
            await front.desk.log_in("rig-9", operator="op-1", by=PAGE),
            await front.desk.log_out("rig-1", by=PAGE),
        ]
        codes = [answer.code for answer in answers if isinstance(answer, No)]
        assert codes == ["not_asked", "no_rig", "nobody_logged_in"]


async def test_a_log_out_ends_the_session_and_names_who_it_was(tmp_path: Path) -> None:
    async with at_front(tmp_path) as front:
        await logged_in(front)
        ended = await front.desk.log_out("rig-1", by=PAGE)
        assert isinstance(ended, Session)
        assert front.desk.logged_in("rig-1") is None
        assert front.records("session")[-1]["operator"]["id"] == "op-1"


async def test_whoever_leaves_the_list_is_logged_out(tmp_path: Path) -> None:
    async with at_front(tmp_path) as front:
        await logged_in(front)
        await employ(front.store, WANG, replace=True)
        assert front.desk.logged_in("rig-1") is None


async def test_a_session_survives_a_restart_within_its_time(tmp_path: Path) -> None:
    async with at_front(tmp_path) as front:
        await logged_in(front)
    async with at_front(tmp_path) as front:
        front.clock.advance(seconds=3_599)
        again = Desk(Hall(front.desk.settings, front.rigs), front.store, front.clock)
        now = again.logged_in("rig-1")
        assert now is not None
        assert now.operator_id == "op-1"
        front.clock.advance(seconds=1)
        assert again.logged_in("rig-1") is None


@settings(max_examples=60, deadline=None)
@given(
    minutes=st.integers(1, 1_440), before_s=st.integers(-90_000, -1), over_s=st.integers(0, 90_000)
)
def test_a_session_counts_from_its_log_in_until_just_before_its_end(
    minutes: int, before_s: int, over_s: int
) -> None:
    until = START + timedelta(minutes=minutes)
    session = Session("rig-1", "op-1", None, None, START, until, "card")
    assert session.lives(START)
    assert session.lives(until - timedelta(microseconds=1))
    assert session.lives((START + (until - START) / 2).astimezone(ZONE))
    assert not session.lives(START + timedelta(seconds=before_s))
    assert not session.lives(until + timedelta(seconds=over_s))


async def test_a_store_that_cannot_commit_logs_nobody_in(tmp_path: Path) -> None:
    async with at_front(tmp_path, ASKS) as front:
        await front.store.close()
        answer = await front.desk.log_in("rig-1", operator="op-1", by=PAGE)
        assert isinstance(answer, No)
        assert answer.code == "store_unavailable"
        assert front.rig.people.changes == 0

"""Batches by hand and by template, and the acknowledging of refusals."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewayd.desk.terms import Acknowledged, Answered, Answers, No
from gatewayd.settings.people import BatchSettings
from gatewayd.store.people_model import Batch
from tests.desk.front import PAGE, Front, at_front
from tests.desk.test_desk_checks import GOOD, fill
from tests.rigs.bench import LEGAL, OTHER
from tests.support.stores import ZONE

SHIFTS = """\
    batch: {number: "{date}-{medium}-{shift}", shifts: {day: "08:00", night: "20:00"}}
"""
BY_BATCH = """\
checks:
  own:
    stage: prefill
    scope: batch
    title: {zh: 批检查, en: batch check}
    items: [{id: purity, kind: yes_no, text: {zh: 化验合格, en: sample passed}}]
"""


def events(front: Front) -> list[tuple[str, str, int]]:
    found = front.records("batch")
    return [(data["event"], data["batch"], data.get("fills", 0)) for data in found]


async def test_one_batch_is_open_a_rig_and_counts_its_fills(tmp_path: Path) -> None:
    async with at_front(tmp_path, "") as front:
        opened = await front.desk.open_batch("rig-1", "B1", by=PAGE)
        assert isinstance(opened, Batch)
        await fill(front)
        await fill(front, OTHER.code)
        await front.desk.open_batch("rig-1", "B2", by=PAGE)
        assert front.store.open_batch("rig-2") is None
        assert isinstance(await front.desk.close_batch("rig-1", by=PAGE), Batch)
        assert events(front) == [
            ("opened", "B1", 0),
            ("closed", "B1", 2),
            ("opened", "B2", 0),
            ("closed", "B2", 0),
        ]
        assert front.records("batch")[1]["net_g"] == 29_600
        await front.desk.open_batch("rig-1", "B1", by=PAGE)
        again = front.store.open_batch("rig-1")
        assert again is not None
        assert again.fills == 2


async def test_a_rig_that_a_reload_takes_away_gets_no_batch(tmp_path: Path) -> None:
    """Another request is being committed while the rig goes; that ended the daemon."""
    async with at_front(tmp_path, SHIFTS) as front:
        first = asyncio.create_task(front.desk.open_batch("rig-2", "B1", by=PAGE))
        second = asyncio.create_task(front.desk.number_batches())
        await asyncio.sleep(0)
        rigs = {name: rig for name, rig in front.hall.settings.rigs.items() if name != "rig-1"}
        front.hall.settings = replace(front.hall.settings, rigs=rigs)
        assert isinstance(await first, Batch)
        await second
        assert events(front) == [("opened", "B1", 0)]


@pytest.mark.parametrize("number", ["", "a b", "a/b", "a+b", "a#b", "x" * 65, "a\x00"])
async def test_what_is_no_number_opens_nothing(tmp_path: Path, number: str) -> None:
    async with at_front(tmp_path, "") as front:
        answer = await front.desk.open_batch("rig-1", number, by=PAGE)
        assert isinstance(answer, No)
        assert answer.code == "bad_batch"


async def test_a_batch_cannot_be_opened_twice_or_closed_when_none_is_open(tmp_path: Path) -> None:
    async with at_front(tmp_path, "") as front:
        await front.desk.open_batch("rig-1", "x" * 64, by=PAGE)
        twice = await front.desk.open_batch("rig-1", "x" * 64, by=PAGE)
        none = await front.desk.close_batch("rig-2", by=PAGE)
        assert isinstance(twice, No)
        assert isinstance(none, No)
        assert (twice.code, none.code) == ("batch_open", "no_open_batch")


async def test_a_template_opens_and_closes_batches_by_itself(tmp_path: Path) -> None:
    async with at_front(tmp_path, SHIFTS) as front:
        await front.desk.number_batches()
        await front.desk.number_batches()
        front.clock.advance(seconds=8 * 3_600 - 1)
        await front.desk.number_batches()
        assert events(front) == [("opened", "20260801-LPG-day", 0)]
        front.clock.advance(seconds=1)
        await front.desk.number_batches()
        assert events(front)[1:] == [
            ("closed", "20260801-LPG-day", 0),
            ("opened", "20260801-LPG-night", 0),
        ]
        answer = await front.desk.open_batch("rig-1", "B1", by=PAGE)
        assert isinstance(answer, No)
        assert answer.code == "automatic_batch"


@given(minutes=st.integers(0, 4 * 24 * 60))
def test_a_night_shift_keeps_the_date_on_which_it_began(minutes: int) -> None:
    rule = BatchSettings(number="{date}{shift}", shifts={"d": "08:00", "n": "20:00"})
    wall = datetime(2026, 7, 30, 16, 0, tzinfo=UTC) + timedelta(minutes=minutes)
    local = wall.astimezone(ZONE)
    begun = local - timedelta(hours=8)
    shift = "d" if 8 <= local.hour < 20 else "n"
    assert rule.at(wall, ZONE, medium="LPG", rig="r") == f"{begun:%Y%m%d}{shift}"


async def test_a_batch_form_is_answered_once_a_batch(tmp_path: Path) -> None:
    asks = "    precheck: {form: own, required: true}\n"
    async with at_front(tmp_path, asks, checks=BY_BATCH) as front:
        answers = Answers("rig-1", "own", {"purity": "yes"})
        none = await front.desk.answer_check(answers, by=PAGE)
        assert isinstance(none, No)
        assert none.code == "no_batch"
        await front.desk.open_batch("rig-1", "B1", by=PAGE)
        done = await front.desk.answer_check(answers, by=PAGE)
        assert isinstance(done, Answered)
        await fill(front)
        (check,) = front.store.checks("rig-1/B1", scope="batch")
        assert check.passed(front.clock.wall())
        assert front.records("check")[0]["batch"] == "B1"


async def test_a_refusal_is_acknowledged_once_it_stands_and_recorded(tmp_path: Path) -> None:
    async with at_front(tmp_path) as front:
        front.rig.stand()
        early = await front.desk.acknowledge("rig-1", by=PAGE)
        assert isinstance(early, No)
        assert early.code == "nothing_refused"
        front.rig.stand(refused_for=("OVERDUE",))
        done = await front.desk.acknowledge("rig-1", by=PAGE)
        assert isinstance(done, Acknowledged)
        assert (done.cylinder_code, done.findings) == (LEGAL.code, ("OVERDUE",))
        (data,) = front.records("acknowledgement")
        assert data["findings"] == ["OVERDUE"]
        assert data["by"]["who"] == "zhang"
        assert front.rig.people.acknowledged == 7


async def test_a_check_of_a_page_needs_no_operator_where_no_role_is_asked(tmp_path: Path) -> None:
    asks = "    precheck: {form: lpg-prefill, required: true}\n"
    async with at_front(tmp_path, asks) as front:
        front.rig.stand()
        done = await front.desk.answer_check(Answers("rig-1", "lpg-prefill", GOOD), by=PAGE)
        assert isinstance(done, Answered)
        assert front.records("check")[0]["operator"] is None

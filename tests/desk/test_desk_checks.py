"""Answering checks: what counts as an answer, what it is about, how long it counts, what is kept."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gatewayd.desk.forms import all_good, weigh
from gatewayd.desk.terms import Answered, Answers, No
from gatewayd.settings.load import load
from gatewayd.store.model import Cylinder, RecordDraft
from tests.desk.front import ASKS, PAGE, WANG, Front, at_front
from tests.rigs.bench import LEGAL, OTHER
from tests.support.configs import write_config
from tests.support.stores import draft

GOOD = {
    "stamp": "yes",
    "body": "yes",
    "valve": "yes",
    "colour": "yes",
    "accessories": "yes",
    "residual": "known",
}
SOUND = {"leak": "no", "body": "no", "valve": "yes", "heat": "no"}


def pre(**changes: Any) -> Answers:
    given = {key: value for key, value in (GOOD | changes).items() if value is not None}
    return Answers("rig-1", "lpg-prefill", given)


async def answered(front: Front, answers: Answers) -> Answered:
    done = await front.desk.answer_check(answers, by=PAGE)
    assert isinstance(done, Answered), done
    return done


async def refused(front: Front, answers: Answers) -> str:
    done = await front.desk.answer_check(answers, by=PAGE)
    assert isinstance(done, No), done
    assert not front.records("check")
    return done.code


async def fill(front: Front, cylinder: str = LEGAL.code, *, form: str = "lpg-postfill") -> str:
    """A fill with gas, recorded as a rig that asks for a post-fill check does."""
    data = {
        "net_g": 14_800,
        "batch": "B1",
        "postcheck": {"form": form, "required": True},
    }
    record: RecordDraft = draft(data=data, counts_fill_of=cylinder)
    await front.store.append(record)
    return record.id


@pytest.mark.parametrize("before", [LEGAL, None])
async def test_a_check_is_of_the_cylinder_that_stood_there_when_it_was_answered(
    tmp_path: Path, before: Cylinder | None
) -> None:
    """Another request is being committed meanwhile, and the cylinders are exchanged."""
    async with at_front(tmp_path) as front:
        if before is not None:
            front.rig.stand(before)
        first = asyncio.create_task(front.desk.log_in("rig-1", operator="op-2", by=PAGE))
        second = asyncio.create_task(front.desk.answer_check(pre(), by=PAGE))
        await asyncio.sleep(0)
        front.rig.stand(OTHER)
        await first
        done = await second
        assert front.store.checks(OTHER.code) == ()
        assert len(front.store.checks(LEGAL.code)) == (before is not None)
        assert isinstance(done, Answered) == (before is not None)


async def test_a_passed_check_belongs_to_the_cylinder_that_stands_there(tmp_path: Path) -> None:
    async with at_front(tmp_path) as front:
        front.rig.stand()
        await front.desk.log_in("rig-1", operator="op-2", by=PAGE)
        done = await answered(front, pre())
        assert (done.subject, done.failed) == (LEGAL.code, ())
        (check,) = front.store.checks(LEGAL.code)
        assert check.passed(front.clock.wall())
        (data,) = front.records("check")
        assert data["result"] == "passed"
        assert data["operator"]["name"] == WANG.name
        assert data["cylinder"] == {"code": LEGAL.code, "tag_uid": LEGAL.tag_uids[0]}
        assert [item["answer"] for item in data["items"]] == list(GOOD.values())
        assert data["items"][0]["text"]["zh"].startswith("钢印")
        assert all(rig.people.changes for rig in front.rigs.values())
        front.clock.advance(seconds=3_600)
        assert not check.passed(front.clock.wall())


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({"valve": "no"}, ("valve",)),
        ({"residual": "none"}, ("residual",)),
        ({"residual": "too_much", "stamp": "no"}, ("stamp", "residual")),
        ({"stamp": "no", "body": None, "valve": None, "residual": None}, ("stamp",)),
    ],
)
async def test_answers_that_block_fail_the_check_and_one_is_enough(
    tmp_path: Path, changes: dict[str, Any], failed: tuple[str, ...]
) -> None:
    async with at_front(tmp_path) as front:
        front.rig.stand()
        done = await answered(front, pre(**changes))
        assert done.failed == failed
        (check,) = front.store.checks(LEGAL.code)
        assert not check.passed(front.clock.wall())
        await answered(front, pre())
        (check,) = front.store.checks(LEGAL.code)
        assert check.passed(front.clock.wall())


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        (pre(residual=None), "unanswered"),
        (Answers("rig-1", "lpg-prefill"), "unanswered"),
        (pre(valve="perhaps"), "bad_answer"),
        (pre(valve=1), "bad_answer"),
        (pre(residual="some"), "bad_answer"),
        (pre(paint="yes"), "unknown_item"),
        (Answers("rig-1", "nothing", GOOD), "no_form"),
        (Answers("rig-1", "industrial-prefill", GOOD), "not_this_form"),
        (Answers("rig-2", "lpg-prefill", GOOD), "not_this_form"),
        (Answers("rig-9", "lpg-prefill", GOOD), "no_rig"),
        (Answers("rig-1", "lpg-prefill", GOOD, cylinder="none"), "unknown_cylinder"),
        (Answers("rig-1", "lpg-prefill", GOOD, operator="op-3"), "barred"),
        (Answers("rig-1", "lpg-postfill", SOUND), "no_fill"),
    ],
)
async def test_what_is_no_answer_changes_nothing(
    tmp_path: Path, answers: Answers, code: str
) -> None:
    async with at_front(tmp_path) as front:
        front.rig.stand()
        assert await refused(front, answers) == code


async def test_without_a_cylinder_there_is_nothing_to_check_unless_it_is_named(
    tmp_path: Path,
) -> None:
    async with at_front(tmp_path) as front:
        assert await refused(front, pre()) == "no_cylinder"
        named = Answers("rig-1", "lpg-prefill", GOOD, cylinder=OTHER.code)
        assert (await answered(front, named)).subject == OTHER.code


async def test_a_check_is_used_up_by_one_fill(tmp_path: Path) -> None:
    async with at_front(tmp_path) as front:
        front.rig.stand()
        await answered(front, pre())
        await fill(front, OTHER.code)
        assert front.store.checks(LEGAL.code)[0].passed(front.clock.wall())
        fill_id = await fill(front)
        (check,) = front.store.checks(LEGAL.code)
        assert check.spent_by == fill_id
        assert not check.passed(front.clock.wall())


async def test_a_post_fill_check_names_the_fill_and_ends_the_wait(tmp_path: Path) -> None:
    async with at_front(tmp_path) as front:
        first, second = await fill(front), await fill(front, OTHER.code)
        assert [due.fill_id for due in front.desk.waiting_fills("rig-1")] == [first, second]
        await answered(front, Answers("rig-1", "lpg-postfill", SOUND | {"leak": "yes"}))
        assert [due.fill_id for due in front.desk.waiting_fills("rig-1")] == [second]
        data = front.records("check")[-1]
        assert (data["fill_id"], data["failed"]) == (first, ["leak"])
        await answered(front, Answers("rig-1", "lpg-postfill", SOUND, fill_id=second))
        assert front.desk.waiting_fills("rig-1") == ()
        mended = Answers("rig-1", "lpg-postfill", SOUND, cylinder=LEGAL.code, fill_id=first)
        await answered(front, mended)
        assert front.store.checks(LEGAL.code)[0].failed == ()


NUMBERED = """\
checks:
  own:
    stage: prefill
    title: {zh: 检查, en: check}
    who: [inspector]
    items:
      - {id: residual, kind: number, text: {zh: 余压, en: pressure}, unit: kPa, least: 0,
         most: 1000, blocks_below: 50, blocks_above: 900, fact: checks.residual_kpa}
      - {id: note, kind: yes_no, text: {zh: 备注, en: note}, optional: true, blocks: null}
"""


@pytest.mark.parametrize(
    ("kpa", "failed", "code"),
    [
        (-1, None, "bad_answer"),
        (0, ("residual",), ""),
        (49, ("residual",), ""),
        (50, (), ""),
        (900, (), ""),
        (901, ("residual",), ""),
        (1_000, ("residual",), ""),
        (1_001, None, "bad_answer"),
        ("50", None, "bad_answer"),
        (True, None, "bad_answer"),
    ],
)
async def test_a_number_has_a_range_and_limits(
    tmp_path: Path, kpa: Any, failed: tuple[str, ...] | None, code: str
) -> None:
    form = load(write_config(tmp_path, {"checks/own.yaml": NUMBERED})).checks["own"]
    outcome = weigh(form, {"residual": kpa}, roles=("inspector",), who="李四")
    if failed is None:
        assert isinstance(outcome, No)
        assert outcome.code == code
    else:
        assert not isinstance(outcome, No)
        assert outcome.failed == failed
        assert outcome.facts == {"checks.residual_kpa": kpa}


async def test_only_who_has_the_role_may_answer(tmp_path: Path) -> None:
    asks = ASKS.replace("lpg-prefill", "own")
    async with at_front(tmp_path, asks, checks=NUMBERED) as front:
        front.rig.stand()
        answers = Answers("rig-1", "own", {"residual": 100})
        assert await refused(front, answers) == "may_not_answer"
        await front.desk.log_in("rig-1", operator="op-2", by=PAGE)
        assert await refused(front, answers) == "may_not_answer"
        named = Answers("rig-1", "own", {"residual": 100}, operator="op-1")
        await answered(front, named)
        (check,) = front.store.checks(LEGAL.code)
        assert check.facts == {"checks.residual_kpa": 100}


async def test_a_printed_code_answers_only_what_has_one_good_answer(tmp_path: Path) -> None:
    forms = load(write_config(tmp_path, {"checks/own.yaml": NUMBERED})).checks
    for name in ("lpg-prefill", "lpg-postfill"):
        assert forms[name].by_codes()
        outcome = weigh(forms[name], all_good(forms[name]), roles=(), who="")
        assert not isinstance(outcome, No)
        assert outcome.failed == ()
    assert not forms["own"].by_codes()
    assert not forms["industrial-prefill"].by_codes()

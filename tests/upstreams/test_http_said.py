"""What an answer means by a mapping's words: for one record, for each of many, and in doubt."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewayd.mapping.file import AnswerFile
from gatewayd.store.model import Record
from gatewayd.upstreams.http_answers import Answer
from gatewayd.upstreams.http_said import judge_said

EACH = AnswerFile.model_validate(
    {
        "field": "code",
        "accepted": (0,),
        "duplicate": (7,),
        "rejected": (3,),
        "retry": (5,),
        "reason": "msg",
        "words": {"3": "cylinder unknown"},
        "each": {"at": "data.results", "id": "recordId"},
    }
)
BY_PLACE = EACH.model_copy(update={"each": EACH.each.model_copy(update={"id": None})})  # type: ignore[union-attr]
ONE = EACH.model_copy(update={"each": None})


def records(count: int) -> list[Record]:
    return [Record(n, f"id-{n}", "fill", "rig-1", "{}") for n in range(1, count + 1)]


def answer(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode())


def results(*codes: tuple[int, Any]) -> Answer:
    rows = [{"recordId": f"id-{n}", "code": code, "msg": "words"} for n, code in codes]
    return answer({"data": {"results": rows}})


def test_each_record_has_its_own_fate() -> None:
    outcome = judge_said(results((3, 5), (1, 0), (2, 3), (4, 7)), records(4), EACH)
    assert outcome.accepted == {1, 4}
    assert outcome.rejected == {2: "code 3: cylinder unknown: words"}
    assert "record id-3: code 5: words" in outcome.kept


@pytest.mark.parametrize(
    "said",
    [results((1, 0)), results((1, 0), (2, 0), (2, 3)), results((1, 0), (2, None))],
    ids=["not named", "two codes", "no code"],
)
def test_a_record_without_one_code_is_kept(said: Answer) -> None:
    outcome = judge_said(said, records(2), EACH)
    assert (set(outcome.accepted), dict(outcome.rejected)) == ({1}, {})
    assert "record id-2: no one code for it" in outcome.kept


def test_by_place_counts_only_when_nothing_is_missing() -> None:
    assert judge_said(results((9, 0), (9, 3)), records(2), BY_PLACE).rejected.keys() == {2}
    outcome = judge_said(results((9, 0)), records(2), BY_PLACE)
    assert (outcome.accepted, bool(outcome.kept)) == (frozenset(), True)


def test_a_yes_to_all_without_the_list_is_no_answer() -> None:
    outcome = judge_said(answer({"code": 0}), records(2), EACH)
    assert outcome.accepted == frozenset()
    assert "without the list 'data.results'" in outcome.kept


@pytest.mark.parametrize(
    ("status", "code", "fate"),
    [
        (200, 0, "accepted"),
        (200, "0", "accepted"),
        (200, 3, "rejected"),
        (200, 5, "kept"),
        (200, 99, "kept"),
        (200, None, "kept"),
        (500, 0, "kept"),
        (500, 7, "accepted"),
        (417, 3, "rejected"),
        (401, 3, "kept"),
        (403, 3, "kept"),
        (404, 3, "kept"),
        (429, 3, "kept"),
        (302, 0, "kept"),
        (409, None, "accepted"),
        (422, None, "rejected"),
    ],
)
def test_one_record(status: int, code: Any, fate: str) -> None:
    outcome = judge_said(answer({"code": code, "msg": "words"}, status), records(1), ONE)
    got = "accepted" if outcome.accepted else "rejected" if outcome.rejected else "kept"
    assert got == fate
    assert bool(outcome.kept) == (fate == "kept")


def test_a_refused_request_of_many_is_sent_again_one_by_one() -> None:
    outcome = judge_said(answer({"code": 3}), records(3), ONE)
    assert (outcome.accepted, outcome.rejected) == (frozenset(), {})
    assert "each record will be sent alone" in outcome.kept


@given(st.binary(max_size=200), st.integers(100, 599), st.sampled_from([EACH, BY_PLACE, ONE]))
@settings(max_examples=200, deadline=None)
def test_bytes_that_say_nothing_settle_nothing(body: bytes, status: int, spec: AnswerFile) -> None:
    outcome = judge_said(Answer(status, body), records(2), spec)
    assert not outcome.rejected
    assert outcome.kept or outcome.accepted == {1, 2}
    if outcome.accepted:
        assert b"0" in body or b"7" in body

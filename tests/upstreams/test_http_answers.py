"""What every answer of an HTTP platform means: the whole table, and garbage."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewayd.store.model import Record
from gatewayd.upstreams.contract import Outcome
from gatewayd.upstreams.http_answers import ANSWER_BYTES_MAX, WORDS_MAX, Answer, judge
from gatewayd.upstreams.http_settings import CodeSettings

ONE = (Record(1, "id-1", "fill", "rig-1", "{}"),)
TWO = (*ONE, Record(2, "id-2", "fill", "rig-2", "{}"))
CODES = CodeSettings(field="data.code", accepted=("00", 0), rejected=("07",), reason="data.msg")


def of(
    status: int,
    body: Any = b"",
    batch: tuple[Record, ...] = ONE,
    *,
    trust_status: bool = False,
    codes: CodeSettings | None = None,
    readable: bool = True,
) -> Outcome:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    answer = Answer(status, raw, readable=readable, retry_after_s=3.0)
    return judge(answer, batch, trust_status=trust_status, codes=codes)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
@pytest.mark.parametrize("batch", [ONE, TWO])
def test_2xx_with_nothing_inside_is_a_yes(status: int, batch: tuple[Record, ...]) -> None:
    assert of(status, b"", batch) == Outcome(frozenset(record.sequence for record in batch))


@pytest.mark.parametrize(
    "body",
    [
        {"id": 17},
        {},
        {"code": 0},
        {"code": "200", "msg": "ok"},
        {"status": "success"},
        {"success": True, "errors": []},
        {"status": 200},
        {"status": "duplicate"},
    ],
)
def test_2xx_with_json_that_says_no_error_is_a_yes(body: Any) -> None:
    assert of(200, body) == Outcome(frozenset({1}))


@pytest.mark.parametrize(
    "body",
    [
        {"code": 500, "msg": "库存不足"},
        {"error": "no"},
        {"errors": [{"detail": "no"}]},
        {"success": False},
        {"ok": 0},
        {"status": "failed"},
        {"status": 500},
        {"status": "retry"},
        b"<html><body>Please log in</body></html>",
        b"OK",
        b"\xff\xfe\x00",
        b"[1",
        b"[" * 100_000,
        [],
        "accepted",
        None,
    ],
)
def test_200_with_an_error_or_garbage_inside_is_no_yes(body: Any) -> None:
    outcome = of(200, body)
    assert not outcome.accepted
    assert not outcome.rejected
    assert "answered 200" in outcome.kept
    assert len(outcome.kept) < 4 * WORDS_MAX
    assert outcome.kept.isprintable()


def test_a_login_page_is_named_as_what_it_is() -> None:
    assert "a page of HTML: <html> Please log in" in of(200, b"<html>\nPlease log in").kept


def test_an_answer_that_was_not_read_to_its_end_is_no_yes() -> None:
    outcome = of(200, b"{}", readable=False)
    assert str(ANSWER_BYTES_MAX) in outcome.kept


def test_with_trust_in_the_status_the_body_is_not_looked_at() -> None:
    assert of(200, b"OK", trust_status=True) == Outcome(frozenset({1}))
    assert of(500, b"", trust_status=True).kept


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_record_refused_alone_is_a_dead_letter_with_the_reason(status: int) -> None:
    outcome = of(status, {"message": "tare_g is missing"})
    assert not outcome.kept
    assert f"answered {status}" in outcome.rejected[1]
    assert "tare_g is missing" in outcome.rejected[1]


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_a_batch_refused_as_a_whole_is_kept_and_sent_one_by_one(status: int) -> None:
    outcome = of(status, b"", TWO)
    assert (outcome.accepted, outcome.rejected) == (frozenset(), {})
    assert "sent alone" in outcome.kept


def test_a_record_that_is_there_already_is_accepted() -> None:
    assert of(409, {"message": "exists"}) == Outcome(frozenset({1}))


@pytest.mark.parametrize(
    "status", [100, 304, 401, 402, 403, 404, 405, 408, 410, 425, 429, 451, 500, 502, 503, 599, 700]
)
@pytest.mark.parametrize("batch", [ONE, TWO])
def test_every_other_status_keeps_and_heeds_retry_after(
    status: int, batch: tuple[Record, ...]
) -> None:
    outcome = of(status, b"not today", batch)
    assert (outcome.accepted, outcome.rejected) == (frozenset(), {})
    assert f"answered {status}" in outcome.kept
    assert outcome.wait_s == 3.0


def test_a_redirect_is_refused_and_says_where_to() -> None:
    answer = Answer(307, b"", location="https://elsewhere.example/\r\nx" + "y" * 9999)
    outcome = judge(answer, ONE, trust_status=False, codes=None)
    assert "redirects to https://elsewhere.example/" in outcome.kept
    assert "write the final address into url" in outcome.kept
    assert len(outcome.kept) < 2 * WORDS_MAX


def test_results_settle_each_record_by_its_id_whatever_their_order() -> None:
    results = [
        {"id": "id-2", "status": "rejected", "reason": "unknown cylinder"},
        {"id": "id-1", "status": "duplicate"},
        {"id": "of-nobody", "status": "rejected"},
    ]
    outcome = of(207, {"results": results}, TWO)
    assert outcome == Outcome(frozenset({1}), {2: "answered 207: unknown cylinder"})


@pytest.mark.parametrize("status", [200, 400, 409, 422])
def test_results_count_more_than_the_status_of_the_batch(status: int) -> None:
    results = [{"id": "id-1", "status": "accepted"}, {"id": "id-2", "status": "retry"}]
    outcome = of(status, {"results": results}, TWO)
    assert outcome.accepted == {1}
    assert not outcome.rejected
    assert "id-2" in outcome.kept


@pytest.mark.parametrize(
    ("second", "why"),
    [
        ([], "not among the results"),
        ([{"id": "id-2"}], "unknown status"),
        ([{"id": "id-2", "status": "perhaps"}], "unknown status 'perhaps'"),
        ([{"id": "id-2", "status": ["accepted"]}], "unknown status"),
        ([{"id": 2, "status": "accepted"}], "not among the results"),
        (["id-2"], "not among the results"),
        (
            [{"id": "id-2", "status": "accepted"}, {"id": "id-2", "status": "rejected"}],
            "accepted and rejected",
        ),
    ],
)
def test_a_record_that_results_do_not_settle_is_kept(second: list[Any], why: str) -> None:
    outcome = of(200, {"results": [{"id": "id-1", "status": "accepted"}, *second]}, TWO)
    assert outcome.accepted == {1}
    assert not outcome.rejected
    assert why in outcome.kept


def test_a_platform_of_its_own_codes_is_understood() -> None:
    assert of(200, {"data": {"code": "00"}}, codes=CODES) == Outcome(frozenset({1}))
    assert of(200, {"data": {"code": 0}}, TWO, codes=CODES) == Outcome(frozenset({1, 2}))
    never = of(200, {"data": {"code": "07", "msg": "无此气瓶"}}, codes=CODES)
    assert never == Outcome(rejected={1: "data.code 07: 无此气瓶"})
    assert of(200, {"data": {"code": "07"}}, TWO, codes=CODES).kept.endswith("sent alone)")


@pytest.mark.parametrize(
    "body", [{"data": {"code": "99"}}, {"data": None}, {"code": "00"}, b"", b"<p>", [1]]
)
def test_a_code_that_means_nothing_keeps(body: Any) -> None:
    outcome = of(200, body, codes=CODES)
    assert (outcome.accepted, outcome.rejected) == (frozenset(), {})
    assert outcome.kept


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["results", "id", "status", "reason", "code", "data", "error"]), inner
        )
    ),
    max_leaves=12,
)


@given(status=st.integers(100, 999), body=st.binary(max_size=64) | _JSON, codes=st.booleans())
def test_no_answer_breaks_it_and_every_record_has_one_fate(
    *, status: int, body: Any, codes: bool
) -> None:
    outcome = of(status, body, TWO, codes=CODES if codes else None)
    settled = outcome.accepted | outcome.rejected.keys()
    assert settled <= {1, 2}
    assert bool(outcome.kept) == (settled != {1, 2})

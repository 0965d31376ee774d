"""Only a code that the mapping calls valid is a yes; whatever else a platform says is none."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewayd.mapping.file import VoucherFile
from gatewayd.mapping.load import load
from gatewayd.settings.shipped import shipped_dir
from gatewayd.upstreams.http_answers import Answer
from gatewayd.vouchers.said import TEXT_CHARS_MAX, said
from rules_engine.reasons import REASONS

NUMBER = "1d3201a133be410ba8351b1100d5f674"
YES_B = {"code": 200, "status": "true", "record_voucher": NUMBER, "msg": "ok"}
YES_A = {"status": 200, "result": {"status": "00"}}


def spec(which: str) -> VoucherFile:
    path = shipped_dir() / "upstreams" / f"city-platform-{which}.yaml"
    found = load(path.read_text(encoding="utf-8"), str(path), "Asia/Shanghai").file.voucher
    assert found is not None
    return found


A, B = spec("a"), spec("b")


def answer(value: Any, status: int = 200, **more: Any) -> Answer:
    return Answer(status, json.dumps(value).encode(), **more)


@pytest.mark.parametrize("code", [200, "200"])
@pytest.mark.parametrize("status", ["true", True])
def test_a_yes_has_its_code_its_status_and_a_number(code: Any, status: Any) -> None:
    word = said(answer({**YES_B, "code": code, "status": status}), B)
    assert (word.valid, word.number, word.code, word.codes) == (True, NUMBER, "200", ())


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({**YES_B, "status": "false"}, "status is false"),
        ({**YES_B, "status": None}, "status is null"),
        ({**YES_B, "record_voucher": None}, "no voucher number in record_voucher"),
        ({**YES_B, "record_voucher": ""}, "no voucher number"),
        ({**YES_B, "record_voucher": "x" * (TEXT_CHARS_MAX + 1)}, "no voucher number"),
        ({**YES_B, "record_voucher": {"a": 1}}, "no voucher number"),
        ({**YES_B, "code": 206}, "超期未检"),
        ({**YES_B, "code": 999}, "code 999"),
        ({**YES_B, "code": True}, "code true"),
    ],
)
def test_a_no_is_a_no_and_says_why(value: Any, why: str) -> None:
    word = said(answer(value), B)
    assert not word.valid
    assert not word.offline
    assert why in word.reason


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("01", "CODE_UNKNOWN"),
        ("02", "INSPECTION_FAILED"),
        ("03", "NOT_ENABLED"),
        ("04", "OVERDUE"),
        ("05", "SCRAPPED"),
        ("06", "CANCELLED"),
        ("07", "NOT_REGISTERED"),
        ("08", "NOT_OWN"),
    ],
)
def test_the_codes_of_platform_a_are_reasons(code: str, reason: str) -> None:
    word = said(answer({"status": 200, "result": {"status": code}}), A)
    assert (word.valid, word.codes) == (False, (reason,))


@pytest.mark.parametrize("code", ["00", "09"])
def test_platform_a_allows_its_own_and_associated_cylinders(code: str) -> None:
    assert said(answer({"status": 200, "result": {"status": code}}), A).valid
    assert not said(answer({"status": 201, "result": {"status": code}}), A).valid
    assert not said(answer({"status": 200, "result": {"status": code}}, 500), A).valid


def test_every_finding_of_a_mapping_is_a_reason_of_the_contract() -> None:
    for each in (A, B):
        assert set(each.findings.values()) <= set(REASONS)


SILENT = [
    Answer(200, b""),
    Answer(200, b"<html>log in</html>"),
    Answer(200, b"\xff\xfe{"),
    Answer(200, b'{"code": 200', readable=True),
    Answer(200, json.dumps(YES_B).encode(), readable=False),
    Answer(200, b'{"error": "database"}'),
    Answer(200, b'{"code": null}'),
    Answer(200, b'{"code": [200]}'),
    Answer(200, b'{"code": 200.0}'),
    Answer(200, b"[200]"),
    Answer(302, b"", location="/login"),
    Answer(503, b"closed"),
]


@pytest.mark.parametrize("silent", SILENT, ids=range(len(SILENT)))
def test_what_has_no_code_is_no_answer(silent: Answer) -> None:
    word = said(silent, B)
    assert (word.valid, word.offline) == (False, True)
    assert word.reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from(["code", "status", "record_voucher", "msg", "result"]), JSON),
    st.integers(100, 599),
)
@settings(max_examples=200, deadline=None)
def test_nothing_but_a_whole_yes_is_valid(value: dict[str, Any], status: int) -> None:
    word = said(answer(value, status), B)
    if word.valid:
        assert status in range(200, 300)
        assert str(value["code"]) == "200"
        assert value["status"] in {"true", True}
        assert word.number == str(value["record_voucher"]) or word.number is not None
    else:
        assert word.reason

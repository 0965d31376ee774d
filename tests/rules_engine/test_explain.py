"""Verdicts in sentences: what is wrong, with its basis and rule, in both languages."""

import re
from typing import get_args

from rules_engine.engine import judge
from rules_engine.explain import headline, sentences, severity, sources, title
from rules_engine.reasons import REASONS
from rules_engine.template import Language
from rules_engine.verdict import Stage
from tests.support.rules import LEGAL, cn_lpg


def test_an_allow_is_one_sentence() -> None:
    verdict = judge([cn_lpg()], LEGAL)
    assert sentences(verdict, "zh") == ["允许充装"]
    assert sentences(verdict, "en") == ["filling allowed"]


def test_a_refusal_names_reason_values_basis_and_rule() -> None:
    verdict = judge([cn_lpg()], {**LEGAL, "cylinder.owner": "9", "cylinder.status": None})
    for language in ("zh", "en"):
        first, not_own, missing = sentences(verdict, language)
        assert first in {"禁止充装", "filling refused"}
        assert "NOT_OWN" in not_own
        assert "9" in not_own
        assert "cn-lpg.not-own" in not_own
        assert "art. 29" in not_own
        assert "cylinder.status" in missing


def test_every_reason_has_a_title_in_both_languages() -> None:
    for code in REASONS:
        assert re.search(r"[\u4e00-\u9fff]", title(code, "zh"))
        assert title(code, "en").isascii()
    assert title("NEW_CODE", "zh") == "NEW_CODE"


def test_the_headline_is_the_decision_and_each_reason_once() -> None:
    assert headline(judge([cn_lpg()], LEGAL), "zh") == "允许充装"
    facts = {**LEGAL, "cylinder.owner": "9", "checks.failed": ("stamp", "body")}
    verdict = judge([cn_lpg(), cn_lpg()], facts)
    assert headline(verdict, "en") == (
        "filling refused: not our cylinder, stamp illegible, body defect, pre-fill check failed"
    )
    assert headline(verdict, "zh").startswith("禁止充装：非本站气瓶、")


def test_a_warning_refuses_nothing_and_is_in_the_headline_of_what_is_allowed() -> None:
    verdict = judge(
        [cn_lpg()], {**LEGAL, "cylinder.stamped_tare_g": 16_500, "scale.tare_g": 16_000}
    )
    assert headline(verdict, "en") == "filling allowed (mind: tare differs)"
    assert headline(verdict, "zh") == "允许充装（注意：皮重不符）"
    assert [severity(each, "zh") for each in verdict.findings] == ["警告"]


def test_where_nothing_is_filled_the_headline_does_not_speak_of_filling() -> None:
    allowed = judge([cn_lpg()], LEGAL, "receive")
    refused = judge([cn_lpg()], {**LEGAL, "cylinder.owner": "9"}, "receive")
    assert headline(allowed, "zh", "receive") == "通过"
    assert headline(refused, "zh", "dispatch") == "不得出站：非本站气瓶"
    for stage in get_args(Stage):
        for language in get_args(Language):
            told = [headline(each, language, stage) for each in (allowed, refused)]
            assert told[0] != told[1]
            spoken = any("充装" in each or "fill" in each for each in told)
            assert spoken == (stage not in {"receive", "dispatch"}), told


def test_the_sources_are_the_exact_texts() -> None:
    (line,) = sources(judge([cn_lpg()], LEGAL), "en")
    assert line == f"cn-lpg {cn_lpg().version} sha256:{cn_lpg().ref.hash}"

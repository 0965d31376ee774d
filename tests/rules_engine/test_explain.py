"""Verdicts in sentences: what is wrong, with its basis and rule, in both languages."""

import re

from rules_engine.engine import judge
from rules_engine.explain import sentences, title
from rules_engine.reasons import REASONS
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

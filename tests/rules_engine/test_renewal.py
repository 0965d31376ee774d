"""Packs read again: what is good takes over, what is wrong leaves the last good one in force."""

from protocols.documents import Problem
from rules_engine.engine import judge
from rules_engine.pack import Pack
from rules_engine.renewal import attempt, renew
from tests.support.rules import rule, text_of

KNOWN = {"code.known": True}
EXAMPLES = "    examples: [{facts: {code.known: true}, expect: clear}]\n"
GOOD = text_of(rule("!code.known") + EXAMPLES)
NEWER = GOOD.replace('version: "1"', 'version: "2"')
BROKEN = GOOD.replace("code.known", "code.knwon")
WRONG = GOOD.replace("expect: clear", "expect: hold")


def good(text: str = GOOD) -> Pack:
    got = attempt(text, "site.yaml")
    assert isinstance(got, Pack), got
    return got


def test_a_good_pack_takes_over() -> None:
    renewal = renew({"site": good()}, {"site": attempt(NEWER, "site.yaml")})
    assert (renewal.changed, renewal.kept, renewal.alarms) == (("site",), (), ())
    assert renewal.packs["site"].version == "2"


def test_the_same_text_changes_nothing() -> None:
    assert renew({"site": good()}, {"site": good()}).changed == ()


def test_a_pack_that_fails_leaves_the_last_good_one_in_force_and_says_so() -> None:
    for text, says in ((BROKEN, "code.knwon"), (WRONG, "said clear"), ("", "missing")):
        got = attempt(text, "site.yaml")
        assert not isinstance(got, Pack)
        assert all(isinstance(each, Problem) for each in got)
        renewal = renew({"site": good()}, {"site": got})
        assert renewal.kept == ("site",)
        assert judge([renewal.packs["site"]], KNOWN).allowed
        (alarm,) = renewal.alarms
        assert says in alarm.en
        assert "last good version 1 still decides" in alarm.en
        assert "上一个有效版本 1" in alarm.zh


def test_a_pack_that_never_was_good_is_not_in_force() -> None:
    renewal = renew({}, {"site": attempt(BROKEN, "site.yaml")})
    assert (dict(renewal.packs), renewal.kept) == ({}, ())
    assert "rigs that name it refuse" in renewal.alarms[0].en


def test_a_pack_whose_file_is_gone_is_named() -> None:
    renewal = renew({"site": good(), "other": good()}, {"site": good()})
    assert (renewal.gone, list(renewal.packs)) == (("other",), ["site"])

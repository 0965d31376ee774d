"""The judgement: default deny, deny wins, doubt denies, every reason comes back."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules_engine.engine import judge
from rules_engine.facts import FACTS, ITEMS_MAX, TEXT_CHARS_MAX
from rules_engine.pack import Pack, load
from rules_engine.verdict import Verdict
from tests.support.rules import LEGAL, cn_lpg, pack_of, rule, text_of

KNOWN: Mapping[str, Any] = {"code.known": True, "code.text": "1"}


def reasons(verdict: Verdict) -> list[str]:
    return [finding.code for finding in verdict.findings]


def test_a_pack_with_nothing_against_it_allows() -> None:
    verdict = judge([pack_of("!code.known")], KNOWN)
    assert verdict.allowed
    assert verdict.findings == ()


def test_no_packs_deny() -> None:
    verdict = judge([], KNOWN)
    assert not verdict.allowed
    assert reasons(verdict) == ["RULE_BROKEN"]


def test_a_pack_without_rules_denies_even_beside_a_good_one() -> None:
    empty = replace(pack_of("!code.known"), rules=())
    assert reasons(judge([cn_lpg(), empty], LEGAL)) == ["RULE_BROKEN"]


@pytest.mark.parametrize("known", [False, None, "true", 1])
def test_an_unknown_code_denies_whatever_the_packs_say(known: object) -> None:
    verdict = judge([pack_of("false")], {"code.known": known})
    assert not verdict.allowed
    assert "CODE_UNKNOWN" in reasons(verdict)


def test_a_warning_about_an_unknown_code_does_not_stand_in_for_the_refusal() -> None:
    verdict = judge([pack_of("!code.known", "CODE_UNKNOWN", "warn")], {"code.known": False})
    assert not verdict.allowed
    assert [f.severity for f in verdict.findings] == ["deny", "warn"]


def test_an_unknown_cylinder_gives_one_reason_not_a_pile() -> None:
    facts = {"code.known": False, "code.text": "9", "clock.today": date(2026, 7, 1)}
    station = {"station.owners": ("a",), "rig.medium": "LPG"}
    verdict = judge([cn_lpg()], {**facts, **station})
    assert [f.rule for f in verdict.findings] == ["cn-lpg.code-unknown"]


@pytest.mark.parametrize(
    "when",
    [
        "true || scale.stable",
        "false && scale.stable",
        "code.known ? false : scale.stable",
        "scale.stable || true",
        "station.owners.exists(o, false)",
        "!(scale.stable || true)",
    ],
)
def test_what_reads_an_unknown_fact_denies_however_it_is_written(when: str) -> None:
    verdict = judge([pack_of(when)], KNOWN)
    assert not verdict.allowed
    assert reasons(verdict) == ["DATA_MISSING"]


def test_an_unknown_fact_in_the_condition_of_a_rule_denies() -> None:
    text = text_of(rule("false")).replace("    when", "    given: scale.stable\n    when")
    pack = load(text, "x")
    assert reasons(judge([pack], KNOWN)) == ["DATA_MISSING"]
    assert judge([pack], {**KNOWN, "scale.stable": False}).allowed


def test_a_rule_applies_only_when_its_condition_holds() -> None:
    text = text_of(rule("true")).replace("    when", "    given: scale.stable\n    when")
    pack = load(text, "x")
    assert reasons(judge([pack], {**KNOWN, "scale.stable": True})) == ["OVERDUE"]
    assert judge([pack], {**KNOWN, "scale.stable": False}).allowed


BROKEN = "1 / cylinder.fills_done == 1"


@pytest.mark.parametrize("severity", ["deny", "warn", "observe"])
def test_a_rule_that_fails_denies_even_when_it_only_observes(severity: str) -> None:
    verdict = judge([pack_of(BROKEN, severity=severity)], {**KNOWN, "cylinder.fills_done": 0})
    (finding,) = verdict.findings
    assert (finding.code, finding.severity, finding.rule) == ("RULE_BROKEN", "deny", "site.r1")
    assert "divide by zero" in finding.message.zh


@pytest.mark.parametrize(("severity", "decision"), [("warn", "allow"), ("observe", "allow")])
def test_what_only_advises_never_denies_by_holding_or_by_lacking_a_fact(
    severity: str, decision: str
) -> None:
    held = judge([pack_of("code.known", severity=severity)], KNOWN)
    lacking = judge([pack_of("scale.stable", severity=severity)], KNOWN)
    assert (held.decision, reasons(held)) == (decision, ["OVERDUE"])
    assert (lacking.decision, reasons(lacking)) == (decision, ["DATA_MISSING"])


def test_a_fact_that_several_rules_lack_is_told_once_as_severely_as_any() -> None:
    text = text_of(rule("scale.stable", severity="warn", id_="a"), rule("scale.stable", id_="b"))
    (finding,) = judge([load(text, "x")], KNOWN).findings
    assert (finding.severity, finding.rule) == ("deny", "site.b")
    assert finding.values["rules"] == ["site.a", "site.b"]
    assert finding.values["missing"] == "scale.stable"
    assert "秤" in finding.message.zh


@pytest.mark.parametrize(
    "wrong",
    [
        {"cylinder.fills_done": "3"},
        {"cylinder.fills_done": True},
        {"cylinder.fills_done": 1.0},
        {"cylinder.fills_done": 2**63},
        {"cylinder.fills_done": float("nan")},
        {"clock.today": "2026-07-01"},
        {"clock.today": datetime(2026, 7, 1, tzinfo=UTC)},
        {"clock.today": datetime(2026, 7, 1)},  # noqa: DTZ001 - the naive time is the point
        {"station.owners": "3701000042"},
        {"station.owners": (1,)},
        {"station.owners": ("a",) * (ITEMS_MAX + 1)},
        {"cylinder.owner": "\ud800"},
        {"station.owners": ("\ud800",)},
        {"cylinder.owner": "x" * (TEXT_CHARS_MAX + 1)},
        {"cylinder.unheard_of": 1},
    ],
)
def test_a_fact_of_the_wrong_kind_denies(wrong: dict[str, Any]) -> None:
    verdict = judge([cn_lpg()], {**LEGAL, **wrong})
    assert not verdict.allowed
    assert "engine.facts" in [finding.rule for finding in verdict.findings]


@given(
    st.dictionaries(
        st.sampled_from(sorted(FACTS)) | st.text(max_size=5),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
        | st.dates() | st.lists(st.text(max_size=3), max_size=2),
        max_size=20,
    )
)  # fmt: skip
def test_no_facts_make_it_crash_and_every_verdict_is_json(facts: dict[str, Any]) -> None:
    verdict = judge([cn_lpg()], facts)
    assert json.loads(json.dumps(verdict.as_json()))["decision"] == verdict.decision


def test_every_reason_that_holds_comes_back() -> None:
    facts = {
        **LEGAL,
        "cylinder.status": "scrapped",
        "cylinder.owner": "other",
        "cylinder.inspection_result": "failed",
        "cylinder.hold": "check",
        "clock.today": date(2026, 7, 2),
        "cylinder.medium": None,
    }
    assert reasons(judge([cn_lpg()], facts)) == [
        "NOT_OWN",
        "OVERDUE",
        "INSPECTION_FAILED",
        "LIFE_EXCEEDED",
        "SCRAPPED",
        "REGULATOR_LOCK",
        "DATA_MISSING",
    ]


def test_deny_wins_over_any_number_of_packs_that_allow() -> None:
    good, bad = pack_of("false"), pack_of("true", "OVERDUE")
    for packs in itertools.permutations([good, bad, good]):
        assert judge(packs, KNOWN).decision == "deny"


@given(st.permutations(range(len(cn_lpg().rules))), st.sets(st.sampled_from(sorted(LEGAL))))
def test_the_order_of_rules_changes_nothing(order: list[int], removed: set[str]) -> None:
    pack = cn_lpg()
    shuffled = replace(pack, rules=tuple(pack.rules[index] for index in order))
    facts = {name: value for name, value in LEGAL.items() if name not in removed}
    assert judge([shuffled], facts) == judge([pack], facts)


def test_the_order_of_packs_changes_no_finding() -> None:
    other = pack_of("clock.today > cylinder.scrap_on", "LIFE_EXCEEDED")
    facts = {**LEGAL, "clock.today": date(2026, 7, 2), "cylinder.status": None}
    assert judge([cn_lpg(), other], facts).findings == judge([other, cn_lpg()], facts).findings


def test_a_finding_says_which_values_decided() -> None:
    head = "parameters: {most: {value: 2, unit: fills, source: s, verified: false}}\n"
    pack = pack_of("cylinder.fills_done > param.most", "FILL_COUNT", head=head)
    (finding,) = judge([pack], {**KNOWN, "cylinder.fills_done": 3}).findings
    assert finding.values == {"cylinder.fills_done": 3, "param.most": 2}


def test_a_message_shows_values_as_a_person_reads_them() -> None:
    text = text_of(rule("code.known")).replace(
        "zh: 拒绝", 'zh: "{code.known} {clock.today} {station.owners} {cylinder.owner}"'
    )
    facts = {**KNOWN, "clock.today": date(2026, 7, 1), "station.owners": ("a", "b")}
    (finding,) = judge([load(text, "x")], facts).findings
    assert finding.message.zh == "是 2026-07-01 a、b 未知"
    assert finding.values["clock.today"] == "2026-07-01"
    assert finding.values["station.owners"] == ["a", "b"]


def test_a_value_is_never_read_as_a_placeholder() -> None:
    text = text_of(rule("code.known")).replace("zh: 拒绝", 'zh: "{cylinder.owner}"')
    facts = {**KNOWN, "cylinder.owner": r"{code.text} \g<0>"}
    (finding,) = judge([load(text, "x")], facts).findings
    assert finding.message.zh == r"{code.text} \g<0>"


def test_two_hundred_rules_are_all_judged() -> None:
    text = text_of(*(rule(f"cylinder.fills_done > {n}", id_=f"r{n}") for n in range(200)))
    pack: Pack = load(text, "x")
    assert len(judge([pack], {**KNOWN, "cylinder.fills_done": 100}).findings) == 100

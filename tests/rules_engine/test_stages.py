"""Stages of a rule, an untrusted clock, and what examples say about severity and stage."""

from datetime import date
from typing import get_args

import pytest

from rules_engine import examples
from rules_engine.engine import JUDGED, judge
from rules_engine.pack import Pack, load
from rules_engine.verdict import Stage
from tests.support.rules import LEGAL, cn_lpg, rule, text_of

STAGES: tuple[Stage, ...] = get_args(Stage)
KNOWN = {"code.known": True}


def staged(*stages: Stage) -> Pack:
    rules = [
        rule("code.known", id_=stage).replace("    when", f"    stage: {stage}\n    when")
        for stage in stages
    ]
    return load(text_of(*rules), "site.yaml")


@pytest.mark.parametrize(
    ("stage", "judged"),
    [
        ("receive", ["receive"]),
        ("prefill", ["prefill", "receive"]),
        ("permit", ["permit", "prefill", "receive"]),
        ("fill", ["fill"]),
        ("postfill", ["postfill"]),
        ("dispatch", ["dispatch"]),
    ],
)
def test_a_permit_needs_every_stage_before_it_and_the_others_only_themselves(
    stage: Stage, judged: list[str]
) -> None:
    verdict = judge([staged(*STAGES)], KNOWN, stage)
    assert [f.rule for f in verdict.findings] == [f"site.{each}" for each in judged]


def test_every_stage_is_judged_somewhere() -> None:
    assert set(JUDGED) == set(STAGES) == frozenset().union(*JUDGED.values())


def test_a_stage_that_no_rule_speaks_of_denies() -> None:
    assert [f.rule for f in judge([staged("permit")], KNOWN, "fill").findings] == [
        "engine.no-rules"
    ]


def test_a_rule_is_of_the_permit_unless_it_says_otherwise() -> None:
    pack = load(text_of(rule("code.known")), "site.yaml")
    assert pack.rules[0].stage == "permit"


def test_an_untrusted_clock_blocks_rules_of_days_instead_of_guessing() -> None:
    overdue = {**LEGAL, "cylinder.next_inspection_on": date(2020, 1, 1), "clock.trusted": False}
    (found,) = judge([cn_lpg()], overdue).findings
    assert (found.code, found.severity, found.rule) == ("CLOCK_UNTRUSTED", "deny", "engine.clock")
    assert {"cn-lpg.overdue", "cn-lpg.life-exceeded"} <= set(found.values["rules"])
    assert "cn-lpg.wrong-gas" not in found.values["rules"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_clock_in_doubt_stops_what_leads_to_a_permit_and_no_flow(stage: Stage) -> None:
    """cn-lpg has no rule of a day after the permit: a fill that runs is not cut for the clock."""
    facts = {**LEGAL, "scale.net_g": 14_900, "clock.trusted": False}
    codes = [found.code for found in judge([cn_lpg()], facts, stage).findings]
    assert codes == (["CLOCK_UNTRUSTED"] if stage in JUDGED["permit"] else [])


def test_a_rule_of_a_day_waits_at_every_stage() -> None:
    dated = rule("clock.today > cylinder.next_inspection_on")
    pack = load(text_of(dated.replace("    when", "    stage: dispatch\n    when")), "site.yaml")
    facts = {**LEGAL, "clock.trusted": False}
    assert [found.code for found in judge([pack], facts, "dispatch").findings] == [
        "CLOCK_UNTRUSTED"
    ]


@pytest.mark.parametrize("trusted", [True, None])
def test_a_clock_that_is_trusted_or_not_spoken_of_changes_nothing(*, trusted: bool | None) -> None:
    assert judge([cn_lpg()], {**LEGAL, "clock.trusted": trusted}).allowed


EXAMPLE = "    examples: [{facts: {code.known: true}, expect: %s}]\n"


@pytest.mark.parametrize(
    ("severity", "expect", "right"),
    [("deny", "deny", True), ("warn", "warn", True), ("observe", "observe", True),
     ("warn", "hold", True), ("warn", "deny", False), ("deny", "warn", False)],
)  # fmt: skip
def test_an_example_may_say_how_severe_its_rule_is(
    severity: str, expect: str, *, right: bool
) -> None:
    pack = load(text_of(rule("code.known", severity=severity) + EXAMPLE % expect), "x")
    assert (examples.wrong(pack) == ()) == right


@pytest.mark.parametrize(("stage", "right"), [("receive", False), ("permit", True)])
def test_an_example_may_say_at_which_stage_its_rule_is_judged(stage: str, *, right: bool) -> None:
    shown = EXAMPLE.replace("}]", f", stage: {stage}}}]") % "hold"
    assert (examples.wrong(load(text_of(rule("code.known") + shown), "x")) == ()) == right


def test_what_severity_an_example_names_counts_as_a_hold() -> None:
    shown = (
        "    examples: [{facts: {code.known: true}, expect: deny}, "
        "{facts: {code.known: false}, expect: clear}]\n"
    )
    assert examples.run(load(text_of(rule("code.known") + shown), "x")) == ()

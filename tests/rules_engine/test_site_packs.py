"""A site's pack on a shipped one: adds and tightens freely, loosens only by override and by day."""

from datetime import date, timedelta
from typing import Any

import pytest

from protocols.documents import DocumentError
from rules_engine import examples
from rules_engine.engine import judge
from rules_engine.limits import fill_limits
from rules_engine.pack import Pack, load
from tests.support.rules import rule, text_of

LAW = """\
parameters:
  most: {value: 10, unit: fills, source: law, verified: false, tighter: lower}
  least: {value: 5, unit: fills, source: law, verified: false, tighter: higher}
  fixed: {value: 5, unit: fills, source: law, verified: false}
  deduct_residue: {value: true, unit: "", source: law, verified: false, tighter: higher}
  from: {value: 2021-06-01, unit: date, source: law, verified: false, tighter: lower}
  fill_g_per_l_lpg: {value: 420, unit: g/L, source: law, verified: false, tighter: lower}
"""
UNTIL = date(2026, 7, 1)
TODAY: dict[str, Any] = {"code.known": True, "clock.today": UNTIL}
FILLED = {**TODAY, "cylinder.fills_done": 11}


def law() -> Pack:
    warns = rule("cylinder.fills_done < param.least", "REPEAT_FILL", "warn", "few")
    text = text_of(
        rule("cylinder.fills_done > param.most", "FILL_COUNT", id_="many"),
        warns,
        head=LAW,
        id_="law",
    )
    return load(text, "law.yaml")


def site(*rules: str, head: str = "") -> Pack:
    return load(written(*rules, head=head), "site.yaml", law())


def written(*rules: str, head: str = "") -> str:
    text = text_of(*rules, head=f"extends: law\n{head}")
    return text if rules else text.removesuffix("rules:\n")


def param(name: str, value: object, unit: str = "fills", more: str = "") -> str:
    return (
        f"parameters:\n  {name}: {{value: {value}, unit: {unit}, source: ours, "
        f"verified: false{more}}}\n"
    )


def override(name: str, more: str = "", until: date = UNTIL) -> str:
    return (
        f"override:\n  - {{rule: {name}, reason: new scale, approved_by: Li Si, "
        f"until: {until}{more}}}\n"
    )


def problems(text: str) -> list[str]:
    with pytest.raises(DocumentError) as got:
        load(text, "site.yaml", law())
    return [str(problem) for problem in got.value.problems]


def told(pack: Pack, **facts: Any) -> list[tuple[str, str]]:
    verdict = judge([pack], {**FILLED, **{k.replace("__", "."): v for k, v in facts.items()}})
    return [(finding.rule, finding.severity) for finding in verdict.findings]


def test_every_rule_of_the_law_holds_and_keeps_its_name_and_basis() -> None:
    own = site(rule("code.known", id_="ours"))
    assert told(own) == [("site.ours", "deny"), ("law.many", "deny")]
    assert [each.name for each in own.rules] == ["law.many", "law.few", "site.ours"]
    assert own.rules[0].basis == law().rules[0].basis


def test_the_verdict_names_both_texts() -> None:
    shape = judge([site()], FILLED).packs[0].as_json()
    assert (shape["id"], shape["extends"]) == ("site", law().ref.as_json())
    assert "overrides" not in shape


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [("most", 9, "fills"), ("most", 10, "fills"), ("least", 6, "fills"), ("fixed", 5, "fills"),
     ("deduct_residue", "true", '""'), ("from", "2021-05", "date"), ("mine", 3, "fills")],
)  # fmt: skip
def test_a_parameter_may_be_tightened_or_added(name: str, value: object, unit: str) -> None:
    assert name in site(head=param(name, value, unit)).parameters


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [("most", 11, "fills"), ("least", 4, "fills"), ("fixed", 4, "fills"), ("fixed", 6, "fills"),
     ("deduct_residue", "false", '""'), ("from", "2021-06-02", "date")],
)  # fmt: skip
def test_a_parameter_is_never_loosened_without_an_override(
    name: str, value: object, unit: str
) -> None:
    (found,) = problems(written(head=param(name, value, unit)))
    assert found.startswith("site.yaml:6:")
    assert f"param.{name}" in found
    assert "only an override may loosen it" in found
    assert site(head=param(name, value, unit) + override(f"param.{name}")).loosened


def test_a_tightened_parameter_counts_in_the_rules_of_the_law() -> None:
    own = site(head=param("most", 9))
    assert told(own, cylinder__fills_done=10) == [("law.many", "deny")]
    assert told(law(), cylinder__fills_done=10) == []


@pytest.mark.parametrize(("days", "counts"), [(-1, True), (0, True), (1, False), (None, False)])
def test_an_override_counts_through_its_last_day_and_never_on_an_unknown_one(
    days: int | None, *, counts: bool
) -> None:
    own = site(head=param("most", 20) + override("param.most"))
    today = None if days is None else UNTIL + timedelta(days=days)
    verdict = judge([own], {**FILLED, "clock.today": today})
    assert (verdict.decision == "allow") == counts
    (kept,) = verdict.packs[0].as_json()["overrides"]
    assert kept == {
        "rule": "param.most",
        "reason": "new scale",
        "approved_by": "Li Si",
        "until": "2026-07-01",
        "applied": counts,
    }


def test_an_override_is_void_when_the_clock_is_not_trusted() -> None:
    own = site(head=override("many"))
    verdict = judge([own], {**FILLED, "clock.trusted": False})
    assert [f.rule for f in verdict.findings if f.severity == "deny"] == [
        "law.many",
        "engine.clock",
    ]
    assert verdict.packs[0].as_json()["overrides"][0]["applied"] is False


@pytest.mark.parametrize(("more", "severity"), [("", "observe"), (", severity: warn", "warn")])
def test_an_override_alone_lets_the_rule_only_observe_or_warn(more: str, severity: str) -> None:
    own = site(head=override("many", more))
    assert told(own) == [("law.many", severity)]
    assert told(own, clock__today=UNTIL + timedelta(days=1)) == [("law.many", "deny")]
    during, after = own.rules[0].on(UNTIL), own.rules[0].on(None)
    assert "loosened until 2026-07-01: new scale (Li Si)" in during.basis
    assert "override through 2026-07-01 not in force" in after.basis


def test_one_override_may_be_written_without_a_list() -> None:
    text = override("many").replace("\n  - ", " ")
    assert len(site(head=text).ref.overrides) == 1


LOOSER = rule("cylinder.fills_done > 20", "FILL_COUNT", id_="many")


def test_another_text_of_a_rule_needs_an_override_and_counts_only_so_long() -> None:
    (found,) = problems(written(LOOSER))
    assert found.startswith("site.yaml:6:")
    assert "many is not the rule of law" in found
    own = site(LOOSER, head=override("many"))
    assert told(own) == []
    assert told(own, cylinder__fills_done=21) == [("site.many", "deny")]
    assert told(own, clock__today=UNTIL + timedelta(days=1)) == [("law.many", "deny")]


def test_a_rule_may_become_stricter_without_an_override() -> None:
    stricter = rule("cylinder.fills_done < param.least", "REPEAT_FILL", "deny", "few")
    assert told(site(stricter), cylinder__fills_done=1) == [("site.few", "deny")]


@pytest.mark.parametrize(
    ("old", "new"),
    [("deny", "warn"), ("FILL_COUNT", "REPEAT_FILL"), ("    when", "    stage: dispatch\n    when"),
     ("    when", "    given: code.known\n    when"),
     ("    when", "    applies_if_known: [cylinder.hold]\n    when")],
)  # fmt: skip
def test_whatever_may_let_more_through_needs_an_override(old: str, new: str) -> None:
    same = rule("cylinder.fills_done > param.most", "FILL_COUNT", id_="many")
    assert told(site(same)) == [("site.many", "deny")]
    assert "only an override" in problems(written(same.replace(old, new, 1)))[0]


def test_a_message_may_be_said_in_other_words() -> None:
    words = 'messages: {many: {zh: "太多 {param.most}", en: "too many: {cylinder.fills_done}"}}\n'
    (finding,) = judge([site(head=words)], FILLED).findings
    assert (finding.message.zh, finding.message.en) == ("太多 10", "too many: 11")
    assert finding.values == {"cylinder.fills_done": 11, "param.most": 10}


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (override("mony"), "no rule 'mony' in law; did you mean 'many'?"),
        (override("param.mist"), "no parameter 'mist' in law; did you mean 'most'?"),
        (override("param.most"), "param.most: no new value"),
        (param("most", 9) + override("param.most"), "param.most loosens nothing"),
        (param("most", 11) + override("param.most", ", severity: warn"), "no severity"),
        (override("few", ", severity: warn"), "few is warn already"),
        (override("many") + override("many").removeprefix("override:\n"), "overridden twice"),
        (override("many").replace("reason: new scale, ", ""), "key 'reason' is missing"),
        (override("many").replace("Li Si", '""'), "at least 1 character"),
        (override("many").replace("2026-07-01", "2026-02-30"), "no such day"),
        (override("many", ", severity: deny"), "warn"),
        (param("most", "x"), "param.most is int of unit 'fills' in law"),
        (param("most", 9, "g"), "param.most is int of unit 'fills' in law"),
        (param("most", 9, more=", tighter: higher"), "param.most is tighter lower in law"),
        (param("from", "2026-02-30", "date"), "no such day"),
        ("messages: {mony: {zh: 甲, en: x}}\n", "no rule 'mony' inherited from law"),
        ('messages: {many: {zh: "{cylinder.ownr}", en: x}}\n', "did you mean 'cylinder.owner'"),
        ('messages: {many: {zh: "{", en: x}}\n', "a brace without its partner"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_where_it_is(head: str, says: str) -> None:
    found = problems(written(head=head))
    assert any(says in problem for problem in found), found
    assert all(problem.startswith("site.yaml:") and ":0:0:" not in problem for problem in found)


def test_an_override_beside_a_rule_must_loosen_it_and_has_no_severity_of_its_own() -> None:
    same = rule("cylinder.fills_done > param.most", "FILL_COUNT", id_="many")
    assert "many loosens nothing" in problems(written(same, head=override("many")))[0]
    found = problems(written(LOOSER, head=override("many", ", severity: warn")))
    assert "has its severity under rules" in found[0]


@pytest.mark.parametrize("key", ["messages: {many: {zh: 甲, en: x}}\n", override("many")])
def test_only_a_pack_that_extends_one_says_otherwise(key: str) -> None:
    with pytest.raises(DocumentError, match="without extends"):
        load(text_of(rule("code.known"), head=key), "site.yaml")


def test_what_is_extended_must_exist_and_be_no_site_pack_itself() -> None:
    with pytest.raises(DocumentError, match="no shipped pack 'law' to extend"):
        load(written(), "site.yaml")
    with pytest.raises(DocumentError, match="itself extends 'law'; extend 'law' instead"):
        load(written(), "other.yaml", site())


def test_examples_of_the_law_are_not_run_with_the_parameters_of_the_site() -> None:
    shown = "    examples: [{facts: {cylinder.fills_done: 10}, expect: clear}]\n"
    base = load(text_of(rule("cylinder.fills_done > param.most", id_="a") + shown, head=LAW), "l")
    own = load(written(head=param("most", 5)), "site.yaml", base)
    assert examples.wrong(base) == examples.wrong(own) == examples.run(own) == ()


def test_examples_of_the_site_are_run_with_what_it_loosened() -> None:
    looser = rule("cylinder.fills_done > param.most", "OVERDUE", id_="many")
    shown = "    examples: [{facts: {cylinder.fills_done: 15}, expect: clear}]\n"
    head = param("most", 20) + override("param.most")
    head += override("many").removeprefix("override:\n")
    assert examples.wrong(site(looser + shown, head=head)) == ()
    wrong = examples.wrong(site(looser + shown.replace("15", "21"), head=head))
    assert [str(each)[:40] for each in wrong] == ["site.yaml:18:16: site.many said hold; ex"]


def test_a_coefficient_is_loosened_only_while_the_override_lasts() -> None:
    own = site(head=param("fill_g_per_l_lpg", 430, "g/L") + override("param.fill_g_per_l_lpg"))
    facts = {**TODAY, "cylinder.medium": "LPG", "cylinder.water_capacity_ml": 10_000}
    assert fill_limits([own], facts).allowed_net_g == 4_300
    assert fill_limits([own], {**facts, "clock.today": date(2026, 7, 2)}).allowed_net_g == 4_200
    assert fill_limits([own], facts).deduct_residue

"""Packs fail at load with every mistake at its place, or they are sound."""

import hashlib
from datetime import date

import pytest

from protocols.documents import DocumentError
from rules_engine.cel import Fault
from rules_engine.pack import load
from rules_engine.pack_check import place
from rules_engine.reasons import REASONS
from tests.support.rules import CN_LPG, cn_lpg, rule, text_of


def problems(text: str) -> list[str]:
    with pytest.raises(DocumentError) as got:
        load(text, "site.yaml")
    return [str(problem) for problem in got.value.problems]


def test_a_pack_names_the_exact_text_it_came_from() -> None:
    text = text_of(rule("!code.known"))
    pack = load(text, "site.yaml")
    assert pack.ref.hash == hashlib.sha256(text.encode()).hexdigest()
    assert (pack.ref.id, pack.ref.version) == (pack.id, pack.version) == ("site", "1")
    assert pack.rules[0].name == "site.r1"


def test_an_unknown_fact_fails_at_its_line_and_column_with_a_hint() -> None:
    text = text_of(rule("clock.today > cylinder.next_inspektion_on"))
    (found,) = problems(text)
    line = next(n for n, row in enumerate(text.splitlines(), 1) if "when" in row)
    column = text.splitlines()[line - 1].index("cylinder") + 1
    assert found == (
        f"site.yaml:{line}:{column}: when: unknown fact 'cylinder.next_inspektion_on'; "
        "did you mean 'cylinder.next_inspection_on'?"
    )


def test_a_wrong_type_fails_at_its_line_and_column() -> None:
    (found,) = problems(text_of(rule('cylinder.fills_done > "3"')))
    assert found.startswith("site.yaml:8:32: when: found no matching overload")


BLOCK = """\
    when: |
      code.known &&
        cylinder.foo == 1
"""
FOLDED = """\
    when: >-
      code.known &&
      cylinder.foo == 1
"""


@pytest.mark.parametrize(("written", "at"), [(BLOCK, "10:9"), (FOLDED, "8:5")])
def test_a_fault_in_a_block_is_found_or_the_key_is_named(written: str, at: str) -> None:
    text = text_of(rule("code.known").replace("    when: 'code.known'\n", written))
    (found,) = problems(text)
    assert found.startswith(f"site.yaml:{at}: when: unknown fact 'cylinder.foo'")


def test_a_folded_expression_is_one_expression() -> None:
    folded = FOLDED.replace("cylinder.foo == 1", "scale.stable")
    text = text_of(rule("code.known").replace("    when: 'code.known'\n", folded))
    assert load(text, "site.yaml").rules[0].when.source == "code.known && scale.stable"


def test_a_fault_beyond_the_file_is_placed_at_the_key() -> None:
    mark = cn_lpg().rules[0].mark
    assert place([], mark, "x", Fault(5, 5, "y")) == mark


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("code: OVERDUE", "code: OVERDU", "did you mean 'OVERDUE'"),
        ("code: OVERDUE", "code: XX", "one of NO_TAG"),
        ("severity: deny", "severity: fatal", "deny"),
        ("severity: deny", "severty: deny", "did you mean 'severity'"),
        ("zh: 拒绝, ", "", "key 'zh' is missing"),
        (", en: refused", "", "key 'en' is missing"),
        ("zh: 拒绝", 'zh: ""', "at least 1 character"),
        ("zh: 拒绝", 'zh: "{cylinder.ownr}"', "did you mean 'cylinder.owner'"),
        ("zh: 拒绝", 'zh: "{cylinder.owner"', "a brace without its partner"),
        ("zh: 拒绝", 'zh: "{param.x}"', "unknown fact 'param.x'"),
        ("verified: false", "verified: 'no'", "valid boolean"),
        ("    verified: false\n", "", "key 'verified' is missing"),
        ("when: 'code.known'", "when: true", "valid string"),
        ("when: 'code.known'", "when: ''", "at least 1 character"),
        ("when: 'code.known'", "when: 'cylinder.owner'", "is STRING, expected a yes or no"),
        ("id: r1", "id: R 1", "pattern"),
        ('version: "1"', "version: 1", "valid string"),
        ("basis: {document: test}", "basis: test", "basis"),
        ("id: site", "id: site\nextends: cn-lpg", "no shipped pack 'cn-lpg' to extend"),
        ("id: site", "id: site\nparameters: {n: {value: 1.5, unit: g, source: s, verified: false}}", "whole number"),
        ("id: site", "id: site\nparameters: {n: {value: x, unit: date, source: s, verified: false}}", "not a date"),
        ("id: site", "id: site\nparameters: {fill_g_per_l_lgp: {value: 420, unit: g/L, source: s, verified: false}}", "did you mean 'lpg'"),
        ("id: site", "id: site\nparameters: {fill_g_per_l_lpg: {value: 0, unit: g/L, source: s, verified: false}}", "expected 1 to 5000"),
        ("id: site", "id: site\nparameters: {deduct_residue: {value: 1, unit: '', source: s, verified: false}}", "true or false"),
        ("    verified", "    applies_if_known: [cylinder.hod]\n    verified", "did you mean 'cylinder.hold'"),
        ("    verified", "    given: cylinder.hod == 'x'\n    verified", "given: unknown fact"),
        ("    verified", "    examples: [{facts: {cylinder.hod: x}, expect: hold}]\n    verified", "unknown fact 'cylinder.hod'"),
        ("    verified", "    examples: [{facts: {cylinder.fills_done: x}, expect: hold}]\n    verified", "is int"),
        ("    verified", "    examples: [{facts: {cylinder.life_ends_on: 2026-01-01}, expect: hold}]\n    verified", "is derived"),
        ("    verified", "    examples: [{facts: {}, expect: maybe}]\n    verified", "expect"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_where_it_is(old: str, new: str, says: str) -> None:
    text = text_of(rule("code.known"))
    assert old in text
    found = problems(text.replace(old, new, 1))
    assert any(says in problem for problem in found), found
    assert all(problem.startswith("site.yaml:") and ":0:0:" not in problem for problem in found)


def test_all_mistakes_come_at_once() -> None:
    broken = rule("cylinder.foo", id_="a").replace("zh: 拒绝, ", "")
    twin = rule("cylinder.bar", code="NOPE", id_="a")
    found = problems(text_of(broken, twin) + "surplus: 1\n")
    for says in ("cylinder.foo", "'zh' is missing", "cylinder.bar", "reason code"):
        assert any(says in problem for problem in found), (says, found)
    assert any("duplicate rule id 'a'" in problem for problem in found)
    assert any("unknown key 'surplus'" in problem for problem in found)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "x", "rules: 1", "rules: [1]", "rules: []", "a: [", "parameters: [1]", "\x00"],
)
def test_a_misshapen_text_is_refused_not_crashed_on(text: str) -> None:
    assert problems(text)


def test_a_pack_without_rules_is_refused() -> None:
    assert any("rules" in problem for problem in problems(text_of().replace("rules:", "rules: []")))


def test_parameters_are_read_by_rules_and_typed() -> None:
    head = (
        "parameters:\n"
        "  limit: {value: 3, unit: fills, source: s, verified: false}\n"
        "  since: {value: 2026-07, unit: date, source: s, verified: true}\n"
    )
    when = "cylinder.fills_done > param.limit && clock.today > param.since"
    pack = load(text_of(rule(when), head=head), "site.yaml")
    assert pack.parameters["since"].value == date(2026, 7, 31)
    assert pack.rules[0].reads >= {"param.limit", "param.since"}
    assert (
        "no matching overload" in problems(text_of(rule("clock.today > param.limit"), head=head))[0]
    )


def test_a_rule_whose_text_was_not_read_says_so_in_its_basis() -> None:
    text = text_of(rule("code.known"))
    assert "not verified" in load(text, "x").rules[0].basis
    verified = text.replace("verified: false", "verified: true")
    assert load(verified, "x").rules[0].basis == "test"


def test_a_site_pack_may_replace_one() -> None:
    text = text_of(rule("!code.known"), head="replaces: cn-lpg\n", id_="cn-lpg")
    assert load(text, "x").replaces == "cn-lpg"


def test_every_line_cut_from_the_shipped_pack_is_refused_or_still_a_pack() -> None:
    lines = CN_LPG.read_text(encoding="utf-8").splitlines(keepends=True)
    for index in range(0, len(lines), 20):
        text = "".join(lines[:index] + lines[index + 1 :])
        try:
            assert load(text, "cut.yaml").rules
        except DocumentError as exc:
            assert exc.problems  # noqa: PT017 - either outcome is right, a crash is not


def test_the_reasons_are_those_of_the_contract() -> None:
    contract = """NO_TAG UNREADABLE AMBIGUOUS CODE_UNKNOWN CODE_DUPLICATE TAG_MISMATCH TAG_FORGED
        RETIRED_CODE NOT_REGISTERED NOT_OWN OVERDUE INSPECTION_FAILED LIFE_EXCEEDED SCRAPPED
        CANCELLED NOT_ENABLED REFURBISHED SCREW_SHROUD NO_EMBOSSED_MARK NO_LICENCE_MAKER STAMP_BAD
        BODY_DEFECT WRONG_GAS PRESSURE_CLASS RESIDUAL TARE_UNKNOWN TARE_MISMATCH NO_PRECHECK
        PRECHECK_FAILED NO_OPERATOR OPERATOR_CERT VOUCHER_INVALID STATION_MISMATCH REGULATOR_LOCK
        FILL_COUNT ARCHIVE_STALE REPEAT_FILL OVERFILL_RISK CLOCK_UNTRUSTED DATA_MISSING RULE_BROKEN
        STORE_UNAVAILABLE"""
    assert list(REASONS) == contract.split()

"""Two texts of a pack compared: what differs in which rule, and whether it lets more through."""

from collections.abc import Callable

import pytest

from rules_engine.compare import Difference, compare
from rules_engine.pack import Pack, load
from tests.support.rules import CN_LPG, shipped

LAW = CN_LPG.read_text(encoding="utf-8")
HEAD = "id: our-lpg\nversion: '1'\nextends: cn-lpg\ntitle: {zh: 我站, en: ours}\nbasis: the site\n"
BY = "reason: recount, approved_by: Li Si"


def law(old: str = "", new: str = "") -> Pack:
    assert not old or LAW.count(old) >= 1, old
    return load(LAW.replace(old, new, 1), "law.yaml")


def ours(text: str = "") -> Pack:
    return load(HEAD + text, "our.yaml", shipped("cn-lpg"))


def only(old: Pack, new: Pack) -> Difference:
    (found,) = compare(old, new)
    return found


@pytest.mark.parametrize(
    "pack", [law(), ours(f"override: {{rule: overdue, {BY}, until: 2026-12-31}}")]
)
def test_a_pack_differs_from_itself_in_nothing(pack: Pack) -> None:
    assert compare(pack, pack) == ()


def test_comments_and_examples_decide_nothing() -> None:
    assert compare(law(), load(LAW + "# a comment\n", "law.yaml")) == ()


def _severity(to: str) -> Pack:
    return law("code: OVERDUE\n", f"code: OVERDUE\n    severity: {to}\n")


WAYS: dict[str, tuple[Callable[[], Pack], Callable[[], Pack], tuple[str, str, str, str]]] = {
    "a rule that warns now": (
        law,
        lambda: _severity("warn"),
        ("rule", "overdue", "changed", "yes"),
    ),
    "a rule that refuses now": (
        lambda: _severity("warn"),
        law,
        ("rule", "overdue", "changed", "no"),
    ),
    "a parameter that goes the loose way": (
        ours,
        lambda: ours(
            "parameters:\n  tare_deny_small_g: {value: 1200, unit: g, source: us, verified: true}\n"
            f"override: {{rule: param.tare_deny_small_g, {BY}, until: 2026-12-31}}\n"
        ),
        ("override", "param.tare_deny_small_g", "added", "yes"),
    ),
    "a parameter that goes the strict way": (
        ours,
        lambda: ours(
            "parameters:\n  tare_deny_small_g: {value: 800, unit: g, source: us, verified: true}\n"
        ),
        ("parameter", "tare_deny_small_g", "changed", "no"),
    ),
    "an override": (
        ours,
        lambda: ours(f"override: {{rule: overdue, {BY}, until: 2026-12-31}}"),
        ("override", "overdue", "added", "yes"),
    ),
    "an override that ends sooner": (
        lambda: ours(f"override: {{rule: overdue, {BY}, until: 2026-12-31}}"),
        lambda: ours(f"override: {{rule: overdue, {BY}, until: 2026-11-30}}"),
        ("override", "overdue", "changed", "no"),
    ),
    "an override that lasts longer": (
        lambda: ours(f"override: {{rule: overdue, {BY}, until: 2026-12-31}}"),
        lambda: ours(f"override: {{rule: overdue, {BY}, until: 2027-01-01}}"),
        ("override", "overdue", "changed", "yes"),
    ),
    "an override that is gone": (
        lambda: ours(f"override: {{rule: overdue, {BY}, until: 2026-12-31}}"),
        ours,
        ("override", "overdue", "removed", "no"),
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_differs_is_named_and_loosening_is_marked(way: str) -> None:
    old, new, expected = WAYS[way]
    found = only(old(), new())
    assert (found.kind, found.name, found.action, found.looser) == expected
    assert found.parts


def test_a_rule_that_vanishes_is_looser_and_one_that_appears_is_not() -> None:
    extra = (
        "rules:\n  - id: extra\n    code: NOT_OWN\n    severity: {severity}\n    stage: prefill\n"
        "    when: rig.id == 'x'\n    message: {{zh: 不, en: 'no'}}\n    basis: {{document: us}}\n"
        "    verified: true\n    examples: [{{facts: {{rig.id: x}}, expect: hold}}]\n"
    )
    for severity, looser in (("deny", "yes"), ("warn", "yes"), ("observe", "no")):
        more = ours(extra.format(severity=severity))
        assert only(ours(), more).looser == "no"
        gone = only(more, ours())
        assert (gone.name, gone.action, gone.looser, gone.code) == (
            "extra",
            "removed",
            looser,
            "NOT_OWN",
        )


def test_another_condition_may_be_looser_and_both_texts_are_told() -> None:
    rule = LAW[LAW.index("- id: overdue") :]
    when = rule[rule.index("when: ") + 6 :].partition("\n")[0]
    changed = LAW.replace(f"when: {when}", f"when: ({when}) && true", 1)
    found = only(law(), load(changed, "law.yaml"))
    assert found.looser == "maybe"
    assert [(part.key, part.old, part.new) for part in found.parts] == [
        ("when", when, f"({when}) && true")
    ]


def test_words_alone_are_told_and_loosen_nothing() -> None:
    found = only(ours(), ours("messages: {overdue: {zh: 超期, en: overdue!}}"))
    assert (found.looser, {part.key for part in found.parts}) == (
        "no",
        {"message.zh", "message.en"},
    )

"""Examples inside rules: one that comes out otherwise is told with its place."""

from rules_engine.examples import run
from rules_engine.pack import load
from tests.support.rules import rule, text_of

EXAMPLES = """\
    examples:
      - {facts: {scale.stable: true}, expect: hold}
      - {facts: {scale.stable: false}, expect: clear}
      - {facts: {}, expect: missing}
"""


def test_examples_that_hold_are_silent() -> None:
    assert run(load(text_of(rule("scale.stable") + EXAMPLES), "x.yaml")) == ()


def test_a_failing_example_is_told_with_line_and_what_it_said() -> None:
    failures = run(load(text_of(rule("!scale.stable") + EXAMPLES), "x.yaml"))
    assert [str(failure) for failure in failures] == [
        "x.yaml:13:9: site.r1 said clear; expected hold",
        "x.yaml:14:9: site.r1 said hold; expected clear",
    ]


def test_a_failing_example_names_the_fact_it_lacks() -> None:
    (first, *_rest) = run(load(text_of(rule("code.known") + EXAMPLES), "x.yaml"))
    assert str(first).endswith("said missing (code.known); expected hold")


def test_a_rule_without_both_kinds_of_example_proves_nothing() -> None:
    failures = run(load(text_of(rule("scale.stable")), "x.yaml"))
    assert [(failure.expected, failure.got) for failure in failures] == [
        ("hold", ""),
        ("clear", ""),
    ]

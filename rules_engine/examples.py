"""Run the examples inside the rules of a pack: what each must say about its facts."""

from collections.abc import Iterator
from dataclasses import dataclass

from protocols.documents import Mark
from rules_engine.engine import bind, complete, decide
from rules_engine.pack import Example, Pack, Rule

NEEDED = ("hold", "clear")
"""A rule without an example of each proves nothing."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An example that came out otherwise, or a rule that lacks one (`got` is then empty)."""

    mark: Mark
    rule: str
    expected: str
    got: str
    why: str

    def __str__(self) -> str:
        """`file:line:column: what is wrong; what was expected`."""
        said = f"said {self.got}" if self.got else "has no such example"
        why = f" ({self.why})" if self.why else ""
        return f"{self.mark}: {self.rule} {said}{why}; expected {self.expected}"


def run(pack: Pack) -> tuple[Failure, ...]:
    """Every example of every rule; empty when all hold."""
    return tuple(failure for rule in pack.rules for failure in _run(pack, rule))


def _run(pack: Pack, rule: Rule) -> Iterator[Failure]:
    for expected in NEEDED:
        if not any(example.expect == expected for example in rule.examples):
            yield Failure(rule.mark, rule.name, expected, "", "")
    for example in rule.examples:
        yield from _check(pack, rule, example)


def _check(pack: Pack, rule: Rule, example: Example) -> Iterator[Failure]:
    known, _findings = complete([pack], example.facts)
    outcome = decide(rule, *bind(pack, known))
    if outcome.says != example.expect:
        why = ", ".join(outcome.missing) or outcome.why
        yield Failure(example.mark, rule.name, example.expect, outcome.says, why)

"""Run the examples inside the rules of a pack: what each must say about its facts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import get_args

from protocols.documents import Mark
from rules_engine.engine import JUDGED, bind, complete, decide
from rules_engine.pack_file import Expect
from rules_engine.pack_model import Example, Pack, Rule
from rules_engine.verdict import Severity

NEEDED = ("hold", "clear")
"""A rule without an example of each proves nothing; `deny`, `warn` and `observe` are holds too."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An example that came out otherwise, or a rule that lacks one (`got` is then empty)."""

    mark: Mark
    rule: str
    expected: str
    got: str
    why: str

    @property
    def said(self) -> str:
        """What is wrong."""
        said = f"said {self.got}" if self.got else "has no such example"
        return f"{self.rule} {said}{f' ({self.why})' if self.why else ''}"

    @property
    def wanted(self) -> str:
        """What was expected."""
        return f"expected {self.expected}"

    def __str__(self) -> str:
        """`file:line:column: what is wrong; what was expected`."""
        return f"{self.mark}: {self.said}; {self.wanted}"


def run(pack: Pack) -> tuple[Failure, ...]:
    """Every example of every rule that this file says; empty when all hold and none is lacking.

    Rules inherited from the pack it extends are proven there, with the parameters of that pack.
    """
    return tuple(failure for rule in own(pack) for failure in (*_lacking(rule), *_run(pack, rule)))


def wrong(pack: Pack) -> tuple[Failure, ...]:
    """The examples that come out otherwise: what refuses a pack when it is loaded."""
    return tuple(failure for rule in own(pack) for failure in _run(pack, rule))


def own(pack: Pack) -> Iterator[Rule]:
    """The rules written in this file, also those that count only while an override lasts."""
    for rule in pack.rules:
        for text in (rule, rule.loosened):
            if text is not None and text.mark.origin == pack.origin:
                yield text


def _lacking(rule: Rule) -> Iterator[Failure]:
    said = {_meant(example.expect) for example in rule.examples}
    for expected in NEEDED:
        if expected not in said:
            yield Failure(rule.mark, rule.name, expected, "", "")


def _meant(expect: Expect) -> str:
    return "hold" if expect in get_args(Severity) else expect


def _run(pack: Pack, rule: Rule) -> Iterator[Failure]:
    changed = {f"param.{name}": item.value for name, (_, item) in pack.loosened.items()}
    as_written = replace(pack, values={**pack.values, **changed}, loosened={})
    for example in rule.examples:
        yield from _check(as_written, rule, example)


def _check(pack: Pack, rule: Rule, example: Example) -> Iterator[Failure]:
    values = {name: item for name, item in example.facts.items() if name in pack.values}
    facts = {name: item for name, item in example.facts.items() if name not in values}
    pack = replace(pack, values={**pack.values, **values})
    known, _findings = complete([pack], facts)
    outcome = decide(rule, *bind(pack, known, rule.reads))
    said: str = outcome.says
    if example.stage is not None and rule.stage not in JUDGED[example.stage]:
        said = "not_applicable"
    if said == "hold" and example.expect in get_args(Severity):
        said = rule.severity
    if said != example.expect:
        why = ", ".join(outcome.missing) or outcome.why
        yield Failure(example.mark, rule.name, example.expect, said, why)

"""What a loaded rule pack is: parameters, compiled rules with their examples, and what it extends."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from protocols.documents import Mark
from rules_engine.cel import Environment, Program
from rules_engine.facts import Value
from rules_engine.pack_file import Expect, Tighter
from rules_engine.template import Template
from rules_engine.verdict import Message, Override, PackRef, Severity, Stage


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that rules read as `param.<name>`, with where it comes from.

    `tighter` is the direction in which a site may change it without an override.
    """

    value: Value
    unit: str
    source: str
    verified: bool
    tighter: Tighter | None = None

    def loosened_by(self, value: Value) -> bool:
        """Whether `value` in its place is anything but the same or tighter."""
        if value == self.value:
            return False
        if self.tighter is None or isinstance(value, str):
            return True
        down = value < self.value  # type: ignore[operator]  # one kind each: checked before
        return down != (self.tighter == "lower")


@dataclass(frozen=True, slots=True)
class Example:
    """Facts and what the rule must say about them; `mark` is its place in the file."""

    facts: Mapping[str, Value]
    expect: Expect
    mark: Mark
    stage: Stage | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One compiled rule. `name` is unique among packs: `<pack id>.<rule id>`.

    While `override` is in force, `loosened` is judged in its place.
    """

    id: str
    name: str
    code: str
    severity: Severity
    stage: Stage
    given: Program | None
    applies_if_known: tuple[str, ...]
    when: Program
    message: Template
    basis: str
    verified: bool
    examples: tuple[Example, ...]
    mark: Mark
    values: tuple[str, ...]
    """The names whose values a finding of this rule carries: what it reads and what it says."""
    override: Override | None = None
    loosened: "Rule | None" = None

    def on(self, today: date | None) -> "Rule":
        """The text in force that day: the site's while its override lasts, else the law's."""
        if self.override is None or not self.override.in_force(today):
            return self
        assert self.loosened is not None, self.name
        return self.loosened

    @property
    def reads(self) -> frozenset[str]:
        """Every fact and parameter that decides this rule."""
        return self.when.reads | (self.given.reads if self.given else frozenset())


CHAPTERS_MAX = 32
"""How many chapters a pack remembers: six stages a day, and a day or two beside each other."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """The rules of a pack that are judged together, in order, and everything that they read."""

    rules: tuple[Rule, ...]
    reads: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pack:
    """A loaded pack. `ref` names the exact text; `reads` is what all its rules read together.

    `loosened` are the parameters that an override changes while it is in force.
    """

    id: str
    version: str
    title: Message
    basis: str
    replaces: str | None
    parameters: Mapping[str, Parameter]
    rules: tuple[Rule, ...]
    ref: PackRef
    origin: str
    environment: Environment = field(compare=False, repr=False)
    reads: frozenset[str] = field(compare=False, repr=False)
    values: Mapping[str, Value] = field(compare=False, repr=False)
    loosened: Mapping[str, tuple[Override, Parameter]] = field(default_factory=dict)
    _chapters: dict[tuple[frozenset[Stage], date | None], Chapter] = field(
        init=False, compare=False, repr=False, default_factory=dict
    )
    """Of this very pack: `replace` begins with none."""

    def chapter(self, stages: frozenset[Stage], today: date | None) -> Chapter:
        """The rules of `stages`, each in the text that counts that day; sorted out once a day."""
        found = self._chapters.get((stages, today))
        if found is None:
            texts = (rule.on(today) for rule in self.rules)
            rules = tuple(rule for rule in texts if rule.stage in stages)
            found = Chapter(rules, frozenset().union(*(rule.reads for rule in rules)))
            if len(self._chapters) >= CHAPTERS_MAX:
                self._chapters.clear()
            self._chapters[stages, today] = found
        return found

    def ref_on(self, today: date | None) -> PackRef:
        """Its name; with the day where overrides of a site depend on it."""
        return replace(self.ref, today=today) if self.ref.overrides else self.ref

    def values_on(self, today: date | None) -> Mapping[str, Value]:
        """Every `param.<name>` as it counts that day."""
        if not self.loosened:
            return self.values
        changed = {
            f"param.{name}": parameter.value
            for name, (override, parameter) in self.loosened.items()
            if override.in_force(today)
        }
        return {**self.values, **changed}

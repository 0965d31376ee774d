"""What a pack may do to the one it extends: add, tighten, say otherwise; loosen only by override."""

from collections.abc import Iterator, Mapping

from protocols.documents import Document, Mark, Path, Problem
from protocols.marks import nearest_hint
from rules_engine.extend import kind_of
from rules_engine.facts import FACTS, Value, parse_date
from rules_engine.pack_check import check_words
from rules_engine.pack_file import OverrideFile, PackFile, ParameterFile, RuleFile
from rules_engine.pack_model import Pack, Parameter, Rule
from rules_engine.verdict import weaker


def check(document: Document, file: PackFile, base: Pack | None) -> Iterator[Problem]:
    """Every problem between a pack and the one it extends; `base` None = there is none."""
    if file.extends is None:
        yield from _alone(document, file)
    elif base is None:
        what = f"no shipped pack {file.extends!r} to extend"
        yield Problem(document.mark(("extends",)), what, "expected the id of a shipped pack")
    elif base.ref.extends is not None:
        what = f"{file.extends!r} itself extends {base.ref.extends.id!r}"
        yield Problem(document.mark(("extends",)), what, f"extend {base.ref.extends.id!r} instead")
    else:
        yield from _Site(document, file, base).problems()


def _alone(document: Document, file: PackFile) -> Iterator[Problem]:
    for key in ("messages", "override"):
        if getattr(file, key):
            yield Problem(document.mark((key,)), f"{key} without extends", "say extends: <id>")
    if not file.rules:
        yield Problem(document.mark(("rules",)), "rules: a pack needs at least one")


class _Site:
    """One pair of packs, and what is wrong between them."""

    def __init__(self, document: Document, file: PackFile, base: Pack) -> None:
        self.document = document
        self.file = file
        self.base = base
        self.laws = {rule.id: rule for rule in base.rules}
        self.mine = {rule.id: rule for rule in file.rules}
        self.overrides = {item.rule: item for item in file.override}

    def problems(self) -> Iterator[Problem]:
        """All of them."""
        yield from self._messages()
        for name, item in self.file.parameters.items():
            if (old := self.base.parameters.get(name)) is not None:
                yield from self._parameter(name, item, old)
        for index, rule in enumerate(self.file.rules):
            old_rule = self.laws.get(rule.id)
            loose = old_rule is not None and _looser(old_rule, rule)
            if loose and rule.id not in self.overrides:
                yield self._needs(("rules", index, "id"), rule.id, "is not the rule of")
        for index, override in enumerate(self.file.override):
            yield from self._override(index, override)

    def mark(self, *path: str | int) -> Mark:
        return self.document.mark(path)

    def _needs(self, path: Path, name: str, how: str) -> Problem:
        expected = f"only an override may loosen it: {{rule: {name}, reason, approved_by, until}}"
        return Problem(self.document.mark(path), f"{name} {how} {self.base.id}", expected)

    def _messages(self) -> Iterator[Problem]:
        known = frozenset(FACTS) | {f"param.{name}" for name in self._parameters()}
        for name, words in self.file.messages.items():
            if name not in self.laws or name in self.mine:
                what = f"messages: no rule {name!r} inherited from {self.base.id}"
                yield Problem(self.mark("messages", name), what, "", self._near(name))
            for language, text in (("zh", words.zh), ("en", words.en)):
                yield from check_words(self.mark("messages", name, language), text, known)

    def _parameters(self) -> Mapping[str, object]:
        return {**self.base.parameters, **self.file.parameters}

    def _near(self, name: str) -> str:
        return nearest_hint(name, self.laws)

    def _parameter(self, name: str, item: ParameterFile, old: Parameter) -> Iterator[Problem]:
        path: Path = ("parameters", name, "value")
        value = _value(item)
        if value is None:
            return  # no such day: told already
        if item.unit != old.unit or kind_of(value) != kind_of(old.value):
            what = f"param.{name} is {kind_of(old.value)} of unit {old.unit!r} in {self.base.id}"
            yield Problem(self.document.mark(path), what)
        elif item.tighter not in {None, old.tighter}:
            place = self.mark("parameters", name, "tighter")
            yield Problem(place, f"param.{name} is tighter {old.tighter} in {self.base.id}")
        elif old.loosened_by(value) and f"param.{name}" not in self.overrides:
            yield self._needs(path, f"param.{name}", f"{value} loosens {old.value} of")

    def _override(self, index: int, item: OverrideFile) -> Iterator[Problem]:
        place = self.mark("override", index, "rule")
        if [each.rule for each in self.file.override].index(item.rule) < index:
            yield Problem(place, f"{item.rule} is overridden twice", "", "remove one of the two")
        elif item.rule.startswith("param."):
            yield from self._loosens_parameter(place, item, item.rule.removeprefix("param."))
        elif item.rule not in self.laws:
            what = f"no rule {item.rule!r} in {self.base.id}"
            yield Problem(place, what, "", self._near(item.rule))
        else:
            yield from self._loosens_rule(place, item, self.laws[item.rule])

    def _loosens_parameter(self, place: Mark, item: OverrideFile, name: str) -> Iterator[Problem]:
        old, new = self.base.parameters.get(name), self.file.parameters.get(name)
        if old is None:
            what = f"no parameter {name!r} in {self.base.id}"
            yield Problem(place, what, "", nearest_hint(name, self.base.parameters))
        elif new is None:
            yield Problem(
                place, f"{item.rule}: no new value", f"expected it under parameters: {name}"
            )
        elif (value := _value(new)) is not None and not old.loosened_by(value):
            yield Problem(place, f"{item.rule} loosens nothing", "", "remove the override")
        elif item.severity is not None:
            yield Problem(place, "a parameter has no severity", "", "remove severity")

    def _loosens_rule(self, place: Mark, item: OverrideFile, old: Rule) -> Iterator[Problem]:
        mine = self.mine.get(item.rule)
        if mine is not None:
            if item.severity is not None:
                yield Problem(place, f"{item.rule} has its severity under rules", "", "remove one")
            if not _looser(old, mine):
                yield Problem(place, f"{item.rule} loosens nothing", "", "remove the override")
        elif not weaker(item.severity or "observe", old.severity):
            yield Problem(
                place, f"{item.rule} is {old.severity} already", "", "remove the override"
            )


def _value(item: ParameterFile) -> Value | None:
    if item.unit != "date":
        value: Value = item.value
        return value
    try:
        return parse_date(str(item.value))
    except ValueError:
        return None


def _looser(old: Rule, new: RuleFile) -> bool:
    """Whether the site's text may let through what the law's refuses: unless proven, it may."""
    given = None if old.given is None else old.given.source
    same = (new.code, new.stage, new.given, new.when) == (
        old.code,
        old.stage,
        given,
        old.when.source,
    )
    optional = set(new.applies_if_known) <= set(old.applies_if_known)
    return not same or not optional or weaker(new.severity, old.severity)

"""A site's pack on top of a shipped one: the law's rules, the site's own, and what is loosened.

Nothing here decides whether the site may: `site_check` has refused what it may not.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from rules_engine.cel import Environment
from rules_engine.facts import Kind, Value, parse_date
from rules_engine.pack_file import PackFile
from rules_engine.pack_model import Pack, Parameter, Rule
from rules_engine.template import Template
from rules_engine.verdict import Override


def kinds(base: Pack | None) -> dict[str, Kind]:
    """The parameters of the pack below, as names that expressions may read."""
    if base is None:
        return {}
    return {f"param.{name}": kind_of(item.value) for name, item in base.parameters.items()}


def kind_of(value: Value) -> Kind:
    """The type of fact that a parameter's value is."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, date):
        return "date"
    return "int" if isinstance(value, int) else "text"


def extend(base: Pack, own: Pack, file: PackFile) -> Pack:
    """`own` with everything of `base` that it does not say otherwise."""
    overrides = {
        item.rule: Override(item.rule, item.reason, item.approved_by, parse_date(item.until))
        for item in file.override
    }
    rules = _rules(base, own, file, overrides)
    lawful, loosened = _parameters(base, own, overrides)
    both = [*rules, *(rule.loosened for rule in rules if rule.loosened is not None)]
    return replace(
        own,
        parameters=lawful,
        rules=tuple(rules),
        ref=replace(own.ref, extends=base.ref, overrides=tuple(overrides.values())),
        reads=frozenset().union(*(rule.reads for rule in both)),
        values={f"param.{name}": item.value for name, item in lawful.items()},
        loosened=loosened,
    )


def _rules(base: Pack, own: Pack, file: PackFile, overrides: Mapping[str, Override]) -> list[Rule]:
    mine = {rule.id: rule for rule in own.rules}
    severities = {item.rule: item.severity or "observe" for item in file.override}
    rules: list[Rule] = []
    for rule in base.rules:
        words = file.messages.get(rule.id)
        message = rule.message if words is None else Template(words.zh, words.en)
        inherited = _again(rule, own.environment, message)
        if rule.id not in overrides:
            rules.append(mine.get(rule.id, inherited))
            continue
        site = mine.get(rule.id) or replace(inherited, severity=severities[rule.id])
        rules.append(_overridden(inherited, site, overrides[rule.id]))
    known = {rule.id for rule in base.rules}
    return rules + [rule for rule in own.rules if rule.id not in known]


def _again(rule: Rule, environment: Environment, message: Template) -> Rule:
    """The rule compiled against the site's parameters; it keeps its name and place."""
    read = rule.reads | set(message.names)
    return replace(
        rule,
        given=None if rule.given is None else environment.compile(rule.given.source),
        when=environment.compile(rule.when.source),
        message=message,
        values=tuple(sorted(read)),
    )


def _overridden(lawful: Rule, site: Rule, override: Override) -> Rule:
    until = override.until.isoformat()
    why = f"放宽至 / loosened until {until}: {override.reason} ({override.approved_by})"
    over = f"放宽截至 {until}，未生效 / override through {until} not in force"
    return replace(
        lawful,
        basis=f"{lawful.basis} [{over}]",
        override=override,
        loosened=replace(site, basis=f"{site.basis} [{why}]"),
    )


def _parameters(
    base: Pack, own: Pack, overrides: Mapping[str, Override]
) -> tuple[dict[str, Parameter], dict[str, tuple[Override, Parameter]]]:
    """What counts by law and by the site, and what counts only while an override lasts."""
    lawful, loosened = dict(base.parameters), {}
    for name, item in own.parameters.items():
        old = base.parameters.get(name)
        merged = item if old is None else replace(item, tighter=old.tighter)
        override = overrides.get(f"param.{name}")
        if override is None:
            lawful[name] = merged
        else:
            loosened[name] = (override, merged)
    return lawful, loosened

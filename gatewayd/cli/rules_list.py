"""`gatewayd rules list` and `rules facts`: what decides, and everything that a rule may read."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gatewayd.cli.common import config_option, json_option, print_json, reports_errors
from gatewayd.cli.packs import in_force, sound
from gatewayd.clock import SystemClock
from rules_engine.facts import FACTS
from rules_engine.pack import Pack, Parameter, Rule
from rules_engine.template import shown


@click.command("list")
@config_option
@json_option
@reports_errors
def list_rules(*, as_json: bool) -> None:
    """Every rule: id, reason, severity, stage, condition and basis; and what a site loosened.

    \b
    gatewayd rules list -c config
    """  # noqa: D301 - click wants the backspace character itself
    packs = sound(in_force())
    today = SystemClock().wall().date()
    if as_json:
        print_json({"packs": [_pack_json(item, today) for item in packs]})
        return
    console = Console(highlight=False)
    for item in packs:
        for table in _tables(item, today):
            console.print(table)


@click.command("facts")
@config_option
@json_option
@reports_errors
def list_facts(*, as_json: bool) -> None:
    """Every fact that a rule may read: its type, unit and meaning, and which rules read it.

    \b
    gatewayd rules facts
    """  # noqa: D301 - click wants the backspace character itself
    packs = sound(in_force())
    if as_json:
        print_json({"facts": [_fact_json(name, packs) for name in FACTS]})
        return
    table = Table(box=None)
    for heading in ("fact", "type"):
        table.add_column(heading, no_wrap=True)
    table.add_column("meaning", overflow="fold")
    table.add_column("rules", no_wrap=True)
    for name, fact in FACTS.items():
        kind = f"{fact.type} {fact.unit}".strip() + (" (derived)" if fact.derived else "")
        words = f"{fact.doc.zh} / {fact.doc.en}"
        choices = f": {' '.join(sorted(fact.choices))}" if fact.choices else ""
        table.add_row(name, kind, words + choices, str(len(_readers(name, packs)) or ""))
    Console(highlight=False).print(table)


def _fact_json(name: str, packs: Sequence[Pack]) -> dict[str, Any]:
    fact = FACTS[name]
    return {
        "name": name,
        "type": fact.type,
        "unit": fact.unit,
        "choices": sorted(fact.choices),
        "derived": fact.derived,
        "meaning": {"zh": fact.doc.zh, "en": fact.doc.en},
        "rules": _readers(name, packs),
    }


def _readers(name: str, packs: Sequence[Pack]) -> list[str]:
    reading = (
        rule.name
        for pack in packs
        for rule in pack.rules
        if name in rule.reads or name in rule.applies_if_known
    )
    return sorted(set(reading))


def _pack_json(item: Pack, today: date) -> dict[str, Any]:
    return {
        **item.ref_on(today).as_json(),
        "file": item.origin,
        "title": {"zh": item.title.zh, "en": item.title.en},
        "basis": item.basis,
        "parameters": {name: _parameter_json(each) for name, each in item.parameters.items()},
        "rules": [_rule_json(rule, today) for rule in item.rules],
    }


def _parameter_json(item: Parameter) -> dict[str, Any]:
    value = item.value.isoformat() if isinstance(item.value, date) else item.value
    return {
        "value": value,
        "unit": item.unit,
        "source": item.source,
        "verified": item.verified,
        "tighter": item.tighter,
    }


def _rule_json(rule: Rule, today: date) -> dict[str, Any]:
    now = rule.on(today)
    return {
        "id": now.name,
        "code": now.code,
        "severity": now.severity,
        "stage": now.stage,
        "given": now.given.source if now.given else None,
        "applies_if_known": list(now.applies_if_known),
        "when": now.when.source,
        "message": {"zh": now.message.zh, "en": now.message.en},
        "basis": now.basis,
        "verified": now.verified,
        "overridden": rule.override is not None,
        "line": now.mark.line,
    }


def _tables(item: Pack, today: date) -> Iterator[Table]:
    yield _rules(item, today)
    yield _parameters(item)
    if item.ref.overrides:
        yield _overrides(item, today)


def _rules(item: Pack, today: date) -> Table:
    """One row a rule, its condition and basis below: at 80 columns no expression breaks early."""
    table = Table(box=None, title_justify="left", padding=(0, 1, 0, 0), show_header=False)
    below = (
        f"  extends {item.ref.extends.id} {item.ref.extends.version}" if item.ref.extends else ""
    )
    title = f"{item.id} {item.version}{below}  {item.title.zh} / {item.title.en}"
    table.title = Text(title)
    table.add_column(overflow="fold")
    for rule in item.rules:
        now = rule.on(today)
        head = f"{now.id}  {now.code}  {now.severity}  {now.stage}"
        given = f"\n    given {now.given.source}" if now.given else ""
        known = ", ".join(now.applies_if_known)
        known = f"\n    applies if known: {known}" if known else ""
        when = f"{known}{given}\n    when {now.when.source}"
        style = "yellow" if rule.override is not None else ""
        told = Text.assemble((head, "bold"), when, (f"\n    {now.basis}", "dim"))
        table.add_row(told, style=style)
    return table


def _parameters(item: Pack) -> Table:
    table = Table("parameter", "value", "source", box=None, padding=(0, 1, 0, 0))
    for name, each in item.parameters.items():
        table.add_row(name, f"{shown(each.value, 'en')} {each.unit}", each.source)
    return table


def _overrides(item: Pack, today: date) -> Table:
    table = Table("loosened", "until", "reason", "approved by", box=None, padding=(0, 1, 0, 0))
    for each in item.ref.overrides:
        until = each.until.isoformat() + ("" if each.in_force(today) else " (over)")
        table.add_row(each.rule, until, each.reason, each.approved_by, style="yellow")
    return table

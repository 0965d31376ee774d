"""`gatewayd rules`: the rules in force, and whether the examples inside them hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gatewayd.cli.common import (
    NO,
    config_option,
    directory,
    json_option,
    print_json,
    reports_errors,
    stop,
)
from gatewayd.cli.replay import replay_rules
from gatewayd.errors import ConfigError
from gatewayd.settings.library import load_files, load_packs
from gatewayd.settings.report import Report
from gatewayd.settings.shipped import shipped_dir
from protocols.documents import Problem
from rules_engine import examples
from rules_engine.pack import Pack, Rule


@dataclass(frozen=True, slots=True)
class Loaded:
    """The packs that load, and every mistake of those that do not."""

    packs: tuple[Pack, ...]
    problems: tuple[Problem, ...]


@click.group()
@config_option
def rules() -> None:
    """The rules that decide, and the examples inside them.

    \b
    gatewayd rules list
    """  # noqa: D301 - click wants the backspace character itself


rules.add_command(replay_rules)


@rules.command("list")
@config_option
@json_option
@reports_errors
def list_rules(*, as_json: bool) -> None:
    """Every rule: id, reason, severity, condition and basis.

    \b
    gatewayd rules list -c config
    """  # noqa: D301 - click wants the backspace character itself
    loaded = in_force()
    _refuse(loaded.problems)
    if as_json:
        print_json({"packs": [_pack_json(item) for item in loaded.packs]})
        return
    console = Console(highlight=False)
    for item in loaded.packs:
        console.print(_table(item))


@rules.command("test")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
@config_option
@json_option
@reports_errors
def test_rules(*, files: Sequence[Path], as_json: bool) -> None:
    """Run the examples inside every rule; exit 1 when one fails.

    Without FILES: the shipped packs and those of the config directory.

    \b
    gatewayd rules test
    gatewayd rules test my-pack.yaml
    """  # noqa: D301 - click wants the backspace character itself
    loaded = load(files) if files else in_force(prove=False)
    failures = [failure for item in loaded.packs for failure in examples.run(item)]
    if as_json:
        print_json(_result(loaded, failures))
    else:
        _report(loaded, failures)
    if failures or loaded.problems:
        stop(NO)


def in_force(*, prove: bool = True) -> Loaded:
    """The shipped packs and those of the config directory, as the daemon would load them.

    Without `prove` also those whose examples fail. Raises ConfigError when a config directory that was asked for does not exist.
    """
    report = Report()
    library = load_packs(_site(), report, prove=prove)
    return Loaded(tuple(library.values.values()), tuple(sorted(set(report.problems))))


def _site() -> Path:
    """The config directory; without one the shipped rules stand alone."""
    try:
        return directory()
    except ConfigError:
        if click.get_current_context().find_root().meta.get("gatewayd.directory"):
            raise
        return shipped_dir()


def load(paths: Sequence[Path]) -> Loaded:
    """Load just these pack files, each on top of the shipped one it extends."""
    report = Report()
    packs = load_files(paths, report)
    return Loaded(tuple(packs), tuple(sorted(set(report.problems))))


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise ConfigError("\n".join(str(problem) for problem in problems))


def _pack_json(item: Pack) -> dict[str, Any]:
    return {
        **item.ref.as_json(),
        "file": item.origin,
        "title": {"zh": item.title.zh, "en": item.title.en},
        "rules": [_rule_json(rule) for rule in item.rules],
    }


def _rule_json(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.name,
        "code": rule.code,
        "severity": rule.severity,
        "given": rule.given.source if rule.given else None,
        "applies_if_known": list(rule.applies_if_known),
        "when": rule.when.source,
        "message": {"zh": rule.message.zh, "en": rule.message.en},
        "basis": rule.basis,
        "verified": rule.verified,
        "line": rule.mark.line,
    }


def _result(loaded: Loaded, failures: Sequence[examples.Failure]) -> dict[str, Any]:
    return {
        "ok": not failures and not loaded.problems,
        "packs": [
            {**item.ref.as_json(), "rules": len(item.rules), "examples": _examples_in(item)}
            for item in loaded.packs
        ],
        "failures": [_failure_json(failure) for failure in failures],
        "problems": [str(problem) for problem in loaded.problems],
    }


def _failure_json(failure: examples.Failure) -> dict[str, Any]:
    return {
        "file": failure.mark.origin,
        "line": failure.mark.line,
        "column": failure.mark.column,
        "rule": failure.rule,
        "expected": failure.expected,
        "got": failure.got or None,
        "why": failure.why,
    }


def _examples_in(item: Pack) -> int:
    return sum(len(rule.examples) for rule in item.rules)


def _report(loaded: Loaded, failures: Sequence[examples.Failure]) -> None:
    for line in _lines(loaded, failures):
        click.echo(line, err=True)
    console = Console(highlight=False)
    table = Table("pack", "version", "rules", "examples", "failed", box=None)
    for item in loaded.packs:
        failed = sum(failure.mark.origin == item.origin for failure in failures)
        counts = (str(len(item.rules)), str(_examples_in(item)), str(failed))
        table.add_row(item.id, item.version, *counts, style="red" if failed else "green")
    console.print(table)


def _lines(loaded: Loaded, failures: Sequence[examples.Failure]) -> Iterator[str]:
    yield from map(str, loaded.problems)
    yield from map(str, failures)


def _table(item: Pack) -> Table:
    table = Table(box=None, title_justify="left", padding=(0, 1, 0, 0))
    table.title = Text(f"{item.id} {item.version}  {item.title.zh} / {item.title.en}")
    for heading in ("rule", "code", "severity"):
        table.add_column(heading, no_wrap=True)
    table.add_column("when / basis", overflow="fold")
    for rule in item.rules:
        condition = Text.assemble(rule.when.source, "\n", (rule.basis, "dim"))
        table.add_row(rule.id, rule.code, rule.severity, condition)
    return table

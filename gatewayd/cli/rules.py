"""`gatewayd rules`: the rules in force, and whether the examples inside them hold."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from gatewayd.cli.common import (
    NO,
    config_option,
    json_option,
    print_json,
    reports_errors,
    stop,
)
from gatewayd.cli.packs import Loaded, in_force, load
from gatewayd.cli.replay import replay_rules
from gatewayd.cli.rules_list import list_facts, list_rules
from rules_engine import examples
from rules_engine.pack import Pack


@click.group()
@config_option
def rules() -> None:
    """The rules that decide, and the examples inside them.

    \b
    gatewayd rules list
    """  # noqa: D301 - click wants the backspace character itself


rules.add_command(list_rules)
rules.add_command(list_facts)
rules.add_command(replay_rules)


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

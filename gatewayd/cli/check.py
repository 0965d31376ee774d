"""`gatewayd check`: every mistake of a configuration at once, without hardware."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from gatewayd.cli.common import (
    NO,
    config_option,
    directory,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
    stop,
)
from gatewayd.clock import SystemClock
from gatewayd.settings import lapsed
from gatewayd.settings.gates import closings
from gatewayd.settings.load import Examined, examine
from gatewayd.settings.model import Settings
from gatewayd.texts import Language, text
from protocols.documents import Problem


@click.command()
@lang_option
@config_option
@json_option
@reports_errors
def check(*, lang: Language | None, as_json: bool) -> None:
    """Validate the whole configuration; exit 1 and list everything that is wrong.

    \b
    gatewayd check -c config
    gatewayd check --json | jq .problems
    """  # noqa: D301 - click wants the backspace character itself
    examined = _today(examine(directory()))
    if as_json:
        print_json(as_object(examined))
    else:
        _print(examined, language(lang))
    if examined.settings is None:
        stop(NO)


def _today(examined: Examined) -> Examined:
    """What was found, with the warnings as they are true today."""
    return replace(examined, warnings=lapsed.warnings(examined, SystemClock().wall()))


def as_object(examined: Examined) -> dict[str, Any]:
    """What `check --json` prints."""
    return {
        "ok": examined.settings is not None,
        "problems": _rows(examined.problems),
        "warnings": _rows(examined.warnings),
        "gates": gate_rows(examined.settings) if examined.settings is not None else [],
    }


def _rows(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    return [
        {
            "file": problem.mark.origin,
            "line": problem.mark.line,
            "column": problem.mark.column,
            "what": problem.what,
            "expected": problem.expected,
            "hint": problem.hint,
        }
        for problem in problems
    ]


def gate_rows(settings: Settings) -> list[dict[str, Any]]:
    """How each rig's gate closes when this computer dies."""
    return [
        {
            "rig": end.rig_id,
            "gate": end.device,
            "kind": end.kind,
            "closes_within_ms": end.within_ms,
            "message": {"zh": end.say("zh"), "en": end.say("en")},
        }
        for end in closings(settings)
    ]


def _print(examined: Examined, spoken: Language) -> None:
    for warning in examined.warnings:
        click.echo(f"warning: {warning}", err=True)
    for problem in examined.problems:
        click.echo(str(problem), err=True)
    if examined.settings is not None:
        _summary(examined.settings, spoken)


def _summary(settings: Settings, spoken: Language) -> None:
    """One line that it is valid, and one table a person can compare with the hall."""
    console = Console(highlight=False)
    where = text("check.ok", spoken, directory=settings.directory)
    console.print(f"✓ {where}", style="green", markup=False)
    titles = ("rig", "medium", "identify", "gate", "rules")
    table = Table(*(text(f"label.{title}", spoken) for title in titles), box=None)
    for name, rig in settings.rigs.items():
        readers = ", ".join(item.device for item in rig.identify)
        table.add_row(name, rig.medium, readers, rig.gate, ", ".join(rig.rules))
    console.print(table)
    for end in closings(settings):
        console.print(end.say(spoken), style="red" if end.stays_open else "", markup=False)
    for title, values in _lists(settings).items():
        label = text(f"label.{title}", spoken)
        console.print(f"{label}: {', '.join(values) or '-'}", markup=False, soft_wrap=True)


def _lists(settings: Settings) -> dict[str, list[str]]:
    return {
        "station": [f"{settings.station.id} {settings.station.name}".strip()],
        "devices": [f"{d.name} ({d.driver.name})" for d in settings.devices.values()],
        "rules": [f"{pack.id} {pack.version}" for pack in settings.packs.values()],
        "profiles": sorted(settings.profiles),
        "upstreams": [f"{up.name} ({up.driver})" for up in settings.upstreams.values()],
    }

"""`gatewayd config plan`: what a reload would change, against what runs or ran last."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from gatewayd.cli import plan_rules
from gatewayd.cli.check import as_object
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
from gatewayd.reload.reading import readable
from gatewayd.settings.load import Examined, examine
from gatewayd.settings.model import Settings
from gatewayd.settings.picture import new_salt, picture
from gatewayd.settings.plan import Change, Plan, explained
from gatewayd.settings.plan import plan as compare
from gatewayd.store.database import exists
from gatewayd.store.in_force import Running, StoredPack, owned
from gatewayd.store.reads import Reader
from gatewayd.texts import Language, text
from rules_engine.pack import Pack


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store says: what runs, whether it runs now, and the rigs that are not at rest."""

    running: Running | None = None
    alive: bool = False
    busy: tuple[str, ...] = ()
    packs: tuple[StoredPack, ...] = ()

    def pack(self, name: str) -> Pack | None:
        """The pack as it decides now; None when this program cannot read its text."""
        return next((readable(each) for each in self.packs if each.id == name), None)


@click.command()
@lang_option
@config_option
@json_option
@reports_errors
def plan(*, lang: Language | None, as_json: bool) -> None:
    """Print what a reload would change, and touch nothing. Exit 1: the files are wrong.

    \b
    gatewayd config plan -c config
    """  # noqa: D301 - click wants the backspace character itself
    examined = examine(directory())
    if examined.settings is None:
        _wrong(examined, as_json=as_json)
    else:
        _say(examined, examined.settings, language(lang), as_json=as_json)


def _wrong(examined: Examined, *, as_json: bool) -> None:
    if as_json:
        print_json(as_object(examined))
    stop(NO, "\n".join(str(problem) for problem in examined.problems))


def _say(examined: Examined, settings: Settings, spoken: Language, *, as_json: bool) -> None:
    known = _known(settings)
    salt = known.running.salt if known.running else new_salt()
    before: Mapping[str, Any] = known.running.parts if known.running else {}
    found = compare(before, picture(examined, salt), known.busy)
    found = explained(found, known.pack, settings.packs)
    if as_json:
        since = known.running.since if known.running else None
        print_json({"ok": True, "running": known.alive, "since": since, **found.as_json()})
        return
    for line in _lines(found, known, spoken):
        click.echo(line)


def _known(settings: Settings) -> _Known:
    """Raises StoreError when there is a store that cannot be read."""
    path = settings.store_path
    if not exists(path):
        return _Known()
    with Reader.open(path) as store:
        busy = tuple(store.rigs_with_pending_permits())
        return _Known(store.running(), owned(path), busy, store.packs_in_force())


def _lines(found: Plan, known: _Known, language: Language) -> list[str]:
    lines = [] if known.alive else [text("plan.stopped", language)]
    if known.running is None:
        lines = [text("plan.unknown", language)]
    if not found.changes:
        return [*lines, text("plan.none", language)]
    for change in found.changes:
        lines += _change(change, language)
    if found.rigs:
        lines.append(text("plan.rigs", language, rigs=", ".join(found.rigs)))
    if found.waiting:
        lines.append(text("plan.waiting", language, rigs=", ".join(found.waiting)))
    return lines


def _change(change: Change, language: Language) -> list[str]:
    mark = {"added": "+", "removed": "-", "changed": "~"}[change.action]
    lines = [f"{mark} {change.part}  {text(f'plan.{change.action}', language)}"]
    lines += plan_rules.lines(change, language)
    for value in change.values:
        old, new = (json.dumps(each, ensure_ascii=False) for each in (value.old, value.new))
        shown = {"added": new, "removed": old, "changed": f"{old} -> {new}"}[change.action]
        late = text("plan.needs_restart", language) if value.key in change.restart else ""
        lines.append(f"    {value.key}: {shown}{'  ! ' + late if late else ''}")
    return lines

"""`gatewayd backup` and `gatewayd restore`: a proven copy of the store, and the way back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from gatewayd.alarms import damage
from gatewayd.cli.common import (
    config_option,
    directory,
    json_option,
    lang_option,
    language,
    print_json,
    reports_errors,
)
from gatewayd.clock import SystemClock
from gatewayd.settings.load import load
from gatewayd.store import copying, restoring
from gatewayd.store.chain import Issuer
from gatewayd.store.copying import Copied
from gatewayd.store.restoring import Restored
from gatewayd.store.swap import free_name
from gatewayd.texts import Language, text


@click.command()
@click.option(
    "--to",
    "target",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Default: beside the store. Another disk is better.",
)
@lang_option
@config_option
@json_option
@reports_errors
def backup(target: Path | None, *, lang: Language | None, as_json: bool) -> None:
    """Copy the store as it is now and prove the copy, page by page and record by record.

    The daemon may run. The copy is one file that needs nothing beside it.

    \b
    gatewayd backup --to /media/usb/gatewayd-backup.db
    """  # noqa: D301 - click wants the backspace character itself
    path = load(directory()).store_path
    restoring.require_store(path)
    to = target or free_name(path, "backup", SystemClock().wall())
    done = copying.back_up(path, to)
    if as_json:
        print_json({"ok": True, **_copy(done)})
        return
    known = {"file": done.file, "bytes": done.bytes, "records": done.records}
    click.echo(text("backup.done", language(lang), **known, last=done.head.sequence))


def _copy(done: Copied) -> dict[str, Any]:
    return {
        "file": str(done.file),
        "bytes": done.bytes,
        "records": done.records,
        "last_sequence": done.head.sequence,
        "last_hash": done.head.hash,
    }


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", metavar="NAME", required=True, help="Who restores; it is recorded.")
@lang_option
@config_option
@json_option
@reports_errors
def restore(file: Path, *, by: str, lang: Language | None, as_json: bool) -> None:
    """Put a backup in the place of the store; stop gatewayd first.

    The replaced store is kept beside. What is newer in it and can be read is taken over: records,
    cursors, totalisers, open permits, locks, holds, alarms. Where it cannot be read, a million
    sequences are left out, so that none is used twice. The next start compares totalisers and permits
    with the gates as after any outage.

    \b
    gatewayd restore /media/usb/gatewayd-backup.db --by Li
    """  # noqa: D301 - click wants the backspace character itself
    settings = load(directory())
    station = settings.station
    done = restoring.restore(
        settings.store_path,
        file,
        issuer=Issuer(station.id, ZoneInfo(station.timezone)),
        at=SystemClock().wall(),
        way=restoring.Restoring(
            lambda found: damage.restored(found, station.id, by=by),
            damage.remedy(station.id, tuple(settings.rigs)),
        ),
    )
    if as_json:
        print_json(_restored(done))
        return
    for line in _lines(done, language(lang)):
        click.echo(line)


def _lines(done: Restored, lang: Language) -> Iterator[str]:
    """What became of it, for a person."""
    backup, carried = done.backup, done.carried
    yield text("restore.done", lang, records=backup.records, last=backup.head.sequence)
    if done.replaced is None:
        yield text("restore.nothing_replaced", lang)
    else:
        yield text("restore.replaced", lang, file=done.replaced)
    yield text("restore.since", lang, records=done.replaced_records)
    for first, last in carried.known_lost:
        yield text("restore.lost", lang, first=first, last=last)
    if carried.left_out is not None:
        first, last = carried.left_out
        yield text("restore.left_out", lang, first=first, last=last)
    if carried.groups_lost:
        groups = (text(f"group.{name}", lang) for name in carried.groups_lost)
        yield text("restore.as_in_backup", lang, groups=", ".join(groups))
    if done.locked:
        yield text("restore.locked", lang, rigs=", ".join(done.locked))


def _restored(done: Restored) -> dict[str, Any]:
    return {
        "ok": True,
        "backup_records": done.backup.records,
        "backup_through": done.backup.head.sequence,
        "replaced": done.replaced,
        "replaced_records": done.replaced_records,
        "lost": [list(ends) for ends in done.carried.lost],
        "left_out": done.carried.left_out,
        "not_taken_over": list(done.carried.groups_lost),
        "locked": list(done.locked),
    }

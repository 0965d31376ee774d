"""`gatewayd backup` and `gatewayd restore`: a proven copy of the store, and the way back."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from gatewayd.alarms import damage
from gatewayd.cli.common import (
    config_option,
    directory,
    json_option,
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


@click.command()
@click.option(
    "--to",
    "target",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Default: beside the store. Another disk is better.",
)
@config_option
@json_option
@reports_errors
def backup(target: Path | None, *, as_json: bool) -> None:
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
    click.echo(
        f"{done.file}: {done.bytes} bytes, {done.records} records through {done.head.sequence}, "
        "pages and chain right"
    )


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
@config_option
@json_option
@reports_errors
def restore(file: Path, *, by: str, as_json: bool) -> None:
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
    click.echo(f"restored {done.backup.records} records through {done.backup.head.sequence}")
    click.echo(f"replaced store: {done.replaced or 'none'}")
    click.echo(f"records made since and taken over: {done.replaced_records}")
    for first, last in done.carried.known_lost:
        click.echo(f"lost: {first} to {last}")
    if done.carried.left_out is not None:
        first, last = done.carried.left_out
        click.echo(
            f"left out: {first} to {last}, so that no number is used twice: "
            "nobody knows how far the store that is gone had counted"
        )
    if done.carried.groups_lost:
        click.echo(f"as in the backup, may be old: {', '.join(done.carried.groups_lost)}")
    if done.locked:
        click.echo(
            f"locked, until somebody has compared what is forbidden: {', '.join(done.locked)} "
            "(gatewayd unlock)"
        )


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

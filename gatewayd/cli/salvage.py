"""`gatewayd records salvage`: what can be read out of a damaged store."""

from pathlib import Path

import click

from gatewayd.cli.common import NO, json_option, print_json, reports_errors, stop
from gatewayd.store import salvage as salvaging
from gatewayd.store.salvage import Salvaged

SHOWN_MAX = 20
"""Stretches named on a terminal; the report has all."""
LACKS_LOG = (
    "{0}: its log, {0}-wal, is not beside it: if this was copied while gatewayd ran, the newest "
    "records are in that log. Copy both, or let `gatewayd backup` make one whole file"
)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write records.jsonl, spoilt.jsonl and report.json there.",
)
@json_option
@reports_errors
def salvage(file: Path, *, out: Path | None, as_json: bool) -> None:
    """Read what is left in a damaged store, such as one that was put aside; FILE is only read.

    Each record must prove itself by its hash. Nothing is put back into any store: hand records.jsonl
    to the platform that lacks them. Exit 1 when anything is missing or was changed.

    \b
    gatewayd records salvage gatewayd.db.damaged-20260801T040000Z --out salvaged
    """  # noqa: D301 - click wants the backspace character itself
    found = salvaging.salvage(file, out)
    if as_json:
        print_json(salvaging.as_json(found))
    else:
        _show(found)
        if found.lacks_log:
            click.echo(LACKS_LOG.format(file), err=True)
        _say_where(out)
    if not found.whole:
        stop(NO)


def _show(found: Salvaged) -> None:
    if found.nothing:
        click.echo(f"{found.file}: nothing of a store of gatewayd is in it; is it the right file?")
        return
    click.echo(f"{found.records} records proven, {found.from_pages} of them only from pages")
    sure = "" if found.last_sure else " (not sure: more may have followed)"
    click.echo(f"first {found.first}, last {found.last}{sure}")
    shown = found.missing[:SHOWN_MAX]
    for first, last in shown:
        click.echo(f"missing: {first}" + (f" to {last}" if last > first else ""))
    if len(found.missing) > len(shown):
        click.echo(f"missing: {len(found.missing) - len(shown)} more stretches")
    for name, sequences in (("changed", found.spoilt), ("unlinked", found.unlinked)):
        if sequences:
            numbers = " ".join(str(number) for number in sequences[:SHOWN_MAX])
            click.echo(f"{name}: {len(sequences)}: {numbers}")


def _say_where(out: Path | None) -> None:
    if out is None:
        click.echo("nothing was written; --out DIR writes what was found", err=True)
    else:
        click.echo(f"written: {', '.join(str(out / name) for name in salvaging.WRITTEN)}", err=True)

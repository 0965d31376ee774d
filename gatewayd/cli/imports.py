"""`gatewayd import`: an archive file into the store, all of it or nothing."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from gatewayd.archive.cells import TEMPLATE
from gatewayd.archive.table import Table, read
from gatewayd.cli.common import (
    config_option,
    directory,
    json_option,
    print_json,
    reports_errors,
)
from gatewayd.settings.load import load
from gatewayd.store import beside

BAR_BYTES_MIN = 1_000_000
"""Files from this size on show a progress bar on a terminal."""


@click.command()
@click.argument("kind", type=click.Choice(["cylinders"]))
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False
)
@click.option("--replace", is_flag=True, help="Replace the whole archive by the file, atomically.")
@click.option("--template", is_flag=True, help="Print the header row of a file and stop.")
@config_option
@json_option
@reports_errors
def imports(kind: str, file: Path | None, *, replace: bool, template: bool, as_json: bool) -> None:
    """Import KIND from FILE (CSV; UTF-8 or GBK), by code: known ones change, new ones are added.

    A mistake in any row rejects the whole file, with row and column of every mistake. Works while
    the daemon runs: its next scan sees the new archive. Columns that FILE does not have stay as
    they are; an empty cell makes the value unknown, except fills_done, which the station counts
    itself. With --replace cylinders that are not in FILE are removed.

    \b
    gatewayd import cylinders --template > cylinders.csv
    gatewayd import cylinders cylinders.csv
    """  # noqa: D301 - click wants the backspace character itself
    if template:
        click.echo(TEMPLATE)
        return
    if file is None:
        raise click.UsageError("FILE is missing; with --template none is needed")
    settings = load(directory())
    table = _checked(file, whole=replace)
    counts = beside.import_cylinders(
        settings.store_path,
        table.cylinders,
        station_id=settings.station.id,
        replace=replace,
        columns=table.columns,
        quota_mb=settings.store.quota_mb,
    )
    if as_json:
        print_json({"kind": kind, "file": str(file), **asdict(counts)})
        return
    click.echo(
        f"{file}: {counts.added} added, {counts.updated} updated, {counts.unchanged} unchanged, "
        f"{counts.removed} removed"
    )


def _checked(file: Path, *, whole: bool) -> Table:
    data = file.read_bytes()
    with _bar(data) as progress:
        return read(data, str(file), whole=whole, progress=progress)


@contextmanager
def _bar(data: bytes) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr while a person waits for a big file; else nothing."""
    shown = len(data) >= BAR_BYTES_MIN and sys.stderr.isatty()
    with Progress(console=Console(stderr=True), disable=not shown, transient=True) as progress:
        task = progress.add_task("checking rows", total=data.count(b"\n"))
        yield lambda row: progress.update(task, completed=row)

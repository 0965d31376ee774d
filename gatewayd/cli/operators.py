"""`import operators` and `export operators`: who works here, all of a file or nothing."""

import io
import sys
from pathlib import Path
from typing import BinaryIO

import click

from gatewayd.archive import people as archive
from gatewayd.archive import sheet
from gatewayd.archive.writing import FileFormat
from gatewayd.cli.common import directory
from gatewayd.settings.load import load
from gatewayd.store.beside import ImportOptions, upsert_operators
from gatewayd.store.model import ImportCounts
from gatewayd.store.people import Change
from gatewayd.store.reads import Reader


def template(file_format: FileFormat) -> None:
    """Print an empty file to fill in."""
    if file_format == "xlsx" and sys.stdout.buffer.isatty():
        raise click.UsageError("a workbook is no text; redirect it: > operators.xlsx")
    made = io.BytesIO()
    archive.write_template(made, file_format)
    sys.stdout.buffer.write(made.getvalue())
    sys.stdout.buffer.flush()


def take_in(file: Path, *, replace: bool, dry_run: bool) -> ImportCounts:
    """Upsert the operators of a file by id, or make them the whole list."""
    settings = load(directory())
    with sheet.opened(file) as opened:
        operators, columns = archive.read(opened, whole=replace)
    options = ImportOptions(
        settings.station.id, replace=replace, quota_mb=settings.store.quota_mb, dry_run=dry_run
    )
    change = Change(operators, replace=replace, columns=columns)
    return upsert_operators(settings.store_path, change, options)


def give_out(path: Path, out: BinaryIO, file_format: FileFormat, *, bom: bool) -> int:
    """Write every operator of the store; returns how many."""
    with Reader.open(path) as store:
        return archive.write(out, file_format, store.operators(), bom=bom)

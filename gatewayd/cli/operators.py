"""`import operators` and `export operators`: who works here, all of a file or nothing."""

from pathlib import Path
from typing import BinaryIO

from gatewayd.archive import people as archive
from gatewayd.archive import sheet
from gatewayd.archive.writing import FileFormat
from gatewayd.cli.common import directory
from gatewayd.settings.load import load
from gatewayd.store.beside import ImportOptions, upsert_operators
from gatewayd.store.model import ImportCounts
from gatewayd.store.people import Change
from gatewayd.store.reads import Reader


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

"""`import retired` and `export retired`: codes and tags out of use, all of a file or nothing."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from gatewayd.archive import retired as archive
from gatewayd.archive import sheet
from gatewayd.archive.writing import FileFormat
from gatewayd.cli.common import directory
from gatewayd.cli.ordering import given, issuer
from gatewayd.errors import RejectedError
from gatewayd.rigs.identity import plain_code
from gatewayd.settings.site import load_site
from gatewayd.store import beside
from gatewayd.store.model import ImportCounts
from gatewayd.store.orders import Order
from gatewayd.store.reads import Reader
from gatewayd.store.retired import Kind
from gatewayd.texts import Language, text

LISTED_MAX = 1_000_000
"""Codes and tags of one export."""


def take_in(file: Path, *, by: str, dry_run: bool, spoken: Language) -> ImportCounts:
    """Retire everything in a file; what is out of use already stays as it was noted first."""
    settings = load_site(directory())
    with sheet.opened(file) as opened:
        rows = archive.read(opened)
    named = tuple(_orders(rows, by, spoken))
    options = beside.ImportOptions(
        settings.station.id, replace=False, quota_mb=settings.store.quota_mb, dry_run=dry_run
    )
    return beside.retire_all(settings.store_path, named, options, issuer(settings))


def _orders(rows: Sequence[archive.Row], by: str, spoken: Language) -> Iterator[tuple[Kind, Order]]:
    """One order a row, as `gatewayd retire` gives it; a code may be what a scanner read."""
    for row in rows:
        value = plain_code(row.value) if row.kind == archive.CODE else row.value
        try:
            yield row.kind, given(value, by, row.reason, spoken)
        except RejectedError as exc:
            raise RejectedError(
                text("import.refused", spoken, value=repr(row.value), said=exc)
            ) from exc


def give_out(path: Path, out: BinaryIO, file_format: FileFormat, *, bom: bool) -> int:
    """Write everything that is out of use, the newest first; returns how many."""
    with Reader.open(path) as store:
        return archive.write(out, file_format, store.retired_all(limit=LISTED_MAX), bom=bom)

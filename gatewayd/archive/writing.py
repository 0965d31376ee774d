"""The archive to a file that an import takes back without a change."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, BinaryIO, Literal

from gatewayd.archive.cells import COLUMNS, FURTHER
from gatewayd.store.model import Cylinder
from gatewayd.store.rows import CONTRACT_COLUMNS, CYLINDER_COLUMNS, TAG_SEPARATOR

FileFormat = Literal["csv", "xlsx"]
SHEET = "cylinders"


def write_template(file: BinaryIO, file_format: FileFormat, *, all_columns: bool = False) -> None:
    """An empty file to fill in: the contract's columns, or also those that it may have."""
    columns = [each.name for each in ((*COLUMNS, *FURTHER) if all_columns else COLUMNS)]
    write_header(file, file_format, columns, sheet=SHEET)


def write_header(
    file: BinaryIO, file_format: FileFormat, columns: Sequence[str], *, sheet: str
) -> None:
    """An empty file with these columns."""
    if file_format == "csv":
        file.write(f"{','.join(columns)}\n".encode())
        return
    from gatewayd.archive import workbook  # noqa: PLC0415 - large, only for who needs it

    workbook.write_template(file, columns, sheet)


def write(
    file: BinaryIO,
    file_format: FileFormat,
    cylinders: Iterable[Cylinder],
    progress: Callable[[int], None],
    *,
    all_columns: bool = False,
    bom: bool = False,
) -> None:
    """Write the header and every cylinder; `progress` hears how many.

    With `all_columns` also those beyond the contract's.
    `bom` begins a CSV file with a byte order mark, by which Excel knows that it is UTF-8.
    """
    columns = CYLINDER_COLUMNS if all_columns else CONTRACT_COLUMNS
    entries = (_values(cylinder, columns) for cylinder in cylinders)
    write_rows(file, file_format, columns, entries, progress, sheet=SHEET, bom=bom)


def write_rows(
    file: BinaryIO,
    file_format: FileFormat,
    columns: Sequence[str],
    entries: Iterable[Sequence[Any]],
    progress: Callable[[int], None],
    *,
    sheet: str,
    bom: bool,
) -> None:
    """Write a header and rows of values; `progress` hears how many."""
    if file_format == "csv":
        _write_csv(file, columns, entries, progress, bom=bom)
        return
    from gatewayd.archive import workbook  # noqa: PLC0415 - large, only for who needs it

    workbook.write(file, columns, entries, progress, sheet=sheet)


def _values(cylinder: Cylinder, columns: Sequence[str]) -> list[Any]:
    values = [getattr(cylinder, name) for name in columns]
    return [TAG_SEPARATOR.join(each) if isinstance(each, tuple) else each for each in values]


def _write_csv(
    file: BinaryIO,
    columns: Sequence[str],
    entries: Iterable[Sequence[Any]],
    progress: Callable[[int], None],
    *,
    bom: bool,
) -> None:
    codec = "utf-8-sig" if bom else "utf-8"
    text = io.TextIOWrapper(file, codec, newline="", write_through=False)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for number, values in enumerate(entries, start=1):
        writer.writerow([_text(value) for value in values])
        progress(number)
    text.detach()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)

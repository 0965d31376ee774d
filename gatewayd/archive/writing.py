"""The archive to a file that an import takes back without a change."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Any, BinaryIO, Literal

from gatewayd.archive.cells import TEMPLATE
from gatewayd.store.model import Cylinder
from gatewayd.store.rows import CYLINDER_COLUMNS, TAG_SEPARATOR

FileFormat = Literal["csv", "xlsx"]


def write_template(file: BinaryIO, file_format: FileFormat) -> None:
    """An empty file to fill in."""
    if file_format == "csv":
        file.write(f"{TEMPLATE}\n".encode())
        return
    from gatewayd.archive import workbook  # noqa: PLC0415 - large, only for who needs it

    workbook.write_template(file)


def write(
    file: BinaryIO,
    file_format: FileFormat,
    cylinders: Iterable[Cylinder],
    progress: Callable[[int], None],
    *,
    bom: bool = False,
) -> None:
    """Write the header and every cylinder; `progress` hears how many.

    `bom` begins a CSV file with a byte order mark, by which Excel knows that it is UTF-8.
    """
    if file_format == "csv":
        _write_csv(file, cylinders, progress, bom=bom)
        return
    from gatewayd.archive import workbook  # noqa: PLC0415 - large, only for who needs it

    workbook.write(file, map(_values, cylinders), progress)


def _values(cylinder: Cylinder) -> list[Any]:
    values = [getattr(cylinder, name) for name in CYLINDER_COLUMNS]
    return [TAG_SEPARATOR.join(each) if isinstance(each, tuple) else each for each in values]


def _write_csv(
    file: BinaryIO, cylinders: Iterable[Cylinder], progress: Callable[[int], None], *, bom: bool
) -> None:
    codec = "utf-8-sig" if bom else "utf-8"
    text = io.TextIOWrapper(file, codec, newline="", write_through=False)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(CYLINDER_COLUMNS)
    for number, values in enumerate(_texts(cylinders), start=1):
        writer.writerow(values)
        progress(number)
    text.detach()


def _texts(cylinders: Iterable[Cylinder]) -> Iterator[Sequence[str]]:
    for cylinder in cylinders:
        yield [_text(value) for value in _values(cylinder)]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)

"""An archive file to rows of text: CSV here, workbooks next door. Nothing is held but one row."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from gatewayd.archive import encoding
from gatewayd.archive.cells import CellError
from gatewayd.errors import RejectedError

if TYPE_CHECKING:
    from gatewayd.archive import apart, workbook_in

BYTES_MAX = 1_073_741_824
ROWS_MAX = 2_000_000
APART_ABOVE_BYTES = 1_048_576
"""A larger workbook is read by a process of its own; below it a start costs more than it saves."""

_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"

Cell = str | CellError
"""The text of a cell without blanks around it, or why a workbook's cell is not one."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file's rows that are not blank, with their number in a spreadsheet; the first is 1.

    `progress` says how much of it is read, and of how much; (0, 0) when that cannot be known.
    """

    origin: str
    rows: Iterator[tuple[int, list[Cell]]]
    progress: Callable[[], tuple[int, int]]


@contextmanager
def opened(path: Path) -> Iterator[Sheet]:
    """The rows of a CSV file or a workbook; raises RejectedError, also while rows are taken."""
    try:
        file = path.open("rb")
    except OSError as exc:
        raise RejectedError(f"{path}: cannot be read: {exc.strerror}") from exc
    with file:
        yield sheet(file, str(path))


def sheet(file: BinaryIO, origin: str) -> Sheet:
    """The rows of an open file, told apart by its first bytes, not by its name."""
    if not file.seekable():
        raise RejectedError(f"{origin}: not a regular file; save it to a disk first")
    size = file.seek(0, io.SEEK_END)
    if size > BYTES_MAX:
        raise RejectedError(f"{origin}: larger than {BYTES_MAX} bytes; split it by rows")
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    if start == _OLD_EXCEL:
        raise RejectedError(
            f"{origin}: a workbook of Excel 97-2003 or one with a password; save it as .xlsx "
            "without one, or as CSV UTF-8"
        )
    if start == _ZIP:
        reading = _workbook(file, origin, size)
        return Sheet(origin, limited(reading.rows(), origin), reading.progress)
    codec = encoding.sniff(file, origin)
    file.seek(0)
    return Sheet(
        origin, limited(_csv_rows(file, codec, origin), origin), lambda: (file.tell(), size)
    )


def _workbook(file: BinaryIO, origin: str, size: int) -> "apart.Reading | workbook_in.Reading":
    """Who reads a workbook: a process of its own, for a large one that lies on a disk."""
    # A reader of workbooks is large: only who reads one pays for it.
    if size > APART_ABOVE_BYTES and isinstance(file, io.BufferedReader):
        from gatewayd.archive import apart  # noqa: PLC0415 - see above

        return apart.Reading(file, origin)
    from gatewayd.archive import workbook_in  # noqa: PLC0415 - see above

    return workbook_in.Reading(file, origin)


def limited(
    rows: Iterable[tuple[int, list[Cell]]], origin: str
) -> Iterator[tuple[int, list[Cell]]]:
    """Rows that are not blank; raises RejectedError beyond ROWS_MAX of any kind."""
    for row, cells in rows:
        if row > ROWS_MAX + 1:
            raise RejectedError(f"{origin}: more than {ROWS_MAX} rows; split the file")
        if any(cells):
            yield row, cells


def _csv_rows(file: BinaryIO, codec: str, origin: str) -> Iterator[tuple[int, list[Cell]]]:
    text = io.TextIOWrapper(file, codec, newline="")
    reader = csv.reader(text, strict=True)
    try:
        for row in count(1):
            yield row, [cell.strip() for cell in next(reader)]
    except StopIteration:
        return
    except csv.Error as exc:
        raise RejectedError(
            f"{origin}:row {row}: not CSV ({exc}); expected cells separated by commas, a cell "
            'with a comma or a quote in it as "..."'
        ) from exc
    except UnicodeDecodeError as exc:
        raise RejectedError(f"{origin}: changed while it was read; import it again") from exc
    finally:
        with suppress(ValueError):  # closed already: whoever read these rows stopped early
            text.detach()

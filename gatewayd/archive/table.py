"""A whole archive file to cylinders, or the list of everything wrong with it."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from gatewayd.archive.cells import COLUMNS, CellError, Column
from gatewayd.archive.encoding import decode
from gatewayd.errors import RejectedError
from gatewayd.store.model import Cylinder
from gatewayd.store.rows import normal_uid
from protocols.documents import nearest_hint

BYTES_MAX = 268_435_456
ROWS_MAX = 1_000_000
ERRORS_SHOWN_MAX = 100
"""Mistakes listed; the rest is counted."""
ROWS_PER_REPORT = 1_000

_BY_NAME = {column.name: column for column in COLUMNS}
KEY = "code"


@dataclass(frozen=True, slots=True)
class Table:
    """What a file says: which `columns` it has, and its cylinders in file order.

    A column that is not in the file says nothing: an import leaves it as it is.
    """

    columns: tuple[str, ...]
    cylinders: tuple[Cylinder, ...]


def _quiet(_rows: int) -> None:
    """Nobody watches."""


def read(
    data: bytes, origin: str, *, whole: bool = False, progress: Callable[[int], None] = _quiet
) -> Table:
    """Check and read a CSV file; `progress` hears how many rows are done.

    With `whole` every column must be there. Raises RejectedError listing every mistake as
    `FILE:row N, column NAME: what; expected`; rows count from 1, the header is row 1.
    """
    if len(data) > BYTES_MAX:
        raise RejectedError(f"{origin}: larger than {BYTES_MAX} bytes; split it by rows")
    lines = _rows(decode(data, origin), origin)
    header = next(lines, None)
    if header is None:
        raise RejectedError(f"{origin}: empty; expected the header row, see --template")
    columns = _header(header[1], origin, whole=whole)
    sheet = _Sheet(origin, columns)
    for row, cells in lines:
        sheet.add(row, cells)
        if row % ROWS_PER_REPORT == 0:
            progress(row)
    sheet.refuse_mistakes()
    return Table(tuple(column.name for column in columns), tuple(sheet.cylinders))


def _rows(text: str, origin: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with their number in a spreadsheet."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    row = 0
    while True:
        row += 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as exc:
            raise RejectedError(
                f"{origin}:row {row}: not CSV ({exc}); expected cells separated by commas, a cell "
                'with a comma or a quote in it as "..."'
            ) from exc
        if row > ROWS_MAX + 1:
            raise RejectedError(f"{origin}: more than {ROWS_MAX} rows; split the file")
        if any(cells):
            yield row, cells


def _header(names: Sequence[str], origin: str, *, whole: bool) -> tuple[Column, ...]:
    """The columns in the order of the file; raises RejectedError with everything wrong."""
    problems = [
        f"unknown column {name!r}; {_hint(name, names)}" for name in names if name not in _BY_NAME
    ]
    problems += [
        f"column {name} is there {times} times; expected once"
        for name, times in Counter(names).items()
        if times > 1 and name in _BY_NAME
    ]
    needed = [column.name for column in COLUMNS] if whole else [KEY]
    problems += [
        f"column {name} is missing; expected the header of --template"
        for name in needed
        if name not in names
    ]
    if problems:
        raise RejectedError("\n".join(f"{origin}:row 1: {problem}" for problem in problems))
    return tuple(_BY_NAME[name] for name in names)


def _hint(name: str, names: Sequence[str]) -> str:
    if len(names) == 1 and any(mark in name for mark in ";\t|"):
        return "expected the columns separated by commas"
    if not name:
        return "a cell of the header is empty; remove the column or name it"
    return nearest_hint(name, _BY_NAME) or "expected a column of --template"


@dataclass(slots=True)
class _Sheet:
    """The rows read so far, what is wrong with them, and where each code and tag was first."""

    origin: str
    columns: tuple[Column, ...]
    cylinders: list[Cylinder] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    mistake_count: int = 0
    code_rows: dict[str, int] = field(default_factory=dict)
    uid_rows: dict[str, int] = field(default_factory=dict)

    def add(self, row: int, cells: Sequence[str]) -> None:
        """Check one row and keep it as a cylinder when nothing is wrong with it."""
        if len(cells) != len(self.columns):
            self.wrong(f"row {row}", f"{len(cells)} cells", f"expected {len(self.columns)}")
            return
        values: dict[str, Any] = {}
        before = self.mistake_count
        for column, cell in zip(self.columns, cells, strict=True):
            if cell:
                self.parse(row, column, cell, values)
        if KEY not in values and before == self.mistake_count:
            self.wrong(f"row {row}, column {KEY}", "empty", "expected the cylinder's code")
        self.distinct(row, values)
        if before == self.mistake_count:
            self.cylinders.append(Cylinder(**values))

    def parse(self, row: int, column: Column, cell: str, values: dict[str, Any]) -> None:
        """Put the value of one cell into `values`, or note what is wrong with it."""
        try:
            values[column.name] = column.parse(cell)
        except CellError as exc:
            self.wrong(f"row {row}, column {column.name}", *exc.args)

    def distinct(self, row: int, values: dict[str, Any]) -> None:
        """A code or a tag that an earlier row has is a mistake."""
        if KEY in values:
            first = self.code_rows.setdefault(values[KEY], row)
            if first != row:
                self.twice(row, KEY, f"code {values[KEY]!r}", first)
        for uid in map(normal_uid, values.get("tag_uids", ())):
            first = self.uid_rows.setdefault(uid, row)
            if first != row:
                self.twice(row, "tag_uids", f"tag {uid}", first)

    def twice(self, row: int, column: str, what: str, first: int) -> None:
        """Note that a row repeats what must be distinct."""
        expected = "expected each once; remove one of the two"
        self.wrong(f"row {row}, column {column}", f"{what} is in row {first} already", expected)

    def wrong(self, where: str, *what: str) -> None:
        """Note a mistake; beyond the limit only its number is kept."""
        self.mistake_count += 1
        if len(self.mistakes) < ERRORS_SHOWN_MAX:
            self.mistakes.append(f"{self.origin}:{where}: {'; '.join(what)}")

    def refuse_mistakes(self) -> None:
        """Raise RejectedError when there is any."""
        if self.mistake_count:
            raise RejectedError("\n".join(self.lines()))

    def lines(self) -> Iterable[str]:
        """Every mistake shown, how many more there are, and that nothing was imported."""
        yield from self.mistakes
        more = self.mistake_count - len(self.mistakes)
        if more:
            yield f"{self.origin}: and {more} more"
        yield f"{self.origin}: nothing was imported; mistakes found: {self.mistake_count}"

"""A file of few rows, held in memory: every cell checked, every mistake told by row and column."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from gatewayd.archive.cells import CellError, Column
from gatewayd.archive.sheet import Cell, Sheet
from gatewayd.archive.table import ERRORS_SHOWN_MAX
from gatewayd.archive.writing import FileFormat, write_header, write_rows
from gatewayd.errors import RejectedError
from protocols.documents import nearest_hint


@dataclass(frozen=True, slots=True)
class Shape:
    """What such a file is: `what` its rows are called, at most `rows_max` of them, and its `sheet`.

    Columns of `needed` may not be empty; `must` are those that no file may lack. `once` tells what of
    a row may be there once in a file, as column, value and how it is compared; it raises CellError
    for a row that does not agree with itself, which is told in column `odd`.
    """

    what: str
    sheet: str
    columns: tuple[Column, ...]
    needed: tuple[str, ...]
    once: Callable[[Mapping[str, Any]], Iterable[tuple[str, str, str]]]
    must: tuple[str, ...]
    rows_max: int
    odd: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The header of a whole file."""
        return tuple(column.name for column in self.columns)


@dataclass(slots=True)
class _Reading:
    """One pass over a file: what is right of it, and everything that is wrong."""

    origin: str
    shape: Shape
    columns: tuple[Column, ...]
    rows: list[dict[str, Any]] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    first: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, row: int, cells: Sequence[Cell]) -> None:
        """Check one row and keep what is right of it."""
        if len(cells) != len(self.columns):
            self.mistakes.append(
                f"{self.origin}:row {row}: {len(cells)} cells; expected {len(self.columns)}"
            )
            return
        given = {column.name: cell for column, cell in zip(self.columns, cells, strict=True)}
        values = {
            column.name: self._value(row, column, given[column.name]) for column in self.columns
        }
        for name in self.shape.needed:
            if not given.get(name, name):
                self._wrong(row, name, f"empty; expected the {name} of each")
        known = {name: value for name, value in values.items() if value is not None}
        try:
            for name, value, alike in self.shape.once(known):
                self._once(row, name, value, alike)
        except CellError as exc:
            self._wrong(row, self.shape.odd, str(exc))
        self.rows.append(known)

    def _value(self, row: int, column: Column, cell: Cell) -> Any:
        try:
            if isinstance(cell, CellError):
                raise cell
            return column.parse(cell) if cell else None
        except CellError as exc:
            self._wrong(row, column.name, str(exc))
            return None

    def _once(self, row: int, name: str, value: str, alike: str) -> None:
        """What an earlier row has is a mistake of this one."""
        first = self.first.setdefault((name, alike), row)
        if first != row:
            self._wrong(row, name, f"{value!r} is in row {first} already; expected each once")

    def _wrong(self, row: int, name: str, what: str) -> None:
        self.mistakes.append(f"{self.origin}:row {row}, column {name}: {what}")

    def refuse_mistakes(self) -> None:
        """Raise RejectedError when there is any."""
        if not self.mistakes:
            return
        more = len(self.mistakes) - ERRORS_SHOWN_MAX
        lines = self.mistakes[:ERRORS_SHOWN_MAX]
        lines += [f"{self.origin}: and {more} more"] if more > 0 else []
        count = len(self.mistakes)
        lines.append(f"{self.origin}: nothing was imported; mistakes found: {count}")
        raise RejectedError("\n".join(lines))


def read(
    sheet: Sheet, shape: Shape, *, whole: bool = False
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The known values of every row, and the columns of the file; `whole` = it must have all.

    Raises RejectedError listing every mistake as `FILE:row N, column NAME: what; expected`.
    """
    header = next(sheet.rows, None)
    if header is None:
        raise RejectedError(f"{sheet.origin}: empty; expected the header row, see --template")
    names = [cell if isinstance(cell, str) else str(cell) for cell in header[1]]
    reading = _Reading(sheet.origin, shape, _columns(names, sheet.origin, shape, whole=whole))
    for row, cells in sheet.rows:
        if len(reading.rows) >= shape.rows_max:
            raise RejectedError(f"{sheet.origin}: more than {shape.rows_max} {shape.what}")
        reading.add(row, cells)
    reading.refuse_mistakes()
    return reading.rows, tuple(names)


def _columns(names: Sequence[str], origin: str, shape: Shape, *, whole: bool) -> tuple[Column, ...]:
    known = {column.name: column for column in shape.columns}
    problems = [
        f"unknown column {name!r}; {nearest_hint(name, known) or 'see --template'}"
        for name in names
        if name not in known
    ]
    problems += [
        f"column {name} is there {times} times; expected once"
        for name, times in Counter(names).items()
        if times > 1 and name in known
    ]
    problems += [
        f"column {name} is missing; expected the header of --template"
        for name in (known if whole else shape.must)
        if name not in names
    ]
    if problems:
        raise RejectedError("\n".join(f"{origin}:row 1: {problem}" for problem in problems))
    return tuple(known[name] for name in names)


def write(
    file: BinaryIO,
    file_format: FileFormat,
    shape: Shape,
    entries: Sequence[Sequence[Any]],
    *,
    bom: bool,
) -> int:
    """Write the header and rows of values, as `read` takes them back; returns how many."""
    write_rows(
        file, file_format, shape.names, entries, lambda _count: None, sheet=shape.sheet, bom=bom
    )
    return len(entries)


def write_template(file: BinaryIO, file_format: FileFormat, shape: Shape) -> None:
    """An empty file to fill in."""
    write_header(file, file_format, shape.names, sheet=shape.sheet)

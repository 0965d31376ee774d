"""A whole archive file into a staging, or the list of everything wrong with it."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gatewayd.archive.cells import COLUMNS, FURTHER, CellError, Column
from gatewayd.archive.sheet import Cell, Sheet
from gatewayd.errors import RejectedError
from gatewayd.store import rows
from gatewayd.store.staging import Repeat, Staging
from protocols.documents import nearest_hint

ERRORS_SHOWN_MAX = 100
"""Mistakes listed; the rest is counted."""
ROWS_PER_REPORT = 1_000
VALUES_KNOWN_MAX = 4_096
"""Different cells of a column whose values are remembered: makers, dates and masses repeat."""

_BY_NAME = {column.name: column for column in (*COLUMNS, *FURTHER)}
KEY = "code"
TAGS = "tag_uids"


def _quiet(_done: int, _total: int) -> None:
    """Nobody watches."""


def stage(
    sheet: Sheet,
    staging: Staging,
    *,
    whole: bool = False,
    progress: Callable[[int, int], None] = _quiet,
) -> None:
    """Check every row and stage it; sealed afterwards.

    `progress` hears how far it is and of how much: bytes, or rows of 0 where nobody knows the whole.
    With `whole` every column of the contract must be there. A column that is not in the file says nothing: an
    import leaves it as it is. Raises RejectedError listing every mistake as `FILE:row N, column
    NAME: what; expected`, and StoreError.
    """
    header = next(sheet.rows, None)
    if header is None:
        raise RejectedError(f"{sheet.origin}: empty; expected the header row, see --template")
    columns = _header([_text(cell) for cell in header[1]], sheet.origin, whole=whole)
    staging.begin([column.name for column in columns])
    check = _Check(sheet.origin, columns, staging)
    reported = 0
    for row, cells in sheet.rows:
        check.add(row, cells)
        if row - reported >= ROWS_PER_REPORT:
            reported = row
            done, total = sheet.progress()
            progress(done if total else row, total)
    staging.seal()
    check.refuse_mistakes()


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else str(cell)


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
class _Values:
    """One column: cells to what the store keeps, the same cell parsed once."""

    column: Column
    known: dict[str, Any] = field(default_factory=dict)

    def of(self, cell: str) -> Any:
        """The value of a cell that is not known yet. Raises CellError."""
        value = rows.stored(self.column.parse(cell))
        if len(self.known) < VALUES_KNOWN_MAX:
            self.known[cell] = value
        return value


@dataclass(frozen=True, slots=True, order=True)
class _Mistake:
    row: int
    column: int
    text: str


class _Check:
    """Rows into the staging, and what is wrong with them."""

    def __init__(self, origin: str, columns: tuple[Column, ...], staging: Staging) -> None:
        self._origin = origin
        self._names = [column.name for column in columns]
        self._columns = [_Values(column, {"": None}) for column in columns]
        self._key = self._names.index(KEY)
        self._tags = self._names.index(TAGS) if TAGS in self._names else None
        self._staging = staging
        self._mistakes: list[_Mistake] = []
        self._count = 0
        if self._tags is not None:
            self._columns[self._tags].known[""] = ""

    def add(self, row: int, cells: Sequence[Cell]) -> None:
        """Check one row and stage what is right of it."""
        if len(cells) != len(self._columns):
            expected = f"expected {len(self._columns)}"
            self._wrong(row, -1, f"row {row}: {len(cells)} cells; {expected}")
            return
        values: list[Any] = []
        for column, cell in zip(self._columns, cells, strict=True):
            known = column.known
            values.append(known[cell] if cell in known else self._value(row, column, cell))
        code = values[self._key]
        if code is None and not cells[self._key]:
            self._cell(row, self._key, "empty; expected the cylinder's code")
        text = "" if self._tags is None else values[self._tags]
        self._staging.add(row, code, values, rows.normal_uids(text) if text else ())

    def _value(self, row: int, column: _Values, cell: Cell) -> Any:
        """The value of one cell, or None after noting what is wrong with it."""
        try:
            if isinstance(cell, CellError):
                raise cell
            return column.of(cell)
        except CellError as exc:
            self._cell(row, self._names.index(column.column.name), str(exc))
            return None

    def _cell(self, row: int, column: int, what: str) -> None:
        self._wrong(row, column, f"row {row}, column {self._names[column]}: {what}")

    def _wrong(self, row: int, column: int, text: str) -> None:
        """Note a mistake; beyond the limit only its number is kept."""
        self._count += 1
        if len(self._mistakes) < ERRORS_SHOWN_MAX:
            self._mistakes.append(_Mistake(row, column, f"{self._origin}:{text}"))

    def refuse_mistakes(self) -> None:
        """Raise RejectedError when there is any, also a code or tag that an earlier row has."""
        repeated, repeats = self._staging.repeats(ERRORS_SHOWN_MAX)
        found = heapq.nsmallest(ERRORS_SHOWN_MAX, [*self._mistakes, *map(self._repeat, repeats)])
        total = self._count + repeated
        if total:
            raise RejectedError("\n".join(self._lines([one.text for one in found], total)))

    def _repeat(self, repeat: Repeat) -> _Mistake:
        name = KEY if repeat.column == KEY else TAGS
        what = f"code {repeat.value!r}" if name == KEY else f"tag {repeat.value}"
        return _Mistake(
            repeat.row,
            self._names.index(name),
            f"{self._origin}:row {repeat.row}, column {name}: {what} is in row {repeat.first} "
            "already; expected each once; remove one of the two",
        )

    def _lines(self, shown: Sequence[str], total: int) -> Iterable[str]:
        """Every mistake shown, how many more there are, and that nothing was imported."""
        yield from shown
        if total > len(shown):
            yield f"{self._origin}: and {total - len(shown)} more"
        yield f"{self._origin}: nothing was imported; mistakes found: {total}"

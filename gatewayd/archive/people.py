"""Operators from and to a file: as `table.py` does it for cylinders, but held in memory, being few."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO, Final

from gatewayd.archive.cells import CellError, Column, Parser, boolean, code, day, one_of, text
from gatewayd.archive.sheet import Cell, Sheet
from gatewayd.archive.table import ERRORS_SHOWN_MAX
from gatewayd.archive.writing import FileFormat, write_csv
from gatewayd.errors import RejectedError
from gatewayd.store.people_model import Operator
from gatewayd.store.people_rows import OPERATOR_COLUMNS, card_key
from gatewayd.store.rows import TAG_SEPARATOR
from protocols.documents import nearest_hint
from rules_engine.facts import MEDIA

OPERATORS_MAX = 20_000
LISTED_MAX = 32
"""Cards, media or roles of one person."""
SHEET = "operators"
NEEDED: Final = ("id", "name")
"""Columns whose cells may not be empty: records name who filled."""
ROLES: Final = ("filler", "inspector")


def _listed(cell: str, parse: Parser) -> tuple[str, ...]:
    """Values separated by `;`, each once."""
    found = tuple(parse(part.strip()) for part in cell.split(TAG_SEPARATOR) if part.strip())
    if len(found) > LISTED_MAX:
        raise CellError(f"{len(found)} values", f"expected at most {LISTED_MAX}")
    if len(set(found)) != len(found):
        raise CellError(f"{cell!r} names one thing twice", "expected each once")
    return found


_CODE = partial(text, characters_max=64)
_PARSERS: Final[dict[str, Parser]] = {
    "id": code,
    "name": text,
    "certificate": text,
    "certificate_until": day,
    "media": partial(_listed, parse=one_of(tuple(sorted(MEDIA)))),
    "roles": partial(_listed, parse=one_of(ROLES)),
    "cards": partial(_listed, parse=_CODE),
    "active": boolean,
}
COLUMNS: Final = tuple(Column(name, _PARSERS[name]) for name in OPERATOR_COLUMNS)
_BY_NAME: Final = {column.name: column for column in COLUMNS}
_LISTS: Final = frozenset({"media", "roles", "cards"})


@dataclass(slots=True)
class _Reading:
    """One pass over a file: what is right of it, and everything that is wrong."""

    origin: str
    columns: tuple[Column, ...]
    operators: list[Operator] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    first: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, row: int, cells: Sequence[Cell]) -> None:
        """Check one row and keep what is right of it."""
        if len(cells) != len(self.columns):
            self.mistakes.append(
                f"{self.origin}:row {row}: {len(cells)} cells; expected {len(self.columns)}"
            )
            return
        values = {
            column.name: self._value(row, column, cell)
            for column, cell in zip(self.columns, cells, strict=True)
        }
        given = dict(zip((column.name for column in self.columns), cells, strict=True))
        for name in NEEDED:
            if not given.get(name, name):
                self._wrong(row, name, f"empty; expected the operator's {name}")
        for name in ("id", "cards"):
            self._once(row, name, values.get(name))
        known = {name: value for name, value in values.items() if value is not None}
        self.operators.append(Operator(**{"id": "", **known}))

    def _value(self, row: int, column: Column, cell: Cell) -> Any:
        try:
            if isinstance(cell, CellError):
                raise cell
            return column.parse(cell) if cell else None
        except CellError as exc:
            self._wrong(row, column.name, str(exc))
            return None

    def _once(self, row: int, name: str, value: Any) -> None:
        """An id or card that an earlier row has is a mistake of this one."""
        for each in value if isinstance(value, tuple) else (value,) if value else ():
            key = (name, card_key(each) if name == "cards" else each)
            first = self.first.setdefault(key, row)
            if first != row:
                said = f"{each!r} is in row {first} already; expected each once"
                self._wrong(row, name, said)

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


def read(sheet: Sheet, *, whole: bool) -> tuple[list[Operator], tuple[str, ...]]:
    """The operators of a file and the columns that it has; with `whole` it must have all.

    Raises RejectedError listing every mistake as `FILE:row N, column NAME: what; expected`.
    """
    header = next(sheet.rows, None)
    if header is None:
        raise RejectedError(f"{sheet.origin}: empty; expected the header row, see --template")
    names = [cell if isinstance(cell, str) else str(cell) for cell in header[1]]
    reading = _Reading(sheet.origin, _columns(names, sheet.origin, whole=whole))
    for row, cells in sheet.rows:
        if len(reading.operators) >= OPERATORS_MAX:
            raise RejectedError(f"{sheet.origin}: more than {OPERATORS_MAX} operators")
        reading.add(row, cells)
    reading.refuse_mistakes()
    return reading.operators, tuple(names)


def _columns(names: Sequence[str], origin: str, *, whole: bool) -> tuple[Column, ...]:
    problems = [
        f"unknown column {name!r}; {nearest_hint(name, _BY_NAME) or 'see --template'}"
        for name in names
        if name not in _BY_NAME
    ]
    problems += [
        f"column {name} is there {times} times; expected once"
        for name, times in Counter(names).items()
        if times > 1 and name in _BY_NAME
    ]
    problems += [
        f"column {name} is missing; expected the header of --template"
        for name in (OPERATOR_COLUMNS if whole else ("id",))
        if name not in names
    ]
    if problems:
        raise RejectedError("\n".join(f"{origin}:row 1: {problem}" for problem in problems))
    return tuple(_BY_NAME[name] for name in names)


def write(
    file: BinaryIO, file_format: FileFormat, operators: Iterable[Operator], *, bom: bool = False
) -> int:
    """Write the header and every operator, as `read` takes it back; returns how many."""
    entries = [[_cell(getattr(one, name)) for name in OPERATOR_COLUMNS] for one in operators]
    if file_format == "csv":
        write_csv(file, OPERATOR_COLUMNS, entries, lambda _count: None, bom=bom)
        return len(entries)
    from gatewayd.archive import workbook  # noqa: PLC0415 - large, only for who needs it

    workbook.write(file, OPERATOR_COLUMNS, entries, lambda _count: None, sheet=SHEET)
    return len(entries)


def write_template(file: BinaryIO, file_format: FileFormat) -> None:
    """An empty file to fill in."""
    if file_format == "csv":
        file.write(f"{','.join(OPERATOR_COLUMNS)}\n".encode())
        return
    from gatewayd.archive import workbook  # noqa: PLC0415 - large, only for who needs it

    workbook.write_template(file, OPERATOR_COLUMNS, sheet=SHEET)


def _cell(value: Any) -> Any:
    return TAG_SEPARATOR.join(value) if isinstance(value, tuple) else value

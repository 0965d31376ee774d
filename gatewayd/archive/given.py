"""Rows as a platform gives them, JSON objects or arrays, to values; each row by itself.

A value has the JSON type of its column: text and dates in quotes, whole numbers, true and false, a
list of texts. null, and an empty text, is *unknown*. A column that a row does not name stays as it is.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

from gatewayd.archive import cells, people
from gatewayd.archive.cells import CellError, Column
from gatewayd.store.model import Cylinder
from gatewayd.store.people_model import Operator
from gatewayd.store.rows import TAG_SEPARATOR
from protocols.documents import nearest_hint

SHOWN_CHARACTERS_MAX = 80
"""Of a value in a message."""

INTEGER_MAX = 2**53
"""Beyond it JSON numbers are not exact, and no column needs them."""

Mistake = Mapping[str, Any]
"""`{"row", "column", "error"}`; rows count from 1."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is given: its columns, the one that names an entry, and what JSON each takes.

    `needed` are the columns that may not be empty where a row names them, and that the row of a new
    entry has to name.
    """

    columns: Mapping[str, Column]
    key: str
    cell: Mapping[str, Callable[[Any], str]]
    needed: tuple[str, ...] = ()


@dataclass(slots=True)
class Taken:
    """What is right, by row number, and everything that is wrong."""

    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)


def check(rows: Sequence[Any], kind: Kind, names: Sequence[str] | None = None) -> Taken:
    """Check every row; `names` are the columns of rows that are arrays. A key is there once."""
    taken = Taken()
    first: dict[str, int] = {}
    for number, raw in enumerate(rows, start=1):
        values = _row(number, raw, kind, names, taken.mistakes)
        if values is None:
            continue
        key = values[kind.key]
        if first.setdefault(key, number) != number:
            said = f"{key!r} is in row {first[key]} already; expected each once"
            taken.mistakes.append(_mistake(number, kind.key, said))
            continue
        taken.rows[number] = values
    return taken


def lacking(taken: Taken, kind: Kind, known: Collection[str]) -> Taken:
    """The same without rows of new entries that lack what each needs; `known` entries have it."""
    rows, mistakes = dict(taken.rows), list(taken.mistakes)
    for number, values in taken.rows.items():
        missing = [name for name in kind.needed if name not in values]
        if missing and values[kind.key] not in known:
            said = [f"missing; a new entry needs its {name}" for name in missing]
            mistakes += [_mistake(number, *each) for each in zip(missing, said, strict=True)]
            del rows[number]
    return Taken(rows, mistakes)


def _row(
    number: int, raw: Any, kind: Kind, names: Sequence[str] | None, mistakes: list[Mistake]
) -> dict[str, Any] | None:
    """The values of one row, None after noting what is wrong with it."""
    if isinstance(raw, list) and names is not None:
        if len(raw) != len(names):
            said = f"{len(raw)} values; expected {len(names)}, as many as columns"
            mistakes.append(_mistake(number, None, said))
            return None
        raw = dict(zip(names, raw, strict=True))
    if not isinstance(raw, dict):
        mistakes.append(_mistake(number, None, "not an object; expected {column: value}"))
        return None
    before = len(mistakes)
    values = {name: _value(number, name, value, kind, mistakes) for name, value in raw.items()}
    if len(mistakes) == before:
        if values.get(kind.key) is None:
            mistakes.append(_mistake(number, kind.key, "missing; expected what names the entry"))
        mistakes.extend(
            _mistake(number, name, f"empty; expected the {name} of each")
            for name in kind.needed
            if values.get(name, name) is None
        )
    return values if len(mistakes) == before else None


def _value(number: int, name: str, value: Any, kind: Kind, mistakes: list[Mistake]) -> Any:
    column = kind.columns.get(name)
    if column is None:
        hint = nearest_hint(name, kind.columns) or f"expected one of {', '.join(kind.columns)}"
        said = f"unknown column {name[:SHOWN_CHARACTERS_MAX]!r}; {hint}"
        mistakes.append(_mistake(number, None, said))
        return None
    if value is None:
        return None
    try:
        cell = kind.cell[name](value)
        return column.parse(cell) if cell else None
    except CellError as exc:
        mistakes.append(_mistake(number, name, str(exc)))
        return None


def _mistake(row: int, column: str | None, error: str) -> Mistake:
    return {"row": row, "column": column, "error": error}


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, a deep nest
        return f"a {type(value).__name__}"
    return text if len(text) <= SHOWN_CHARACTERS_MAX else f"{text[:SHOWN_CHARACTERS_MAX]}…"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise CellError(f"{_shown(value)} is no text", "expected text in quotes, or null")
    return value.strip()


def _integer(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise CellError(f"{_shown(value)} is no whole number", "expected digits without quotes")
    return str(value) if abs(value) < INTEGER_MAX else _shown(value)


def _boolean(value: Any) -> str:
    if not isinstance(value, bool):
        raise CellError(f"{_shown(value)} is neither", "expected true, false or null")
    return "true" if value else "false"


def _texts(value: Any) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise CellError(f"{_shown(value)} is no list", "expected a list of texts")
    return TAG_SEPARATOR.join(value)


_CELL_OF: Final[dict[Any, Callable[[Any], str]]] = {
    int | None: _integer,
    bool | None: _boolean,
    tuple[str, ...]: _texts,
}


def _cells(entry: type[Cylinder] | type[Operator]) -> dict[str, Callable[[Any], str]]:
    return {each.name: _CELL_OF.get(each.type, _text) for each in fields(entry)}


CYLINDERS: Final = Kind(
    {column.name: column for column in (*cells.COLUMNS, *cells.FURTHER)}, "code", _cells(Cylinder)
)
OPERATORS: Final = Kind(
    {column.name: column for column in people.COLUMNS}, "id", _cells(Operator), ("name",)
)

"""Operators from and to a file: which columns they have, and what may be there once."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, BinaryIO, Final

from gatewayd.archive import small
from gatewayd.archive.cells import CellError, Column, Parser, boolean, code, day, one_of, text
from gatewayd.archive.sheet import Sheet
from gatewayd.archive.writing import FileFormat
from gatewayd.store.people_model import Operator
from gatewayd.store.people_rows import OPERATOR_COLUMNS, card_key
from gatewayd.store.rows import TAG_SEPARATOR
from rules_engine.facts import MEDIA

OPERATORS_MAX = 20_000
LISTED_MAX = 32
"""Cards, media or roles of one person."""
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


def _once(values: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """An id is one person's, and so is a card in any spelling."""
    if (number := values.get("id")) is not None:
        yield "id", number, number
    for card in values.get("cards", ()):
        yield "cards", card, card_key(card)


SHAPE: Final = small.Shape(
    what="operators",
    sheet="operators",
    columns=COLUMNS,
    needed=("id", "name"),
    once=_once,
    must=("id",),
    rows_max=OPERATORS_MAX,
)
"""A name is needed because records name who filled."""


def read(sheet: Sheet, *, whole: bool) -> tuple[list[Operator], tuple[str, ...]]:
    """The operators of a file and the columns that it has; with `whole` it must have all.

    Raises RejectedError listing every mistake as `FILE:row N, column NAME: what; expected`.
    """
    found, names = small.read(sheet, SHAPE, whole=whole)
    return [Operator(**each) for each in found], names


def write(
    file: BinaryIO, file_format: FileFormat, operators: Iterable[Operator], *, bom: bool = False
) -> int:
    """Write the header and every operator, as `read` takes it back; returns how many."""
    entries = [[_cell(getattr(one, name)) for name in SHAPE.names] for one in operators]
    return small.write(file, file_format, SHAPE, entries, bom=bom)


def _cell(value: Any) -> Any:
    return TAG_SEPARATOR.join(value) if isinstance(value, tuple) else value

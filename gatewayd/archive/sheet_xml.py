"""The cells of one worksheet out of its XML, row by row, with what decides how a cell is meant.

A library that makes an object of every cell reads 2,000 rows a second; this reads ten times as many
in the memory of one row. What a cell means is for `workbook.py`.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO, TypeAlias
from xml.parsers import expat

CHUNK_BYTES = 262_144
COLUMNS_MAX = 16_384
"""Of a sheet (XFD); what says more is damaged."""
TEXT_CHARACTERS_MAX = 32_767
"""Of a cell; what has more is no cell of a spreadsheet."""

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_AS_DIGITS = str.maketrans("", "", "0123456789")

RawCell: TypeAlias = list[Any]
"""COLUMN from 0, KIND (`t`), STYLE (`s`) and TEXT: a plain list, made for every cell of millions."""
COLUMN, KIND, STYLE, TEXT = range(4)

RawRow: TypeAlias = tuple[int, list[RawCell]]


class SheetXml:
    """One worksheet part, read once; `read_bytes` says how far it is."""

    def __init__(self, source: BinaryIO) -> None:
        self.read_bytes = 0
        self._source = source
        self._done: list[RawRow] = []
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.EntityDeclHandler = _refuse_entity
        self._parser.StartElementHandler = self._root

    def rows(self) -> Iterator[RawRow]:
        """Every row that is written, with its number from 1, the cells in the order of columns.

        Raises expat.ExpatError and ValueError when it is damaged.
        """
        while chunk := self._source.read(CHUNK_BYTES):
            self.read_bytes += len(chunk)
            self._parser.Parse(chunk, False)  # noqa: FBT003 - the parser's own signature
            yield from self._done
            self._done.clear()
        self._parser.Parse(b"", True)  # noqa: FBT003 - the parser's own signature
        yield from self._done

    def _root(self, name: str, attributes: dict[str, str]) -> None:
        """The first element says by which prefix the file means a spreadsheet, mostly none."""
        prefix, colon, local = name.rpartition(":")
        space = attributes.get(f"xmlns:{prefix}" if colon else "xmlns")
        if (space, local) != (_MAIN, "worksheet"):
            raise ValueError(f"{name!r} of {space!r} is no worksheet")
        _listen(self._parser, prefix + colon, self._done)


def _listen(parser: Any, prefix: str, done: list[RawRow]) -> None:
    """Put complete rows into `done`. Closures: this is called for every element of every cell."""
    row, cell, value, inline, text, phonetic = (
        f"{prefix}{name}" for name in ("row", "c", "v", "is", "t", "rPh")
    )
    columns: dict[str, int] = {}
    number, last = 0, -1
    cells: list[RawCell] = []
    now: RawCell = []
    taking = within = spoken = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal number, last, cells, now, taking, within, spoken
        if name == cell:
            place = attributes.get("r")
            if place is None:
                column = last + 1
            else:
                letters = place.translate(_AS_DIGITS)
                column = columns[letters] if letters in columns else _column(columns, letters)
            last = _next(last, column, number, place)
            now = [column, attributes.get("t", "n"), int(attributes.get("s", 0)), ""]
            cells.append(now)
        elif name == value:
            taking = bool(now) and now[KIND] != "inlineStr"
        elif name == row:
            number, last, cells = _row_number(attributes, number), -1, []
        elif name == inline:
            within = bool(now) and now[KIND] == "inlineStr"
        elif name == text:
            taking = within and not spoken
        elif name == phonetic:
            spoken = True

    def end(name: str) -> None:
        nonlocal cells, now, taking, within, spoken
        if name in {value, text}:
            taking = False
        elif name == cell:
            now, within = [], False
        elif name == row:
            done.append((number, cells))
            cells = []
        elif name == inline:
            within = False
        elif name == phonetic:
            spoken = False

    def characters(data: str) -> None:
        if taking:
            now[TEXT] += data
            if len(now[TEXT]) > TEXT_CHARACTERS_MAX:
                raise ValueError(f"row {number}: a cell with too much text")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters


def _next(last: int, column: int, row: int, place: str | None) -> int:
    """The column, which must be behind the last one."""
    if not last < column < COLUMNS_MAX:
        raise ValueError(f"row {row}: cell {place} is out of order")
    return column


def _row_number(attributes: dict[str, str], last: int) -> int:
    """The number of a row, which must be behind the last one."""
    given = int(float(attributes["r"])) if "r" in attributes else last + 1
    if given <= last:
        raise ValueError(f"row {given} comes after row {last}")
    return given


def _column(known: dict[str, int], letters: str) -> int:
    """From 0: A, B, ... Z, AA."""
    number = 0
    for letter in letters:
        if not "A" <= letter <= "Z":
            raise ValueError(f"{letters!r} is no column")
        number = number * 26 + ord(letter) - ord("A") + 1
    known[letters] = number - 1
    return number - 1


def _refuse_entity(name: str, *_more: object) -> None:
    """No spreadsheet declares entities; a file that does is an attack on its reader."""
    raise ValueError(f"it declares the entity {name}")

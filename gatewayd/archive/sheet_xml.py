"""The cells of one worksheet out of its XML, row by row, with what decides how a cell is meant.

A library that makes an object of every cell reads 2,000 rows a second; this reads fifty times as
many in the memory of one chunk. What a cell means is for `workbook_in.py`.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, TypeAlias

from gatewayd.archive.xml_items import CHARACTER, Items

COLUMNS_MAX = 16_384
"""Of a sheet (XFD); what says more is damaged."""
TEXT_CHARACTERS_MAX = 32_767
"""Of a cell; what has more is no cell of a spreadsheet."""
ALIKE_MAX = 1_024
"""Different attributes of rows that are remembered as sound."""

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_AS_DIGITS = str.maketrans("", "", "0123456789")

RawCell: TypeAlias = list[Any]
"""COLUMN from 0, KIND (`t`), STYLE (`s`) and TEXT: a plain list, made for every cell of millions."""
COLUMN, KIND, STYLE, TEXT = range(4)

RawRow: TypeAlias = tuple[int, list[RawCell]]

_ROW = re.compile(
    r'<row(?: r="([0-9]{1,9})")?((?: (?!r=)[A-Za-z][A-Za-z0-9:]*="[^"<>&]*")*) ?(?:/>|>(.*)</row>)',
    re.DOTALL,
)
_CELL = re.compile(
    r'<c r="([A-Z]{1,3})[0-9]+"(?: s="([0-9]{1,6})")?(?: t="([A-Za-z]+)")?(?: s="([0-9]{1,6})")? ?'
    rf"(?:/>|>(?:<v>({CHARACTER}*)</v>|"
    rf'<is><t(?: xml:space="preserve")?>({CHARACTER}*)</t></is>)?</c>)[ \t\r\n]*|(.)',
    re.DOTALL,
)
"""A cell as all programs write it, else one character in its last group."""
_NAME = re.compile(r" ([A-Za-z0-9:]+)=")


class SheetXml:
    """One worksheet part, read once; `read_bytes` says how far it is."""

    def __init__(self, source: BinaryIO) -> None:
        self.number = 0
        self._done: list[RawRow] = []
        self._items = Items(source, "sheetData", "row", self._root)
        self._columns: dict[str, int] = {}
        self._alike: set[str] = {""}

    @property
    def read_bytes(self) -> int:
        """Bytes of the part that are read."""
        return self._items.read_bytes

    def rows(self) -> Iterator[RawRow]:
        """Every row that is written, with its number from 1, the cells in the order of columns.

        Raises expat.ExpatError and ValueError when it is damaged.
        """
        for _ in self._items.read(self._take):
            yield from self._done
            self._done.clear()

    def _root(self, name: str, attributes: dict[str, str]) -> None:
        """The first element says by which prefix the file means a spreadsheet, mostly none."""
        prefix, colon, local = name.rpartition(":")
        space = attributes.get(f"xmlns:{prefix}" if colon else "xmlns")
        if (space, local) != (_MAIN, "worksheet"):
            raise ValueError(f"{name!r} of {space!r} is no worksheet")
        _listen(self, self._items, prefix + colon, self._done)

    def _take(self, written: str) -> bool:
        """A row in the usual form; False = the parser has to read it."""
        row = _ROW.fullmatch(written)
        if row is None or not self._once(row[2]):
            return False
        cells: list[RawCell] = []
        last, columns = -1, self._columns
        for letters, style, kind, late, value, text, other in _CELL.findall(row[3] or ""):
            if other or (style and late):
                return False
            column = columns[letters] if letters in columns else _column(columns, letters)
            if not last < column < COLUMNS_MAX or len(value) + len(text) > TEXT_CHARACTERS_MAX:
                return False  # The parser says what is wrong with it.
            last = column
            said = text if kind == "inlineStr" else value
            cells.append([column, kind or "n", int(style or late or 0), said])
        number = int(row[1]) if row[1] else self.number + 1
        if number <= self.number:
            return False
        self.number = number
        self._done.append((number, cells))
        return True

    def _once(self, attributes: str) -> bool:
        """Whether no attribute of a row stands there twice: nearly all rows have the same ones."""
        if attributes in self._alike:
            return True
        names = _NAME.findall(attributes)
        if len(set(names)) < len(names):
            return False
        if len(self._alike) < ALIKE_MAX:
            self._alike.add(attributes)
        return True


def _listen(sheet: SheetXml, items: Items, prefix: str, done: list[RawRow]) -> None:
    """Put complete rows into `done`. Closures: this is called for every element of every cell."""
    row, cell, value, inline, text, phonetic = (
        f"{prefix}{name}" for name in ("row", "c", "v", "is", "t", "rPh")
    )
    columns: dict[str, int] = {}
    last = COLUMNS_MAX  # No cell may stand outside a row.
    cells: list[RawCell] = []
    now: RawCell = []
    taking = within = spoken = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal last, cells, now, taking, within, spoken
        if name == cell:
            place = attributes.get("r")
            if place is None:
                column = last + 1
            else:
                letters = place.translate(_AS_DIGITS)
                column = columns[letters] if letters in columns else _column(columns, letters)
            last = _next(last, column, sheet.number, place)
            now = [column, attributes.get("t", "n"), int(attributes.get("s", 0)), ""]
            cells.append(now)
        elif name == value:
            taking = bool(now) and now[KIND] != "inlineStr"
        elif name == row:
            sheet.number, last, cells = _row_number(attributes, sheet.number), -1, []
        elif name == inline:
            within = bool(now) and now[KIND] == "inlineStr"
        elif name == text:
            taking = within and not spoken
        elif name == phonetic:
            spoken = True

    def end(name: str) -> None:
        nonlocal last, cells, now, taking, within, spoken
        if name in {value, text}:
            taking = False
        elif name == cell:
            now, within = [], False
        elif name == row:
            done.append((sheet.number, cells))
            last, cells = COLUMNS_MAX, []
        elif name == inline:
            within = False
        elif name == phonetic:
            spoken = False

    def characters(data: str) -> None:
        if taking:
            now[TEXT] += data
            if len(now[TEXT]) > TEXT_CHARACTERS_MAX:
                raise ValueError(f"row {sheet.number}: a cell with too much text")

    items.parser.StartElementHandler = start
    items.parser.EndElementHandler = end
    items.parser.CharacterDataHandler = characters


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

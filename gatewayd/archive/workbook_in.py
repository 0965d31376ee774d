"""Excel workbooks (.xlsx) in, row by row: openpyxl reads plan and styles, we what there is much of.

What a spreadsheet does to values silently is undone where it can be proven, else refused: codes
as numbers lose leading zeros and digits after the fifteenth, `2026-08` becomes the first of August.
"""

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, BinaryIO

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.datetime import from_excel, from_ISO8601
from openpyxl.xml.constants import SHARED_STRINGS

from gatewayd.archive import texts_xml
from gatewayd.archive.cells import CellError
from gatewayd.archive.sheet import Cell
from gatewayd.archive.sheet_xml import COLUMN, KIND, STYLE, TEXT, RawCell, SheetXml
from gatewayd.archive.writing import SHEET
from gatewayd.errors import RejectedError

UNPACKED_BYTES_MAX = 4_294_967_296
TEXTS_BYTES_MAX = 536_870_912
"""Of the texts of a workbook, which are the one part of it that is held in memory."""
CELLS_KNOWN_MAX = 65_536
"""Different numbers and dates whose meaning is remembered: they repeat."""

_CODE_DIGITS = 10
_EXACT_BELOW = 10**15
_CODES = frozenset({"code", "tag_uids", "id", "certificate", "cards", "value"})


class Reading:
    """The rows of the sheet `cylinders`, else of the first one, and how far they are read."""

    def __init__(self, file: BinaryIO, origin: str) -> None:
        self._file = file
        self._origin = origin
        self._xml: SheetXml | None = None
        self._bytes = 0

    def progress(self) -> tuple[int, int]:
        """Bytes of the sheet that are read, and how many it has; (0, 0) before the first row."""
        return (0 if self._xml is None else self._xml.read_bytes), self._bytes

    def rows(self) -> Iterator[tuple[int, list[Cell]]]:
        """Every row that is written, as wide as the header at least. Raises RejectedError."""
        with _named_errors(self._origin):
            _check_size(self._file, self._origin)
            reader = ExcelReader(self._file, read_only=True, data_only=True, keep_links=False)
            with reader.archive as packed:
                reader.read_manifest()
                reader.read_workbook()
                texts = _texts(reader, packed)
                apply_stylesheet(packed, reader.wb)
                part = _chosen(reader, self._origin)
                self._bytes = packed.getinfo(part).file_size
                with packed.open(part) as source:
                    self._xml = SheetXml(source)
                    yield from _told(self._xml, _Meaning(reader.wb, texts))


def _texts(reader: ExcelReader, packed: zipfile.ZipFile) -> list[str]:
    """The texts that cells name by number; a workbook may have none."""
    part = reader.package.find(SHARED_STRINGS)
    if part is None:
        return []
    with packed.open(part.PartName[1:]) as source:
        return texts_xml.read(source)


def _chosen(reader: ExcelReader, origin: str) -> str:
    """The part of the sheet to read. The library's own sheets look all through each one first."""
    parts = {
        sheet.name: link.target
        for sheet, link in reader.parser.find_sheets()
        if link.target in reader.valid_files and "chartsheet" not in link.Type
    }
    if not parts:
        raise RejectedError(f"{origin}: a workbook without a sheet of cells")
    return str(parts.get(SHEET) or next(iter(parts.values())))


def _told(xml: SheetXml, meant: "_Meaning") -> Iterator[tuple[int, list[Cell]]]:
    """Each row as text; cells beside the header count only when they say something."""
    names: list[str] = []
    width = 0
    for number, cells in xml.rows():
        texts: list[Cell] = [""] * width
        for cell in cells:
            at = cell[COLUMN]
            if at < width:
                texts[at] = meant.text(cell, names[at])
            elif text := meant.text(cell, ""):
                texts += [""] * (at - len(texts))
                texts.append(text)
        if not names:
            names = [str(text) for text in texts]
            width = len(names)
        yield number, texts


class _Meaning:
    """What cells of one workbook say: its texts, its styles, and the day that it counts from."""

    def __init__(self, book: Any, texts: Sequence[Any]) -> None:
        self._texts = texts
        self._epoch = book.epoch
        # The library has read the styles, and has no other name for them.
        self._days = frozenset(book._date_formats)  # noqa: SLF001 - see above
        self._spans = frozenset(book._timedelta_formats)  # noqa: SLF001 - see above
        own = book._number_formats  # noqa: SLF001 - see above
        styles = book._cell_styles  # noqa: SLF001 - see above
        self._formats = [_shown_as(style.numFmtId, own) for style in styles]
        self._known: dict[tuple[str, str, int, str], Cell] = {}

    def text(self, cell: RawCell, column: str) -> Cell:
        """What a cell says, spelled as in a CSV file."""
        _, kind, style, written = cell
        if kind in {"inlineStr", "str"}:
            return str(written).strip()
        if not written:
            return ""
        if kind == "s":
            return str(self._texts[int(written)]).strip()
        key = (column, kind, style, written)
        known = self._known.get(key)
        if known is None:
            known = self._text(cell, column)
            if len(self._known) < CELLS_KNOWN_MAX:
                self._known[key] = known
        return known

    def _text(self, cell: RawCell, column: str) -> Cell:
        kind, written = cell[KIND], cell[TEXT]
        if kind == "b":
            return "true" if int(written) else "false"
        if kind == "d":
            return _said(from_ISO8601(written), column, self._formats[cell[STYLE]])
        if kind != "n":
            return CellError(f"{written} is an error of the spreadsheet", "expected a value")
        value: Any = _number_of(written)
        if cell[STYLE] in self._days:
            try:
                value = from_excel(value, self._epoch, timedelta=cell[STYLE] in self._spans)
            except (OverflowError, ValueError):
                return CellError(f"{written} is no day of a spreadsheet", "expected a date")
        return _said(value, column, self._formats[cell[STYLE]])


def _number_of(text: str) -> int | float:
    return float(text) if any(mark in text for mark in ".eE") else int(text)


def _shown_as(number: int, own: Sequence[str]) -> str:
    """The format of a style: one that every spreadsheet has, or the workbook's own."""
    if number < BUILTIN_FORMATS_MAX_SIZE:
        return str(BUILTIN_FORMATS.get(number, "General"))
    return str(own[number - BUILTIN_FORMATS_MAX_SIZE])


@contextmanager
def _named_errors(origin: str) -> Iterator[None]:
    try:
        yield
    except RejectedError:
        raise
    except Exception as exc:  # A damaged workbook makes zip, XML and openpyxl raise all sorts.
        raise RejectedError(
            f"{origin}: not a workbook that can be read ({type(exc).__name__}: {exc}); open it in "
            "a spreadsheet and save it again, or as CSV UTF-8"
        ) from exc


def _check_size(file: BinaryIO, origin: str) -> None:
    """Refuse a file that is small only as long as it is packed."""
    with zipfile.ZipFile(file) as packed:
        sizes = {info.filename: info.file_size for info in packed.infolist()}
    texts = sum(size for name, size in sizes.items() if not name.startswith("xl/worksheets/"))
    if sum(sizes.values()) > UNPACKED_BYTES_MAX or texts > TEXTS_BYTES_MAX:
        raise RejectedError(f"{origin}: too large when unpacked; save it as CSV UTF-8")
    file.seek(0)


def _said(value: Any, column: str, shown_as: str) -> Cell:
    """A number or a date as text."""
    if isinstance(value, datetime | date):
        return _day(value, shown_as)
    if isinstance(value, int | float):
        return _number(value, column, shown_as)
    return CellError(f"{value} is a time", "expected a date without a time, or a number")


def _day(value: date, shown_as: str) -> Cell:
    """A date cell; one that shows no day was typed as a month and means its last day."""
    if isinstance(value, datetime) and (value.hour, value.minute, value.second) != (0, 0, 0):
        return CellError(f"{value} has a time of day", "expected a date without a time")
    if "d" in shown_as.lower():
        return f"{value:%Y-%m-%d}"
    if value.day == 1:
        return f"{value:%Y-%m}"
    return CellError(
        f"{value:%Y-%m-%d} is shown as a month", "expected the whole date or the month as text"
    )


def _number(value: Any, column: str, shown_as: str) -> Cell:
    """A number cell; in a column of codes only one that surely is what was typed."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_BELOW:
        value = int(value)
    if column not in _CODES:
        return str(value)
    digits = str(value)
    if isinstance(value, int) and column == "code":
        if shown_as and set(shown_as) == {"0"} and len(digits) <= len(shown_as) > 1:
            return digits.zfill(len(shown_as))
        if len(digits) == _CODE_DIGITS:
            return digits
    return CellError(
        f"{digits} is a number, and a spreadsheet drops leading zeros and all digits after the 15th",
        "expected text; format the column as text, then type or paste it again",
    )

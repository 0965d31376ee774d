"""Excel workbooks (.xlsx) in and out, row by row. The only file that knows openpyxl.

What a spreadsheet does to values silently is undone where it can be proven, else refused: codes
as numbers lose leading zeros and digits after the fifteenth, `2026-08` becomes the first of August.
"""

import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, BinaryIO, Final

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from gatewayd.archive.cells import INSPECTION_RESULTS, STATUSES, CellError
from gatewayd.archive.sheet import Cell
from gatewayd.errors import RejectedError
from rules_engine.facts import MEDIA
from rules_engine.vocabulary import KINDS

SHEET = "cylinders"
UNPACKED_BYTES_MAX = 4_294_967_296
TEXTS_BYTES_MAX = 536_870_912
"""Of the texts of a workbook, which are the one part of it that is held in memory."""
TEMPLATE_ROWS = 10_000
"""Rows of a template whose cells are prepared."""

_CODE_DIGITS = 10
_EXACT_BELOW = 10**15
_CODES = frozenset({"code", "tag_uids"})
_DATES = frozenset(
    {"made_on", "scrap_on", "life_extended_to", "last_inspection_on", "next_inspection_on"}
)
_NUMBERS = frozenset(
    {"water_capacity_ml", "stamped_tare_g", "allowed_net_g", "design_life_years"}
    | {"fills_allowed", "fills_done", "working_pressure_kpa"}
)
_BOOLEANS = frozenset(
    {"refurbished", "screw_shroud", "embossed_mark", "registered", "maker_licensed", "taxi"}
)
_DAY = "yyyy-mm-dd"
_TEXT = "@"
_CHOICES: Final = {
    "medium": tuple(sorted(MEDIA)),
    "inspection_result": INSPECTION_RESULTS,
    "status": STATUSES,
    "kind": tuple(sorted(KINDS)),
    **dict.fromkeys(_BOOLEANS, ("TRUE", "FALSE")),
}


def rows(file: BinaryIO, origin: str) -> Iterator[tuple[int, list[Cell]]]:
    """The rows of the sheet `cylinders`, else of the first one. Raises RejectedError."""
    with _named_errors(origin):
        _check_size(file, origin)
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        if not sheets:
            raise RejectedError(f"{origin}: a workbook without a sheet of cells")
        chosen = sheets.get(SHEET) or book.worksheets[0]
        chosen.reset_dimensions()  # what it says of its size may be wrong
        names: list[str] = []
        for number, cells in enumerate(chosen.iter_rows(), start=1):
            texts = [
                _text(cell, names[at] if at < len(names) else "") for at, cell in enumerate(cells)
            ]
            while texts and not texts[-1] and len(texts) > len(names):
                texts.pop()
            texts += [""] * (len(names) - len(texts))
            if not names:
                names = [str(text) for text in texts]
            yield number, texts
        book.close()


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


def _text(cell: Any, column: str) -> Cell:
    """What a cell says, spelled as in a CSV file."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return (
            CellError(f"{value} is an error of the spreadsheet", "expected a value")
            if (cell.data_type == "e")
            else value.strip()
        )
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date):
        return _day(value, cell.number_format)
    if isinstance(value, int | float):
        return _number(value, column, cell)
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


def _number(value: Any, column: str, cell: Any) -> Cell:
    """A number cell; in a column of codes only one that surely is what was typed."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_BELOW:
        value = int(value)
    if column not in _CODES:
        return str(value)
    digits = str(value)
    shown_as = str(cell.number_format)
    if isinstance(value, int) and column == "code":
        if shown_as and set(shown_as) == {"0"} and len(digits) <= len(shown_as) > 1:
            return digits.zfill(len(shown_as))
        if len(digits) == _CODE_DIGITS:
            return digits
    return CellError(
        f"{digits} is a number, and a spreadsheet drops leading zeros and all digits after the 15th",
        "expected text; format the column as text, then type or paste it again",
    )


def template(columns: Sequence[str]) -> Workbook:
    """An empty workbook whose columns take what they are for: text, days, choices."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = SHEET
    page.freeze_panes = "B2"
    for at, column in enumerate(columns, start=1):
        letter = get_column_letter(at)
        page.cell(1, at, column).font = Font(bold=True)
        page.column_dimensions[letter].width = max(12, len(column) + 2)
        page.column_dimensions[letter].number_format = _format(column)
        if column in _CHOICES:
            listed = DataValidation("list", formula1=f'"{",".join(_CHOICES[column])}"')
            page.add_data_validation(listed)
            listed.add(f"{letter}2:{letter}{TEMPLATE_ROWS}")
    return book


def _format(column: str) -> str:
    if column in _NUMBERS:
        return "0"
    if column in _DATES:
        return _DAY
    return "General" if column in _BOOLEANS else _TEXT


def write_template(file: BinaryIO, columns: Sequence[str]) -> None:
    """Write `template` as .xlsx."""
    template(columns).save(file)


def write(
    file: BinaryIO,
    columns: Sequence[str],
    entries: Iterable[Sequence[Any]],
    progress: Callable[[int], None],
) -> None:
    """Write rows of values in the order of `columns` as .xlsx; `progress` hears how many."""
    book = Workbook(write_only=True)
    page = book.create_sheet(SHEET)
    page.append(list(columns))
    for number, values in enumerate(entries, start=1):
        page.append([_cell(page, value) for value in values])
        progress(number)
    book.save(file)


def _cell(page: Any, value: Any) -> Any:
    """A value as openpyxl wants it; text stays text, whatever it looks like."""
    if isinstance(value, str):
        cell = WriteOnlyCell(page, value)
        cell.data_type = "s"
        cell.number_format = _TEXT
        return cell
    if isinstance(value, date):
        cell = WriteOnlyCell(page, value)
        cell.number_format = _DAY
        return cell
    return value

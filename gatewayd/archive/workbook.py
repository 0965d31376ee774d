"""Excel workbooks (.xlsx) out: the template to fill in, and the archive as a file."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, BinaryIO, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from gatewayd.archive.cells import INSPECTION_RESULTS, STATUSES
from rules_engine.facts import MEDIA
from rules_engine.vocabulary import KINDS

TEMPLATE_ROWS = 10_000
"""Rows of a template whose cells are prepared."""

_DATES = frozenset(
    {"made_on", "scrap_on", "life_extended_to", "last_inspection_on", "next_inspection_on"}
    | {"certificate_until"}
)
_NUMBERS = frozenset(
    {"water_capacity_ml", "stamped_tare_g", "allowed_net_g", "design_life_years"}
    | {"fills_allowed", "fills_done", "working_pressure_kpa"}
)
_BOOLEANS = frozenset(
    {"refurbished", "screw_shroud", "embossed_mark", "registered", "maker_licensed", "taxi"}
    | {"active"}
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


def template(columns: Sequence[str], sheet: str) -> Workbook:
    """An empty workbook whose columns take what they are for: text, days, choices."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
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


def write_template(file: BinaryIO, columns: Sequence[str], sheet: str) -> None:
    """Write `template` as .xlsx."""
    template(columns, sheet).save(file)


def write(
    file: BinaryIO,
    columns: Sequence[str],
    entries: Iterable[Sequence[Any]],
    progress: Callable[[int], None],
    *,
    sheet: str,
) -> None:
    """Write rows of values in the order of `columns` as .xlsx; `progress` hears how many."""
    book = Workbook(write_only=True)
    page = book.create_sheet(sheet)
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

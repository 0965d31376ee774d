"""The rows of a worksheet's XML, in every spelling that spreadsheets use; damage is refused."""

import io
import zipfile
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from xml.parsers import expat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from gatewayd.archive.sheet_xml import COLUMNS_MAX, SheetXml
from gatewayd.archive.workbook_in import Reading
from gatewayd.errors import RejectedError
from gatewayd.store.model import Cylinder
from tests.support.archives import read

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
CODE = "3701000001"


def _rows(xml: str) -> list[tuple[int, list[list[Any]]]]:
    return list(SheetXml(io.BytesIO(xml.encode())).rows())


def _sheet(body: str, prefix: str = "") -> str:
    mark = f"{prefix}:" if prefix else ""
    space = f"xmlns:{prefix}" if prefix else "xmlns"
    return f'<{mark}worksheet {space}="{MAIN}"><{mark}sheetData>{body}</{mark}sheetData></{mark}worksheet>'


def test_cells_stand_in_their_columns_with_or_without_a_place() -> None:
    body = '<row r="2"><c r="B2" t="s" s="3"><v>7</v></c><c><v>8</v></c><c r="AA2"/></row><row/>'
    assert _rows(_sheet(body)) == [
        (2, [[1, "s", 3, "7"], [2, "n", 0, "8"], [26, "n", 0, ""]]),
        (3, []),
    ]


def test_a_prefix_changes_nothing() -> None:
    body = '<x:row><x:c r="A1" t="inlineStr"><x:is><x:t>a</x:t></x:is></x:c></x:row>'
    assert _rows(_sheet(body, "x")) == [(1, [[0, "inlineStr", 0, "a"]])]


def test_a_rich_text_is_its_runs_and_a_formula_is_its_value() -> None:
    runs = "<r><t>济南</t></r><r><t>气瓶</t></r><rPh><t>jinan</t></rPh>"
    body = f'<row><c t="inlineStr"><is>{runs}</is></c><c t="str"><f>1+1</f><v>x</v></c></row>'
    assert [cell[3] for cell in _rows(_sheet(body))[0][1]] == ["济南气瓶", "x"]


DAMAGED = {
    "a row twice": '<row r="2"/><row r="2"/>',
    "a row that goes back": '<row r="5"/><row r="4"/>',
    "a cell twice": '<row><c r="A1"/><c r="A1"/></row>',
    "a cell that goes back": '<row><c r="B1"/><c r="A1"/></row>',
    "a column that no sheet has": '<row><c r="XFE1"/></row>',
    "a place that is none": '<row><c r="1"/></row>',
    "small letters": '<row><c r="a1"/></row>',
    "no end": "<row>",
}


@pytest.mark.parametrize("body", DAMAGED.values(), ids=DAMAGED.keys())
def test_damage_is_an_error(body: str) -> None:
    with pytest.raises((ValueError, expat.ExpatError)):
        _rows(_sheet(body))


def test_the_last_column_is_one() -> None:
    assert _rows(_sheet('<row><c r="XFD1"/></row>'))[0][1][0][0] == COLUMNS_MAX - 1


def test_what_is_no_worksheet_is_refused() -> None:
    for xml in ("<worksheet/>", f'<sheet xmlns="{MAIN}"/>', '<worksheet xmlns="other"/>'):
        with pytest.raises(ValueError, match="no worksheet"):
            _rows(xml)


def _book(rows: Iterable[Iterable[Any]], *, epoch: Any = None) -> bytes:
    book = Workbook()
    if epoch is not None:
        book.epoch = epoch
    for row in rows:
        book.active.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_an_empty_row_keeps_the_numbers_of_the_rows_below() -> None:
    data = _book([("code", "maker"), (), (), (CODE, "a\tb")])
    with pytest.raises(RejectedError, match=r"a\.xlsx:row 4, column maker"):
        read(data, "a.xlsx")


def test_days_count_from_where_the_workbook_says() -> None:
    data = _book([("code", "made_on"), (CODE, date(2020, 2, 29))], epoch=CALENDAR_MAC_1904)
    assert read(data, "a.xlsx").cylinders == (Cylinder(CODE, made_on=date(2020, 2, 29)),)


def test_a_progress_bar_knows_how_far_it_is() -> None:
    data = _book([("code",), *((f"{n:010}",) for n in range(5_000))])
    reading = Reading(io.BytesIO(data), "a.xlsx")
    assert reading.progress() == (0, 0)
    seen = [reading.progress() for _ in reading.rows()]
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1] > 0


PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=9)
VALUES = (
    st.none()
    | PLAIN
    | st.booleans()
    | st.integers(-(10**14), 10**14)
    | st.floats(-1e9, 1e9)
    | st.dates(date(1901, 1, 1), date(2999, 12, 31))
)


def _naive(data: bytes) -> list[list[str]]:
    """What openpyxl itself makes of it, spelled as plainly as can be."""
    page = load_workbook(io.BytesIO(data), read_only=True, data_only=True).active
    assert page is not None
    page.reset_dimensions()
    return [[_plain(cell.value) for cell in row] for row in page.iter_rows()]


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
        return str(int(value))
    return value.strip() if isinstance(value, str) else str(value)


@settings(max_examples=60)
@given(rows=st.lists(st.lists(VALUES, min_size=3, max_size=3), max_size=4))
def test_every_cell_says_what_the_library_says(rows: list[list[Any]]) -> None:
    data = _book([("a", "b", "c"), *rows])
    told = dict(Reading(io.BytesIO(data), "a.xlsx").rows())
    for number, naive in enumerate(_naive(data), start=1):
        mine = [str(cell) for cell in told.get(number, [])]
        wide = max(len(naive), len(mine))
        pad = [*mine, *[""] * (wide - len(mine))]
        for own, theirs in zip(pad, [*naive, *[""] * (wide - len(naive))], strict=True):
            if not theirs.startswith("#"):  # an error of the spreadsheet is refused with a text
                assert own == theirs


def test_a_workbook_of_another_program_is_read() -> None:
    """Rewritten with a prefix and without places, as some programs do."""
    data = _book([("code", "maker"), (CODE, "M")])
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                body = (
                    '<x:row><x:c t="inlineStr"><x:is><x:t>code</x:t></x:is></x:c></x:row>'
                    f'<x:row><x:c t="inlineStr"><x:is><x:t> {CODE} </x:t></x:is></x:c></x:row>'
                )
                content = _sheet(body, "x").encode()
            new.writestr(name, content)
    assert read(file.getvalue(), "a.xlsx").cylinders == (Cylinder(CODE),)

"""Workbooks: what a spreadsheet does to values is undone where it can be proven, else refused."""

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from gatewayd.archive import workbook_in, writing
from gatewayd.archive.cells import CODE_CHARACTERS_MAX, INSPECTION_RESULTS, STATUSES
from gatewayd.errors import RejectedError
from gatewayd.store.model import Cylinder
from gatewayd.store.rows import CONTRACT_COLUMNS, CYLINDER_COLUMNS
from rules_engine.facts import MEDIA
from rules_engine.vocabulary import KINDS
from tests.support.archives import Read, read

CODE = "3701000001"


def _at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A cell of a date: a spreadsheet knows no time zones."""
    return datetime(year, month, day, hour, minute, tzinfo=UTC).replace(tzinfo=None)


def _book(*rows: tuple[Any, ...], change: Callable[[Any], None] = lambda _page: None) -> bytes:
    book = Workbook()
    page = book.active
    for row in rows:
        page.append(row)
    change(page)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _told(data: bytes) -> str:
    with pytest.raises(RejectedError) as caught:
        read(data, "a.xlsx")
    return str(caught.value).splitlines()[0].removeprefix("a.xlsx:")


def _one(column: str, value: Any, shown_as: str | None = None) -> bytes:
    def change(page: Any) -> None:
        at = 1 if column == "code" else 2
        page.cell(2, at).value = value
        if shown_as is not None:
            page.cell(2, at).number_format = shown_as

    header = ("code",) if column == "code" else ("code", column)
    return _book(header, (CODE, None)[: len(header)], change=change)


def _value(column: str, value: Any, shown_as: str | None = None) -> Any:
    (cylinder,) = read(_one(column, value, shown_as)).cylinders
    return getattr(cylinder, column)


def test_cells_are_read_as_what_they_are() -> None:
    assert _value("made_on", _at(2020, 2, 29)) == date(2020, 2, 29)
    assert _value("made_on", "2020-02") == date(2020, 2, 29)
    assert _value("stamped_tare_g", 16_500) == 16_500
    assert _value("stamped_tare_g", 16_500.0) == 16_500
    assert _value("stamped_tare_g", "16500") == 16_500
    assert _value("serial_no", 12_345) == "12345"
    assert _value("model", " YSP35.5 ") == "YSP35.5"
    assert _value("refurbished", False) is False  # noqa: FBT003 - the value of a cell
    assert _value("screw_shroud", "true") is True
    assert _value("maker", None) is None
    assert _value("tag_uids", "E280 1170;AABB") == ("E280 1170", "AABB")


def test_a_month_that_a_spreadsheet_made_a_day_is_its_last_day_again() -> None:
    first = _at(2026, 8, 1)
    for shown_as in ("yyyy-mm", "mmm-yy", 'yyyy"年"m"月"'):
        assert _value("next_inspection_on", first, shown_as) == date(2026, 8, 31)
    assert _value("next_inspection_on", first, "yyyy-mm-dd") == date(2026, 8, 1)
    told = _told(_one("next_inspection_on", _at(2026, 8, 5), "yyyy-mm"))
    assert told.startswith("row 2, column next_inspection_on: 2026-08-05 is shown as a month")


def test_a_code_survives_a_spreadsheet_or_is_refused() -> None:
    assert _value("code", "0012345678") == "0012345678"
    assert _value("code", 12_345_678, "0000000000") == "0012345678"
    assert _value("code", 3_701_000_001) == CODE
    for eaten in (12_345_678, 37_010_001_101_000.0, 3_701_000_110_100_001, 3.5):
        told = _told(_one("code", eaten))
        assert "is a number, and a spreadsheet drops leading zeros" in told
        assert told.endswith("format the column as text, then type or paste it again")


BAD = [
    ("tag_uids", 12_345_678, "12345678 is a number, and a spreadsheet drops leading zeros"),
    ("made_on", _at(2026, 8, 1, 12, 30), "2026-08-01 12:30:00 has a time of day; expected"),
    ("made_on", time(12, 30), "12:30:00 is a time; expected a date without a time"),
    ("made_on", 46_000, "'46000' is not a date; expected a date such as"),
    ("maker", "#N/A", "#N/A is an error of the spreadsheet; expected a value"),
    ("stamped_tare_g", 16.5, "'16.5' is not a whole number; expected a whole number of grams"),
    ("stamped_tare_g", True, "'true' is not a whole number"),
    ("medium", "lpg", "unknown 'lpg'; expected one of"),
]


@pytest.mark.parametrize(("column", "value", "start"), BAD)
def test_a_bad_cell_is_named_by_row_and_column(column: str, value: Any, start: str) -> None:
    assert _told(_one(column, value)).startswith(f"row 2, column {column}: {start}")


def test_the_sheet_cylinders_is_read_else_the_first() -> None:
    book = Workbook()
    book.active.append(["notes"])
    page = book.create_sheet("cylinders")
    for row in (["code"], [CODE]):
        page.append(row)
    file = io.BytesIO()
    book.save(file)
    assert read(file.getvalue()).cylinders == (Cylinder(CODE),)
    assert read(_book(("code",), (CODE,))).cylinders == (Cylinder(CODE),)


def test_blank_rows_and_cells_beside_the_table_do_no_harm() -> None:
    rows = (("code", "maker", None, None), (CODE,), (None,), (None, None, None), ("2", "M", "", ""))
    assert read(_book(*rows)) == Read(("code", "maker"), (Cylinder(CODE), Cylinder("2", maker="M")))
    assert _told(_book(("code",), (CODE, "stray"))) == "row 2: 2 cells; expected 1"


def test_a_template_is_a_whole_header_that_keeps_codes_as_text() -> None:
    file = io.BytesIO()
    writing.write_template(file, "xlsx")
    assert read(file.getvalue(), whole=True).columns == CONTRACT_COLUMNS
    page = load_workbook(io.BytesIO(file.getvalue())).active
    assert page.column_dimensions["A"].number_format == "@"
    assert page.column_dimensions["L"].number_format == "yyyy-mm-dd"
    choices = {str(rule.sqref)[0]: rule.formula1 for rule in page.data_validations.dataValidation}
    assert choices["S"] == f'"{",".join(STATUSES)}"'
    file = io.BytesIO()
    writing.write_template(file, "xlsx", all_columns=True)
    assert read(file.getvalue(), whole=True).columns == CYLINDER_COLUMNS


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1
)
PLAIN = TEXT.map(lambda text: text[:CODE_CHARACTERS_MAX].strip()).filter(
    lambda text: text and text.isprintable()
)
DAYS = st.none() | st.dates(date(1900, 3, 1), date(2999, 12, 31))
COUNTS = st.none() | st.integers(1, 100)
CYLINDERS = st.builds(
    Cylinder,
    code=PLAIN.filter(lambda text: "E+" not in text.upper()),
    tag_uids=st.lists(st.from_regex(r"[0-9A-F]{8}", fullmatch=True), unique=True, max_size=3).map(
        tuple
    ),
    serial_no=st.none() | PLAIN,
    maker=st.sampled_from(
        [None, "=1+1", "+86", "-", "济南气瓶厂", 'a,"b"', "007", "TRUE", "#N/A!"]
    ),
    medium=st.none() | st.sampled_from(sorted(MEDIA)),
    water_capacity_ml=COUNTS,
    stamped_tare_g=COUNTS,
    made_on=DAYS,
    next_inspection_on=DAYS,
    design_life_years=COUNTS,
    inspection_result=st.none() | st.sampled_from(INSPECTION_RESULTS),
    status=st.none() | st.sampled_from(STATUSES),
    fills_allowed=COUNTS,
    refurbished=st.none() | st.booleans(),
    embossed_mark=st.none() | st.booleans(),
    kind=st.none() | st.sampled_from(sorted(KINDS)),
    working_pressure_kpa=COUNTS,
    registered=st.none() | st.booleans(),
    maker_licensed=st.none() | st.booleans(),
    taxi=st.none() | st.booleans(),
)


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
@settings(max_examples=40)
@given(
    cylinders=st.lists(
        CYLINDERS,
        unique_by=(lambda one: one.code, lambda one: one.tag_uids or one.code),
        max_size=4,
    )
)
def test_what_is_written_is_read_back_unchanged(
    file_format: writing.FileFormat, cylinders: list[Cylinder]
) -> None:
    uids = [uid for one in cylinders for uid in one.tag_uids]
    if len(uids) != len(set(uids)):
        return
    for bom in (False, True):
        file = io.BytesIO()
        writing.write(file, file_format, cylinders, lambda _count: None, all_columns=True, bom=bom)
        assert read(file.getvalue(), whole=True).cylinders == tuple(cylinders)


def test_a_file_that_is_large_only_when_unpacked_is_refused() -> None:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed,
        packed.open("xl/sharedStrings.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(workbook_in.TEXTS_BYTES_MAX // 2**24 + 1):
            part.write(bytes(2**24))
    assert _told(file.getvalue()).strip() == "too large when unpacked; save it as CSV UTF-8"


def test_an_entity_bomb_is_refused() -> None:
    good = _book(("code",), (CODE,))
    bomb = b'<?xml version="1.0"?><!DOCTYPE z [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
    )
    bomb += b"]>"
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                content = bomb + content.replace(b"code", b"&j;")
            new.writestr(name, content)
    assert "not a workbook that can be read (" in _told(file.getvalue())


def test_who_reads_no_workbook_does_not_pay_for_one() -> None:
    modules = "gatewayd.app, gatewayd.cli.imports, gatewayd.cli.exports"
    code = f"import sys, {modules}; assert 'openpyxl' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


SMALL = _book(("code", "maker"), (CODE, "M"))


@given(share=st.floats(0, 1, exclude_max=True), cut=st.booleans())
def test_a_damaged_workbook_is_refused_never_worse(share: float, *, cut: bool) -> None:
    at = 4 + int(share * (len(SMALL) - 4))
    bad = SMALL[:at] if cut else SMALL[:at] + b"\xa5" + SMALL[at + 1 :]
    with suppress(RejectedError):
        assert len(read(bad).cylinders) <= 1

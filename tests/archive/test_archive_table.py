"""The archive file: every cell checked, every mistake named, nothing guessed."""

import csv
import io
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewayd.archive import sheet as sheets
from gatewayd.archive.cells import COLUMNS, FURTHER, PRESSURE_KPA_MAX, TEMPLATE
from gatewayd.archive.table import ERRORS_SHOWN_MAX, ROWS_PER_REPORT
from gatewayd.errors import RejectedError
from gatewayd.store.model import Cylinder
from gatewayd.store.rows import CONTRACT_COLUMNS, CYLINDER_COLUMNS, FURTHER_COLUMNS
from rules_engine.facts import MEDIA
from tests.support.archives import Read, read

FULL = {
    "code": "3701000001",
    "tag_uids": "E280 1170;e2:80-11.71",
    "serial_no": "A-1",
    "maker": "济南气瓶厂",
    "owner": "3701000042",
    "model": "YSP35.5",
    "medium": "LPG",
    "water_capacity_ml": "35500",
    "stamped_tare_g": "16500",
    "allowed_net_g": "14500",
    "made_on": "2020-02-29",
    "scrap_on": "2028-02",
    "life_extended_to": "2030-12",
    "last_inspection_on": "2025-01-31",
    "next_inspection_on": "2029-04",
    "design_standard": "GB 5842",
    "design_life_years": "8",
    "inspection_result": "passed",
    "status": "in_use",
    "hold": "",
    "fills_allowed": "500",
    "fills_done": "0",
    "refurbished": "false",
    "screw_shroud": "TRUE",
    "embossed_mark": "",
}


def _file(*rows: dict[str, str], columns: tuple[str, ...] = CONTRACT_COLUMNS) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _mistakes(data: bytes, *, whole: bool = False) -> list[str]:
    with pytest.raises(RejectedError) as caught:
        read(data, whole=whole)
    return str(caught.value).splitlines()


def test_the_template_is_the_archive_entry_in_order() -> None:
    assert tuple(column.name for column in COLUMNS) == CONTRACT_COLUMNS
    assert tuple(column.name for column in FURTHER) == FURTHER_COLUMNS
    assert TEMPLATE.split(",") == list(FULL)


MORE = {
    "kind": "seamless",
    "working_pressure_kpa": "15000",
    "registered": "true",
    "maker_licensed": "FALSE",
    "taxi": "",
}


def test_columns_beyond_the_contract_stand_where_the_file_has_them() -> None:
    for columns in (CYLINDER_COLUMNS, (*reversed(FURTHER_COLUMNS), *CONTRACT_COLUMNS)):
        (cylinder,) = read(_file(FULL | MORE, columns=columns), whole=True).cylinders
        assert (cylinder.kind, cylinder.working_pressure_kpa) == ("seamless", 15_000)
        assert (cylinder.registered, cylinder.maker_licensed, cylinder.taxi) == (True, False, None)
    assert read(_file(FULL), whole=True).columns == CONTRACT_COLUMNS


@pytest.mark.parametrize(
    ("column", "cell", "what"),
    [
        ("kind", "Seamless", "unknown 'Seamless'; expected one of acetylene"),
        ("working_pressure_kpa", "15.0", "'15.0' is not a whole number"),
        ("working_pressure_kpa", str(PRESSURE_KPA_MAX + 1), "200001 is out of range"),
        ("taxi", "yes", "'yes' is neither"),
    ],
)
def test_a_bad_cell_beyond_the_contract_is_named(column: str, cell: str, what: str) -> None:
    said = _mistakes(_file(FULL | MORE | {column: cell}, columns=CYLINDER_COLUMNS))
    assert said[0].startswith(f"a.csv:row 2, column {column}: {what}")


def test_every_column_is_read_as_it_is_meant() -> None:
    (cylinder,) = read(_file(FULL)).cylinders
    assert cylinder == Cylinder(
        code="3701000001",
        tag_uids=("E280 1170", "e2:80-11.71"),
        serial_no="A-1",
        maker="济南气瓶厂",
        owner="3701000042",
        model="YSP35.5",
        medium="LPG",
        water_capacity_ml=35_500,
        stamped_tare_g=16_500,
        allowed_net_g=14_500,
        made_on=date(2020, 2, 29),
        scrap_on=date(2028, 2, 29),
        life_extended_to=date(2030, 12, 31),
        last_inspection_on=date(2025, 1, 31),
        next_inspection_on=date(2029, 4, 30),
        design_standard="GB 5842",
        design_life_years=8,
        inspection_result="passed",
        status="in_use",
        fills_allowed=500,
        fills_done=0,
        refurbished=False,
        screw_shroud=True,
    )


def test_an_empty_cell_is_unknown() -> None:
    (cylinder,) = read(_file({"code": "1"})).cylinders
    assert cylinder == Cylinder("1")


BAD_CELLS = [
    ("code", "", "empty; expected the cylinder's code"),
    ("code", "c" * 65, "65 characters; expected at most 64"),
    (
        "code",
        "3.70100E+15",
        (
            "'3.70100E+15' is a number rounded by a spreadsheet; expected the full code; format the "
            "column as text before typing or pasting codes"
        ),
    ),
    ("code", "a\nb", r"'a\nb' has control characters; expected plain text on one line"),
    ("maker", "m" * 201, "201 characters; expected at most 200"),
    (
        "tag_uids",
        "E280;XYZ",
        "'XYZ' is not hex; expected pairs of 0-9 A-F, several tags separated by ;",
    ),
    (
        "tag_uids",
        "E28",
        "'E28' is not hex; expected pairs of 0-9 A-F, several tags separated by ;",
    ),
    ("tag_uids", "E2", "'E2' has 1 bytes; expected 2 to 62"),
    ("tag_uids", "AB" * 63, f"'{'AB' * 63}' has 63 bytes; expected 2 to 62"),
    ("tag_uids", "e280;E2 80", "tag E280 is there twice; expected each tag once"),
    (
        "tag_uids",
        ";".join(f"{n:04X}" for n in range(17)),
        "17 tags; expected at most 16 on one cylinder",
    ),
    (
        "medium",
        "lpg",
        (
            f"unknown 'lpg'; expected one of {', '.join(sorted(MEDIA))}, or an empty cell; "
            "did you mean 'LPG'?"
        ),
    ),
    (
        "water_capacity_ml",
        "35.5",
        (
            "'35.5' is not a whole number; expected a whole number of millilitres from 1 to 10000000, "
            "digits only"
        ),
    ),
    (
        "stamped_tare_g",
        "0",
        "0 is out of range; expected a whole number of grams from 1 to 10000000, digits only",
    ),
    (
        "allowed_net_g",
        "14,500",
        (
            "'14,500' is not a whole number; expected a whole number of grams from 1 to 10000000, "
            "digits only"
        ),
    ),
    (
        "next_inspection_on",
        "2026/8/1",
        (
            "'2026/8/1' is not a date; expected a date such as 2026-08-31, or 2026-08 for the last "
            "day of that month"
        ),
    ),
    (
        "made_on",
        "2025-02-29",
        (
            "'2025-02-29' is not a day of the calendar; expected a date such as 2026-08-31, or "
            "2026-08 for the last day of that month"
        ),
    ),
    (
        "made_on",
        "2025-13",
        (
            "'2025-13' is not a day of the calendar; expected a date such as 2026-08-31, or 2026-08 "
            "for the last day of that month"
        ),
    ),
    (
        "design_life_years",
        "101",
        "101 is out of range; expected a whole number of years from 1 to 100, digits only",
    ),
    (
        "inspection_result",
        "ok",
        "unknown 'ok'; expected one of passed, failed, or an empty cell",
    ),
    (
        "status",
        "inuse",
        (
            "unknown 'inuse'; expected one of in_use, not_enabled, scrapped, cancelled, lost, or an "
            "empty cell; did you mean 'in_use'?"
        ),
    ),
    (
        "fills_done",
        "-1",
        (
            "'-1' is not a whole number; expected a whole number of fills from 0 to 1000000, digits "
            "only"
        ),
    ),
    ("refurbished", "no", "'no' is neither; expected true, false or an empty cell"),
]


@pytest.mark.parametrize(("column", "cell", "message"), BAD_CELLS)
def test_a_bad_cell_is_named_by_row_and_column(column: str, cell: str, message: str) -> None:
    assert _mistakes(_file({"code": "1"}, FULL | {column: cell})) == [
        f"a.csv:row 3, column {column}: {message}",
        "a.csv: nothing was imported; mistakes found: 1",
    ]


def test_every_mistake_of_a_file_is_told_at_once() -> None:
    told = _mistakes(_file(FULL | {"medium": "X", "status": "Y"}, {"code": "2", "made_on": "Z"}))
    where = [line.partition(": ")[0] for line in told]
    assert where == [
        "a.csv:row 2, column medium",
        "a.csv:row 2, column status",
        "a.csv:row 3, column made_on",
        "a.csv",
    ]


def test_a_code_or_tag_in_two_rows_is_a_mistake() -> None:
    first, second = {"code": "1", "tag_uids": "E280AA"}, {"code": "1", "tag_uids": "e2 80 aa"}
    assert _mistakes(_file(first, {"code": "2"}, second))[:2] == [
        (
            "a.csv:row 4, column code: code '1' is in row 2 already; expected each once; remove one of "
            "the two"
        ),
        (
            "a.csv:row 4, column tag_uids: tag E280AA is in row 2 already; expected each once; remove "
            "one of the two"
        ),
    ]


def test_only_so_many_mistakes_are_listed_and_the_rest_is_counted() -> None:
    told = _mistakes(_file(*({"code": str(n), "medium": "X"} for n in range(150))))
    assert len(told) == ERRORS_SHOWN_MAX + 2
    assert told[-2:] == [
        "a.csv: and 50 more",
        "a.csv: nothing was imported; mistakes found: 150",
    ]


def test_columns_may_stand_in_any_order_and_say_what_they_know() -> None:
    table = read(_file({"code": "1", "hold": "h"}, columns=("hold", "code")))
    assert table == Read(("hold", "code"), (Cylinder("1", hold="h"),))


BAD_HEADERS = [
    (b"code,next_inspecton_on\n", ["unknown column 'next_inspecton_on'; did you mean 'next_"]),
    (b"Code,maker\n", ["unknown column 'Code'; did you mean 'code'?", "column code is missing; "]),
    (b"code,code\n", ["column code is there 2 times; expected once"]),
    (b"maker\n", ["column code is missing; expected the header of --template"]),
    (b"code;maker\n", ["unknown column 'code;maker'; expected the columns separated by commas"]),
    (b"code,\n", ["unknown column ''; a cell of the header is empty"]),
    (b"code,zzz\n", ["unknown column 'zzz'; expected a column of --template"]),
]


@pytest.mark.parametrize(("header", "starts"), BAD_HEADERS)
def test_a_wrong_header_is_named_with_the_nearest_column(header: bytes, starts: list[str]) -> None:
    told = [line for line in _mistakes(header + b"1,2\n") if "maker is missing" not in line]
    for start in starts:
        assert any(line.startswith(f"a.csv:row 1: {start}") for line in told), told


def test_replacing_the_archive_needs_every_column() -> None:
    columns = tuple(name for name in CYLINDER_COLUMNS if name != "hold")
    data = _file({"code": "1"}, columns=columns)
    assert read(data).columns == columns
    missing = "a.csv:row 1: column hold is missing; expected the header of --template"
    assert _mistakes(data, whole=True) == [missing]


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode(),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("gbk"),
    ],
    ids=["utf-8", "utf-8 with BOM", "gbk"],
)
def test_utf8_with_or_without_bom_and_gbk_read_the_same(encode: object) -> None:
    assert callable(encode)
    data = encode(_file(FULL).decode())
    assert read(data).cylinders[0].maker == "济南气瓶厂"


BAD_BYTES = [
    (b"", "a.csv: empty; expected the header row, see --template"),
    (b"\r\n\r\n", "a.csv: empty; expected the header row"),
    (b"code\n1\n2\x003\n", "a.csv:row 3: a NUL byte; expected CSV text"),
    (b"PK\x03\x04rest", "a.csv: not a workbook that can be read (BadZipFile"),
    (b"\xd0\xcf\x11\xe0rest", "a.csv: a workbook of Excel 97-2003 or one with a password; save"),
    ("code\n1".encode("utf-16"), "a.csv: UTF-16 text; expected UTF-8 or GBK"),
    (b"code\n\xff\xff\n", "a.csv:row 2: neither UTF-8 nor GBK at byte 5"),
    (b"\xef\xbb\xbfcode\n\xb0\xa1\n", "a.csv:row 2: not UTF-8 at byte 8, though the rest is"),
    (b"code\n" + "济南气瓶厂\n".encode() * 9 + b"\xb0\xa1\n", "a.csv:row 11: not UTF-8"),
    (b'code\n"1\n', "a.csv:row 2: not CSV (unexpected end of data)"),
    (b"code,maker\n1\n", "a.csv:row 2: 1 cells; expected 2"),
    (b"code\n1\n\n2,3\n", "a.csv:row 4: 2 cells; expected 1"),
    (b"code\n" + b"1" * 200_000, "a.csv:row 2: not CSV (field larger than field limit (131072))"),
]


@pytest.mark.parametrize(("data", "start"), BAD_BYTES)
def test_bytes_that_are_no_archive_are_refused_by_name(data: bytes, start: str) -> None:
    assert _mistakes(data)[0].startswith(start)


def test_too_many_rows_are_refused() -> None:
    data = b"code\n" + b"\n" * (sheets.ROWS_MAX + 1)
    assert _mistakes(data) == [f"a.csv: more than {sheets.ROWS_MAX} rows; split the file"]


def test_a_file_beyond_the_limit_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(sheets.BYTES_MAX + 1)
    with (
        pytest.raises(RejectedError, match=f"larger than {sheets.BYTES_MAX} bytes; split it"),
        sheets.opened(tmp_path / "a.csv"),
    ):
        pass


def test_progress_is_told_every_so_many_rows() -> None:
    told: list[tuple[int, int]] = []
    data = _file(*({"code": str(n)} for n in range(2 * ROWS_PER_REPORT + 10)))
    read(data, progress=lambda done, total: told.append((done, total)))
    assert len(told) == 2
    assert all(0 < done <= total == len(data) for done, total in told)


@given(st.binary(max_size=200))
def test_garbage_is_read_or_refused_never_worse(data: bytes) -> None:
    for start in (b"", b"code,tag_uids,made_on\n"):
        with suppress(RejectedError):
            assert len(read(start + data).cylinders) <= data.count(b"\n") + 1

"""`import retired` and `export retired`: codes and tags out of use, all of a file or nothing."""

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openpyxl import Workbook, load_workbook

from gatewayd.cli.root import main
from gatewayd.store import beside
from gatewayd.store.model import Cylinder
from gatewayd.store.reads import Reader
from tests.support import shapes
from tests.support.stores import STATION

CODE, OTHER, UID = "3701000110100001", "3701000110100002", "E28068940000"
FILE = f"kind,value,reason\n,{CODE},label was copied\nuid,e2:80:68:94:00:00,tag torn off\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "gateway.yaml").write_text(
        f'station: {{id: "{STATION}", region: "370100", media: [LPG]}}\nlog: {{language: en}}\n',
        encoding="utf-8",
    )
    entries = (Cylinder(CODE, tag_uids=(UID,)), Cylinder(OTHER))
    beside.import_cylinders(tmp_path / "gatewayd.db", entries, station_id=STATION, replace=True)
    return tmp_path


def run(site: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "-c", str(site)])


def take_in(site: Path, text: str, *words: str) -> Result:
    file = site / "retired.csv"
    file.write_text(text, "utf-8")
    return run(site, "import", "retired", str(file), *words)


def out_of_use(site: Path) -> set[tuple[str, str, str]]:
    with Reader.open(site / "gatewayd.db") as store:
        shapes.all_records_well(store)
        return {(one.kind, one.value, one.reason) for one in store.retired_all(limit=99)}


WHOLE = {("code", CODE, "label was copied"), ("uid", UID, "tag torn off")}


def test_a_file_is_retired_with_a_record_for_each_and_once(site: Path) -> None:
    result = take_in(site, FILE, "--by", "Li Si", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["added"] == 2
    assert out_of_use(site) == WHOLE
    with Reader.open(site / "gatewayd.db") as store:
        told = [json.loads(record.body)["data"] for record in store.records()]
    assert [(one["event"], one["retired"]["value"], one["by"]["who"]) for one in told] == [
        ("retired", CODE, "Li Si"),
        ("retired", UID, "Li Si"),
    ]
    again = json.loads(take_in(site, FILE, "--json").stdout)
    assert (again["added"], again["unchanged"]) == (0, 2)
    with Reader.open(site / "gatewayd.db") as store:
        assert store.last_sequence() == 2


def test_a_scanned_label_is_the_code_that_it_carries(site: Path) -> None:
    scanned = f"value,reason\nhttp://teshe.org.cn/Q?id={CODE},label was copied\n"
    assert take_in(site, scanned).exit_code == 0
    assert out_of_use(site) == {("code", CODE, "label was copied")}


def test_every_mistake_is_told_by_row_and_column_and_nothing_is_retired(site: Path) -> None:
    wrong = f"uid,{OTHER}X,not hex\nkind,x,y\ncode,,why\ncode,{OTHER},\n,{CODE},again\n"
    result = take_in(site, FILE + wrong)
    assert result.exit_code == 1
    for place in (
        "row 4, column value",
        "row 5, column kind",
        "row 6, column value: empty",
        "row 7, column reason: empty",
        f"row 8, column value: '{CODE}' is in row 2 already",
        "nothing was imported; mistakes found: 5",
    ):
        assert place in result.stderr, result.stderr
    assert out_of_use(site) == set()


def test_a_dry_run_changes_nothing_and_replace_is_refused(site: Path) -> None:
    result = take_in(site, FILE, "--dry-run", "--json")
    assert json.loads(result.stdout)["added"] == 2
    assert out_of_use(site) == set()
    assert take_in(site, FILE, "--replace").exit_code == 2


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_is_taken_back_unchanged(site: Path, kind: str) -> None:
    assert take_in(site, FILE).exit_code == 0
    file = site / f"out.{kind}"
    assert run(site, "export", "retired", "-o", str(file)).exit_code == 0
    for code in (CODE, UID):
        words = ["--uid"] if code == UID else []
        assert run(site, "reinstate", *words, code, "--reason", "mistake").exit_code == 0
    assert out_of_use(site) == set()
    assert run(site, "import", "retired", str(file)).exit_code == 0
    assert out_of_use(site) == WHOLE


def test_the_template_is_the_header_and_a_number_is_no_code(site: Path) -> None:
    assert run(site, "import", "retired", "--template").stdout == "kind,value,reason\n"
    made = run(site, "import", "retired", "--template", "--format", "xlsx").stdout_bytes
    page = load_workbook(io.BytesIO(made))["retired"]
    assert [cell.value for cell in page[1]] == ["kind", "value", "reason"]
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["value", "reason"])
    sheet.append([3701000110100001, "copied"])
    book.save(site / "numbers.xlsx")
    result = run(site, "import", "retired", str(site / "numbers.xlsx"))
    assert result.exit_code == 1
    assert "row 2, column value: 3701000110100001 is a number" in result.stderr

"""`import operators` and `export operators`: all rows checked, nothing half-imported, both formats."""

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.root import main
from gatewayd.store.people_model import Operator
from gatewayd.store.reads import Reader
from tests.support.configs import write_config

HEADER = "id,name,certificate,certificate_until,media,roles,cards,active\n"
LI = "op-1,李四,T-1,2027-01,LPG;O2,filler;inspector,04:A1:B2:C3;OP 1,true\n"
WANG = "op-2,王五,T-2,2026-12-31,LPG,filler,04A1B2C4,\n"


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["-c", str(folder), *words])


def take_in(folder: Path, text: str, *words: str) -> Result:
    file = folder / "operators.csv"
    file.write_text(text, "utf-8")
    return run(folder, "import", "operators", str(file), *words)


def listed(folder: Path) -> list[Operator]:
    with Reader.open(folder / "gatewayd.db") as store:
        return list(store.operators())


@pytest.fixture
def station(tmp_path: Path) -> Path:
    return write_config(tmp_path)


def test_a_file_is_taken_whole_and_a_month_means_its_last_day(station: Path) -> None:
    result = take_in(station, HEADER + LI + WANG, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["added"] == 2
    li, wang = listed(station)
    assert li.certificate_until == date(2027, 1, 31)
    assert (li.media, li.cards, li.active) == (("LPG", "O2"), ("04:A1:B2:C3", "OP 1"), True)
    assert (wang.active, wang.barred) == (None, False)
    with Reader.open(station / "gatewayd.db") as store:
        assert store.operator_of_card("04a1b2c3") == "op-1"
        assert store.operator_of_card("OP 1") == "op-1"
        assert store.operator_of_card("op 1") is None


def test_every_mistake_is_told_by_row_and_column_and_nothing_is_imported(station: Path) -> None:
    assert take_in(station, HEADER + LI).exit_code == 0
    wrong = "op-3,,,31.12.2026,LPG;GOLD,boss,AA;AA,maybe\n,x,,,,,,\nop-1,,,,,,04A1B2C9,\n"
    result = take_in(station, HEADER + WANG + wrong + "op-1,,,,,,04-a1-b2-c4,\n")
    assert result.exit_code == 1
    for place in (
        "row 3, column certificate_until",
        "row 3, column media",
        "row 3, column roles",
        "row 3, column cards",
        "row 3, column active",
        "row 4, column id: empty",
        "row 6, column id: 'op-1' is in row 5 already",
        "row 6, column cards: '04-a1-b2-c4' is in row 2 already",
        "row 5, column name: empty; expected the name of each",
        "nothing was imported; mistakes found: 11",
    ):
        assert place in result.stderr, result.stderr
    assert [one.id for one in listed(station)] == ["op-1"]


def test_nobody_is_imported_without_a_name(station: Path) -> None:
    result = take_in(station, HEADER + "op-1,,T-1,2027-01,LPG,filler,,\n")
    assert result.exit_code == 1
    assert "row 2, column name: empty; expected the name of each" in result.stderr
    result = take_in(station, "id,certificate\nop-1,T-1\n")
    assert result.exit_code == 1
    assert "operators without a name: 1 (op-1)" in result.stderr
    assert not (station / "gatewayd.db").exists() or listed(station) == []


def test_a_card_of_somebody_else_is_refused_and_nothing_changes(station: Path) -> None:
    assert take_in(station, HEADER + LI + WANG).exit_code == 0
    result = take_in(station, "id,cards\nop-2,04a1b2c3\n")
    assert result.exit_code == 1
    assert "belongs to 'op-1' already" in result.stderr
    assert listed(station)[1].cards == ("04A1B2C4",)


def test_columns_that_are_not_there_stay_and_replace_removes_who_is_not(station: Path) -> None:
    assert take_in(station, HEADER + LI + WANG).exit_code == 0
    assert take_in(station, "id,certificate_until\nop-1,2030-05-05\n").exit_code == 0
    li = listed(station)[0]
    assert (li.certificate_until, li.name, li.cards[0]) == (date(2030, 5, 5), "李四", "04:A1:B2:C3")
    partly = take_in(station, "id,name\nop-1,李\n", "--replace")
    assert partly.exit_code == 1
    assert "column certificate is missing" in partly.stderr
    dry = take_in(station, HEADER + WANG, "--replace", "--dry-run", "--json")
    assert json.loads(dry.stdout)["removed"] == 1
    assert len(listed(station)) == 2
    assert take_in(station, HEADER + WANG, "--replace").exit_code == 0
    assert [one.id for one in listed(station)] == ["op-2"]
    with Reader.open(station / "gatewayd.db") as store:
        assert store.operator_of_card("04A1B2C3") is None


@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_what_is_exported_is_taken_back_unchanged(station: Path, name: str) -> None:
    assert take_in(station, HEADER + LI + WANG).exit_code == 0
    out = station / name
    assert run(station, "export", "operators", "-o", str(out)).exit_code == 0
    result = run(station, "import", "operators", str(out), "--replace", "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert (said["added"], said["updated"], said["unchanged"], said["removed"]) == (0, 0, 2, 0)


def test_the_template_is_what_an_import_wants(station: Path) -> None:
    result = run(station, "import", "operators", "--template")
    assert result.stdout == HEADER
    book = CliRunner().invoke(main, ["import", "operators", "--template", "--format", "xlsx"])
    assert book.stdout_bytes.startswith(b"PK")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty; expected the header row"),
        ("name\nx\n", "column id is missing"),
        ("id,nmae\nx,y\n", "unknown column 'nmae'"),
        ("id,id\nx,y\n", "column id is there 2 times"),
        ("id,name\nx\n", "1 cells; expected 2"),
    ],
)
def test_a_wrong_header_is_refused(station: Path, text: str, said: str) -> None:
    result = take_in(station, text)
    assert result.exit_code == 1
    assert said in result.stderr

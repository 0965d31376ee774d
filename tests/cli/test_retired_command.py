"""A person takes a code or a tag out of use, sees what is out of use, and takes it back."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.root import main
from gatewayd.store import beside
from gatewayd.store.model import Cylinder
from gatewayd.store.reads import Reader
from tests.support import shapes
from tests.support.stores import STATION

CODE, OTHER, UID = "3701000110100001", "3701000110100002", "E28068940000"
WHO = ("--reason", "label was copied", "--by", "Li Si")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A station with two cylinders, the first with a tag."""
    (tmp_path / "gateway.yaml").write_text(
        f'station: {{id: "{STATION}", region: "370100", media: [LPG]}}\nlog: {{language: en}}\n',
        encoding="utf-8",
    )
    entries = (Cylinder(CODE, tag_uids=(UID,)), Cylinder(OTHER))
    beside.import_cylinders(tmp_path / "gatewayd.db", entries, station_id=STATION, replace=True)
    return tmp_path


def run(site: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "-c", str(site)])


def told(site: Path, *words: str) -> Any:
    return json.loads(run(site, *words, "--json").stdout)


def records(site: Path) -> list[dict[str, Any]]:
    with Reader.open(site / "gatewayd.db") as store:
        shapes.all_records_well(store)
        return [json.loads(record.body)["data"] for record in store.records()]


@pytest.mark.parametrize(
    ("given", "kind", "value"),
    [
        ((CODE,), "code", CODE),
        ((f"http://teshe.org.cn/Q?id={CODE}",), "code", CODE),
        (("--uid", "e2:80 68-940000"), "uid", UID),
    ],
)
def test_what_is_retired_by_hand_is_listed_recorded_and_comes_back(
    site: Path, given: tuple[str, ...], kind: str, value: str
) -> None:
    result = run(site, "retire", *given, *WHO)
    assert (result.exit_code, result.stdout) == (
        0,
        f"{value} is retired and may name no cylinder again\n",
    )
    (listed,) = told(site, "retired")["retired"]
    assert (listed["kind"], listed["value"], listed["code"]) == (kind, value, CODE)
    assert listed["reason"] == "label was copied"
    assert told(site, "retired", value)["retired"] == [listed]
    assert run(site, "retire", *given, *WHO).stdout == (
        f"{value} was retired already; nothing changed\n"
    )
    (record,) = records(site)
    assert (record["event"], record["cylinder"], record["retired"]) == (
        "retired",
        {"code": CODE},
        {"kind": kind, "value": value},
    )
    assert record["by"] == {"who": "Li Si", "how": "cli", "why": "label was copied"}

    assert run(site, "reinstate", *given, "--reason", "a mistake", "--by", "x").exit_code == 0
    assert told(site, "retired") == {"retired": []}
    assert [each["event"] for each in records(site)] == ["retired", "reinstated"]
    assert records(site)[1]["held_for"] == "label was copied"
    again = run(site, "reinstate", *given, "--reason", "a mistake", "--by", "x")
    assert (again.exit_code, again.stdout) == (1, f"{value} is not retired\n")
    assert run(site, "retire", *given, *WHO).exit_code == 0, "it may be retired anew"


def test_a_code_nobody_knows_is_retired_all_the_same_and_said(site: Path) -> None:
    result = run(site, "retire", "9999999999", *WHO)
    assert result.exit_code == 0
    assert "the archive does not know 9999999999" in result.stderr
    file = site / "more.csv"
    file.write_text("code\n9999999999\n", encoding="utf-8")
    refused = run(site, "import", "cylinders", str(file))
    assert refused.exit_code == 1
    assert "row 2, column code: 9999999999 was retired" in refused.stderr


def test_only_what_is_named_is_retired(site: Path) -> None:
    assert run(site, "retire", "--uid", UID, *WHO).exit_code == 0
    with Reader.open(site / "gatewayd.db") as store:
        assert store.retired("code", CODE) is None
        assert store.retired("uid", UID) is not None
    assert told(site, "retired", CODE)["retired"][0]["value"] == UID, "by its cylinder too"
    assert run(site, "retired", OTHER).exit_code == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("retire", CODE), 2, "--reason"),
        (("retire", "--uid", "xyz", *WHO), 2, "expected hex"),
        (("retire", CODE, "--reason", " "), 1, "reason is empty"),
        (("retire", "x" * 201, *WHO), 1, "subject is empty, longer than 200"),
    ],
)
def test_what_is_not_said_is_asked_for(
    site: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    result = run(site, *words)
    assert result.exit_code == code
    assert said in result.stderr
    assert records(site) == []

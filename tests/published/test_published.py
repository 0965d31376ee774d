"""What ships is what the code says, and the command prints it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gatewayd.cli.root import main
from gatewayd.published.everything import SHIPPED, as_text, everything, ids, schemas

MADE = everything()


def test_ids_are_those_of_the_schemas() -> None:
    assert list(ids()) == list(schemas())


def test_nothing_ships_that_is_not_made_any_more() -> None:
    assert {path.name for path in SHIPPED.iterdir()} == {f"{name}.json" for name in MADE}


@pytest.mark.parametrize("name", MADE)
def test_what_ships_is_what_the_code_says(name: str) -> None:
    stored = (SHIPPED / f"{name}.json").read_text(encoding="utf-8")
    assert stored == as_text(MADE[name]), "run: gatewayd schemas --write gatewayd/published/v1"


def test_the_command_lists_prints_and_writes(tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert run(main, ["schemas"]).stdout.split() == list(MADE)
    assert json.loads(run(main, ["schemas", "--json"]).stdout) == MADE
    assert (
        json.loads(run(main, ["schemas", "gatewayd.fill.v1"]).stdout)
        == schemas()["gatewayd.fill.v1"]
    )
    unknown = run(main, ["schemas", "gatewayd.fil.v1"])
    assert unknown.exit_code == 2
    assert "gatewayd.fil.v1" in unknown.stderr
    assert run(main, ["schemas", "--write", str(tmp_path / "made")]).exit_code == 0
    assert len(list((tmp_path / "made").iterdir())) == len(MADE)
    (tmp_path / "file").write_text("")
    refused = run(main, ["schemas", "--write", str(tmp_path / "file")])
    assert refused.exit_code == 3
    assert "cannot be written" in refused.stderr

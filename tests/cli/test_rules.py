"""`gatewayd rules`: a person and a program both learn which rules hold and which example fails."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.root import main
from tests.support.rules import SHIPPED, rule, text_of

FAILING = """\
    examples:
      - {facts: {scale.stable: true}, expect: clear}
      - {facts: {scale.stable: false}, expect: hold}
"""


def run(*args: str) -> Result:
    return CliRunner().invoke(main, args)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    return tmp_path


def test_the_shipped_examples_hold(site: Path) -> None:
    got = run("rules", "test", "-c", str(site), "--json")
    assert got.exit_code == 0
    result = json.loads(got.stdout)
    assert result["ok"] is True
    assert [pack["id"] for pack in result["packs"]] == list(SHIPPED)
    assert all(pack["examples"] > pack["rules"] * 2 for pack in result["packs"])


def test_a_failing_example_is_told_with_file_and_line(site: Path) -> None:
    path = site / "rules" / "site.yaml"
    path.write_text(text_of(rule("scale.stable") + FAILING), encoding="utf-8")
    got = run("rules", "test", "-c", str(site))
    assert got.exit_code == 1
    assert f"{path}:13:9: site.r1 said hold; expected clear" in got.stderr
    (first, _second) = json.loads(run("rules", "test", str(path), "--json").stdout)["failures"]
    assert (first["file"], first["line"], first["got"]) == (str(path), 13, "hold")


def test_a_pack_that_does_not_load_is_told_and_the_others_still_run(site: Path) -> None:
    path = site / "rules" / "site.yaml"
    path.write_text(text_of(rule("cylinder.foo")), encoding="utf-8")
    got = run("rules", "test", "-c", str(site), "--json")
    assert got.exit_code == 1
    result = json.loads(got.stdout)
    assert [pack["id"] for pack in result["packs"]] == list(SHIPPED)
    assert "unknown fact 'cylinder.foo'" in result["problems"][0]
    listed = run("rules", "list", "-c", str(site))
    assert listed.exit_code == 1
    assert f"{path}:8:12" in listed.stderr


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    got = run("rules", "test", str(tmp_path / "none.yaml"))
    assert got.exit_code == 1
    assert "none.yaml:0:0: cannot be read" in got.stderr


def test_the_list_shows_every_rule_with_its_condition(site: Path) -> None:
    got = run("rules", "list", "-c", str(site))
    assert got.exit_code == 0
    lines = [line.strip() for line in got.stdout.splitlines()]
    assert "life-exceeded  LIFE_EXCEEDED  deny  prefill" in lines
    assert "when clock.today > cylinder.next_inspection_on" in lines, "whole, at 80 columns"
    packs = json.loads(run("rules", "list", "-c", str(site), "--json").stdout)["packs"]
    rules = {item["id"]: item for pack in packs for item in pack["rules"]}
    assert rules["cn-lpg.overdue"]["when"] == "clock.today > cylinder.next_inspection_on"
    assert all(item["verified"] is False for item in rules.values())


def test_a_config_directory_that_was_asked_for_must_exist(tmp_path: Path) -> None:
    got = run("rules", "list", "-c", str(tmp_path / "nowhere"))
    assert got.exit_code == 1
    assert "no such config directory" in got.stderr


def test_without_any_config_directory_the_shipped_rules_are_tested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("rules", "test").exit_code == 0

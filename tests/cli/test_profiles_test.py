"""`gatewayd profiles test`: maps by id and by file, for people and for programs."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.root import main
from gatewayd.settings.shipped import shipped_dir

SHIPPED = str(shipped_dir())


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def answer(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize(
    "arguments",
    [
        ("profiles", "test", "precise-dat400", "-c", SHIPPED),
        ("profiles", "-c", SHIPPED, "test", "precise-dat400"),
        ("-c", SHIPPED, "profiles", "test", "precise-dat400"),
        ("profiles", "test", f"{SHIPPED}/profiles/precise-dat400.yaml"),
    ],
)
def test_a_map_is_tested_by_id_and_by_file(arguments: tuple[str, ...]) -> None:
    found = answer(*arguments)
    assert found["ok"] is True
    (tested,) = found["profiles"]
    assert (tested["id"], tested["usable"], tested["verified"]) == ("precise-dat400", False, False)


def test_every_check_is_told_with_what_it_led_to() -> None:
    (tested,) = answer("profiles", "test", "tuna-id551", "-c", SHIPPED)["profiles"]
    checks = {check["check"]: check for check in tested["checks"]}
    assert all(check["ok"] for check in checks.values())
    assert "not a number: gross at holding 3-4" in checks["not a number"]["detail"]


@pytest.mark.parametrize(("lang", "word"), [("zh", "通过"), ("en", "outcome")])
def test_a_table_for_people(lang: str, word: str) -> None:
    result = run("profiles", "test", "precise-dat400", "--lang", lang, "-c", SHIPPED)
    assert result.exit_code == 0
    for expected in ("precise-dat400", "places", "the addresses of status", word):
        assert expected in result.stdout


def test_a_map_that_fails_says_no_and_a_broken_one_says_where(tmp_path: Path) -> None:
    text = (shipped_dir() / "profiles/tuna-id551.yaml").read_text("utf-8")
    bad = tmp_path / "bad.yaml"
    bad.write_text(text.replace("id: tuna-id551", "id: mine"), "utf-8")
    result = run("profiles", "test", str(bad), "--json")
    assert result.exit_code == 1
    checks = {c["check"]: c for c in json.loads(result.stdout)["profiles"][0]["checks"]}
    assert "expected a mapping with profile: mine" in checks["example"]["detail"]
    bad.write_text(text.replace("stable: stable", "stable: stabel"), "utf-8")
    result = run("profiles", "test", str(bad))
    assert result.exit_code == 1
    assert f"{bad}:" in result.stderr
    assert "did you mean 'stable'?" in result.stderr


def test_an_example_that_its_driver_refuses_fails(tmp_path: Path) -> None:
    text = (shipped_dir() / "profiles/reference-gate-v1.yaml").read_text("utf-8")
    bad = tmp_path / "bad.yaml"
    for old, new, expected in (
        ("driver: plc.modbus", "driver: scale.modbus", "has no scale section"),
        ("unit: 1,", "unit: 999,", "less than or equal to 247"),
        ("plc.modbus", "plc.modbuss", "did you mean 'plc.modbus'"),
    ):
        bad.write_text(text.replace(old, new), "utf-8")
        result = run("profiles", "test", str(bad), "--json")
        checks = {c["check"]: c for c in json.loads(result.stdout)["profiles"][0]["checks"]}
        assert expected in checks["example"]["detail"]


def test_an_unknown_id_is_wrong_usage() -> None:
    result = run("profiles", "test", "laumas-tlx", "-c", SHIPPED)
    assert result.exit_code == 2
    assert "did you mean 'laumas-tlu'?" in " ".join(result.stderr.split())


def test_a_scale_map_tells_what_it_serves_and_what_nobody_has_seen() -> None:
    rows = {row["id"]: row for row in answer("profiles", "-c", SHIPPED)["profiles"]}
    for name in ("siemens-wp251", "laumas-tlu", "hbm-wtx110-filler"):
        assert {"driver": "scale.modbus", "capabilities": ["scale"]} in rows[name]["serves"]
        assert rows[name]["unverified"]
    assert rows["hbm-wtx110-filler"]["roles"] == ["scale", "filler"]
    assert rows["precise-dat400"]["serves"] == []
    assert rows["precise-dat400"]["incomplete"].startswith("the addresses of status")
    assert rows["laumas-tlu"]["limits"]["registers_max"] == 32
    result = run("profiles", "hbm-wtx110-filler", "--lang", "en", "-c", SHIPPED)
    for expected in ("unverified", "4-6: decimals", "-> PLC", "scale.modbus", "example"):
        assert expected in result.stdout

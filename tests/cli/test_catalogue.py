"""`gatewayd drivers`, `formats` and `profiles`: what is available, from what each thing declares."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.root import main
from gatewayd.settings.drivers import driver_table
from gatewayd.settings.examples import settings_of, yaml_line
from gatewayd.settings.shipped import shipped_dir
from protocols.decode import FORMATS, LATER
from protocols.documents import parse
from tests.support.configs import write_config

NAMES = driver_table().names


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def answer(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_one_driver_is_told_with_everything_it_declares() -> None:
    (row,) = answer("drivers", "plc.modbus")["drivers"]
    assert row["name"] == "plc.modbus"
    assert row["tcp_ports"] == [502]
    assert row["error"] is None
    assert {"zh", "en"} == set(row["caveats"][0])
    assert "reference-gate-v1" in row["example"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_one_driver_for_a_person_has_settings_caveats_and_an_example(lang: str) -> None:
    result = run("drivers", "plc.modbus", "--lang", lang)
    assert result.exit_code == 0
    assert "poll_ms" in result.stdout
    assert "reference-gate-v1" in result.stdout
    assert ("总线" in result.stdout) == (lang == "zh")
    assert ("several units" in result.stdout) == (lang == "en")


def test_an_unknown_driver_is_wrong_usage_and_names_the_nearest() -> None:
    result = run("drivers", "plc.modbuss")
    assert result.exit_code == 2
    assert "did you mean 'plc.modbus'" in " ".join(result.stderr.split())


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_every_driver_validates(name: str) -> None:
    driver = driver_table().get(name)
    example = settings_of(driver)
    assert bool(example) == bool(driver.example.strip()), "an example that cannot be read"
    if example:
        driver.settings.model_validate_json(json.dumps(example))


def test_every_format_says_kind_summary_proof_and_who_speaks_it() -> None:
    found = answer("formats")
    rows = {row["name"]: row for row in found["formats"]}
    assert set(rows) == set(FORMATS)
    assert found["later"] == sorted(LATER)
    reader = rows["uhfreader288"]
    assert (reader["kind"], reader["proof_bits"], reader["stream"]) == ("frame", 16, True)
    assert reader["summary"]["zh"]
    for name in NAMES:
        for spoken in driver_table().get(name).formats:
            assert name in rows[spoken]["drivers"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_formats_for_a_person_names_every_format(lang: str) -> None:
    result = run("formats", "--lang", lang)
    assert result.exit_code == 0
    assert all(name in result.stdout for name in FORMATS)


def test_settings_are_told_in_chinese_words() -> None:
    told = run("drivers", "rfid.uhfreader", "--lang", "zh").stdout
    assert "必填" in told
    assert "整数" in told
    assert "required" not in told
    assert "whole number" not in told


def test_a_profile_says_source_caveats_registers_and_what_it_serves() -> None:
    rows = {row["id"]: row for row in answer("profiles", "-c", str(shipped_dir()))["profiles"]}
    gate = rows["reference-gate-v1"]
    assert gate["shipped"] is True
    assert gate["source"].startswith("gatewayd outside contract")
    assert gate["caveats"]
    assert {"driver": "plc.modbus", "capabilities": ["gate", "scale"]} in gate["serves"]
    permit = next(point for point in gate["registers"] if point["name"] == "permit")
    assert (permit["address"], permit["direction"], permit["type"]) == (0, "write", "uint16")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_one_profile_for_a_person_shows_its_registers(lang: str) -> None:
    result = run("profiles", "reference-gate-v1", "--lang", lang, "-c", str(shipped_dir()))
    assert result.exit_code == 0
    for expected in ("100", "status", "e_stop", "permit_echo", "plc.modbus"):
        assert expected in result.stdout


def test_a_profile_of_the_site_is_listed_with_its_file_and_its_gaps(tmp_path: Path) -> None:
    text = (
        "id: toy-v1\ntitle: {zh: 玩具, en: Toy}\nsource: a test\n"
        "points:\n  present: {address: 0, type: uint16, doc: a tag is there}\n"
    )
    directory = write_config(tmp_path, {"profiles/toy.yaml": text})
    rows = {row["id"]: row for row in answer("profiles", "-c", str(directory))["profiles"]}
    assert set(rows) >= {"toy-v1", "reference-gate-v1"}
    assert rows["toy-v1"]["file"] == f"{directory}/profiles/toy.yaml"
    assert rows["toy-v1"]["shipped"] is False
    assert rows["toy-v1"]["serves"] == []


def test_a_broken_profile_is_told_and_hides_no_other(tmp_path: Path) -> None:
    directory = write_config(tmp_path, {"profiles/toy.yaml": "id: toy-v1\n"})
    result = run("profiles", "--json", "-c", str(directory))
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["problems"]
    assert f"{directory}/profiles/toy.yaml" in result.stderr
    assert "reference-gate-v1" in {row["id"] for row in found["profiles"]}


def test_an_unknown_profile_or_directory_is_told(tmp_path: Path) -> None:
    result = run("profiles", "reference-gate", "-c", str(shipped_dir()))
    assert result.exit_code == 2
    assert "did you mean 'reference-gate-v1'" in " ".join(result.stderr.split())
    assert run("profiles", "-c", str(tmp_path / "nowhere")).exit_code == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"link": {"tcp": "reader:6000"}, "address": 255},
        {"link": {"serial": "/dev/serial/by-id/usb-1a86_X-if00", "baud": 57600}, "mode": "poll"},
        {"a": "yes", "b": "18", "c": [1, 2], "d": None, "e": True, "f": "中文: {x}", "g": ""},
    ],
)
def test_a_line_for_a_file_reads_back_as_it_was(settings: dict[str, Any]) -> None:
    line = yaml_line("gun-1", "rfid.uhfreader", settings)
    assert "\n" not in line
    read = parse(f"devices:\n  {line}\n", "test").value
    assert read == {"devices": {"gun-1": {"driver": "rfid.uhfreader", **settings}}}

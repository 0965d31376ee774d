"""`gatewayd config` and `gatewayd drivers`: what is in force, from where, and what is possible."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.root import main
from gatewayd.settings.schema import NAMES
from tests.support.configs import GATEWAY, write_config

SECRET = "correct-horse"  # noqa: S105 - the secret of the test


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def shown(directory: Path) -> dict[str, tuple[object, str]]:
    """What `config show --json` says, by path: value and origin."""
    result = run("config", "show", "--json", "-c", str(directory))
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["directory"] == str(directory)
    return {
        v["path"]: (v["value"], v["origin"].removeprefix(f"{directory}/")) for v in answer["values"]
    }


def test_every_value_says_where_it_comes_from(tmp_path: Path) -> None:
    values = shown(write_config(tmp_path))
    assert values["station.id"] == ("3701000042", "gateway.yaml:1:11")
    assert values["station.timezone"] == ("Asia/Shanghai", "default")
    assert values["upstreams.platform.driver"] == ("mqtt", "gateway.yaml:4:14")
    assert values["devices.scale-2.unit"] == (2, "devices/all.yaml:6:66")
    assert values["devices.scale-2.poll_ms"] == (100, "default")
    assert values["rigs.rig-1.identify.0.antenna"] == (1, "rigs/all.yaml:4:32")
    assert values["rigs.rig-1.permit.lease_ms"] == (2000, "default")
    assert values["rigs.rig-2.rules"] == (["cn-lpg"], "rigs/all.yaml:13:5")


def test_show_for_a_person_has_one_value_a_line(tmp_path: Path) -> None:
    result = run("config", "show", "-c", str(write_config(tmp_path)))
    line = next(x for x in result.stdout.splitlines() if x.startswith("store.path"))
    assert line.split() == ["store.path", '"gatewayd.db"', "#", f"{tmp_path}/gateway.yaml:2:9"]


@pytest.mark.parametrize("how", ["tag", "plain", "url"])
def test_show_masks_secrets_however_they_were_written(tmp_path: Path, how: str) -> None:
    gateway = {
        "tag": GATEWAY.replace("prefix:", "username: u, password: !secret mqtt, prefix:"),
        "plain": GATEWAY.replace("prefix:", f"username: u, password: {SECRET}, prefix:"),
        "url": GATEWAY.replace('id: "3701000042"', f'id: "x", name: "mqtt://u:{SECRET}@host"'),
    }[how]
    directory = write_config(tmp_path, {"gateway.yaml": gateway, "secrets.yaml": f"mqtt: {SECRET}"})
    (directory / "secrets.yaml").chmod(0o600)
    for option in ([], ["--json"]):
        result = run("config", "show", *option, "-c", str(directory))
        assert result.exit_code == 0, result.stderr
        assert SECRET not in result.stdout
        assert "********" in result.stdout


def test_show_of_a_wrong_config_lists_every_problem(tmp_path: Path) -> None:
    write_config(tmp_path, {"gateway.yaml": "store: {path: ''}\nlog: {level: loud}\n"})
    result = run("config", "show", "-c", str(tmp_path))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 3


@pytest.mark.parametrize("name", NAMES)
def test_schema_prints_one_schema(name: str) -> None:
    result = run("config", "schema", name)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["$schema"].startswith("https://json-schema.org/")


def test_schema_prints_all_schemas_by_name() -> None:
    assert list(json.loads(run("config", "schema").stdout)) == list(NAMES)


def test_schema_writes_a_folder_for_an_editor(tmp_path: Path) -> None:
    result = run("config", "schema", "--write", str(tmp_path / "schema"))
    assert result.exit_code == 0
    written = [Path(line) for line in result.stdout.splitlines()]
    assert sorted(path.name for path in written) == sorted(f"{n}.schema.json" for n in NAMES)
    assert all(json.loads(path.read_text(encoding="utf-8")) for path in written)


def test_schema_into_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("config", "schema", "--write", str(tmp_path / "file"))
    assert result.exit_code == 3
    assert "cannot be written" in result.stderr


def test_an_unknown_schema_is_wrong_usage() -> None:
    assert run("config", "schema", "rig").exit_code == 2


def test_drivers_lists_every_driver_with_settings_and_defaults() -> None:
    rows = {row["name"]: row for row in json.loads(run("drivers", "--json").stdout)["drivers"]}
    assert {"rfid.uhfreader", "barcode.serial", "barcode.tcp", "plc.modbus"} <= rows.keys()
    modbus = rows["plc.modbus"]
    assert modbus["capabilities"] == ["gate", "scale"]
    settings = {setting["name"]: setting for setting in modbus["settings"]}
    assert settings["link"]["required"] is True
    assert "default" not in settings["link"]
    assert settings["poll_ms"]["default"] == 100
    assert settings["poll_ms"]["type"].startswith("whole number ")


def test_drivers_for_a_person_names_link_and_default() -> None:
    result = run("drivers")
    assert result.exit_code == 0
    assert "plc.modbus  [gate, scale]" in result.stdout
    assert "poll_ms" in result.stdout
    assert "(default 100)" in result.stdout

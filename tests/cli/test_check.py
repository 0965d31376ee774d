"""`gatewayd check`: every mistake at once, with its place, for a person and for a program."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gatewayd.cli.root import main
from gatewayd.settings.drivers import driver_table
from gatewayd.settings.sections import GATEWAY_KEYS
from gatewayd.settings.shipped import shipped_dir
from gatewayd.settings.upstreams import upstream_table
from tests.support.configs import DEVICES, write_config

GOLDEN = Path(__file__).parents[1] / "golden/mistakes"
MISTAKES_MIN = 20


def gatewayd(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The real program as a process."""
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-m", "gatewayd", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_mistake_of_a_broken_config_is_reported_at_once_with_its_place() -> None:
    """After a wanted change of a message: write what `check` prints into expected.txt.

    What is installed is written as {drivers}, {upstreams} and {profiles} there.
    """
    profiles = sorted(
        ["broken", *(path.stem for path in (shipped_dir() / "profiles").glob("*.yaml"))]
    )
    expected = [
        line.format(
            drivers=", ".join(driver_table().names),
            upstreams=", ".join(upstream_table().names),
            profiles=", ".join(profiles),
        )
        for line in (GOLDEN / "expected.txt").read_text(encoding="utf-8").splitlines()
    ]
    assert len(expected) >= MISTAKES_MIN
    result = gatewayd("check", "-c", "config", cwd=GOLDEN)
    problems = [x for x in result.stderr.splitlines() if not x.startswith("warning: ")]
    assert problems == expected
    assert result.returncode == 1
    assert result.stdout == ""


def test_the_shipped_sample_is_valid() -> None:
    result = CliRunner().invoke(main, ["check", "--lang", "zh", "-c", str(shipped_dir())])
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    assert "rig-1" in result.stdout
    assert "配置有效" in result.stdout


def test_json_says_ok_or_every_problem_in_parts(tmp_path: Path) -> None:
    good = write_config(tmp_path / "good")
    result = CliRunner().invoke(main, ["check", "--json", "-c", str(good)])
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert [gate["kind"] for gate in said.pop("gates")] == ["lease", "lease"]
    assert said == {"ok": True, "problems": [], "warnings": []}

    bad = write_config(tmp_path / "bad", {"gateway.yaml": "station: {id: x}\nstroe: {}\n"})
    result = CliRunner().invoke(main, ["check", "--json", "-c", str(bad)])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["problems"] == [
        {
            "file": f"{bad}/gateway.yaml",
            "line": 2,
            "column": 1,
            "what": "unknown key 'stroe'",
            "expected": f"known keys: {', '.join(sorted(GATEWAY_KEYS))}",
            "hint": "did you mean 'store'?",
        }
    ]


def test_a_warning_is_told_and_does_not_fail(tmp_path: Path) -> None:
    text = DEVICES.replace('{tcp: "192.168.1.30:6000"}', "{serial: /dev/ttyUSB0}")
    directory = write_config(tmp_path, {"devices/all.yaml": text})
    result = CliRunner().invoke(main, ["check", "-c", str(directory)])
    assert result.exit_code == 0
    assert result.stderr.startswith(f"warning: {directory}/devices/all.yaml:2:42: gun-1:")
    result = CliRunner().invoke(main, ["check", "--json", "-c", str(directory)])
    answer = json.loads(result.stdout)
    assert answer["ok"] is True
    assert [warning["line"] for warning in answer["warnings"]] == [2]


@pytest.mark.parametrize("position", ["before", "after"])
@pytest.mark.parametrize("command", [["check"], ["config", "show"], ["drivers"]])
def test_the_config_directory_may_be_named_before_or_after_the_command(
    *, tmp_path: Path, position: str, command: list[str]
) -> None:
    directory = str(write_config(tmp_path))
    where = ["-c", directory]
    arguments = [*where, *command] if position == "before" else [*command, *where]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr


def test_the_config_directory_may_stand_between_group_and_command(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["config", "-c", str(write_config(tmp_path)), "show"])
    assert result.exit_code == 0
    assert str(tmp_path) in result.stdout


def test_the_last_config_directory_wins(tmp_path: Path) -> None:
    good = write_config(tmp_path / "good")
    result = CliRunner().invoke(main, ["-c", str(tmp_path / "no"), "check", "-c", str(good)])
    assert result.exit_code == 0


def test_a_directory_that_does_not_exist_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["check", "-c", str(tmp_path / "nowhere")])
    assert result.exit_code == 1
    assert "no such config directory" in result.stderr


def test_the_default_directory_is_config_beside_us(tmp_path: Path) -> None:
    if Path("/etc/gatewayd").is_dir():
        pytest.skip("this machine has an installed configuration, which comes first")
    write_config(tmp_path / "config")
    result = gatewayd("check", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "config" in result.stdout


def test_a_wrong_option_is_wrong_usage() -> None:
    assert CliRunner().invoke(main, ["check", "--jsno"]).exit_code == 2

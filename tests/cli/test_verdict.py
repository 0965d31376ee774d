"""`gatewayd verdict`: what would be decided and why, on a real configuration and archive."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.root import main
from gatewayd.store.beside import import_cylinders
from gatewayd.store.reads import Reader
from tests.rigs.bench import LEGAL, OTHER, OVERDUE, OVERDUE_UID, UID
from tests.support.configs import write_config

AT = ("--at", "2026-08-01")
TWIN = replace(LEGAL, code="TWIN", tag_uids=("E2806803",))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    directory = write_config(tmp_path)
    import_cylinders(
        tmp_path / "gatewayd.db",
        (LEGAL, OTHER, OVERDUE, TWIN),
        station_id="3701000042",
        replace=False,
    )
    return directory


def verdict(site: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["verdict", "-c", str(site), "--rig", "rig-1", *words])


def codes(result: Result) -> list[str]:
    return [found["code"] for found in json.loads(result.stdout)["findings"]]


@pytest.mark.parametrize(
    "words",
    [
        ("--code", LEGAL.code),
        ("--code", f"http://teshe.org.cn/Q?id={LEGAL.code}"),
        ("--uid", UID),
        ("--uid", "e2:80:68:01"),
        ("--code", LEGAL.code, "--uid", UID),
    ],
)
def test_a_legal_cylinder_is_allowed_by_code_and_by_tag(site: Path, words: tuple[str, ...]) -> None:
    got = verdict(site, *words, *AT, "--json")
    assert got.exit_code == 0, got.output
    said = json.loads(got.stdout)
    assert (said["decision"], said["findings"]) == ("allow", [])
    assert set(said["packs"][0]) == {"id", "version", "hash"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--code", OVERDUE.code), ["OVERDUE"]),
        (("--uid", OVERDUE_UID), ["OVERDUE"]),
        (("--code", "0110109999"), ["CODE_UNKNOWN"]),
        (("--uid", "FFFF"), ["CODE_UNKNOWN"]),
        (("--uid", "E2806803"), ["AMBIGUOUS"]),
        (("--code", LEGAL.code, "--uid", OVERDUE_UID), ["AMBIGUOUS"]),
        (("--code", LEGAL.code, "--set", "cylinder.medium=N2"), ["WRONG_GAS", "DATA_MISSING"]),
        (("--code", LEGAL.code, "--set", "cylinder.owner=somebody"), ["NOT_OWN"]),
        (("--code", LEGAL.code, "--set", "cylinder.next_inspection_on="), ["DATA_MISSING"]),
        (("--code", LEGAL.code, "--set", "scale.tare_g=-5"), ["TARE_UNKNOWN"]),
        (("--code", LEGAL.code, "--set", "scale.tare_g=40000"), ["RESIDUAL"]),
        (
            ("--code", LEGAL.code, "--set", "scale.tare_g=17000", "--set", "rig.nominal_g=500"),
            ["TARE_MISMATCH", "RESIDUAL"],
        ),
    ],
)
def test_a_refusal_says_every_reason(
    site: Path, words: tuple[str, ...], expected: list[str]
) -> None:
    got = verdict(site, *words, *AT, "--json")
    assert got.exit_code == 1, got.output
    assert codes(got) == expected
    for found in json.loads(got.stdout)["findings"]:
        assert set(found) == {"code", "severity", "message", "basis", "rule", "values"}
        assert set(found["message"]) == {"zh", "en"}


@pytest.mark.parametrize(
    ("at", "exit_code"),
    [
        ("2027-01-01", 0),
        ("2027-01-01T23:59:59+08:00", 0),
        ("2027-01-01T23:59:59", 0),
        ("2027-01-01T15:59:59Z", 0),
        ("2027-01-01T16:00:00Z", 1),
        ("2027-01-02", 1),
    ],
)
def test_the_last_day_of_the_inspection_is_a_day_of_the_station(
    site: Path, at: str, exit_code: int
) -> None:
    got = verdict(site, "--code", LEGAL.code, "--at", at, "--json")
    assert got.exit_code == exit_code
    assert codes(got) == (["OVERDUE"] if exit_code else [])


def test_a_person_reads_reason_values_and_basis_in_their_language(site: Path) -> None:
    got = verdict(site, "--code", OVERDUE.code, *AT, "--lang", "zh")
    assert got.exit_code == 1
    assert "拒绝" in got.stdout
    assert "OVERDUE" in got.stdout
    assert "2026-01-01" in got.stdout
    assert "允许" in verdict(site, "--code", LEGAL.code, *AT, "--lang", "zh").stdout
    assert "allow" in verdict(site, "--code", LEGAL.code, *AT).stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "--code or --uid"),
        (("--code", "x", "--at", "tomorrow"), "RFC 3339"),
        (("--code", "x", "--set", "cylinder.medum=O2"), "did you mean 'cylinder.medium'"),
        (("--code", "x", "--set", "cylinder.medium"), "FACT=VALUE"),
        (("--code", "x", "--set", "scale.tare_g=much"), "whole number"),
        (("--code", "x", "--rig", "rig-9"), "rigs: rig-1, rig-2"),
    ],
)
def test_wrong_usage_says_what_was_expected(site: Path, words: tuple[str, ...], says: str) -> None:
    got = verdict(site, *words)
    assert got.exit_code == 2
    assert says in got.stderr


def test_without_a_store_it_cannot_run(tmp_path: Path) -> None:
    got = verdict(write_config(tmp_path), "--code", LEGAL.code)
    assert got.exit_code == 3
    assert "no store here yet" in got.stderr


def test_a_config_with_mistakes_is_told_and_nothing_decided(tmp_path: Path) -> None:
    site = write_config(tmp_path, {"gateway.yaml": "station: {}\n"})
    got = verdict(site, "--code", LEGAL.code)
    assert (got.exit_code, got.stdout) == (1, "")
    assert "gateway.yaml:1" in got.stderr


def test_a_reversed_tag_is_advised_and_a_gs1_code_names_its_cylinder(
    site: Path, tmp_path: Path
) -> None:
    import_cylinders(
        tmp_path / "gatewayd.db",
        (replace(LEGAL, code="(8004)9521321A1", tag_uids=("E00401500A1B2C3D",)),),
        station_id="3701000042",
        replace=False,
    )
    for words in (
        ("--code", "]C180049521321A1"),
        ("--code", "https://id.gs1.org/8004/9521321A1"),
        ("--uid", "E00401500A1B2C3D"),
    ):
        assert verdict(site, *words, *AT, "--json").exit_code == 0
    got = verdict(site, "--uid", "3d:2c:1b:0a:50:01:04:e0", *AT, "--json")
    found = json.loads(got.stdout)["findings"][0]
    assert (got.exit_code, found["code"]) == (1, "CODE_UNKNOWN")
    assert found["values"]["hint_known"] == "E00401500A1B2C3D"
    assert "byte order" in found["message"]["en"]
    lost = verdict(site, "--code", "]C180049521321A121XYZ", *AT, "--json")
    assert json.loads(lost.stdout)["findings"][0]["values"]["hint"] == "gs_lost"


def test_an_archive_older_than_allowed_denies_and_so_does_one_of_unknown_age(site: Path) -> None:
    gateway = site / "gateway.yaml"
    gateway.write_text(f"{gateway.read_text()}archive: {{stale_after_h: 24}}\n")
    confirmed = Reader.open(site / "gatewayd.db")
    at = confirmed.archive_confirmed_at()
    confirmed.close()
    assert at is not None

    def told(hours: int, *words: str) -> list[str]:
        when = (at + timedelta(hours=hours)).isoformat()
        result = verdict(site, "--code", LEGAL.code, "--json", "--at", when, *words)
        return [code for code in codes(result) if code in {"ARCHIVE_STALE", "DATA_MISSING"}]

    assert told(24) == []
    assert told(25) == ["ARCHIVE_STALE"]
    assert told(-1) == ["DATA_MISSING"]
    import_cylinders(
        site / "gatewayd.db", [OTHER], station_id="3701000042", replace=False, columns=("code",)
    )
    assert told(25) == ["ARCHIVE_STALE"]

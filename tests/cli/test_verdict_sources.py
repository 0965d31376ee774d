"""What `gatewayd verdict` says to an operator and to a lawyer: one sentence, one table, the texts."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

from gatewayd.cli.root import main
from gatewayd.settings.shipped import shipped_dir
from gatewayd.store.beside import import_cylinders
from tests.rigs.bench import LEGAL, OVERDUE
from tests.support.configs import RIGS, write_config

SITE = """\
id: our-lpg
version: "7"
title: {zh: 本站, en: ours}
extends: cn-lpg
override:
  rule: overdue
  reason: inspection body closed
  approved_by: Li Si
  until: 2026-08-01
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    directory = write_config(tmp_path, {"rules/own.yaml": SITE, "gateway.yaml": GATEWAY})
    (directory / "rigs/all.yaml").write_text(RIGS.replace("[cn-lpg]", "[our-lpg]", 1), "utf-8")
    import_cylinders(
        tmp_path / "gatewayd.db", (LEGAL, OVERDUE), station_id="3701000042", replace=False
    )
    return directory


GATEWAY = """\
station: {id: "3701000042", media: [LPG]}
store: {path: gatewayd.db}
log: {language: en}
"""
DURING, AFTER = ("--at", "2026-08-01"), ("--at", "2026-08-02")


def verdict(site: Path, *words: str, rig: str = "rig-1", columns: str = "240") -> Result:
    """On a terminal wide enough that no cell is broken."""
    runner = CliRunner(env={"COLUMNS": columns})
    return runner.invoke(main, ["verdict", "-c", str(site), "--rig", rig, *words])


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def test_a_refusal_is_a_sentence_a_table_and_the_texts_that_decided(site: Path) -> None:
    got = verdict(site, "--code", OVERDUE.code, "--set", "cylinder.owner=9", *AFTER, rig="rig-2")
    said = got.stdout
    assert "filling refused: not our cylinder, inspection overdue" in said
    assert "cn-lpg.overdue" in said
    assert "clock.today = 2026-08-02" in said
    shipped = shipped_dir() / "rules/cn-lpg.yaml"
    assert f"cn-lpg 2026.1 sha256:{digest(shipped)}" in said


def test_what_a_site_loosened_stands_in_every_verdict(site: Path) -> None:
    for words, state in ((DURING, "applied"), (AFTER, "not applied")):
        got = verdict(site, "--code", LEGAL.code, *words)
        assert got.exit_code == 0
        assert "our-lpg 7 sha256:" in got.stdout
        assert "extends cn-lpg 2026.1 sha256:" in got.stdout
        told = f"loosened overdue through 2026-08-01 ({state}): inspection body closed"
        assert told in got.stdout
        packs = json.loads(verdict(site, "--code", LEGAL.code, *words, "--json").stdout)["packs"]
        assert packs[0]["overrides"][0]["applied"] is (state == "applied")


NARROW, WIDE = "80", "160"


@pytest.mark.parametrize("columns", [NARROW, WIDE])
def test_no_name_is_broken_and_a_person_reads_yes_and_no(site: Path, columns: str) -> None:
    asks = ("--set", "rig.operator_required=true", "--set", "operator.logged_in=false")
    said = verdict(site, "--code", LEGAL.code, *DURING, *asks, columns=columns).stdout
    assert "operator.logged_in = no" in said
    assert "False" not in said
    assert "cn-lpg.no-operator" in said
    table = [line for line in said.splitlines() if line.startswith(("│", "┃", "├", "└"))]
    assert table
    assert max(map(cell_len, table)) <= int(columns)


def test_an_override_lets_a_rule_only_observe_through_its_last_day(site: Path) -> None:
    during = verdict(site, "--code", OVERDUE.code, *DURING)
    assert during.exit_code == 0
    assert "observed (would deny)" in " ".join(during.stdout.replace("│", " ").split())
    assert verdict(site, "--code", OVERDUE.code, *AFTER).exit_code == 1


def test_a_stage_after_the_fill_is_judged_by_its_own_rules(site: Path) -> None:
    over = ("--set", "scale.net_g=20000", "--stage", "dispatch", "--json")
    got = verdict(site, "--code", OVERDUE.code, *AFTER, *over)
    assert [each["code"] for each in json.loads(got.stdout)["findings"]] == ["OVERFILL_RISK"]
    assert verdict(site, "--code", LEGAL.code, "--stage", "sold").exit_code == 2


def test_people_and_checks_are_judged_when_their_facts_are_set(site: Path) -> None:
    asks = ("--set", "rig.operator_required=true", "--set", "rig.precheck_required=true")
    nobody = ("--set", "operator.logged_in=false", "--set", "checks.precheck_done=false")
    got = verdict(site, "--code", LEGAL.code, *DURING, *asks, *nobody, "--json")
    codes = [each["code"] for each in json.loads(got.stdout)["findings"]]
    assert codes == ["NO_PRECHECK", "NO_OPERATOR"]


def test_the_list_shows_what_is_loosened_and_what_is_extended(site: Path) -> None:
    got = CliRunner().invoke(main, ["rules", "list", "-c", str(site)])
    assert "our-lpg 7  extends cn-lpg 2026.1" in got.stdout
    assert "inspection body closed" in got.stdout
    listed = json.loads(
        CliRunner().invoke(main, ["rules", "list", "-c", str(site), "--json"]).stdout
    )
    packs = {pack["id"]: pack for pack in listed["packs"]}
    assert packs["our-lpg"]["overrides"][0]["rule"] == "overdue"
    rules = {rule["id"]: rule for rule in packs["our-lpg"]["rules"]}
    assert rules["cn-lpg.overdue"]["overridden"] is True
    assert packs["cn-lpg"]["parameters"]["fill_g_per_l_lpg"]["tighter"] == "lower"


@pytest.mark.parametrize(
    ("until", "told"),
    [
        ("2999-12-31", "loosens overdue through 2999-12-31: inspection body closed"),
        ("2020-01-31", "the override of overdue ended on 2020-01-31: the rule of law counts again"),
    ],
)
def test_check_shows_what_is_loosened_and_what_no_longer_is(
    site: Path, until: str, told: str
) -> None:
    own = site / "rules/own.yaml"
    own.write_text(own.read_text("utf-8").replace("2026-08-01", until), "utf-8")
    got = CliRunner().invoke(main, ["check", "-c", str(site)])
    assert got.exit_code == 0
    assert f"{told}; approved by Li Si" in got.stderr


def test_the_facts_are_those_of_the_table_with_the_rules_that_read_them(site: Path) -> None:
    got = CliRunner().invoke(main, ["rules", "facts", "-c", str(site), "--json"])
    facts = {fact["name"]: fact for fact in json.loads(got.stdout)["facts"]}
    assert "cn-lpg.overdue" in facts["cylinder.next_inspection_on"]["rules"]
    assert (facts["cylinder.life_ends_on"]["derived"], facts["scale.tare_g"]["unit"]) == (True, "g")
    text = CliRunner().invoke(main, ["rules", "facts", "-c", str(site)]).stdout
    assert "operator.certificate_until" in text

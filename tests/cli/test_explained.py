"""`records show` and `trace`: what was decided and why, years later and without the packs."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.root import main
from gatewayd.ids import new_id
from gatewayd.rigs.assess import assess, gather
from gatewayd.rigs.evidence import judged
from gatewayd.rigs.model import Identity
from gatewayd.settings.shipped import shipped_dir
from gatewayd.store.model import RecordDraft
from rules_engine.verdict import Verdict
from tests.cli.test_verdict_sources import digest
from tests.rigs.bench import LEGAL, OVERDUE, bench, standing
from tests.support.configs import write_config
from tests.support.stores import NOON, STATION, draft, open_store

GATEWAY = """\
station: {id: "3701000042", media: [LPG]}
store: {path: gatewayd.db}
log: {language: en}
"""


@pytest.fixture
async def site(tmp_path: Path) -> Path:
    """A station that refused a cylinder, held it, released it and filled another one."""
    directory = write_config(tmp_path / "etc", {"gateway.yaml": GATEWAY})
    store = open_store(directory)
    await store.import_cylinders([LEGAL, OVERDUE], replace=False)
    at = bench()
    who = Identity("one", OVERDUE, uid="E2806804")
    verdict, _ = assess(at, gather(at, who, standing(), NOON))
    data = judged(STATION, "rig-1", who, verdict)
    await store.append(RecordDraft(new_id(), "refusal", "rig-1", NOON, data))
    await store.hold(OVERDUE.code, "涉事故调查", by="SAMR")
    await store.release(OVERDUE.code, by="Li Si", reason="found good")
    fill = {"cylinder": {"code": LEGAL.code}, "outcome": "unauthorised", "net_g": 900}
    await store.append(draft("fill", data={**fill, "verdict": None, "end_reason": "no_permit"}))
    await store.close()
    return directory


def run(*words: str) -> Result:
    """On a terminal wide enough that no cell is broken."""
    return CliRunner(env={"COLUMNS": "240"}).invoke(main, list(words))


def _json(*words: str) -> Any:
    got = run(*words, "--json")
    assert got.exit_code == 0, got.output
    return json.loads(got.stdout)


async def test_a_copy_of_the_store_tells_it_years_later_without_any_pack(
    site: Path, tmp_path: Path
) -> None:
    words = ("records", "show", "1", "--why", "--lang", "en")
    then = run(*words, "-c", str(site))
    assert then.exit_code == 0
    copy = shutil.copy(site / "gatewayd.db", tmp_path / "copy.db")
    shutil.rmtree(site)
    now = run(*words, "--store", str(copy))
    assert now.stdout == then.stdout
    for told in (
        "filling refused: inspection overdue",
        "clock.today = 2026-08-01",
        "cylinder.next_inspection_on = 2026-01-01",
        "TSG 23 (2021), ch. 9",
        "cn-lpg.overdue",
        "cn-lpg 2026.1",
        f"cn-lpg 2026.1 sha256:{digest(shipped_dir() / 'rules/cn-lpg.yaml')}",
    ):
        assert told in now.stdout, now.stdout
    told_zh = run("records", "show", "1", "--why", "--lang", "zh", "--store", str(copy)).stdout
    assert "禁止充装：超期未检" in told_zh
    assert "依据" in told_zh
    verified = run("records", "verify", "--store", str(copy))
    assert verified.exit_code == 0


async def test_the_record_says_what_the_verdict_command_says(site: Path) -> None:
    shown = run("records", "show", "1", "--why", "--lang", "en", "-c", str(site))
    asked = run(
        *("verdict", "-c", str(site), "--rig", "rig-2", "--code", OVERDUE.code),
        *("--at", NOON.isoformat()),
    )
    assert asked.exit_code == 1
    assert asked.stdout.splitlines()
    for line in asked.stdout.splitlines():
        assert line in shown.stdout


async def test_gas_without_a_verdict_is_said_to_have_none(site: Path) -> None:
    shown = run("records", "show", "4", "-c", str(site), "--lang", "en").stdout
    assert "no verdict: gas flowed without a permit" in shown
    assert "unauthorised  (no_permit)  900 g" in shown
    assert '"net_g": 900' in shown, "the record whole stands below"


async def test_one_cylinders_life_is_told_oldest_first(site: Path) -> None:
    life = _json("trace", OVERDUE.code, "-c", str(site))
    (told,) = life["cylinders"]
    assert told["code"] == OVERDUE.code
    assert told["archive"]["next_inspection_on"] == "2026-01-01"
    kinds = [(each["kind"], each["sequence"]) for each in told["events"]]
    assert sorted(kinds, key=str) == sorted(
        [("archive", None), ("refusal", 1), ("hold", 2), ("hold", 3)], key=str
    )
    assert [each["time"] for each in told["events"]] == sorted(
        each["time"] for each in told["events"]
    )
    text = run("trace", OVERDUE.code, "-c", str(site), "--lang", "zh").stdout
    assert "OVERDUE" in text
    assert "SAMR: 涉事故调查" in text
    assert "Li Si: found good" in text


async def test_a_cylinder_is_traced_by_its_tag_and_what_is_unknown_is_said(site: Path) -> None:
    (told,) = _json("trace", "e2:80:68:04", "-c", str(site))["cylinders"]
    assert told["code"] == OVERDUE.code
    nothing = run("trace", "nobody", "-c", str(site), "--lang", "en")
    assert nothing.exit_code == 1
    assert "no record, and not in the archive" in nothing.stderr


async def test_holds_and_locks_are_listed_and_said(site: Path) -> None:
    who = ("--by", "SAMR", "--reason", "recall", "-c", str(site))
    assert run("hold", LEGAL.code, *who).exit_code == 0
    assert run("lock", "rig-1", *who).exit_code == 0
    assert run("lock", "rig-9", *who).exit_code == 1
    listed = _json("holds", "-c", str(site))
    assert [(each["code"], each["by"]) for each in listed["holds"]] == [(LEGAL.code, "SAMR")]
    assert [(each["rig"], each["reason"]) for each in listed["locks"]] == [("rig-1", "recall")]
    got = run("verdict", "-c", str(site), "--rig", "rig-1", "--code", LEGAL.code, "--json")
    codes = [each["code"] for each in json.loads(got.stdout)["findings"]]
    assert codes.count("REGULATOR_LOCK") == 2, "the cylinder's hold and the rig's lock"
    assert run("release", LEGAL.code, *who).exit_code == 0
    assert run("unlock", "rig-1", *who).exit_code == 0
    assert run("release", LEGAL.code, *who).exit_code == 1
    assert run("unlock", "rig-1", *who).exit_code == 1
    assert _json("holds", "-c", str(site)) == {"holds": [], "locks": []}
    assert len(_json("holds", LEGAL.code, "-c", str(site))["holds"]) == 1
    assert run("hold", LEGAL.code, "--reason", " ", "--by", "x", "-c", str(site)).exit_code == 1


async def test_what_is_about_no_fill_is_told_by_what_it_is_about(site: Path) -> None:
    store = open_store(site)
    who = {"id": "op-1", "name": "李四", "certificate": "T-1"}
    cylinder = {"code": LEGAL.code, "refurbished": False, "water_capacity_ml": 35_500}
    title = {"zh": "充装前检查", "en": "before filling"}
    asked = {"form": "lpg-prefill", "title": title, "cylinder": cylinder, "operator": who}
    passed = Verdict("allow", (), ()).as_json()
    moved = {"cylinder": cylinder, "point_kind": "dispatch", "accepted": True, "stage": "dispatch"}
    drafts = (
        draft("session", data={"event": "taken_over", "operator": who}),
        draft("batch", data={"event": "opened", "batch": "B-7"}),
        draft("check", data={**asked, "result": "failed", "failed": ["valve"]}),
        draft("movement", data={**moved, "verdict": passed}),
    )
    for each in drafts:
        await store.append(each)
    await store.close()

    def told(number: int) -> list[str]:
        words = ("records", "show", str(number), "--why", "--lang", "zh", "-c", str(site))
        return run(*words).stdout.splitlines()

    assert told(5)[1] == "接班登录  李四"
    assert told(6)[1] == "批次开始  B-7"
    assert told(7)[2] == "充装前检查  不合格  valve  李四"
    cylinder_line, gist, headline = told(8)[1:4]
    assert "水容积=35500 ml" in cylinder_line
    assert "是否翻新瓶=否" in cylinder_line
    assert (gist, headline) == ("准予出站", "允许出站")
    listed = run("records", "list", "-c", str(site)).stdout
    assert "taken_over  李四" in listed
    assert "opened  B-7" in listed

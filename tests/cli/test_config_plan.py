"""`gatewayd config plan` says in words what differs inside a rule pack, beside what ran last."""

import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.root import main
from gatewayd.clock import SystemClock
from gatewayd.reload.record import Book
from gatewayd.settings.load import examine
from gatewayd.store.store import Store
from tests.support.configs import RIGS, write_config

SITE = """\
id: our-lpg
version: "1"
title: {zh: 本站, en: ours}
extends: cn-lpg
parameters:
  tare_deny_small_g: {value: 800, unit: g, source: ours, verified: false}
"""
OURS = RIGS.replace("rules: [cn-lpg]", "rules: [our-lpg]")
LOOSER = SITE.replace("800", "900") + (
    "override: {rule: overdue, reason: body closed, approved_by: Li Si, until: 2999-12-31}\n"
)


def plan(directory: Path, *words: str) -> Result:
    result = CliRunner().invoke(main, ["config", "plan", "-c", str(directory), *words])
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture
async def station(tmp_path: Path) -> Path:
    """A station that ran with its own pack."""
    directory = write_config(tmp_path, {"rules/own.yaml": SITE, "rigs/all.yaml": OURS})
    examined = examine(directory)
    assert examined.settings is not None
    clock = SystemClock()
    store = Store.open(
        examined.settings.store_path,
        station_id=examined.settings.station.id,
        zone=ZoneInfo("Asia/Shanghai"),
        clock=clock,
    )
    book = Book(store, clock)
    await book.open(examined)
    await book.keep(examined.settings, ())
    await store.close()
    return directory


def say(directory: Path, text: str, language: str = "en") -> list[str]:
    (directory / "rules/own.yaml").write_text(text, "utf-8")
    return [line.strip() for line in plan(directory, "--lang", language).stdout.splitlines()]


async def test_what_a_pack_loosens_is_said_and_marked(station: Path) -> None:
    said = say(station, LOOSER)
    assert "~ rules/our-lpg  changed" in said
    assert "+ override of overdue  added  ! looser" in said
    assert "until: 2999-12-31" in said
    assert "approved by: Li Si" in said
    assert "severity: observe" in said
    assert "~ parameter tare_deny_small_g  changed  ! looser" in said
    assert "value: 800 -> 900" in said


async def test_it_is_said_in_chinese_too(station: Path) -> None:
    said = say(station, LOOSER, "zh")
    assert "+ 放宽 overdue  新增  ！放宽" in said
    assert "~ 参数 tare_deny_small_g  更改  ！放宽" in said
    assert "批准人: Li Si" in said


async def test_a_comment_changes_the_text_and_nothing_that_decides(station: Path) -> None:
    said = say(station, SITE + "# a comment\n")
    assert "no rule or parameter differs: only comments, examples or the version" in said


async def test_a_program_gets_the_same(station: Path) -> None:
    say(station, LOOSER)
    (change,) = (
        each
        for each in json.loads(plan(station, "--json").stdout)["changes"]
        if each["part"] == "rules/our-lpg"
    )
    assert [(each["kind"], each["name"], each["looser"]) for each in change["rules"]] == [
        ("override", "overdue", "yes"),
        ("parameter", "tare_deny_small_g", "yes"),
    ]

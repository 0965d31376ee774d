"""An archive that nobody confirmed: refused to the second, unless a site says otherwise in writing."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from gatewayd.cli.root import main
from gatewayd.rigs.assess import assess, gather
from gatewayd.rigs.model import Identity
from gatewayd.rigs.sources import ArchiveAge
from gatewayd.settings.offline import HOURS_MAX, ArchiveSettings
from rules_engine.engine import judge
from rules_engine.verdict import Verdict
from tests.rigs.bench import LEGAL, bench, standing
from tests.rigs.desk import START, ScriptedGate, living, open_store
from tests.support.configs import write_config
from tests.support.rules import LEGAL_FOR, SHIPPED, shipped
from tests.support.stores import open_store as small_store

WHY = "platform line cut by road works"
LOOSE = {
    "stale": "warn",
    "hours_max": 24,
    "reason": WHY,
    "approved_by": "Li Si",
    "until": "2026-08-03",
}
STRICT = ArchiveSettings(stale_after_h=48)
LOOSENED = ArchiveSettings.model_validate({"stale_after_h": 48, "offline": LOOSE})
H = timedelta(hours=1)
SECOND = timedelta(seconds=1)


class Confirmed:
    """A store that knows when its archive was confirmed, and nothing else."""

    def __init__(self, at: datetime | None) -> None:
        self._at = at

    def archive_confirmed_at(self) -> datetime | None:
        return self._at


def _judged(settings: ArchiveSettings, age: timedelta | None, wall: datetime = START) -> Verdict:
    confirmed: Any = Confirmed(None if age is None else wall - age)
    at = replace(bench(), sources=(ArchiveAge(settings, confirmed),))
    facts = gather(at, Identity("one", LEGAL, uid="E2806801"), standing(), wall)
    return assess(at, facts)[0]


def _said(verdict: Verdict) -> list[tuple[str, str]]:
    return [(each.code, each.severity) for each in verdict.findings]


STALE, LET = ("ARCHIVE_STALE", "deny"), ("ARCHIVE_STALE", "warn")


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0 * H, []),
        (48 * H - SECOND, []),
        (48 * H, []),
        (48 * H + SECOND, [STALE]),
        (49 * H, [STALE]),
        (None, [("DATA_MISSING", "deny")]),
        (-SECOND, [("DATA_MISSING", "deny")]),
    ],
)
def test_the_limit_is_the_last_second_that_counts(
    age: timedelta | None, expected: list[tuple[str, str]]
) -> None:
    assert _said(_judged(STRICT, age)) == expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (48 * H, []),
        (48 * H + SECOND, [LET]),
        (72 * H, [LET]),
        (72 * H + SECOND, [STALE]),
        (None, [("DATA_MISSING", "deny")]),
    ],
)
def test_a_loosened_limit_warns_in_every_verdict_and_ends(
    age: timedelta | None, expected: list[tuple[str, str]]
) -> None:
    verdict = _judged(LOOSENED, age)
    assert _said(verdict) == expected
    if expected == [LET]:
        (found,) = verdict.findings
        assert (found.rule, found.values["approved_by"]) == ("site.archive_stale", "Li Si")
        for told in (found.message.zh, found.message.en):
            assert WHY in told
            assert "Li Si" in told


@pytest.mark.parametrize(
    ("wall", "expected"),
    [
        (datetime(2026, 8, 3, 15, 59, 59, tzinfo=UTC), [LET]),
        (datetime(2026, 8, 3, 16, 0, tzinfo=UTC), [STALE]),
    ],
)
def test_its_last_day_is_a_day_of_the_station(
    wall: datetime, expected: list[tuple[str, str]]
) -> None:
    assert _said(_judged(LOOSENED, 50 * H, wall)) == expected


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_pack_refuses_a_stale_archive(name: str) -> None:
    limit = {"station.archive_age_s_max": 100}
    for age_s, stale in ((99, False), (100, False), (101, True)):
        facts = {**LEGAL_FOR[name], **limit, "station.archive_age_s": age_s}
        codes = [each.code for each in judge((shipped(name),), facts).findings]
        assert codes == (["ARCHIVE_STALE"] if stale else [])
    assert [e.code for e in judge((shipped(name),), {**LEGAL_FOR[name], **limit}).findings] == [
        "DATA_MISSING"
    ]


@pytest.mark.parametrize(
    "offline",
    [
        {"unknown": "allow"},
        {"tag_only": "warn"},
        {"stale": "allow"},
        {"stale": "warn"},
        {**LOOSE, "reason": "why"},
        {**LOOSE, "until": "2026-08"},
        {**LOOSE, "until": "2026-02-30"},
        {**LOOSE, "hours_max": HOURS_MAX + 1},
        {**LOOSE, "hours_max": 0},
        {k: v for k, v in LOOSE.items() if k != "approved_by"},
        {**LOOSE, "stale": "refuse"},
    ],
)
def test_nothing_is_loosened_without_how_long_why_by_whom_and_until_when(
    offline: dict[str, Any],
) -> None:
    with pytest.raises(ValidationError):
        ArchiveSettings.model_validate({"stale_after_h": 48, "offline": offline})


def test_without_a_limit_nothing_is_stale_and_nothing_can_be_loosened() -> None:
    with pytest.raises(ValidationError, match="needs stale_after_h"):
        ArchiveSettings.model_validate({"offline": LOOSE})
    assert _said(_judged(ArchiveSettings(), 9_999 * H)) == []


async def test_at_a_rig_the_warning_is_on_the_board_and_in_the_record(tmp_path: Path) -> None:
    store, clock = await open_store(tmp_path)
    clock.advance(seconds=50 * 3_600)
    at = replace(bench(), sources=(ArchiveAge(LOOSENED, store),))
    async with living(store, clock, ScriptedGate(), at=at) as desk:
        await desk.bring()
        await desk.phase("permitted")
        await desk.until(lambda: desk.picture()["state"] == "permitted")
        (shown,) = desk.picture()["findings"]
        assert (shown["code"], shown["severity"]) == LET
        desk.gate.start()
        desk.gate.flow(14_900)
        desk.gate.end()
        await desk.until(lambda: bool(desk.records()))
        (fill,) = (r["data"] for r in desk.records() if r["type"] == "gatewayd.fill.v1")
        (kept,) = fill["verdict"]["findings"]
        assert (fill["verdict"]["decision"], kept["values"]["reason"]) == ("allow", WHY)
    await store.close()


async def test_at_a_rig_a_stale_archive_refuses_until_it_is_confirmed(tmp_path: Path) -> None:
    store, clock = await open_store(tmp_path)
    clock.advance(seconds=49 * 3_600)
    at = replace(bench(), sources=(ArchiveAge(STRICT, store),))
    async with living(store, clock, ScriptedGate(), at=at) as desk:
        await desk.bring()
        await desk.until(lambda: "refusal" in desk.kinds())
        (found,) = desk.records()[-1]["data"]["verdict"]["findings"]
        assert (found["code"], found["severity"]) == STALE
        assert desk.gate.orders == []
        await store.import_cylinders((LEGAL,), replace=False)
        await desk.bring()
        await desk.phase("permitted")
    await store.close()


async def test_check_and_verdict_say_what_a_site_loosened(tmp_path: Path) -> None:
    def loosened(until: str) -> dict[str, str]:
        offline = json.dumps({**LOOSE, "until": until})
        gateway = (
            'station: {id: "3701000042", media: [LPG]}\nstore: {path: gatewayd.db}\n'
            f"archive: {{stale_after_h: 48, offline: {offline}}}\nlog: {{language: en}}\n"
        )
        return {"gateway.yaml": gateway}

    today = datetime.now(UTC).date()  # `check` says what counts on this day.
    site = write_config(tmp_path, loosened((today + timedelta(days=2)).isoformat()))
    store = small_store(tmp_path)
    await store.import_cylinders([LEGAL], replace=False)
    await store.close()
    checked = CliRunner().invoke(main, ["check", "-c", str(site)])
    assert checked.exit_code == 0
    assert f"{WHY}; approved by Li Si" in checked.stderr
    write_config(tmp_path, loosened("2026-08-03"))
    words = ("verdict", "-c", str(site), "--rig", "rig-1", "--code", LEGAL.code, "--json")
    for at, decision in (("2026-08-03T14:00:00+08:00", "allow"), ("2026-08-04", "deny")):
        got = json.loads(CliRunner().invoke(main, [*words, "--at", at]).stdout)
        assert got["decision"] == decision
        assert [f["code"] for f in got["findings"]] == ["ARCHIVE_STALE"]


def test_an_archive_of_unknown_age_says_that_it_is_to_be_imported() -> None:
    (found,) = _judged(STRICT, None).findings
    assert "import the whole archive once" in found.message.en
    assert "导入一次完整档案" in found.message.zh

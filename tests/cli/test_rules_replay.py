"""`gatewayd rules replay`: past scans under other rules, from real records in a real store."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gatewayd.cli.root import main
from gatewayd.rigs import evidence
from gatewayd.rigs.assess import Bench, assess, denied, gather
from gatewayd.rigs.findings import finding
from gatewayd.rigs.model import NOBODY, Identity, Plan
from gatewayd.settings.load import load
from gatewayd.store.model import Cylinder, RecordDraft
from rules_engine.facts import FACTS
from tests.rigs.bench import LEGAL, OVERDUE, standing
from tests.support.configs import write_config
from tests.support.stores import draft, open_store

WALL = datetime(2026, 8, 1, 4, 0, tzinfo=UTC)
GLOBALLY_OLD = ("--since", "2026-01-01")
SITE = """\
id: our-lpg
version: "1"
title: {zh: 本站, en: ours}
extends: cn-lpg
"""
OURS_ONLY = """\
rules:
  - id: refurbished-known
    code: REFURBISHED
    when: cylinder.refurbished
    message: {zh: 翻新, en: refurbished}
    basis: {document: station rule}
    verified: false
    examples:
      - {facts: {cylinder.refurbished: true}, expect: hold}
      - {facts: {cylinder.refurbished: false}, expect: clear}
"""
LENIENT = """\
override: {rule: overdue, reason: test, approved_by: Li Si, until: 2026-12-31}
"""


def judged(
    directory: Path, cylinder: Cylinder | None, more: Mapping[str, Any]
) -> tuple[dict[str, Any], Plan | None, Any]:
    """What the rig would keep of this cylinder, and whether it would fill it."""
    settings = load(directory)
    rig = settings.rigs["rig-1"]
    packs = tuple(settings.packs[name] for name in rig.rules)
    bench = Bench("rig-1", rig, settings.station, packs)
    who = Identity("one", cylinder, uid="E2806801", code="0110100001")
    verdict, plan = assess(bench, {**gather(bench, who, standing(), WALL), **more})
    base = evidence.judged("3701000042", "rig-1", who, verdict)
    if plan is not None:
        base = evidence.permitted(base, who, plan, "scale-1") | {"issued_at": WALL.isoformat()}
    return base, plan, packs


def record(
    directory: Path, cylinder: Cylinder | None, more: Mapping[str, Any] | None = None
) -> RecordDraft:
    data, plan, _packs = judged(directory, cylinder, more or {})
    return replace(draft("refusal" if plan is None else "fill", data=data), time=WALL)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_config(tmp_path / "etc")


async def keep(site: Path, *drafts: RecordDraft) -> None:
    store = open_store(site)
    try:
        for each in drafts:
            await store.append(each)
    finally:
        await store.close()


def replayed(site: Path, *words: str) -> dict[str, Any]:
    got = CliRunner().invoke(
        main, ["rules", "replay", "-c", str(site), *GLOBALLY_OLD, *words, "--json"]
    )
    assert got.exit_code == 0, got.output
    result: dict[str, Any] = json.loads(got.stdout)
    return result


def trial(tmp_path: Path, text: str) -> tuple[str, str]:
    (tmp_path / "trial").mkdir()
    (tmp_path / "trial/own.yaml").write_text(SITE + text, encoding="utf-8")
    return "--with", str(tmp_path / "trial")


def test_every_archive_column_that_a_rule_may_read_is_kept() -> None:
    columns = set(Cylinder.__dataclass_fields__) & {
        name.removeprefix("cylinder.") for name in FACTS
    }
    assert columns - set(evidence.ARCHIVE_KEYS) == {"code", "tag_uids"}


async def test_the_same_rules_decide_the_same_again(site: Path) -> None:
    await keep(site, *(record(site, each) for each in (LEGAL, OVERDUE, None)))
    result = replayed(site)
    assert (result["records"], result["judged"], result["same"]) == (3, 3, 3)
    assert (result["changed"], result["unknown"], result["changes"]) == (0, 0, [])
    assert [pack["id"] for pack in result["packs"]] == ["cn-lpg"]


CONTEXT_FACTS: dict[str, dict[str, Any]] = {
    "CODE_DUPLICATE": {"code.duplicate": True, "code.elsewhere": "rig-2"},
    "RETIRED_CODE": {"code.retired": True},
    "NO_OPERATOR": {"rig.operator_required": True, "operator.logged_in": False},
    "OPERATOR_CERT": {
        "rig.operator_required": True,
        "operator.logged_in": True,
        "operator.name": "Li Si",
        "operator.certificate": "T-1",
        "operator.certificate_until": WALL.date() - timedelta(days=1),
        "operator.media": ("LPG",),
    },
    "REPEAT_FILL": {"history.last_filled_on": WALL.date(), "history.left_since_fill": False},
}


@pytest.mark.parametrize("code", CONTEXT_FACTS)
async def test_what_people_and_history_said_is_judged_again_as_it_was(
    site: Path, tmp_path: Path, code: str
) -> None:
    """The archive does not keep it; the finding that rests on it does."""
    await keep(site, record(site, LEGAL, CONTEXT_FACTS[code]))
    same = replayed(site)
    assert (same["same"], same["changed"], same["unknown"]) == (1, 0, 0)
    other = replayed(site, *trial(tmp_path, "rules: []\n"))
    assert (other["same"], other["changed"], other["unknown"]) == (1, 0, 0)


OPERATOR_ALWAYS = """\
rules:
  - id: operator-always
    code: NO_OPERATOR
    when: "!operator.logged_in"
    message: {zh: 无人登录, en: nobody is logged in}
    basis: {document: station rule}
    verified: false
    examples:
      - {facts: {operator.logged_in: false}, expect: hold}
      - {facts: {operator.logged_in: true}, expect: clear}
"""


async def test_a_rule_on_people_whom_nobody_recorded_is_unknown(site: Path, tmp_path: Path) -> None:
    await keep(site, record(site, LEGAL))
    result = replayed(site, *trial(tmp_path, OPERATOR_ALWAYS))
    assert (result["unknown"], result["changed"]) == (1, 0)
    assert result["unknown_facts"] == {"operator.logged_in": 1}


async def test_a_stricter_pack_shows_every_verdict_that_it_changes(
    site: Path, tmp_path: Path
) -> None:
    known = replace(LEGAL, refurbished=False)
    unknown = replace(LEGAL, code="3701000110100009", tag_uids=())
    await keep(site, *(record(site, each) for each in (known, unknown, OVERDUE)))
    result = replayed(site, *trial(tmp_path, OURS_ONLY))
    assert result["counts"] == {"allow -> deny": 1, "other reasons": 1}
    assert [change["after"]["codes"] for change in result["changes"]] == [
        ["DATA_MISSING"],
        ["OVERDUE", "DATA_MISSING"],
    ]
    first = result["changes"][0]
    assert (first["cylinder"], first["before"]) == (
        unknown.code,
        {"decision": "allow", "codes": []},
    )
    assert first["after"]["findings"][0]["rule"] == "our-lpg.refurbished-known"


async def test_a_looser_pack_shows_what_it_would_let_through(site: Path, tmp_path: Path) -> None:
    await keep(site, record(site, LEGAL), record(site, OVERDUE))
    result = replayed(site, *trial(tmp_path, LENIENT))
    assert result["counts"] == {"deny -> allow": 1}
    (change,) = result["changes"]
    assert change["after"]["findings"][0]["severity"] == "observe"
    assert result["packs"][0]["overrides"][0]["rule"] == "overdue"


def forgetful(made: RecordDraft, *names: str) -> RecordDraft:
    """The record as an older version kept it, without these columns."""
    kept = {key: value for key, value in made.data["cylinder"].items() if key not in names}
    return replace(made, data={**made.data, "cylinder": kept})


async def test_what_is_not_on_record_is_unknown_and_never_guessed(
    site: Path, tmp_path: Path
) -> None:
    await keep(site, forgetful(record(site, LEGAL), "refurbished"))
    assert replayed(site)["same"] == 1, "the same rule said nothing then"
    result = replayed(site, *trial(tmp_path, OURS_ONLY))
    assert (result["unknown"], result["changed"]) == (1, 0)
    assert result["unknown_facts"] == {"cylinder.refurbished": 1}


async def test_a_life_that_cannot_be_known_is_unknown_under_rules_nobody_had_then(
    site: Path,
) -> None:
    made = forgetful(record(site, LEGAL), "design_life_years")
    packs = [{**made.data["verdict"]["packs"][0], "hash": "0" * 64}]
    verdict = {**made.data["verdict"], "packs": packs}
    await keep(site, replace(made, data={**made.data, "verdict": verdict}))
    assert replayed(site)["unknown_facts"] == {"cylinder.design_life_years": 1}


async def test_what_no_rule_decided_is_counted_as_such(site: Path) -> None:
    nobody = evidence.judged(
        "3701000042", "rig-1", NOBODY, denied((), finding("AMBIGUOUS", seen="A, B"))
    )
    unjudged = evidence.judged("3701000042", "rig-1", NOBODY, None)
    drafts = [draft("refusal", data=nobody), draft("fill", data=unjudged)]
    gone = replace(record(site, LEGAL), rig_id="rig-9")
    await keep(site, *drafts, gone, draft("alarm"))
    result = replayed(site)
    assert (result["records"], result["not_by_rules"], result["rig_gone"]) == (3, 2, 1)


async def test_records_before_the_span_are_left_out(site: Path) -> None:
    await keep(site, record(site, LEGAL))
    assert replayed(site, "--since", "2026-08-01T12:00:00.001")["records"] == 0
    assert replayed(site, "--since", "2026-08-01T12:00")["records"] == 1


async def test_a_person_sees_counts_and_a_table(site: Path, tmp_path: Path) -> None:
    await keep(site, record(site, LEGAL), record(site, OVERDUE))
    words = ["rules", "replay", "-c", str(site), *GLOBALLY_OLD, *trial(tmp_path, LENIENT)]
    for lang, told in (
        ("en", ("judged again: 2", "deny -> allow: 1", "deny OVERDUE")),
        ("zh", ("重新判定: 2", "拒绝 -> 允许: 1", "拒绝 OVERDUE")),
    ):
        got = CliRunner(env={"COLUMNS": "80"}).invoke(main, [*words, "--lang", lang])
        for each in told:
            assert each in got.stdout
        assert "…" not in got.stdout, "nothing is cut"


def refused(site: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["rules", "replay", "-c", str(site), *words])


async def test_what_cannot_be_tried_is_said(site: Path, tmp_path: Path) -> None:
    await keep(site, draft("alarm"))
    assert refused(site, "--since", "yesterday").exit_code == 2
    assert refused(site, "--with", str(tmp_path / "nowhere")).exit_code == 2
    words = trial(tmp_path, OURS_ONLY.replace("cylinder.refurbished", "cylinder.refurbisht"))
    broken = refused(site, *words)
    assert broken.exit_code == 1
    assert "did you mean 'cylinder.refurbished'" in broken.stderr
    stranger = (SITE + OURS_ONLY).replace("extends: cn-lpg\n", "")
    (tmp_path / "trial/own.yaml").write_text(stranger, encoding="utf-8")
    assert "our-lpg: no rig names this pack" in refused(site, *words).stderr

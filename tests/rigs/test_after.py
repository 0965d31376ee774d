"""What the rules say of a fill and after it, and what follows: outcome, record, alarm, next verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gatewayd.errors import StoreError
from gatewayd.rigs.after import judged_of
from gatewayd.rigs.assess import Bench
from gatewayd.rigs.model import Identity
from gatewayd.rigs.overfull import ALARM, Overfull
from gatewayd.rigs.sources import Asked
from rules_engine.pack import load
from tests.rigs.bench import LEGAL, UID, bench
from tests.rigs.desk import Desk, at_desk, open_store
from tests.support.rules import rule, text_of

ALLOWED_G = 35_500 * 420 // 1_000
TARE_G = 16_600
SAFE_G = ALLOWED_G - (TARE_G - 16_500)
"""What the legal cylinder of the tests takes net: 100 g of residue are in it."""


def fills(desk: Desk) -> list[dict[str, Any]]:
    return [each["data"] for each in desk.records() if each["type"] == "gatewayd.fill.v1"]


async def fill(desk: Desk, grams: int, uid: str = UID) -> dict[str, Any]:
    """One fill that the PLC ends by itself; the `data` of its record."""
    await desk.bring(uid)
    await desk.phase("permitted")
    desk.gate.start()
    await desk.phase("filling")
    desk.gate.flow(grams)
    desk.gate.end()
    await desk.phase("locked")
    (data,) = fills(desk)
    return data


@pytest.mark.parametrize(
    ("net_g", "outcome", "decision"),
    [
        (SAFE_G - 201, "underfilled", "allow"),
        (SAFE_G - 200, "completed", "allow"),
        (SAFE_G, "completed", "allow"),
        (SAFE_G + 50, "completed", "allow"),
        (SAFE_G + 51, "overfilled", "deny"),
    ],
)
async def test_the_safety_limit_decides_and_the_record_says_by_what(
    tmp_path: Path, net_g: int, outcome: str, decision: str
) -> None:
    """Default `tolerance_g` 200, `weighing_error_g` 50; no nominal mass, so target = safe net."""
    async with at_desk(tmp_path) as desk:
        data = await fill(desk, net_g)
        assert (data["outcome"], data["net_g"]) == (outcome, net_g)
        assert (data["target_g"], data["safe_net_g"]) == (SAFE_G, SAFE_G)
        assert data["overfilled_above_g"] == SAFE_G + 50
        assert data["underfilled_below_g"] == SAFE_G - 200
        assert data["verdict"]["decision"] == "allow", "the permit's verdict stays as judged"
        assert data["postfill"]["decision"] == decision
        codes = [found["code"] for found in data["postfill"]["findings"]]
        assert codes == ([] if decision == "allow" else ["OVERFILL_RISK"])
        at_the_gate_g = desk.store.life(LEGAL.code).filled_g
        assert at_the_gate_g == (min(net_g, SAFE_G) if decision == "allow" else net_g)


@pytest.mark.parametrize(
    ("net_g", "outcome"),
    [(14_399, "underfilled"), (14_400, "completed"), (14_600, "completed"), (14_601, "overfilled")],
)
async def test_the_commercial_tolerance_is_about_the_target(
    tmp_path: Path, net_g: int, outcome: str
) -> None:
    """Sold as too much, but safe: that may leave, and nobody is alarmed."""
    async with at_desk(tmp_path, nominal_g=14_600, tolerance_g=100) as desk:
        data = await fill(desk, net_g)
        assert data["target_g"] == 14_500, "the nominal mass less 100 g of residue"
        assert (data["outcome"], data["postfill"]["decision"]) == (outcome, "allow")
        assert not desk.store.alarm_stands(ALARM, LEGAL.code)


async def test_an_overfilled_cylinder_stays_until_somebody_answers(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await fill(desk, SAFE_G + 300)
        assert desk.store.alarm_stands(ALARM, LEGAL.code)
        (alarm,) = [each for each in desk.records() if each["type"] == "gatewayd.alarm.v1"]
        told = {"net_g": SAFE_G + 300, "filled_g": SAFE_G + 300, "safe_net_g": SAFE_G}
        assert alarm["data"]["values"] == told
        assert Overfull(desk.store).facts(asked()) == {"history.overfilled": True}


async def test_the_alarm_of_a_cylinder_names_what_the_totaliser_put_in(tmp_path: Path) -> None:
    """Where that is more than the scale says: `14429 g > 14778 g` helps nobody."""
    async with at_desk(tmp_path) as desk:
        await desk.bring()
        await desk.phase("permitted")
        desk.gate.start()
        await desk.phase("filling")
        desk.gate.flow(SAFE_G - 300)
        desk.gate.sample = replace(desk.gate.sample, total_g=desk.gate.sample.total_g + 700)
        desk.gate.end()
        await desk.phase("locked")
        alarms = [each["data"] for each in desk.records() if each["type"] == "gatewayd.alarm.v1"]
    told = {each["code"]: each["detail"] for each in alarms}
    assert told[ALARM].startswith(
        f"{SAFE_G + 400} g > {SAFE_G} g; 秤 / by the scale {SAFE_G - 300} g; 许可 / permit "
    )
    assert "累计量 - 净重 / totaliser - net = 700 g (" in told["totaliser_mismatch"]


async def test_a_store_that_cannot_be_read_lets_no_cylinder_go(tmp_path: Path) -> None:
    store, _ = await open_store(tmp_path)
    assert Overfull(store).facts(asked()) == {"history.overfilled": False}
    await store.close()
    assert Overfull(store).facts(asked()) == {"history.overfilled": True}


async def test_gas_beyond_the_limit_closes_the_gate_by_the_rule_of_the_fill(tmp_path: Path) -> None:
    """Sooner than the backstop of the machine, which waits for `tolerance_g` above the limit."""
    async with at_desk(tmp_path) as desk:
        await desk.bring()
        await desk.phase("permitted")
        desk.gate.start()
        await desk.phase("filling")
        desk.gate.flow(SAFE_G + 50)
        for _ in range(5):
            await desk.look()
        assert desk.rig.state.phase == "filling", "the scale proves nothing yet"
        desk.gate.flow(1)
        await desk.until(lambda: fills(desk) != [])
        (data,) = fills(desk)
        assert (data["end_reason"], data["outcome"]) == ("over_limit", "overfilled")


@dataclass
class Unreadable:
    """A source of facts on a store that fails from some moment on."""

    fails: bool = False

    def facts(self, asked: Asked) -> Mapping[str, Any]:
        del asked
        if self.fails:
            raise StoreError("a sector cannot be read")
        return {"code.retired": False}


async def test_a_store_that_cannot_be_read_in_mid_fill_ends_no_daemon(tmp_path: Path) -> None:
    """What it knows is absent then, as for a verdict; the fill is recorded with the rest."""
    source, usual = Unreadable(), bench()
    made = Bench(usual.rig_id, usual.rig, usual.station, usual.packs, (source,))
    async with at_desk(tmp_path, at=made) as desk:
        await desk.bring()
        await desk.phase("permitted")
        source.fails = True
        desk.gate.start()
        await desk.phase("filling")
        desk.gate.flow(SAFE_G)
        desk.gate.end()
        await desk.phase("locked")
        (data,) = fills(desk)
        assert (data["outcome"], data["net_g"]) == ("completed", SAFE_G)
        assert data["postfill"]["decision"] == "allow"


WATCHFUL = """\
  - id: too-heavy
    code: BODY_DEFECT
    stage: fill
    when: scale.gross_g > 20000
    message: {zh: 停, en: stop}
    basis: {document: test}
    verified: false
"""


LEAKING = WATCHFUL.replace("too-heavy", "leaks").replace("stage: fill", "stage: postfill")


async def test_any_rule_of_the_fill_closes_the_gate_and_is_named(tmp_path: Path) -> None:
    own = load(text_of(rule("!code.known"), WATCHFUL), "site.yaml")
    usual = bench()
    made = Bench(usual.rig_id, usual.rig, usual.station, (*usual.packs, own))
    async with at_desk(tmp_path, at=made) as desk:
        await desk.bring()
        await desk.phase("permitted")
        desk.gate.start()
        await desk.phase("filling")
        desk.gate.flow(5_000)
        await desk.until(lambda: fills(desk) != [])
        (data,) = fills(desk)
        assert (data["end_reason"], data["outcome"]) == ("fill_rule", "aborted")


async def test_rules_that_come_in_mid_fill_judge_the_next_sample(tmp_path: Path) -> None:
    own = load(text_of(rule("!code.known"), WATCHFUL), "site.yaml")
    async with at_desk(tmp_path) as desk:
        await desk.bring()
        await desk.phase("permitted")
        desk.gate.start()
        await desk.phase("filling")
        desk.gate.flow(5_000)
        for _ in range(5):
            await desk.look()
        assert desk.rig.state.phase == "filling", "no rule minds so far"
        desk.rig.renew((*bench().packs, own))
        await desk.until(lambda: fills(desk) != [])
        (data,) = fills(desk)
        assert (data["end_reason"], data["outcome"]) == ("fill_rule", "aborted")


async def test_what_was_filled_is_judged_by_the_rules_of_now(tmp_path: Path) -> None:
    """After a reload, not by those that the daemon was started with."""
    own = load(text_of(rule("!code.known"), LEAKING), "site.yaml")
    async with at_desk(tmp_path) as desk:
        desk.rig.renew((*bench().packs, own))
        data = await fill(desk, SAFE_G)
        found = [(each["code"], each["rule"]) for each in data["postfill"]["findings"]]
        assert found == [("BODY_DEFECT", "site.leaks")]


async def test_a_permit_that_took_no_gas_is_not_judged_again(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await desk.bring()
        await desk.phase("permitted")
        desk.gate.leave()
        await desk.until(lambda: desk.kinds() == ["not_started"])
        (data,) = fills(desk)
        assert data["postfill"] is None


def test_a_stage_without_rules_is_not_judged() -> None:
    own = load(text_of(rule("code.known")), "site.yaml")
    made = bench()
    plain = Bench(made.rig_id, made.rig, made.station, (own,))
    assert judged_of(made, "fill")
    assert judged_of(made, "postfill")
    assert not judged_of(plain, "fill")
    assert not judged_of(plain, "postfill")


def asked() -> Asked:
    made, who = bench(), Identity("one", LEGAL, uid=UID)
    return Asked(made.rig_id, made.rig, made.station, who, None, datetime(2026, 8, 1, tzinfo=UTC))


async def test_any_code_may_be_overfilled(tmp_path: Path) -> None:
    """A code is any text; one with the signs of a topic ended the daemon, at every start anew."""
    code = "鲁A/1+2#3%"
    async with at_desk(tmp_path) as desk:
        odd = replace(LEGAL, code=code, tag_uids=("E2806899",))
        await desk.store.import_cylinders((odd,), replace=False)
        await fill(desk, SAFE_G + 300, "E2806899")
        assert desk.store.alarm_stands(ALARM, code)
        (shown,) = [topic for topic, _ in desk.board.items() if topic.startswith("alarms/")]
        assert shown == "alarms/overfilled.鲁A%2F1%2B2%233%25"

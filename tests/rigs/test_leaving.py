"""A rig that is to leave, or to judge by other packs: gas flows to its end, nothing else begins."""

from pathlib import Path

import apsw

from rules_engine.pack import load
from tests.rigs.desk import LOST, Desk, at_desk
from tests.support.rules import cn_lpg

DENIES = """
id: closed-today
version: 1.0.0
title: {zh: 今日停充, en: closed today}
basis: the site
rules:
  - id: closed
    code: NOT_ENABLED
    severity: deny
    stage: permit
    when: station.id != ''
    message: {zh: 今日停充, en: closed today}
    basis: {document: the site}
    verified: true
    examples: [{facts: {station.id: '1'}, expect: hold}]
"""


async def permitted(desk: Desk) -> None:
    await desk.bring()
    await desk.phase("permitted")


async def filling(desk: Desk) -> None:
    await permitted(desk)
    desk.gate.start()
    await desk.phase("filling")
    desk.gate.flow(5_000)
    await desk.look()


async def looks(desk: Desk, count: int = 20) -> None:
    for _ in range(count):
        await desk.look()


async def test_a_rig_at_rest_leaves_at_once(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        desk.rig.leave()
        await desk.until(lambda: desk.ended)
        assert desk.records() == []


async def test_a_fill_is_finished_and_recorded_before_its_rig_leaves(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await filling(desk)
        desk.rig.leave()
        renewed = desk.gate.calls.count("renew")
        await looks(desk)
        assert desk.rig.state.phase == "filling"
        assert not desk.ended
        assert desk.gate.calls.count("renew") > renewed
        desk.gate.flow(9_800)
        desk.gate.end()
        await desk.until(lambda: desk.ended)
        assert desk.kinds() == ["completed"]
        assert desk.store.pending_permits("rig-1") == ()


async def test_a_permit_nobody_started_is_taken_back_before_its_rig_leaves(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await permitted(desk)
        desk.rig.leave()
        await desk.until(lambda: desk.ended)
        assert desk.kinds() == ["not_started"]
        assert desk.records()[0]["data"]["end_reason"] == "config_changed"
        assert desk.gate.sample.permit_echo == 0


async def test_a_rig_that_leaves_judges_nobody(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        desk.gate.fails["lock"] = LOST
        await filling(desk)
        desk.gate.fails.clear()
        desk.rig.leave()
        desk.gate.end()
        desk.gate.leave()
        await desk.look()
        desk.gate.stand()
        await desk.until(lambda: desk.ended)
        assert desk.gate.orders[1:] == []


async def test_leaving_can_be_taken_back_during_a_fill(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await filling(desk)
        desk.rig.leave()
        await desk.look()
        desk.rig.leave(leaving=False)
        desk.gate.end()
        await desk.phase("locked")
        await desk.bring()
        await desk.phase("permitted")
        assert not desk.ended


async def test_gas_that_flows_without_a_permit_is_booked_before_a_rig_leaves(
    tmp_path: Path,
) -> None:
    async with at_desk(tmp_path) as desk:
        desk.gate.flow(500)
        await desk.look()
        desk.rig.leave()
        await desk.until(lambda: desk.ended)
        assert desk.kinds()[0] == "unauthorised"


async def test_new_packs_take_back_a_permit_nobody_started_and_judge_anew(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await permitted(desk)
        desk.rig.renew((cn_lpg(),))
        await desk.until(lambda: len(desk.gate.orders) == 2)
        await desk.phase("permitted")
        assert desk.kinds() == ["not_started"]
        assert desk.records()[0]["data"]["end_reason"] == "rules_changed"
        await looks(desk)
        assert len(desk.gate.orders) == 2


async def test_new_packs_that_deny_close_a_permit_nobody_started(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await permitted(desk)
        desk.rig.renew((cn_lpg(), load(DENIES, "denies.yaml")))
        await desk.phase("refused")
        assert desk.kinds() == ["not_started", "refusal"]
        assert desk.gate.sample.permit_echo == 0
        (_, refusal) = desk.records()
        packs = [pack["id"] for pack in refusal["data"]["verdict"]["packs"]]
        assert packs == ["cn-lpg", "closed-today"]


async def test_a_fill_keeps_the_verdict_it_was_judged_by(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await filling(desk)
        desk.rig.renew((cn_lpg(), load(DENIES, "denies.yaml")))
        await looks(desk)
        assert desk.rig.state.phase == "filling"
        desk.gate.flow(9_800)
        desk.gate.end()
        await desk.phase("locked")
        (fill,) = desk.records()
        assert fill["data"]["outcome"] == "completed"
        assert [pack["id"] for pack in fill["data"]["verdict"]["packs"]] == ["cn-lpg"]
        await looks(desk)
        assert desk.kinds() == ["completed"], "it was served and is not judged again"
        await desk.bring()
        await desk.phase("refused")


async def test_packs_that_change_during_the_commit_open_nothing(tmp_path: Path) -> None:
    async with at_desk(tmp_path, busy_ms=5_000) as desk:
        backup = apsw.Connection(str(tmp_path / "gatewayd.db"))
        backup.execute("BEGIN IMMEDIATE")
        await desk.bring()
        await looks(desk)
        assert desk.store.pending_permits("rig-1") == (), "the commit waits"
        desk.rig.renew((cn_lpg(), load(DENIES, "denies.yaml")))
        backup.execute("ROLLBACK")
        backup.close()
        await desk.phase("refused")
        assert desk.gate.orders == []
        assert desk.kinds() == ["not_started", "refusal"]

"""The actor in trouble: a store that fails, a stop in a bad moment, gas without a permit."""

from dataclasses import replace
from pathlib import Path

import apsw

from drivers.contract import GateOrder
from gatewayd.clock import MS
from gatewayd.rigs.moves import GateFailed, Open
from tests.rigs.bench import OVERDUE, OVERDUE_UID, UID
from tests.rigs.desk import at_desk


async def test_an_archive_that_cannot_be_read_is_a_fault_and_the_actor_lives(
    tmp_path: Path,
) -> None:
    async with at_desk(tmp_path) as desk:
        desk.store._read.close()
        await desk.bring()
        await desk.until(lambda: desk.rig.state.phase == "fault")
        assert desk.rig.state.fault == "store"
        for _ in range(20):
            await desk.look()
        assert desk.gate.orders == []


async def test_a_refusal_while_the_store_fails_is_kept_after_the_cylinder_left(
    tmp_path: Path,
) -> None:
    async with at_desk(tmp_path) as desk:
        blocker = apsw.Connection(str(tmp_path / "gatewayd.db"))
        blocker.execute("BEGIN IMMEDIATE")
        await desk.bring(OVERDUE_UID)
        await desk.phase("fault")
        desk.gate.leave()
        for _ in range(20):
            await desk.look()
        blocker.execute("ROLLBACK")
        blocker.close()
        await desk.until(lambda: desk.kinds() == ["refusal"])
        assert desk.records()[0]["data"]["cylinder"]["code"] == OVERDUE.code
        await desk.until(lambda: desk.rig.state.phase == "locked")


async def test_stop_waits_for_what_the_store_has_not_taken_yet(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        blocker = apsw.Connection(str(tmp_path / "gatewayd.db"))
        blocker.execute("BEGIN IMMEDIATE")
        await desk.bring(OVERDUE_UID)
        await desk.phase("fault")
        desk.rig.stop()
        for _ in range(30):
            await desk.look()
        assert not desk.ended
        blocker.execute("ROLLBACK")
        blocker.close()
        await desk.until(lambda: desk.ended)
        assert desk.kinds() == ["refusal"]


async def test_stop_with_nothing_open_returns_at_once(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        desk.rig.device("gate-1", "down")
        desk.silent = True
        await desk.look()
        desk.rig.stop()
        await desk.look()
        assert desk.ended


async def test_an_order_that_was_decided_long_ago_is_not_written(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        old_ns = desk.clock.monotonic_ns() - 1_001 * MS
        order = GateOrder(permit_no=7, target_g=1, limit_gross_g=2, lease_ms=2_000)
        answer = await desk.rig._hand.touch(Open(order, seen_ns=old_ns))
        assert isinstance(answer, GateFailed)
        assert desk.gate.orders == []


async def test_what_passes_an_empty_scale_is_not_named_in_a_stray_flow(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        desk.tags = [UID]
        await desk.look()
        desk.gate.flow(500)
        desk.gate.sample = replace(desk.gate.sample, gross_g=0)
        await desk.until(lambda: len(desk.kinds()) == 2)
        assert desk.kinds() == ["unauthorised", "unauthorised_flow"]
        data = desk.records()[0]["data"]
        assert (data["net_g"], data["cylinder"]["tag_uid"]) == (500, None)


async def test_nobody_named_in_time_is_shown_and_recorded_as_denied(tmp_path: Path) -> None:
    async with at_desk(tmp_path, identify_within_s=1) as desk:
        await desk.bring()
        desk.tags = []
        await desk.phase("refused")
        await desk.look()
        shown = desk.picture()
        assert (shown["verdict"], shown["findings"][0]["code"]) == ("deny", "NO_TAG")
        assert desk.records()[0]["data"]["verdict"]["decision"] == "deny"

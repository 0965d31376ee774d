"""The actor between a real store and a scripted gate: the order of things, and what breaks."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from drivers.contract import GateOrder
from gatewayd.store.reads import Reader
from tests.rigs.bench import OTHER_UID, OVERDUE_UID, UID
from tests.rigs.desk import LOST, Desk, ScriptedGate, at_desk, living, open_store


async def fill(desk: Desk, grams: int = 14_800) -> None:
    await desk.bring()
    await desk.phase("permitted")
    desk.gate.start()
    await desk.phase("filling")
    desk.gate.flow(grams)
    await desk.look()


async def test_the_gate_hears_of_a_permit_only_after_it_is_committed(tmp_path: Path) -> None:
    seen: list[tuple[GateOrder, int]] = []

    async with at_desk(tmp_path) as desk:

        def committed(order: GateOrder) -> None:
            with Reader.open(tmp_path / "gatewayd.db") as store:
                (permit,) = store.pending_permits("rig-1")
                seen.append((order, permit.permit_no))

        desk.gate.on_open = committed
        await fill(desk)
        desk.gate.end()
        await desk.phase("locked")
        ((order, permit_no),) = seen
        assert (order.permit_no, order.lease_ms) == (permit_no, 2_000)
        (record,) = desk.records()
        assert record["data"]["permit_no"] == permit_no
        assert record["data"]["outcome"] == "completed"
        assert desk.store.pending_permits("rig-1") == ()


async def test_an_open_that_fails_ends_in_one_record_and_a_locked_gate(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        desk.gate.fails["open"] = LOST
        await desk.bring()
        await desk.until(lambda: desk.kinds() == ["not_started"])
        assert desk.gate.calls[-1] == "lock"
        assert desk.records()[0]["data"]["end_reason"] == "gate_fault"
        await desk.phase("locked")


async def test_one_renewal_that_fails_ends_no_fill(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await fill(desk, 5_000)
        renewals = desk.gate.calls.count("renew")
        desk.gate.fails["renew"] = LOST
        await desk.until(lambda: desk.gate.calls.count("renew") > renewals)
        desk.gate.fails.clear()
        for _ in range(30):
            await desk.look()
        assert desk.rig.state.phase == "filling"
        assert desk.gate.calls.count("renew") > renewals + 3


async def test_a_scale_that_is_stable_for_one_sample_only_has_not_weighed(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await desk.bring()
        desk.gate.sample = replace(desk.gate.sample, stable=False)
        for _ in range(10):
            desk.gate.sample = replace(desk.gate.sample, stable=not desk.gate.sample.stable)
            await desk.look()
        assert desk.rig.state.phase == "judging"
        assert "open" not in desk.gate.calls
        desk.gate.sample = replace(desk.gate.sample, stable=True)
        await desk.phase("permitted")


async def test_a_tag_shadowed_before_the_start_holds_the_permit(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await desk.bring()
        await desk.phase("permitted")
        desk.tags.clear()
        for _ in range(100):
            await desk.look()
        assert desk.rig.state.phase == "permitted"


async def test_renewals_that_keep_failing_close_the_gate(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await fill(desk, 5_000)
        desk.gate.fails["renew"] = LOST
        await desk.until(lambda: desk.kinds() == ["interrupted"])
        assert "lock" in desk.gate.calls[desk.gate.calls.index("renew") :]
        assert desk.records()[0]["data"]["net_g"] == 5_000


async def test_a_lock_that_fails_is_tried_until_it_holds(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        desk.gate.fails["lock"] = LOST
        await fill(desk, 5_000)
        desk.gate.end()
        for _ in range(20):
            await desk.look()
        assert desk.kinds() == [], "no record before the gate is known to be locked"
        desk.gate.fails.clear()
        await desk.until(lambda: desk.kinds() == ["underfilled"])


async def test_a_gate_driver_with_a_bug_latches_its_rig_and_nothing_else(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        desk.gate.fails["open"] = KeyError("a bug")
        await desk.bring()
        await desk.until(lambda: desk.kinds() == ["not_started"])
        desk.gate.fails.clear()
        desk.gate.leave()
        await desk.look()
        await desk.bring()
        for _ in range(20):
            await desk.look()
        assert (desk.rig.state.phase, desk.rig.state.fault) == ("fault", "gate-1")
        assert desk.gate.orders == []


async def test_a_sample_that_grows_stale_withdraws_the_permit(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await desk.bring()
        await desk.phase("permitted")
        desk.silent = True
        desk.gate.calls.clear()
        await desk.until(lambda: desk.rig.state.phase == "fault")
        assert desk.gate.calls[-1] == "lock"
        desk.silent = False
        await desk.until(lambda: desk.kinds() == ["not_started"])
        assert desk.records()[0]["data"]["end_reason"] == "gate_lost"


async def test_a_required_reader_down_is_a_fault_and_another_is_not(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await desk.bring()
        await desk.phase("permitted")
        desk.rig.device("qr-1", "down")
        await desk.look()
        assert desk.rig.state.phase == "permitted"
        desk.rig.device("gun-1", "down")
        await desk.look()
        assert (desk.rig.state.phase, desk.rig.state.fault) == ("fault", "gun-1")
        await desk.until(lambda: desk.kinds() == ["not_started"])
        assert desk.records()[0]["data"]["end_reason"] == "device_lost"


async def test_a_refused_cylinder_stays_refused_after_a_fault(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await desk.bring(OVERDUE_UID)
        await desk.phase("refused")
        desk.rig.device("gun-1", "down")
        await desk.phase("fault")
        desk.rig.device("gun-1", "up")
        await desk.phase("refused")
        assert desk.picture()["findings"][0]["code"] == "OVERDUE"
        assert desk.kinds() == ["refusal"]


def _second_tag(desk: Desk) -> None:
    desk.tags.append(OTHER_UID)


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (lambda desk: desk.gate.leave(), "cylinder_left"),
        (_second_tag, "second_tag"),
        (lambda desk: desk.rig.device("gun-1", "down"), "device_lost"),
        (lambda desk: desk.rig.device("gate-1", "down"), "gate_lost"),
        (lambda desk: desk.rig.stop(), "stopping"),
        (lambda desk: desk.clock.advance(seconds=100), "gate_lost"),
    ],
    ids=["leaves", "second tag", "reader lost", "gate lost", "stop", "stall"],
)
async def test_what_changes_during_the_commit_keeps_the_gate_closed(
    tmp_path: Path, happens: Callable[[Desk], None], reason: str
) -> None:
    async with at_desk(tmp_path, busy_ms=5_000) as desk:
        slow = apsw.Connection(str(tmp_path / "gatewayd.db"))
        slow.execute("BEGIN IMMEDIATE")
        await desk.bring()
        await desk.phase("judging")
        await desk.look()  # the second stable sample: commit 1 is under way
        desk.silent = True
        happens(desk)
        if reason in ("cylinder_left", "second_tag"):
            desk.silent = False
            await desk.look()
        slow.execute("ROLLBACK")
        slow.close()
        while not (desk.rig.state.withdrawn or desk.records()):
            await desk.look(0)  # Committed, and taken back.
        desk.silent = False
        desk.rig.device("gate-1", "up")
        desk.rig.device("gun-1", "up")
        await desk.until(lambda: "not_started" in desk.kinds())
        assert desk.records()[0]["data"]["end_reason"] == reason
        if reason == "second_tag":
            await desk.phase("refused")
            refusal = desk.records()[1]["data"]["verdict"]["findings"][0]
            assert refusal["values"] == {"seen": f"{UID}, {OTHER_UID}"}
        first = [order.permit_no for order in desk.gate.orders[:1]]
        assert first in ([], [2]), "the order of the first permit never reached the gate"


async def test_stop_during_a_fill_closes_records_and_returns(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await fill(desk, 5_000)
        desk.rig.stop()
        await desk.until(lambda: desk.kinds() == ["aborted"])
        assert desk.gate.sample.permit_echo == 0
        assert desk.records()[0]["data"]["end_reason"] == "stopping"
        assert desk.rig.state.permit is None


async def test_a_restart_with_a_pending_permit_ends_in_exactly_one_record(tmp_path: Path) -> None:
    store, clock = await open_store(tmp_path)
    gate = ScriptedGate()
    async with living(store, clock, gate) as desk:
        await desk.look()
        await fill(desk, 5_000)
    assert len(store.pending_permits("rig-1")) == 1
    async with living(store, clock, gate) as again:
        again.tags = desk.tags
        await again.until(lambda: len(again.kinds()) == 1)
        await again.phase("locked")
        for _ in range(20):
            await again.look()
        assert again.kinds() == ["interrupted"]
        assert again.records()[0]["data"]["net_g"] == 5_000
        assert len(gate.orders) == 1, "a cylinder that was filled is not permitted again"
    await store.close()


async def test_the_board_shows_state_reasons_and_weight(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        watcher = desk.board.watch()
        await desk.bring(OVERDUE_UID)
        await desk.phase("refused")
        await desk.look()
        shown = desk.picture()
        assert (shown["state"], shown["verdict"], shown["permit"]) == ("refused", "deny", None)
        assert [found["code"] for found in shown["findings"]] == ["OVERDUE"]
        weights = [payload["gross_g"] for topic, payload in watcher.flashes if "weight" in topic]
        assert weights == [16_600], "a weight that stands still is shown once"
        await desk.bring()
        await desk.phase("permitted")
        shown = desk.picture()
        assert (shown["verdict"], shown["target_g"]) == ("allow", 14_810)
        assert shown["permit"] == desk.gate.orders[0].permit_no


async def test_ten_thousand_reads_cost_one_look(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await desk.bring(OVERDUE_UID)
        desk.tags = [OVERDUE_UID] * 10_000
        await desk.phase("refused")
        assert desk.kinds() == ["refusal"]


@pytest.mark.parametrize("code", ["A" * 64, "\x01", "汉" * 64])
async def test_no_code_stops_the_actor(tmp_path: Path, code: str) -> None:
    async with at_desk(tmp_path) as desk:
        await desk.bring(code)
        await desk.phase("refused")
        assert desk.kinds() == ["refusal"]

"""What stops the lease: a loop that hangs, a gate that never answers, a store that cannot commit."""

import asyncio
from pathlib import Path

import apsw
import pytest

from gatewayd.clock import MS, SECOND
from gatewayd.store import pulse
from gatewayd.store.store import STUCK_MS
from gatewayd.vitals import ALIVE_S, Vitals
from tests.rigs.desk import Desk, ScriptedGate, at_desk, living, open_store
from tests.support.waiting import until

LEASE_S = 2.0


async def _filling(desk: Desk) -> None:
    await desk.bring()
    await desk.phase("permitted")
    desk.gate.start()
    await desk.phase("filling")


def _renewals(desk: Desk) -> int:
    return desk.gate.calls.count("renew")


async def test_a_filling_rig_renews_and_moves(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await _filling(desk)
        before, looked_ns = _renewals(desk), desk.rig.looked_ns
        for _ in range(20):
            await desk.look()
        assert _renewals(desk) >= before + 4
        assert desk.rig.looked_ns > looked_ns


async def test_a_loop_that_stalls_for_longer_than_the_lease_renews_no_more(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        await _filling(desk)
        before = _renewals(desk)
        desk.clock.advance(seconds=LEASE_S + 0.1)  # nobody ran meanwhile
        await desk.look()
        assert desk.rig.state.withdrawn == "stalled"
        assert _renewals(desk) == before
        assert desk.gate.sample.permit_echo == 0


class HungGate(ScriptedGate):
    """Its next renewal never comes back, as a driver that waits for ever."""

    hung = False

    async def renew(self) -> None:
        self._call("renew")
        if self.hung:
            await asyncio.Event().wait()


async def test_a_driver_that_hangs_renews_nothing_and_is_named(tmp_path: Path) -> None:
    store, clock = await open_store(tmp_path)
    gate = HungGate()
    async with living(store, clock, gate) as desk:
        await desk.until(lambda: store.last_total_g("rig-1") is not None)
        await _filling(desk)
        vitals = Vitals(clock, lambda: {"rig rig-1": desk.rig.looked_ns})
        gate.hung = True
        before = _renewals(desk)
        for _ in range(10 * ALIVE_S + 20):
            await desk.look()
        assert _renewals(desk) == before + 1, "the one that hangs"
        assert vitals.dead() == ("rig rig-1",)
    await store.close()


@pytest.mark.parametrize("within_s", [pulse.PROVE_S])
async def test_a_store_that_fails_in_mid_fill_is_found_out_and_closes(
    tmp_path: Path, within_s: float
) -> None:
    async with at_desk(tmp_path) as desk:
        await _filling(desk)
        blocker = apsw.Connection(str(desk.store.path))
        blocker.execute("BEGIN IMMEDIATE")
        async with asyncio.TaskGroup() as group:
            task = group.create_task(pulse.run(desk.store, lambda: True))
            await until(lambda: not desk.store.healthy, within_s + 5)
            task.cancel()
        before = _renewals(desk)
        await desk.look()
        assert desk.rig.state.withdrawn == "store_lost"
        assert _renewals(desk) == before
        blocker.execute("ROLLBACK")
        blocker.close()
        await desk.until(lambda: desk.rig.state.permit is None)
        assert desk.kinds() == ["aborted"]


async def test_a_commit_that_hangs_closes_although_nothing_has_failed(tmp_path: Path) -> None:
    """Real file, real lock: the writer waits for it without an answer, for as long as it may."""
    async with at_desk(tmp_path, busy_ms=60_000) as desk:
        await _filling(desk)
        blocker = apsw.Connection(str(desk.store.path))
        blocker.execute("BEGIN IMMEDIATE")
        async with asyncio.TaskGroup() as group:
            proof = group.create_task(desk.store.prove())
            await asyncio.sleep(0)
            assert desk.store.healthy
            before_ns = desk.clock.monotonic_ns()
            while desk.rig.state.withdrawn is None:
                assert desk.clock.monotonic_ns() - before_ns <= STUCK_MS * MS + SECOND
                await desk.look()
            assert desk.rig.state.withdrawn == "store_lost"
            assert "has not answered" in desk.store.why
            blocker.execute("ROLLBACK")
            blocker.close()
            await proof
        assert desk.store.healthy
        assert desk.store.why == ""
        await desk.until(lambda: desk.rig.state.permit is None)

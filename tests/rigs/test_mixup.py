"""PLCs that changed places: by their wires, their addresses, or who put them back after a repair."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gatewayd.rigs.ending import AGREE_G
from gatewayd.rigs.mixup import TELLS_FROM_G, Mixup
from gatewayd.rigs.sources import RigLocks
from gatewayd.store.orders import Order, lock
from gatewayd.store.store import Store
from tests.rigs.bench import QUIET, bench
from tests.rigs.desk import START, Desk, ScriptedGate, living, open_store
from tests.support.stores import permit

OWN_G, OTHERS_G = 9_000_000, 5_000_000


@asynccontextmanager
async def _started(
    folder: Path, total_g: int, *, own_g: int = OWN_G, others_g: int = OTHERS_G
) -> AsyncIterator[tuple[Store, Desk]]:
    """A rig begins whose gate counts `total_g`; what both rigs' gates counted last is in the store."""
    store, clock = await open_store(folder)
    await store.set_total_g("rig-1", own_g)
    await store.set_total_g("rig-2", others_g)
    gate = ScriptedGate(replace(QUIET, total_g=total_g))
    at = replace(bench(), sources=(RigLocks(store),))
    async with living(store, clock, gate, at=at) as desk:
        yield store, desk
    await store.close()


async def _settled(desk: Desk) -> None:
    await desk.until(lambda: desk.rig.state.stray is not None)
    await desk.until(lambda: desk.rig.state.stray is None)
    await desk.look()


@pytest.mark.parametrize("total_g", [OTHERS_G - AGREE_G, OTHERS_G + AGREE_G])
@pytest.mark.parametrize("own_g", [OWN_G, 3_000_000])
async def test_a_gate_that_counts_as_another_rigs_did_fills_nothing(
    tmp_path: Path, own_g: int, total_g: int
) -> None:
    """Whichever of the two has counted more."""
    async with _started(tmp_path, total_g, own_g=own_g) as (store, desk):
        await _settled(desk)
        assert [each.rig_id for each in store.rig_locks()] == ["rig-1", "rig-2"]
        assert desk.kinds()[:2] == ["lock", "lock"], "a crash behind them would find all as it was"
        await desk.bring()
        await desk.phase("refused")
        assert desk.gate.orders == []
        refused = next(r for r in desk.records() if r["type"] == "gatewayd.refusal.v1")
        assert [found["code"] for found in refused["data"]["verdict"]["findings"]] == [
            "REGULATOR_LOCK"
        ]


@pytest.mark.parametrize("total_g", [OTHERS_G - AGREE_G - 1, OTHERS_G + AGREE_G + 1])
async def test_a_flow_while_away_is_no_mixup(tmp_path: Path, total_g: int) -> None:
    async with _started(tmp_path, total_g, own_g=OTHERS_G - 50_000) as (store, desk):
        await _settled(desk)
        assert store.rig_locks() == ()
        await desk.bring()
        await desk.phase("permitted")


@pytest.mark.parametrize(("total_g", "rigs"), [(TELLS_FROM_G - 1, 0), (TELLS_FROM_G, 2)])
async def test_new_totalisers_name_nobody(tmp_path: Path, total_g: int, rigs: int) -> None:
    async with _started(tmp_path, total_g, own_g=500, others_g=total_g) as (store, desk):
        await _settled(desk)
        assert len(store.rig_locks()) == rigs


async def test_a_gate_that_counts_on_is_never_taken_for_another(tmp_path: Path) -> None:
    """However near the totalisers of two rigs are."""
    async with _started(tmp_path, OTHERS_G, own_g=OTHERS_G) as (store, desk):
        await desk.bring()
        await desk.phase("permitted")
        assert store.rig_locks() == ()


async def test_a_rig_that_is_locked_keeps_its_reason_beside_this_one(tmp_path: Path) -> None:
    """Who has mended the hose unlocks it, and has not seen that it holds another rig's gate."""
    async with _started(tmp_path, OTHERS_G) as (store, desk):
        await store.order(lock, Order("x" * 8, "rig-2", "hose", "li", "cli", START))
        await _settled(desk)
        reasons = {each.rig_id: each.reason for each in store.rig_locks()}
        assert reasons["rig-2"] == f"hose; {reasons['rig-1']}"
        assert "rig-1, rig-2" in reasons["rig-1"]


async def test_it_is_said_once_however_often_they_change_places(tmp_path: Path) -> None:
    async with _started(tmp_path, OTHERS_G) as (store, desk):
        await _settled(desk)
        for total_g in (OWN_G, OTHERS_G):
            await store.set_total_g("rig-2", total_g)
            desk.gate.sample = replace(desk.gate.sample, total_g=total_g)
            await _settled(desk)
        assert desk.kinds().count("lock") == 2


async def test_both_rigs_see_the_same_and_it_is_said_once(tmp_path: Path) -> None:
    async with _started(tmp_path, OTHERS_G) as (store, desk):
        await _settled(desk)
        other = Mixup("rig-2", store, desk.clock)
        other.note(OTHERS_G)
        await other.settle()
        assert desk.kinds().count("lock") == 2


async def test_another_reason_neither_takes_its_place_nor_has_it_said_twice(tmp_path: Path) -> None:
    async with _started(tmp_path, OTHERS_G) as (store, desk):
        await _settled(desk)
        (found, *_) = store.rig_locks()
        await store.order(lock, Order("x" * 8, "rig-1", "hose", "li", "cli", START))
        other = Mixup("rig-2", store, desk.clock)
        other.note(OTHERS_G)
        await other.settle()
        reasons = {each.rig_id: each.reason for each in store.rig_locks()}
        assert reasons["rig-1"] == f"{found.reason}; hose"


@asynccontextmanager
async def _filling(folder: Path, *, others_g: int = OTHERS_G) -> AsyncIterator[tuple[Store, Desk]]:
    """Gas flows at rig-1, as its own gate counts."""
    async with _started(folder, OWN_G, others_g=others_g) as (store, desk):
        await desk.bring()
        await desk.phase("permitted")
        desk.gate.start()
        desk.gate.flow(100)
        await desk.phase("filling")
        yield store, desk


async def _exchange(desk: Desk, total_g: int) -> None:
    """Its gate is lost, and another one answers in its place."""
    desk.rig.device("gate-1", "down")
    await desk.look()
    desk.gate.sample = replace(QUIET, total_g=total_g)
    desk.rig.device("gate-1", "up")
    await desk.until(lambda: desk.rig.state.permit is None)
    await desk.look()


@pytest.mark.parametrize("others_g", [OTHERS_G, OWN_G + 2_000_000])
async def test_gates_that_are_exchanged_under_a_permit_are_found_out(
    tmp_path: Path, others_g: int
) -> None:
    async with _filling(tmp_path, others_g=others_g) as (store, desk):
        await _exchange(desk, others_g)
        assert [each.rig_id for each in store.rig_locks()] == ["rig-1", "rig-2"]
        told = [kind for kind in desk.kinds() if kind in {"lock", "interrupted"}]
        assert told == ["lock", "lock", "interrupted"], "a crash between them finds all as it was"


@pytest.mark.parametrize(("more_g", "rigs"), [(0, 2), (14_500 + AGREE_G, 2), (14_521, 0)])
async def test_so_is_the_gate_of_a_rig_that_fills_itself(
    tmp_path: Path, more_g: int, rigs: int
) -> None:
    """What it has counted since is in no record yet."""
    async with _filling(tmp_path) as (store, desk):
        await store.issue(permit("rig-2"))
        await _exchange(desk, OTHERS_G + more_g)
        assert len(store.rig_locks()) == rigs


async def test_a_gate_that_counted_this_fill_is_its_own(tmp_path: Path) -> None:
    async with _filling(tmp_path, others_g=OWN_G + 100) as (store, desk):
        await _exchange(desk, OWN_G + 100)
        assert store.rig_locks() == ()

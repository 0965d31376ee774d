"""A locked rig: closed at once, refused while it lasts, and said so on the board."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drivers.contract import GateSample
from gatewayd.desk.outside import Outside
from gatewayd.ids import new_id
from gatewayd.rigs.assess import assess, gather
from gatewayd.rigs.model import NOBODY, Identity, Phase, View
from gatewayd.rigs.moves import Judged
from gatewayd.rigs.rig import Rig
from gatewayd.rigs.sources import UNREADABLE, Asked, RigLocks
from gatewayd.store import beside, orders
from gatewayd.store.chain import Issuer
from gatewayd.store.model import RigLock
from gatewayd.store.orders import CarryOut, Order
from tests.rigs.bench import LEGAL, OTHER, OTHER_UID, STATION, bench, standing
from tests.rigs.desk import START, Desk, ScriptedGate, at_desk, living, open_store
from tests.rigs.world import World
from tests.support.rules import cn_lpg
from tests.support.stores import ZONE, draft

WHY = "涉事故调查"


def _beside(desk: Desk, work: CarryOut, subject: str, reason: str = WHY) -> None:
    """As the command line does it."""
    given = Order(new_id(), subject, reason, "SAMR", "cli", START)
    beside.order(desk.store.path, work, given, issuer=Issuer(STATION.id, ZONE))


def _ended(desk: Desk) -> list[tuple[Any, ...]]:
    fills = (r["data"] for r in desk.records() if r["type"] == "gatewayd.fill.v1")
    return [(fill["outcome"], fill["end_reason"], fill["net_g"]) for fill in fills]


async def test_a_lock_ends_a_fill_at_once_and_its_gas_is_recorded(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        outside = Outside(desk.store, {"rig-1": desk.rig})
        await desk.bring()
        await desk.phase("permitted")
        desk.gate.start()
        desk.gate.flow(4_000)
        await desk.phase("filling")
        calls = len(desk.gate.calls)
        _beside(desk, orders.lock, "rig-1")
        outside.look()
        await desk.look(0.0)
        assert desk.gate.calls[calls:] == ["lock"], "nothing but closing, in the same look"
        await desk.until(lambda: bool(_ended(desk)))
        assert _ended(desk) == [("aborted", "regulator_lock", 4_000)]
        await desk.until(lambda: desk.picture()["state"] == "locked")
        picture = desk.picture()
        assert picture["lock"]["reason"] == WHY
        assert picture["lock"]["by"] == "SAMR"
        (found,) = picture["findings"]
        assert (found["code"], found["severity"]) == ("REGULATOR_LOCK", "deny")
        assert WHY in found["message"]["zh"]
        assert WHY in found["message"]["en"]


async def test_a_lock_takes_back_a_permit_that_nobody_started(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        outside = Outside(desk.store, {"rig-1": desk.rig})
        await desk.bring()
        await desk.phase("permitted")
        _beside(desk, orders.lock, "rig-1")
        outside.look()
        await desk.until(lambda: bool(_ended(desk)))
        assert _ended(desk) == [("not_started", "regulator_lock", 0)]


async def test_a_locked_rig_refuses_until_it_is_unlocked(tmp_path: Path) -> None:
    store, clock = await open_store(tmp_path)
    given = Order(new_id(), "rig-1", WHY, "SAMR", "mqtt", START)
    await store.order(orders.lock, given)
    at = replace(bench(), sources=(RigLocks(store),))
    async with living(store, clock, ScriptedGate(), at=at) as desk:
        outside = Outside(store, {"rig-1": desk.rig})
        outside.look()
        await desk.bring()
        await desk.until(lambda: "refusal" in desk.kinds())
        (refusal,) = (r for r in desk.records() if r["type"] == "gatewayd.refusal.v1")
        (found,) = refusal["data"]["verdict"]["findings"]
        assert (found["code"], found["values"]["rig.lock"]) == ("REGULATOR_LOCK", WHY)
        assert desk.gate.orders == []
        assert [f["code"] for f in desk.picture()["findings"]] == ["REGULATOR_LOCK"]
        _beside(desk, orders.unlock, "rig-1", "over")
        outside.look()
        await desk.look()
        assert (desk.picture()["lock"], desk.picture()["state"]) == (None, "refused")
        await desk.bring()
        await desk.phase("permitted")
    await store.close()


async def test_a_rig_that_a_reload_made_is_told_its_lock(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        rigs: dict[str, Rig] = {}
        outside = Outside(desk.store, rigs)
        _beside(desk, orders.lock, "rig-1")
        outside.look()
        await desk.look()
        assert desk.picture()["lock"] is None
        rigs["rig-1"] = desk.rig
        outside.look()
        await desk.look()
        assert desk.picture()["lock"]["reason"] == WHY


class Ear:
    """What a rig was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str | None, bool]] = []

    def store_changed(self, lock: RigLock | None, *, archive: bool) -> None:
        self.told.append((lock.reason if lock else None, archive))


async def test_only_whom_it_concerns_is_woken(tmp_path: Path) -> None:
    """Each fill of each rig is a commit: 64 rigs that all wake at each are a loop that is late."""
    store, _ = await open_store(tmp_path)
    one, other = Ear(), Ear()
    outside = Outside(store, {"rig-1": one, "rig-2": other})
    outside.look()
    assert one.told == other.told == [(None, True)], "a new one is told everything"
    await store.append(draft())
    outside.look()
    assert len(one.told) == len(other.told) == 1
    given = Order(new_id(), "rig-2", WHY, "SAMR", "cli", START)
    beside.order(store.path, orders.lock, given, issuer=Issuer(STATION.id, ZONE))
    outside.look()
    assert (len(one.told), other.told[1:]) == (1, [(WHY, False)])
    await store.import_cylinders((replace(LEGAL, maker="other"),), replace=False)
    outside.look()
    assert (one.told[1:], other.told[2:]) == ([(None, True)], [(WHY, True)])
    await store.close()


@pytest.mark.parametrize("pack", ["with", "without"])
def test_no_pack_can_loosen_a_lock(pack: str) -> None:
    """The shipped rule says it; a site whose pack has none is locked all the same."""
    packs = (cn_lpg(),)
    if pack == "without":
        (own,) = packs
        kept = tuple(rule for rule in own.rules if rule.id != "rig-locked")
        packs = (replace(own, rules=kept),)
    made = replace(bench(), packs=packs)
    facts = gather(made, Identity("one", LEGAL), standing(), START) | {"rig.lock": WHY}
    verdict, plan = assess(made, facts)
    assert ([f.code for f in verdict.findings], plan) == (["REGULATOR_LOCK"], None)
    assert assess(made, facts | {"rig.lock": ""})[0].allowed


async def test_a_store_that_cannot_be_read_is_a_lock(tmp_path: Path) -> None:
    store, _ = await open_store(tmp_path)
    await store.close()

    made = bench()
    asked = Asked("rig-1", made.rig, made.station, NOBODY, None, START)
    assert RigLocks(store).facts(asked) == {"rig.lock": UNREADABLE}


async def test_a_cylinder_held_after_its_permit_is_not_filled(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        outside = Outside(desk.store, {"rig-1": desk.rig})
        outside.look()
        await desk.bring()
        await desk.phase("permitted")
        desk.gate.start()
        desk.gate.flow(1_000)
        await desk.phase("filling")
        _beside(desk, orders.hold, LEGAL.code)
        outside.look()
        await desk.until(lambda: bool(_ended(desk)))
        assert _ended(desk) == [("aborted", "cylinder_held", 1_000)]
        await desk.bring()
        await desk.phase("refused")
        assert [f["code"] for f in desk.picture()["findings"]] == ["REGULATOR_LOCK"]
        assert desk.picture()["lock"] is None


async def test_a_hold_ends_a_fill_also_where_a_second_tag_is_let_be(tmp_path: Path) -> None:
    """`on_second_tag: hold`: a stray tag must not hide which cylinder is being filled."""
    async with at_desk(tmp_path, on_second_tag="hold") as desk:
        outside = Outside(desk.store, {"rig-1": desk.rig})
        outside.look()
        await desk.bring()
        await desk.phase("permitted")
        desk.gate.start()
        desk.gate.flow(1_000)
        await desk.phase("filling")
        desk.tags.append(OTHER_UID)
        await desk.until(lambda: desk.rig._watch._identity.status == "many")
        _beside(desk, orders.hold, OTHER.code)
        outside.look()
        for _ in range(3):
            await desk.look()
        assert desk.rig.state.phase == "filling", "the one that is let be was held"
        _beside(desk, orders.hold, LEGAL.code)
        outside.look()
        await desk.until(lambda: bool(_ended(desk)))
        assert _ended(desk) == [("aborted", "cylinder_held", 1_000)]


async def test_a_hold_of_another_cylinder_ends_nothing(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        outside = Outside(desk.store, {"rig-1": desk.rig})
        await desk.bring()
        await desk.phase("permitted")
        _beside(desk, orders.hold, "3701000110100002")
        _beside(desk, orders.lock, "rig-2")
        outside.look()
        for _ in range(5):
            await desk.look()
        assert desk.rig.state.phase == "permitted"


@pytest.mark.parametrize("phase", list(Phase))
def test_a_lock_in_any_phase_leaves_nothing_open(phase: Phase) -> None:
    """Whatever the rig was doing, the look that sees the lock closes it."""
    world = LockedWorld()
    world.put_on()
    for _ in range(60):
        world.tick()
        world.press_start()
        if world.state.phase is phase:
            break
    world.locked = True
    world.look()
    assert world.state.permit is None or world.state.withdrawn is not None
    assert world.plc.permit == 0
    world.take_off()
    world.tick(1_000)
    before_g = world.plc.total_g
    for _ in range(100):
        world.put_on()
        world.tick()
        world.press_start()
    assert world.plc.total_g == before_g


class LockedWorld(World):
    """The naive world whose rig can be locked; its judgement denies then, as the packs do."""

    locked = False

    def view(self) -> View:
        return replace(super().view(), locked=self.locked)

    def judge(self, who: Identity, sample: GateSample) -> Judged:
        return super().judge(NOBODY if self.locked else who, sample)

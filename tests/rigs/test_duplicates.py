"""One code on two rigs of a station: both refuse, over a restart, and a carried cylinder does not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from gatewayd.clock import ManualClock
from gatewayd.rigs.history import Ownership, RetiredCodes
from gatewayd.rigs.model import State
from gatewayd.rigs.moves import Event, Issue
from gatewayd.rigs.people import People
from gatewayd.rigs.rig import Rig
from gatewayd.rigs.sightings import Sightings
from gatewayd.rigs.steps import Step
from gatewayd.settings.model import RigSettings
from gatewayd.settings.people import PrecheckSettings
from gatewayd.store.store import Store
from tests.rigs.bench import LEGAL, OTHER, OTHER_UID, UID, bench
from tests.rigs.desk import Desk, ScriptedGate, means_of, open_store

NAMES = ("rig-1", "rig-2")
WAITS = PrecheckSettings(form="lpg-prefill", required=True, wait_s=60)


class Hall:
    """Two rigs side by side, one clock; `look` polls both."""

    def __init__(self, desks: tuple[Desk, Desk], sightings: Sightings) -> None:
        self.one, self.two = desks
        self.sightings = sightings

    async def until(self, holds: Callable[[], bool]) -> None:
        for _ in range(300):
            if holds():
                return
            await self.look()
        raise AssertionError((self.one.rig.state, self.two.rig.state))

    async def look(self) -> None:
        await self.one.look()
        await self.two.look(seconds=0)

    async def phases(self, one: str, two: str) -> None:
        await self.until(lambda: (self.one.rig.state.phase, self.two.rig.state.phase) == (one, two))

    def refusals(self) -> list[tuple[str, list[str]]]:
        """Rig and reasons of every refusal, by rig."""
        data = [r["data"] for r in self.one.records() if r["type"] == "gatewayd.refusal.v1"]
        return sorted((d["rig_id"], [f["code"] for f in d["verdict"]["findings"]]) for d in data)


@asynccontextmanager
async def hall(store: Store, clock: ManualClock, **rig: Any) -> AsyncIterator[Hall]:
    sightings = Sightings(clock)
    sightings.remember(store.sightings(), rigs=NAMES)
    means = replace(means_of(store, clock), sightings=sightings)
    sources = (RetiredCodes(store), Ownership(), People(store))
    desks = []
    for name in NAMES:
        gate = ScriptedGate()
        actor = Rig(replace(bench(**rig), rig_id=name, sources=sources), gate, means)
        for device in ("gun-1", "qr-1", "gate-1"):
            actor.device(device, "up")
        desks.append(Desk(store, clock, gate, actor))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(desk.serve()) for desk in desks]
        try:
            yield Hall((desks[0], desks[1]), sightings)
        finally:
            for task in tasks:
                task.cancel()


def put_on(desk: Desk, uid: str = UID) -> None:
    desk.gate.stand()
    desk.tags = [uid]


def take_off(desk: Desk) -> None:
    desk.gate.leave()
    desk.tags = []


@asynccontextmanager
async def opened(folder: Path, **rig: Any) -> AsyncIterator[Hall]:
    store, clock = await open_store(folder)
    try:
        async with hall(store, clock, **rig) as both:
            await both.phases("locked", "locked")
            yield both
    finally:
        await store.close()


async def test_a_second_cylinder_with_the_code_takes_back_the_permit_of_the_first(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as both:
        put_on(both.one)
        await both.phases("permitted", "locked")
        put_on(both.two)
        await both.phases("refused", "refused")
        await both.until(lambda: len(both.refusals()) == 2)
        assert both.refusals() == [("rig-1", ["CODE_DUPLICATE"]), ("rig-2", ["CODE_DUPLICATE"])]
        assert both.two.gate.orders == []
        (fill,) = [r["data"] for r in both.one.records() if r["type"] == "gatewayd.fill.v1"]
        assert (fill["outcome"], fill["end_reason"]) == ("not_started", "duplicate")
        for data in (r["data"] for r in both.one.records() if "refusal" in r["type"]):
            (found,) = data["verdict"]["findings"]
            other = next(name for name in NAMES if name != data["rig_id"])
            assert found["values"]["elsewhere"] == other
            assert other in found["message"]["zh"]
            assert other in found["message"]["en"]


async def test_a_cylinder_that_waits_for_its_check_is_refused_when_its_code_appears_elsewhere(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, precheck=WAITS) as both:
        put_on(both.one)
        await both.until(lambda: both.one.rig.state.waiting == ("precheck",))
        assert both.refusals() == []
        put_on(both.two)
        await both.phases("refused", "refused")
        await both.until(lambda: len(both.refusals()) == 2)
        reasons = ["CODE_DUPLICATE", "NO_PRECHECK"]
        assert both.refusals() == [("rig-1", reasons), ("rig-2", reasons)]
        assert both.one.gate.orders == both.two.gate.orders == []


async def test_a_scan_at_a_point_refuses_a_cylinder_that_waits_for_its_check(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, precheck=WAITS) as both:
        put_on(both.one)
        await both.until(lambda: both.one.rig.state.waiting == ("precheck",))
        both.sightings.passes("points/out", LEGAL.code)
        await both.phases("refused", "locked")
        await _refused(both)
        assert both.refusals() == [("rig-1", ["CODE_DUPLICATE", "NO_PRECHECK"])]


async def test_a_duplicate_seen_while_the_permit_is_committed_opens_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as both:
        step = both.one.rig.machine

        def seen_meanwhile(state: State, event: Event, rig: RigSettings) -> Step:
            after = step(state, event, rig)
            if any(isinstance(effect, Issue) for effect in after[1]):
                both.sightings.passes("points/out", LEGAL.code)
            return after

        both.one.rig.machine = seen_meanwhile
        put_on(both.one)
        await both.phases("refused", "locked")
        assert both.one.gate.orders == []
        (fill,) = [r["data"] for r in both.one.records() if r["type"] == "gatewayd.fill.v1"]
        assert (fill["outcome"], fill["end_reason"]) == ("not_started", "duplicate")


async def test_gas_that_flows_is_stopped_unless_the_rig_says_hold(tmp_path: Path) -> None:
    for choice, phase in (("lock", "refused"), ("hold", "filling")):
        (tmp_path / choice).mkdir()
        async with opened(tmp_path / choice, on_duplicate=choice) as both:
            put_on(both.one)
            await both.phases("permitted", "locked")
            both.one.gate.start()
            both.one.gate.flow(500)
            await both.phases("filling", "locked")
            put_on(both.two)
            await both.phases(phase, "refused")
            await _refused(both)
            assert both.refusals() == [("rig-2", ["CODE_DUPLICATE"])]


async def _refused(both: Hall) -> None:
    await both.until(lambda: bool(both.refusals()))


async def test_a_cylinder_carried_to_the_next_rig_is_filled_there(tmp_path: Path) -> None:
    async with opened(tmp_path) as both:
        put_on(both.one)
        await both.phases("permitted", "locked")
        take_off(both.one)
        await both.phases("locked", "locked")
        put_on(both.two)
        await both.phases("locked", "permitted")
        assert both.refusals() == []


async def test_two_cylinders_are_two(tmp_path: Path) -> None:
    async with opened(tmp_path) as both:
        put_on(both.one)
        put_on(both.two, OTHER_UID)
        await both.phases("permitted", "permitted")


async def test_a_restart_does_not_forget_where_it_stands(tmp_path: Path) -> None:
    store, clock = await open_store(tmp_path)
    async with hall(store, clock) as both:
        await both.phases("locked", "locked")
        put_on(both.one)
        await both.phases("permitted", "locked")
    async with hall(store, clock) as both:
        both.one.silent = True
        put_on(both.two)
        await both.until(lambda: both.two.rig.state.phase == "refused")
        await both.until(lambda: ("rig-2", ["CODE_DUPLICATE"]) in both.refusals())
        take_off(both.two)
        await both.look()
        both.one.silent = False
        await both.until(lambda: both.one.rig.state.phase == "locked")
        put_on(both.two)
        await both.until(lambda: both.two.rig.state.phase == "permitted")
    await store.close()


async def test_a_rig_that_ends_holds_nobody_for_ever(tmp_path: Path) -> None:
    async with opened(tmp_path) as both:
        put_on(both.one)
        await both.phases("permitted", "locked")
        both.one.rig.stop()
        await both.until(lambda: both.one.rig.ended)
        both.one.silent = True
        put_on(both.two)
        await both.until(lambda: both.two.rig.state.phase == "refused")
        take_off(both.two)
        await both.look()
        both.one.clock.advance(seconds=60)
        put_on(both.two)
        await both.until(lambda: both.two.rig.state.phase == "permitted")


async def test_a_retired_code_is_refused_and_an_association_is_recorded(tmp_path: Path) -> None:
    async with opened(tmp_path) as both:
        foreign = replace(OTHER, owner="3701000043")
        await both.one.store.import_cylinders([replace(LEGAL, status="scrapped")], replace=False)
        await both.one.store.import_cylinders([LEGAL, foreign], replace=False)
        put_on(both.one)
        put_on(both.two, OTHER_UID)
        await both.phases("refused", "permitted")
        await both.until(lambda: bool(both.refusals()))
        assert both.refusals() == [("rig-1", ["RETIRED_CODE"])]
        take_off(both.two)
        fills = "gatewayd.fill.v1"
        await both.until(lambda: any(r["type"] == fills for r in both.one.records()))
        told = {r["data"]["rig_id"]: r["data"]["association"] for r in both.one.records()}
        assert told == {"rig-1": None, "rig-2": "3701000043"}

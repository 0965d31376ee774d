"""A bug of one rig locks that rig, is alarmed, and the rig is begun again; nothing is lost by it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.contract import Reading, TagRead
from gatewayd.bugs import AGAIN_S_MAX, WELL_S, Bugs, Waits
from gatewayd.rigs.model import PROGRAM, State
from gatewayd.rigs.moves import Event, Issue
from gatewayd.rigs.rig import Rig
from gatewayd.rigs.sightings import Sightings
from gatewayd.rigs.steps import Step
from gatewayd.rigs.ward import serve
from gatewayd.settings.model import RigSettings
from gatewayd.store.store import Store
from tests.rigs.bench import OTHER_UID, OVERDUE_UID, bench
from tests.rigs.desk import Desk, ScriptedGate, means_of, open_store
from tests.support.waiting import until


class Slip(Exception):  # noqa: N818 - a bug has no ending
    """What nobody thought of."""


class Faulty(Rig):
    """A rig whose program has a bug that shows when `slips` says so."""

    slips = ""

    def take(self, reading: Reading) -> None:
        if self.slips == "take" and isinstance(reading, TagRead):
            raise Slip("in taking")
        super().take(reading)

    def break_machine(self) -> None:
        sound = self.machine

        def faulty(state: State, event: Event, rig: RigSettings) -> Step:
            if self.slips == "step" and state.flowed:
                raise Slip("in a step")
            return sound(state, event, rig)

        self.machine = faulty


@asynccontextmanager
async def guarded(folder: Path) -> AsyncIterator[tuple[Desk, Bugs]]:
    """A rig in its ward. The ward waits by the real clock, its rig lives by a moved one."""
    store, clock = await open_store(folder)
    gate = ScriptedGate()
    means = means_of(store, clock)
    rig = Faulty(bench(), gate, means)
    rig.break_machine()
    for name in ("gun-1", "qr-1", "gate-1"):
        rig.device(name, "up")
    desk, bugs = Desk(store, clock, gate, rig), Bugs(means.alarms, clock)
    desk.board = means.board
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in (serve(rig, bugs), means.alarms.run())]
        try:
            await desk.until(lambda: store.last_total_g("rig-1") is not None)
            yield desk, bugs
        finally:
            for task in tasks:
                task.cancel()
    await store.close()


async def flowing(desk: Desk) -> None:
    await desk.bring()
    await desk.phase("permitted")
    desk.gate.start()
    await desk.phase("filling")
    desk.gate.flow(5_000)
    await desk.look()


def alarms(store: Store) -> list[str]:
    return [alarm.kind for alarm in store.alarms(standing=True)]


async def test_a_bug_in_mid_fill_closes_the_gate_and_ends_in_one_record(tmp_path: Path) -> None:
    async with guarded(tmp_path) as (desk, bugs):
        await flowing(desk)
        desk.gate.calls.clear()
        assert isinstance(desk.rig, Faulty)
        desk.rig.slips = "step"
        await desk.look()
        await until(lambda: "lock" in desk.gate.calls)
        assert (desk.picture()["state"], desk.picture()["fault"]) == ("fault", PROGRAM)
        assert desk.rig.fallen
        assert [type(bug) for bug in bugs.caught] == [Slip]
        await until(lambda: "rig_failed" in alarms(desk.store))
        desk.rig.slips = ""
        await until(lambda: not desk.rig.fallen)
        await desk.until(lambda: "interrupted" in desk.kinds())
        assert desk.store.pending_permits("rig-1") == ()
        assert [r["data"]["net_g"] for r in desk.records() if "net_g" in r["data"]] == [5_000]
        await desk.until(lambda: desk.rig.state.phase == "locked")
        for _ in range(20):
            await desk.look()
        assert "open" not in desk.gate.calls, "what stands there was filled, and is found"
        desk.gate.leave()
        await desk.look()
        await desk.bring(OTHER_UID)
        await desk.phase("permitted")


async def test_a_rig_that_cannot_take_a_reading_falls_and_its_reader_does_not(
    tmp_path: Path,
) -> None:
    async with guarded(tmp_path) as (desk, bugs):
        assert isinstance(desk.rig, Faulty)
        desk.rig.slips = "take"
        read = TagRead("gun-1", "E2806801", 1, None, desk.clock.monotonic_ns())
        bugs.told(desk.rig, "gun-1", lambda: desk.rig.take(read))
        await until(lambda: desk.rig.fallen)
        desk.rig.slips = ""
        await until(lambda: not desk.rig.fallen)
        await desk.bring()
        await desk.phase("permitted")


async def test_a_bug_that_comes_while_a_permit_is_committed_opens_nothing(tmp_path: Path) -> None:
    """Whoever told it stood outside: the permit is on its way to the store and the gate is next."""
    async with guarded(tmp_path) as (desk, _):
        sound, fallen = desk.rig.machine, False

        def falling(state: State, event: Event, rig: RigSettings) -> Step:
            nonlocal fallen
            state, effects = sound(state, event, rig)
            if not fallen and any(isinstance(effect, Issue) for effect in effects):
                fallen = True
                desk.rig.fall(Slip("a reading could not be taken"))
            return state, effects

        desk.rig.machine = falling
        await desk.bring()
        await desk.until(lambda: "not_started" in desk.kinds())
        assert "open" not in desk.gate.calls
        assert desk.store.pending_permits("rig-1") == ()


async def test_an_answer_is_of_no_cylinder_that_came_behind_the_fall(tmp_path: Path) -> None:
    """Somebody has seen the refusal of the first one: the next one's is shown all the same."""
    async with guarded(tmp_path) as (desk, _):
        await desk.bring(OVERDUE_UID)
        await desk.phase("refused")
        desk.rig.people.acknowledge(desk.rig.state.presence)
        await desk.phase("locked")
        desk.gate.leave()
        desk.rig.fall(Slip("now"))
        await until(lambda: desk.rig.fallen)
        await until(lambda: not desk.rig.fallen)
        await desk.bring(OVERDUE_UID)
        await desk.until(lambda: bool(desk.rig.state.served))
        await desk.look()
        await desk.look()
        assert desk.rig.state.phase == "refused"


class Unsettled(Sightings):
    """The places of a station, in which a bug shows when somebody is lost."""

    slips = False

    def lost(self, place: str) -> None:
        if self.slips:
            raise Slip(f"in losing {place}")
        super().lost(place)


async def test_a_rig_whose_eyes_are_broken_closes_its_gate_all_the_same(tmp_path: Path) -> None:
    store, clock = await open_store(tmp_path)
    sightings, gate = Unsettled(clock, travel_s=60, unseen_s=600), ScriptedGate()
    rig = Rig(bench(), gate, replace(means_of(store, clock), sightings=sightings))
    sightings.slips = True
    with pytest.raises(Slip):
        await rig.down(PROGRAM)
    assert gate.calls == ["lock"]
    await store.close()


async def test_what_waits_for_the_store_survives_the_fall(tmp_path: Path) -> None:
    """A draft that could not be committed is not forgotten with the state that was."""
    async with guarded(tmp_path) as (desk, _):
        assert isinstance(desk.rig, Faulty)
        desk.store._writer._connection.execute("PRAGMA query_only = 1")
        desk.gate.flow(700)
        await desk.until(lambda: not desk.store.healthy)
        desk.store._writer._connection.execute("PRAGMA query_only = 0")
        desk.rig.fall(Slip("now"))
        await until(lambda: desk.rig.fallen)
        await until(lambda: not desk.rig.fallen)
        await desk.until(lambda: "unauthorised" in desk.kinds())
        assert desk.kinds().count("unauthorised") == 1


async def test_a_stop_does_not_wait_for_a_rig_that_lies(tmp_path: Path) -> None:
    store, clock = await open_store(tmp_path)
    means = means_of(store, clock)
    rig = Faulty(bench(), ScriptedGate(), means)

    def hopeless(state: State, event: Event, rig: RigSettings) -> Step:
        raise Slip(f"always: {state} {event} {rig}")

    rig.machine = hopeless
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        task = group.create_task(serve(rig, Bugs(means.alarms, clock)))
        rig.tick()
        await until(lambda: rig.fallen)
        rig.stop()
        await task
    await store.close()


async def test_a_gate_that_hangs_does_not_keep_its_rig_from_beginning_again(
    tmp_path: Path,
) -> None:
    class Hanging(ScriptedGate):
        async def lock(self) -> None:
            await asyncio.Event().wait()

    store, clock = await open_store(tmp_path)
    means = means_of(store, clock)
    rig = Faulty(bench(), Hanging(), means)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        task = group.create_task(serve(rig, Bugs(means.alarms, clock)))
        await until(lambda: means.board.get("rigs/rig-1/state") is not None)
        rig.fall(Slip("once"))
        await until(lambda: rig.fallen)
        await until(lambda: not rig.fallen)
        task.cancel()
    await store.close()


@pytest.mark.parametrize("soon", [True, False])
async def test_it_is_begun_less_and_less_often_until_it_was_well(
    tmp_path: Path, *, soon: bool
) -> None:
    store, clock = await open_store(tmp_path)
    waits = Waits(clock)
    found = []
    for _ in range(9):
        waits.began()
        clock.advance(seconds=WELL_S - 1 if soon else WELL_S)
        found.append(waits.next_s())
    assert found == ([1, 2, 4, 8, 16, 32, 60, 60, AGAIN_S_MAX] if soon else [1] * 9)
    await store.close()

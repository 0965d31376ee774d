"""Between the verdict and the start, and while gas flows: what was true for a verdict may end."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gatewayd.clock import ManualClock
from gatewayd.ids import new_id
from gatewayd.rigs.clock_facts import ClockTrust
from gatewayd.rigs.machine import step
from gatewayd.rigs.model import State
from gatewayd.rigs.moves import Event, Issue
from gatewayd.rigs.people import People
from gatewayd.rigs.sources import FactSource, RigLocks
from gatewayd.rigs.steps import Step
from gatewayd.settings.model import ClockSettings, RigSettings
from gatewayd.store import beside, orders
from gatewayd.store.chain import Issuer
from gatewayd.store.orders import CarryOut, Order
from gatewayd.store.store import Store
from gatewayd.timekeeping.keeper import Timekeeper
from tests.desk.front import LI, employ
from tests.rigs.bench import LEGAL, OTHER_UID, STATION, bench
from tests.rigs.desk import START, Desk, ScriptedGate, living, open_store
from tests.rigs.test_people_at_rig import ASKS, check, log_in
from tests.support.stores import ZONE
from tests.support.waiting import until


class SetClock(ManualClock):
    """A clock that a person may set."""

    def set(self, *, days: int) -> None:
        self._wall += timedelta(days=days)


def ended(desk: Desk) -> list[tuple[Any, ...]]:
    fills = (r["data"] for r in desk.records() if r["type"] == "gatewayd.fill.v1")
    return [(fill["outcome"], fill["end_reason"], fill["net_g"]) for fill in fills]


def refused(desk: Desk) -> list[set[str]]:
    said = (r["data"] for r in desk.records() if r["type"] == "gatewayd.refusal.v1")
    return [{found["code"] for found in data["verdict"]["findings"]} for data in said]


async def permitted(desk: Desk) -> None:
    await desk.bring()
    await desk.phase("permitted")


async def peopled(store: Store) -> None:
    """Everybody is there and every check is answered."""
    await employ(store, LI)
    await log_in(store)
    await check(store)


async def test_a_failed_check_takes_back_a_permit_that_nobody_started(tmp_path: Path) -> None:
    store, clock = await open_store(tmp_path)
    await peopled(store)
    at = replace(bench(**ASKS), sources=(People(store),))
    async with living(store, clock, ScriptedGate(), at=at) as desk:
        await permitted(desk)
        await check(store, "valve")
        desk.rig.people.changed()
        await desk.look(0.0)
        await until(lambda: desk.gate.sample.permit_echo == 0)  # No time passes meanwhile.
        await desk.until(lambda: bool(refused(desk)))
        assert ended(desk) == [("not_started", "verdict_changed", 0)]
        assert refused(desk) == [{"PRECHECK_FAILED", "BODY_DEFECT"}]
    await store.close()


async def test_a_failed_check_closes_the_gate_while_gas_flows(tmp_path: Path) -> None:
    store, clock = await open_store(tmp_path)
    await peopled(store)
    at = replace(bench(**ASKS), sources=(People(store),))
    async with living(store, clock, ScriptedGate(), at=at) as desk:
        await permitted(desk)
        desk.gate.start()
        desk.gate.flow(4_000)
        await desk.phase("filling")
        await check(store, "valve")
        desk.rig.people.changed()
        await desk.look(0.0)
        await until(lambda: not desk.gate.sample.valve_open)
        await desk.until(lambda: bool(ended(desk)))
        assert ended(desk) == [("aborted", "check_failed", 4_000)]
    await store.close()


async def test_a_failed_check_is_heeded_where_a_second_tag_is_let_be(tmp_path: Path) -> None:
    store, clock = await open_store(tmp_path)
    await peopled(store)
    at = replace(bench(**ASKS, on_second_tag="hold"), sources=(People(store),))
    async with living(store, clock, ScriptedGate(), at=at) as desk:
        await permitted(desk)
        desk.gate.start()
        desk.gate.flow(4_000)
        await desk.phase("filling")
        desk.tags.append(OTHER_UID)
        await desk.until(lambda: desk.rig._watch._identity.status == "many")
        assert desk.rig.state.phase == "filling"
        await check(store, "valve")
        desk.rig.people.changed()
        await desk.until(lambda: bool(ended(desk)))
        assert ended(desk) == [("aborted", "check_failed", 4_000)]
    await store.close()


async def test_a_check_at_another_rig_disturbs_nobody(tmp_path: Path) -> None:
    """Every rig is told of every answer."""
    store, clock = await open_store(tmp_path)
    await peopled(store)
    at = replace(bench(**ASKS), sources=(People(store),))
    async with living(store, clock, ScriptedGate(), at=at) as desk:
        await permitted(desk)
        desk.rig.people.changed()
        for _ in range(2):
            await desk.look(seconds=0.6)
        desk.gate.start()
        await desk.phase("filling")
        desk.rig.people.changed()
        await desk.look()
        assert desk.rig.state.phase == "filling"
        assert len(desk.gate.orders) == 1
    await store.close()


async def test_an_operator_who_was_barred_starts_no_fill(tmp_path: Path) -> None:
    """Told by nobody: an import from the command line, seen within a second."""
    store, clock = await open_store(tmp_path)
    await peopled(store)
    at = replace(bench(**ASKS), sources=(People(store),))
    async with living(store, clock, ScriptedGate(), at=at) as desk:
        await permitted(desk)
        await employ(store, replace(LI, active=False))
        await desk.until(lambda: bool(ended(desk)))
        assert ended(desk) == [("not_started", "verdict_changed", 0)]
        assert clock.wall() - START < timedelta(seconds=4)
    await store.close()


async def test_a_clock_that_is_set_after_the_verdict_starts_no_fill(tmp_path: Path) -> None:
    store, _ = await open_store(tmp_path)
    clock = SetClock(START)
    keeper = Timekeeper(clock, ClockSettings(), store, ask_ntp=lambda: None)
    at = replace(bench(), sources=(ClockTrust(keeper),))
    async with living(store, clock, ScriptedGate(), at=at) as desk:
        await permitted(desk)
        clock.set(days=2)
        await desk.until(lambda: bool(ended(desk)))
        assert ended(desk) == [("not_started", "verdict_changed", 0)]
        await desk.until(lambda: bool(refused(desk)))
        assert refused(desk) == [{"CLOCK_UNTRUSTED"}]
    await store.close()


async def test_an_inspection_that_ends_at_midnight_is_over_then(tmp_path: Path) -> None:
    store, clock = await open_store(tmp_path)
    clock.advance(seconds=12 * 3_600 - 5)  # 23:59:55 in Shandong
    today = clock.wall().date()
    await store.import_cylinders((replace(LEGAL, next_inspection_on=today),), replace=False)
    async with living(store, clock, ScriptedGate(), at=bench()) as desk:
        await permitted(desk)
        await desk.until(lambda: bool(refused(desk)))
        assert refused(desk) == [{"OVERDUE"}]
        assert len(desk.gate.orders) == 1
    await store.close()


async def test_an_entry_that_became_less_takes_the_permit_back(tmp_path: Path) -> None:
    """The archive is put right: the cylinder takes less than the gate was told."""
    store, clock = await open_store(tmp_path)
    async with living(store, clock, ScriptedGate(), at=bench()) as desk:
        await permitted(desk)
        await store.import_cylinders((replace(LEGAL, allowed_net_g=10_000),), replace=False)
        desk.rig.store_changed(None, archive=True)
        await desk.until(lambda: len(desk.gate.orders) == 2)
        assert desk.gate.orders[1].target_g == 9_900
        assert ended(desk) == [("not_started", "verdict_changed", 0)]
    await store.close()


@pytest.mark.parametrize(
    ("work", "subject", "reason", "then"),
    [
        (orders.lock, "rig-1", "verdict_changed", [{"REGULATOR_LOCK"}]),
        (orders.hold, LEGAL.code, "cylinder_held", []),
    ],
    ids=["lock", "hold"],
)
async def test_what_is_ordered_between_the_verdict_and_the_permit_opens_nothing(
    tmp_path: Path, work: CarryOut, subject: str, reason: str, then: list[set[str]]
) -> None:
    """By another process: nobody has told the rig yet."""
    store, clock = await open_store(tmp_path)
    at = replace(bench(), sources=(RigLocks(store),))
    async with living(store, clock, ScriptedGate(), at=at) as desk:

        def order_too(state: State, event: Event, rig: RigSettings) -> Step:
            after, effects = step(state, event, rig)
            if any(isinstance(effect, Issue) for effect in effects):
                given = Order(new_id(), subject, "leak", "SAMR", "cli", START)
                beside.order(store.path, work, given, issuer=Issuer(STATION.id, ZONE))
            return after, effects

        desk.rig.machine = order_too
        await desk.bring()
        await desk.until(lambda: bool(ended(desk)))
        for _ in range(30):
            await desk.look()
        assert desk.gate.orders == []
        assert ended(desk) == [("not_started", reason, 0)], "once: by what is committed now"
        assert refused(desk) == then
    await store.close()


class Counting:
    """A source that notes how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def facts(self, asked: object) -> dict[str, Any]:
        del asked
        self.asked += 1
        return {}


async def test_it_is_asked_once_a_second_and_never_while_gas_flows(tmp_path: Path) -> None:
    store, clock = await open_store(tmp_path)
    source = Counting()
    sources: tuple[FactSource, ...] = (source,)
    at = replace(bench(), sources=sources)
    async with living(store, clock, ScriptedGate(), at=at) as desk:
        await permitted(desk)
        before = source.asked
        for _ in range(50):
            await desk.look()
        assert 4 <= source.asked - before <= 6
        desk.gate.start()
        await desk.phase("filling")
        during = source.asked
        for _ in range(50):
            await desk.look()
        assert source.asked - during <= 1
    await store.close()

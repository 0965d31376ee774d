"""The shipped filler map: its target cannot be read back, so it is accepted in writing and watched by weight."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from drivers.contract import DriverError, EndReason, FillerSample, GateOrder
from drivers.filler.modbus import DRIVER, FillerModbus
from gatewayd.rigs.composite import Composite
from gatewayd.rigs.soft_model import AIM_UNDER_G, SoftSettings
from protocols import registers
from protocols.documents import parse, validate
from protocols.registers import Profile
from tests.drivers.filler.test_filler_modbus import Seen
from tests.rigs.test_composite import Seat, Shelf
from tests.support.fillers import MAP, profile
from tests.support.hbm_filler import ACTIVATE, FLOW_G_S, START, STOP, TARGET, HbmFiller
from tests.support.patient_loop import LoopClock
from tests.support.plcs import CONFIG, TcpServer
from tests.support.waiting import LOOK_EVERY_S, until

REASON = "the display was seen to take both targets on 2026-09-01"
ACCEPTED = f'accept_unread_target: {{reason: "{REASON}"}}'
ORDER = GateOrder(permit_no=7, target_g=1_000, limit_gross_g=18_000, lease_ms=2_000)
LATE_G = round(FLOW_G_S * 0.3)
"""What flows while a stop is on its way, on a loaded machine."""


def hbm() -> Profile:
    text = (CONFIG / "profiles/hbm-wtx110-filler.yaml").read_text(encoding="utf-8")
    return registers.load(text, "hbm-wtx110-filler.yaml")


def settings(words: str, port: int = 502, profile_id: str = "hbm-wtx110-filler") -> Any:
    link = f'{{tcp: "127.0.0.1:{port}"}}'
    text = f"{{link: {link}, unit: 0, profile: {profile_id}, poll_ms: 20, {words}}}"
    return validate(parse(text, "test"), DRIVER.settings)


@asynccontextmanager
async def up(device: HbmFiller) -> AsyncIterator[tuple[FillerModbus, Seen]]:
    seen = Seen()

    async def run() -> None:
        try:
            await made.run(seen.context())
        except DriverError as exc:
            seen.errors.append(str(exc))

    async with TcpServer({0: device}).serving() as server:
        set_so = settings(f"command_ms: 400, {ACCEPTED}", server.port)
        made = DRIVER.make("filler-1", set_so, {"hbm-wtx110-filler": hbm()})
        assert isinstance(made, FillerModbus)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(run())
            await until(lambda: bool(seen.samples or seen.errors))
            try:
                yield made, seen
            finally:
                task.cancel()


def test_it_is_refused_until_somebody_accepts_it_in_writing() -> None:
    maps = {"hbm-wtx110-filler": hbm(), "test-filler": profile(MAP)}
    (refused,) = DRIVER.objections(settings("decimals: null"), maps)
    assert "target cannot be read back" in refused
    assert "accept_unread_target: {reason:" in refused
    accepted = settings(ACCEPTED)
    assert DRIVER.objections(accepted, maps) == ()
    assert DRIVER.unproven(accepted) == REASON


def test_nothing_is_accepted_where_the_target_can_be_read() -> None:
    accepted = settings(ACCEPTED, profile_id="test-filler")
    (refused,) = DRIVER.objections(accepted, {"test-filler": profile(MAP)})
    assert "nothing is to be accepted" in refused


async def test_a_start_writes_the_target_makes_it_count_and_sees_it_run() -> None:
    device = HbmFiller()
    async with up(device) as (made, seen):
        assert device.commands == [STOP]
        assert "cannot be read back: stopped by weight" in seen.ups[0]
        await made.start(ORDER)
        assert (device.written[TARGET], device.written[TARGET + 1]) == (0, 100)
        assert device.commands == [STOP, ACTIVATE, START]
        assert device.target_g == 1_000
        await until(lambda: seen.samples[-1].done)
        assert seen.samples[-1].gross_g == 17_500
    assert device.commands[-1] == STOP


async def test_a_target_that_is_not_taken_over_is_no_start() -> None:
    device = HbmFiller(refuses_data=True)
    async with up(device) as (made, _):
        with pytest.raises(DriverError, match="command_status did not become 1"):
            await made.start(ORDER)
        assert START not in device.commands


@asynccontextmanager
async def as_gate(device: HbmFiller, *, unproven: bool) -> AsyncIterator[tuple[Composite, Seat]]:
    """The driver, the gate made of it, and the seat of a rig."""
    soft = SoftSettings(
        "filler-1", "permit", fresh_ms=400, cylinder_on_g=2_000, doses=True, unproven=unproven
    )
    seat = Seat()
    async with up(device) as (made, seen):
        gate = Composite(
            "rig-1",
            soft,
            made,
            scale="filler-1",
            store=Shelf(),
            clock=LoopClock(),
            tell=lambda _device, _trouble: None,
        )
        gate.stand_before(seat)
        gate.device("filler-1", "up")
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(gate.run()), group.create_task(_feed(seen.samples, gate))]
            await until(lambda: bool(seat.samples))
            try:
                yield gate, seat
            finally:
                for task in tasks:
                    task.cancel()


async def _feed(samples: list[FillerSample], gate: Composite) -> None:
    told = 0
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        for sample in samples[told:]:
            gate.take(sample)
        told = len(samples)


async def test_as_a_gate_it_fills_to_its_target() -> None:
    device = HbmFiller()
    async with as_gate(device, unproven=True) as (gate, seat):
        await gate.open(ORDER)
        await until(lambda: seat.samples[-1].last_permit == 7 and seat.samples[-1].stable)
        last = seat.samples[-1]
        assert EndReason(last.end_reason) is EndReason.TARGET
        assert last.last_net_g == pytest.approx(ORDER.target_g - AIM_UNDER_G, abs=30)


@pytest.mark.parametrize("unproven", [True, False])
async def test_one_that_holds_another_target_is_stopped_by_weight(*, unproven: bool) -> None:
    """It says ok and still holds what it was set to before, 20 kg."""
    device = HbmFiller(keeps_target=True, target_g=20_000)
    async with as_gate(device, unproven=unproven) as (gate, seat):
        await gate.open(ORDER)
        await until(lambda: seat.samples[-1].last_permit == 7 and seat.samples[-1].stable)
        assert not device.running
        assert device.commands[-1] == STOP
        last = seat.samples[-1]
        assert EndReason(last.end_reason) is EndReason.TARGET
        aimed_g = ORDER.target_g - AIM_UNDER_G if unproven else ORDER.target_g
        assert aimed_g <= last.last_net_g <= aimed_g + LATE_G

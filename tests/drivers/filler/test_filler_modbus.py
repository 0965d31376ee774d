"""The filler driver over real Modbus, alone and as a rig's gate: stop first, start only what is proven."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from drivers.contract import Context, DriverError, Filler, FillerSample, GateOrder, Reading
from drivers.filler.modbus import DRIVER, START_WITHIN_S, FillerModbus
from drivers.plc.turns import Rank
from drivers.plc.wire import Wire
from gatewayd.rigs.composite import Composite
from gatewayd.rigs.soft_model import SoftSettings
from gatewayd.settings.library import load_profiles
from gatewayd.settings.report import Report
from protocols.documents import parse, validate
from tests.rigs.test_composite import Seat, Shelf
from tests.support.fillers import GO, HALT, MAP, FillerDevice, profile
from tests.support.patient_loop import LoopClock, now_ns, stall
from tests.support.plcs import TcpServer
from tests.support.waiting import LOOK_EVERY_S, until

ORDER = GateOrder(permit_no=7, target_g=1_000, limit_gross_g=17_600, lease_ms=2_000)
WORDS = "profile: test-filler, poll_ms: 20, timeout_ms: 200, command_ms: 300"


def driver(port: int) -> FillerModbus:
    text = f'{{link: {{tcp: "127.0.0.1:{port}"}}, {WORDS}}}'
    settings: Any = validate(parse(text, "test"), DRIVER.settings)
    made = DRIVER.make("filler-1", settings, {"test-filler": profile()})
    assert isinstance(made, FillerModbus)
    assert isinstance(made, Filler)
    return made


@dataclass
class Seen:
    samples: list[FillerSample] = field(default_factory=list)
    ups: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def context(self) -> Context:
        return Context(self.emit, self.ups.append, lambda _r, _b: None, now_ns)

    def emit(self, reading: Reading) -> None:
        assert isinstance(reading, FillerSample)
        self.samples.append(reading)

    def last(self) -> FillerSample:
        return self.samples[-1]


@asynccontextmanager
async def up(device: FillerDevice) -> AsyncIterator[tuple[FillerModbus, Seen]]:
    seen = Seen()

    async def run() -> None:
        try:
            await made.run(seen.context())
        except DriverError as exc:
            seen.errors.append(str(exc))

    async with TcpServer({1: device}).serving() as server:
        made = driver(server.port)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(run())
            await until(lambda: bool(seen.samples) or bool(seen.errors))
            try:
                yield made, seen
            finally:
                task.cancel()


async def test_stop_is_the_first_command_a_filler_hears_and_the_last() -> None:
    device = FillerDevice(running=True)
    device.words[3] = 60_000
    async with up(device) as (_, seen):
        assert device.commands == [0, HALT]
        assert not seen.last().running
        assert seen.ups == ["test-filler, unit 1; stops at its own target only"]
    assert device.commands[-1] == HALT


async def test_a_start_writes_target_and_limit_and_reads_them_back() -> None:
    device = FillerDevice()
    async with up(device) as (made, seen):
        await made.start(ORDER)
        assert (device.long(2), device.long(4)) == (1_000, 17_600)
        assert device.running
        await until(lambda: seen.last().done)
        assert (seen.last().gross_g, seen.last().total_g) == (17_500, 1_000)


async def test_a_target_that_is_not_held_is_no_start() -> None:
    device = FillerDevice(forgets_target=True)
    async with up(device) as (made, _):
        with pytest.raises(DriverError, match=r"wrote target = \(0, 1000\), read back \(0, 0\)"):
            await made.start(ORDER)
        assert GO not in device.commands


async def test_a_filler_that_does_not_run_is_stopped() -> None:
    device = FillerDevice(deaf=True)
    async with up(device) as (made, _):
        with pytest.raises(DriverError, match="does not start within 300 ms"):
            await made.start(ORDER)
        assert device.commands[-1] == HALT


async def test_a_start_that_waited_through_a_stall_is_not_given_any_more() -> None:
    device = FillerDevice()
    async with up(device) as (made, seen):
        await until(lambda: bool(seen.ups))
        async with Wire.join(made._settings.link) as wire:
            async with asyncio.TaskGroup() as group, wire.turns.take(Rank.LOCK):
                starting = group.create_task(_tried(made))
                await asyncio.sleep(0.05)  # until the turn is what it waits for
                stall(START_WITHIN_S + 0.7)
            assert starting.done()
        assert GO not in device.commands


async def test_a_stop_wins_over_a_start_under_way() -> None:
    device = FillerDevice(deaf=True)
    async with up(device) as (made, _):
        async with asyncio.TaskGroup() as group:
            starting = group.create_task(_tried(made))
            await asyncio.sleep(0.05)  # within the time for a start
            device.deaf = False
            await made.stop()
            await starting
        assert not device.running


async def _tried(made: FillerModbus) -> None:
    with pytest.raises(DriverError):
        await made.start(ORDER)


async def test_an_unknown_weight_names_device_register_and_raw_value() -> None:
    device = FillerDevice()
    async with up(device) as (_, seen):
        device.overload = True
        await until(lambda: seen.last().gross_g is None)
        assert seen.last().why == "filler-1: overload: state.overload at holding 12 = 0x0021"
        assert not seen.last().stable


async def test_what_it_complains_of_is_an_alarm_with_its_register() -> None:
    device = FillerDevice()
    async with up(device) as (_, seen):
        device.fault = True
        await until(lambda: bool(seen.last().alarm))
        assert seen.last().alarm == "state.fault at holding 12 = 0x0011"


@asynccontextmanager
async def as_gate(device: FillerDevice) -> AsyncIterator[tuple[Composite, Seat]]:
    """The driver, the gate made of it, and the seat of a rig."""
    settings = SoftSettings("filler-1", "permit", fresh_ms=400, cylinder_on_g=2_000, doses=True)
    seat = Seat()
    async with up(device) as (made, seen):
        gate = Composite(
            "rig-1",
            settings,
            made,
            scale="filler-1",
            store=Shelf(),
            clock=LoopClock(),
            tell=lambda device, trouble: seen.errors.append(f"{device} {trouble.en}"),
        )
        gate.stand_before(seat)
        gate.device("filler-1", "up")
        async with asyncio.TaskGroup() as group:
            task = group.create_task(gate.run())
            feeding = group.create_task(_feed(seen, gate))
            await until(lambda: bool(seat.samples))
            try:
                yield gate, seat
            finally:
                task.cancel()
                feeding.cancel()


async def _feed(seen: Seen, gate: Composite) -> None:
    told = 0
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        for sample in seen.samples[told:]:
            gate.take(sample)
        told = len(seen.samples)


async def test_as_a_gate_it_fills_to_what_the_permit_says_and_is_named() -> None:
    device = FillerDevice()
    async with as_gate(device) as (gate, seat):
        await gate.open(ORDER)
        await until(lambda: seat.samples[-1].last_permit == 7 and seat.samples[-1].stable)
        last = seat.samples[-1]
        assert (last.done, last.permit_echo, last.last_net_g) == (True, 0, 970)
        assert (last.total_g, last.valve_open) == (970, False)
        assert any(sample.filling for sample in seat.samples)


async def test_as_a_gate_a_lock_stops_it() -> None:
    device = FillerDevice()
    async with as_gate(device) as (gate, seat):
        await gate.open(ORDER)
        await until(lambda: seat.samples[-1].filling)
        await gate.lock()
        assert not device.running
        await until(lambda: seat.samples[-1].end_reason == 3)


async def test_as_a_gate_an_overload_in_mid_fill_stops_it() -> None:
    device = FillerDevice()
    async with as_gate(device) as (gate, seat):
        await gate.open(ORDER)
        await until(lambda: seat.samples[-1].filling)
        device.overload = True
        await until(lambda: not device.running)
        assert gate.soft.why.startswith("filler-1: overload: state.overload at holding 12 = 0x")
        assert device.total_g < 970


async def test_a_filler_that_starts_by_itself_is_an_open_gate_and_is_stopped() -> None:
    device = FillerDevice()
    async with as_gate(device) as (_, seat):
        device.words[3], device.from_g, device.running = 60_000, device.gross_g, True
        await until(lambda: seat.samples[-1].valve_open)
        assert seat.samples[-1].permit_echo == 0
        await until(lambda: not device.running)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("writable: true, doc: Target", "writable: true, stored: true, doc: Target", "EEPROM"),
        ("serves: [scale, filler]", "serves: [scale, filler]\nareas: separate", "read back"),
    ],
)
def test_a_map_that_proves_nothing_is_refused(old: str, new: str, said: str) -> None:
    assert old in MAP
    changed = profile(MAP.replace(old, new))
    settings = validate(parse(f'{{link: {{tcp: "h:1"}}, {WORDS}}}', "t"), DRIVER.settings)
    found = DRIVER.objections(settings, {"test-filler": changed})
    assert any(said in each for each in found), found


def test_the_shipped_filler_map_is_refused_with_the_reason(tmp_path: Any) -> None:
    profiles = load_profiles(tmp_path, Report()).values
    text = '{link: {tcp: "h:1"}, unit: 0, profile: hbm-wtx110-filler}'
    settings = validate(parse(text, "t"), DRIVER.settings)
    (found,) = DRIVER.objections(settings, profiles)
    assert "target cannot be read back, so nothing proves what it fills to" in found

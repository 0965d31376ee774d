"""The actor between SoftGate and its devices: what is told to whom, and what never waits."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from drivers.contract import (
    DriverError,
    GateOrder,
    GateSample,
    OutputSample,
    Reading,
    TagRead,
    Trouble,
    WeightSample,
)
from gatewayd.clock import SECOND
from gatewayd.errors import StoreError
from gatewayd.rigs.composite import Composite
from gatewayd.rigs.soft_memory import recall, spelled
from gatewayd.rigs.soft_model import Memory, SoftSettings
from gatewayd.rigs.ward import serve_gate
from tests.support.patient_loop import LoopClock, PatientLoop
from tests.support.waiting import until

LOOP = PatientLoop
PERIOD_S = 0.02
"""How often the devices speak."""
ORDER = GateOrder(permit_no=7, target_g=5_000, limit_gross_g=22_000, lease_ms=600)
SETTINGS = SoftSettings("io-1", "permit", fresh_ms=400, cylinder_on_g=2_000, no_flow_s=30)


@dataclass
class Module:
    """An output that obeys, after a while; `fails` is what it raises.

    `forgetful`: one that does not mind a release when it is about to switch on.
    """

    on: bool = False
    slow_s: float = 0.0
    forgetful: bool = False
    fails: dict[str, Exception] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    releases: int = 0
    tried: int = 0
    """Openings that have come to an end."""

    async def energise(self) -> None:
        try:
            await self._energise()
        finally:
            self.tried += 1

    async def _energise(self) -> None:
        self.calls.append("energise")
        before = self.releases
        await asyncio.sleep(self.slow_s)
        if "energise" in self.fails:
            raise self.fails["energise"]
        if self.releases != before and not self.forgetful:
            raise DriverError("released meanwhile")
        self.on = True

    async def release(self) -> None:
        self.calls.append("release")
        self.releases += 1
        await asyncio.sleep(0)
        if "release" in self.fails:
            raise self.fails["release"]
        self.on = False


class StoppedClock(LoopClock):
    """The clock of a process that may have been stopped for a while."""

    stopped_ns = 0
    bug: Exception | None = None

    def monotonic_ns(self) -> int:
        bug, self.bug = self.bug, None
        if bug is not None:
            raise bug
        return super().monotonic_ns() + self.stopped_ns


def _nothing_happens() -> None:
    """Nobody stops the process."""


@dataclass
class Shelf:
    """Where a memory is kept, and how long that takes; `then` happens as soon as it is."""

    text: str | None = None
    slow_s: float = 0.0
    ill: bool = False
    recorded_g: int | None = None
    then: Callable[[], None] = _nothing_happens
    begun: int = 0
    """How often something was to be kept."""

    def kept(self, rig_id: str) -> str | None:
        assert rig_id == "rig-1"
        return self.text

    def last_total_g(self, rig_id: str) -> int | None:
        assert rig_id == "rig-1"
        return self.recorded_g

    async def keep(self, rig_id: str, text: str) -> None:
        assert rig_id == "rig-1"
        self.begun += 1
        await asyncio.sleep(self.slow_s)
        if self.ill:
            raise StoreError("disk full")
        self.text = text
        self.then()


@dataclass
class Seat:
    """The rig behind the gate."""

    samples: list[GateSample] = field(default_factory=list)
    others: list[Reading] = field(default_factory=list)
    states: list[tuple[str, str]] = field(default_factory=list)
    bugs: list[Exception] = field(default_factory=list)

    def take(self, reading: Reading) -> None:
        if isinstance(reading, GateSample):
            self.samples.append(reading)
        else:
            self.others.append(reading)

    def device(self, name: str, state: str) -> None:
        self.states.append((name, state))

    def fall(self, bug: Exception) -> None:
        self.bugs.append(bug)


class Stand:
    """A composite gate between real clock, naive module and a seat for the rig."""

    def __init__(self) -> None:
        self.clock = StoppedClock()
        self.module, self.shelf, self.seat = Module(), Shelf(), Seat()
        self.troubles: list[tuple[str, Trouble]] = []
        self.gross_g: int | None = 17_000
        self.talking = True
        self.gate = Composite(
            "rig-1",
            SETTINGS,
            self.module,
            scale="scale-1",
            store=self.shelf,
            clock=self.clock,
            tell=lambda device, trouble: self.troubles.append((device, trouble)),
        )
        self.gate.stand_before(self.seat)

    def speak(self) -> None:
        at_ns = self.clock.monotonic_ns()
        why = "" if self.gross_g is not None else "register 40107 = 0x0010: overload"
        stable = self.gross_g is not None
        self.gate.take(WeightSample("scale-1", at_ns, self.gross_g, None, stable, why))
        self.gate.take(OutputSample("io-1", at_ns, on=self.module.on, guarded=True))

    async def devices(self) -> None:
        while True:
            await asyncio.sleep(PERIOD_S)
            if self.talking:
                self.speak()

    async def opened(self) -> None:
        await self.gate.open(ORDER)
        await until(lambda: self.module.on)


@asynccontextmanager
async def standing(**changes: Any) -> AsyncIterator[Stand]:
    stand = Stand()
    for name, value in changes.items():
        setattr(stand.module, name, value)
    async with asyncio.TaskGroup() as group:
        run = serve_gate(stand.gate, stand.seat)
        tasks = [group.create_task(run), group.create_task(stand.devices())]
        stand.gate.device("scale-1", "up")
        stand.gate.device("io-1", "up")
        await until(lambda: bool(stand.seat.samples))
        try:
            yield stand
        finally:
            for task in tasks:
                task.cancel()


async def test_an_order_opens_and_a_lock_closes_and_waits_for_it() -> None:
    async with standing() as stand:
        await stand.opened()
        await until(lambda: stand.seat.samples[-1].permit_echo == 7)
        await stand.gate.lock()
        assert not stand.module.on
        await until(lambda: stand.seat.samples[-1].permit_echo == 0)


async def test_a_bug_in_the_gate_closes_it_and_its_rig_falls() -> None:
    async with standing() as stand:
        await stand.opened()
        stand.talking = False
        stand.clock.bug = ZeroDivisionError("a bug")
        await until(lambda: not stand.module.on)
        assert not stand.gate.soft.holding
        await until(lambda: len(stand.seat.bugs) == 1)
        with pytest.raises(DriverError, match="no permit is in force"):
            await stand.gate.renew()
        before_ns = stand.gate.looked_ns
        await until(lambda: stand.gate.looked_ns != before_ns)


async def test_a_bug_while_it_opens_closes_again_when_that_has_ended() -> None:
    """Nobody reads it back, and the module has forgotten that it was released."""
    async with standing(slow_s=0.3, forgetful=True) as stand:
        await stand.gate.open(ORDER)
        await until(lambda: "energise" in stand.module.calls)
        stand.talking = False
        stand.gate.fall(ZeroDivisionError("a bug"))
        await until(lambda: stand.module.on)
        await until(lambda: not stand.module.on)


async def test_a_gate_whose_process_starts_is_closed_first() -> None:
    async with standing() as stand:
        await until(lambda: "release" in stand.module.calls)
        assert "energise" not in stand.module.calls


async def test_a_lease_that_runs_out_closes_without_anybody_speaking() -> None:
    async with standing() as stand:
        await stand.opened()
        began_s = asyncio.get_running_loop().time()
        await until(lambda: not stand.module.on)
        assert asyncio.get_running_loop().time() - began_s < ORDER.lease_ms / 1000 + 0.3
        with pytest.raises(DriverError, match="lease not renewed"):
            await stand.gate.renew()


async def test_renewing_keeps_it_open() -> None:
    async with standing() as stand:
        await stand.opened()
        for _ in range(12):
            await asyncio.sleep(ORDER.lease_ms / 6_000)
            await stand.gate.renew()
        assert stand.module.on


async def test_devices_that_fall_silent_close_by_the_clock_of_the_gate() -> None:
    async with standing() as stand:
        await stand.opened()
        stand.talking = False
        await until(lambda: not stand.module.on)
        count = len(stand.seat.samples)
        await asyncio.sleep(10 * PERIOD_S)
        assert len(stand.seat.samples) == count, "no sample is made up"


async def test_an_unknown_weight_closes_and_a_person_is_told_the_raw_value() -> None:
    async with standing() as stand:
        await stand.opened()
        stand.gross_g = None
        await until(lambda: not stand.module.on)
        device, trouble = stand.troubles[-1]
        assert (device, trouble.kind) == ("scale-1", "weight_unknown")
        for text in (trouble.zh, trouble.en):
            assert "scale-1: register 40107 = 0x0010: overload" in text


@pytest.mark.parametrize("name", ["scale-1", "io-1"])
async def test_either_device_lost_is_a_lost_gate(name: str) -> None:
    async with standing() as stand:
        await stand.opened()
        stand.talking = False
        stand.gate.device(name, "down")
        assert stand.seat.states[-1] == ("io-1", "down")
        assert not stand.gate.soft.holding
        stand.gate.device(name, "up")
        assert stand.seat.states[-1] == ("io-1", "up")
        await until(lambda: not stand.module.on)


async def test_tags_and_other_devices_pass_through() -> None:
    async with standing() as stand:
        read = TagRead("gun-1", "AA", 1, None, 5)
        stand.gate.take(read)
        stand.gate.device("gun-1", "down")
        stray = WeightSample("scale-9", 5, 1, None, stable=True)
        stand.gate.take(stray)
        assert stand.seat.others == [read]
        assert stand.seat.states[-1] == ("gun-1", "down")


async def test_closing_never_waits_for_an_opening_under_way() -> None:
    async with standing(slow_s=0.5) as stand:
        await stand.gate.open(ORDER)
        await until(lambda: "energise" in stand.module.calls)
        began_s = asyncio.get_running_loop().time()
        await stand.gate.lock()
        assert asyncio.get_running_loop().time() - began_s < 0.2
        await until(lambda: stand.module.tried)
        assert not stand.module.on


async def test_nothing_opens_before_its_memory_is_kept() -> None:
    async with standing() as stand:
        stand.shelf.ill = True
        await stand.gate.open(ORDER)
        await until(lambda: not stand.gate.soft.holding)
        assert "energise" not in stand.module.calls
        assert "disk full" in stand.gate.soft.why


async def test_a_process_that_was_stopped_opens_nothing_when_it_goes_on() -> None:
    async with standing() as stand:

        def stop() -> None:
            stand.clock.stopped_ns = 60 * SECOND

        stand.shelf.then = stop
        await stand.gate.open(ORDER)
        await until(lambda: not stand.gate.soft.holding)
        assert "energise" not in stand.module.calls


async def test_a_store_that_hangs_delays_no_closing() -> None:
    async with standing() as stand:
        await stand.gate.open(replace(ORDER, lease_ms=60_000))
        await until(lambda: stand.module.on)
        began, stand.shelf.slow_s = stand.shelf.begun, 60.0
        stand.gross_g = 17_100
        await until(lambda: stand.shelf.begun > began)
        assert stand.module.on
        await stand.gate.lock()
        assert not stand.module.on


async def test_an_order_is_refused_with_the_reason() -> None:
    async with standing() as stand:
        stand.gross_g = 500
        await until(lambda: stand.seat.samples[-1].gross_g == 500)
        with pytest.raises(DriverError, match="io-1: not opened: 500 g on the scale"):
            await stand.gate.open(ORDER)
        stand.gross_g = 17_000
        await until(lambda: stand.seat.samples[-1].gross_g == 17_000)
        with pytest.raises(DriverError, match="permit 7 is over"):
            await stand.gate.open(ORDER)


async def test_a_module_that_refuses_ends_the_permit() -> None:
    async with standing(fails={"energise": DriverError("io-1: exception 4")}) as stand:
        await stand.gate.open(ORDER)
        await until(lambda: not stand.gate.soft.holding)
        assert "exception 4" in stand.gate.soft.why


async def test_a_driver_that_breaks_is_latched_and_the_others_go_on() -> None:
    async with standing(fails={"energise": ValueError("bug")}) as stand:
        await stand.gate.open(ORDER)
        await until(lambda: not stand.gate.soft.holding)
        stand.module.fails.clear()
        with pytest.raises(DriverError, match="its driver broke"):
            await stand.gate.open(ORDER)


async def test_a_release_that_fails_is_tried_until_it_is_confirmed() -> None:
    async with standing() as stand:
        await stand.opened()
        stand.module.fails["release"] = DriverError("io-1: no answer")
        with pytest.raises(DriverError):
            await stand.gate.lock()
        assert stand.module.on
        stand.module.fails.clear()
        await until(lambda: not stand.module.on)


def test_a_memory_goes_on_where_it_was_and_never_backwards() -> None:
    kept = Memory(total_g=5_000, fills=3, gross_g=17_500, flowing=True)
    assert recall(Shelf(), "rig-1") == Memory()
    assert recall(Shelf(recorded_g=900), "rig-1") == Memory(total_g=900)
    assert recall(Shelf(spelled(kept), recorded_g=4_000), "rig-1") == kept
    behind = recall(Shelf(spelled(kept), recorded_g=6_000), "rig-1")
    assert (behind.total_g, behind.flowing) == (6_000, False)
    assert recall(Shelf("{nonsense", recorded_g=7), "rig-1") == Memory(total_g=7)
    assert recall(Shelf('{"other": 1}', recorded_g=7), "rig-1") == Memory(total_g=7)

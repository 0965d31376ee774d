"""The contract, case by case. Every case uses a fresh device on a fresh wire."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from drivers.suite.bench import Bench, running
from drivers.suite.freezing import Freezable
from drivers.suite.held_back import what_was_held_back_is_as_old_as_it_is
from drivers.suite.kit import Kit
from drivers.suite.memory_cases import MEMORY_CASES
from drivers.suite.stage import Stage, on_stage
from drivers.suite.wires import Wire

IDLE_S = 0.5
"""How long an idle or misbehaving device is watched."""
FROZEN_S = 1.5
"""How long a driver that hangs is watched: longer than a driver of ours waits for a turn."""
STORM_SHOWS = 20
STORM_REPEATS = 100
"""Everything the device sends arrives so many times: 2000 sightings of one thing."""
SHOW_EVERY_S = 1.0
"""How often something is shown again to a device that speaks once."""
LET_GO_WITHIN_S = 2.0
"""A cancelled driver has let go of its wire by then."""
SLOW_S = 0.3
"""How late a slow device answers: more than a bridge, less than any driver gives up after."""

Case: TypeAlias = Callable[[Kit, Wire], Awaitable[None]]


async def _identified(kit: Kit, stage: Stage, bench: Bench, *which: str) -> None:
    """Wait until exactly these were read, showing them again to devices that speak once."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + kit.within_s
    wanted = set(which)
    while not wanted <= bench.identities:
        kit.show(stage.device, which)
        with contextlib.suppress(AssertionError):
            await bench.until(lambda: wanted <= bench.identities or bench.error, SHOW_EVERY_S)
        assert bench.error is None, f"{kit}: lost instead of reading {wanted}: {bench.error}"
        assert bench.identities <= wanted, f"{kit}: read {bench.identities}, expected {wanted}"
        assert loop.time() < deadline_s, f"{kit}: {wanted} not read in {kit.within_s} s: {bench}"


async def an_idle_device_is_up_and_says_nothing(kit: Kit, wire: Wire) -> None:
    """Idle is not an error and not a read."""
    async with on_stage(kit, wire) as stage, running(kit.make(stage.link)) as bench:
        await bench.until(lambda: bench.ups or bench.error)
        await asyncio.sleep(IDLE_S)
        assert bench.error is None, f"{kit}: {bench.error}"
        assert not bench.readings, bench.readings


async def it_turns_while_it_waits_and_only_then(kit: Kit, wire: Wire) -> None:
    """Idle, it says in time that it does not hang; hung, nothing else says so for it."""
    lively_s = kit.driver.lively_s
    assert lively_s, f"{kit}: its DriverType has no lively_s, so nobody notices when it hangs"
    async with on_stage(kit, wire) as stage:
        driver = Freezable(kit.make(stage.link))
        async with running(driver) as bench:
            await bench.until(lambda: bench.ups or bench.error)
            moves = driver.moves
            moves.clear()
            with contextlib.suppress(AssertionError):
                await bench.until(lambda: len(moves) > 1 or bench.error, lively_s / 2)
            assert bench.error is None, f"{kit}: {bench.error}"
            assert len(moves) > 1, (
                f"{kit}: idle, it did not call context.alive() in {lively_s / 2} s"
            )
            driver.frozen = True
            await asyncio.sleep(0)  # What was under way before it froze.
            moves.clear()
            await asyncio.sleep(FROZEN_S)
            assert not moves, f"{kit}: it hangs, and something else still says that it does not"


async def what_is_shown_is_read_as_it_is(kit: Kit, wire: Wire) -> None:
    """One identity, then another: exactly these, from this device, in order of time."""
    one, other = kit.identities
    async with on_stage(kit, wire) as stage, running(kit.make(stage.link)) as bench:
        await bench.until(lambda: bench.ups or bench.error)
        await _identified(kit, stage, bench, one)
        kit.show(stage.device, ())
        bench.readings.clear()
        await asyncio.sleep(IDLE_S)
        bench.readings.clear()
        await _identified(kit, stage, bench, other)
        times = [read.at_ns for read in bench.readings]
        assert times == sorted(times), f"{kit}: readings out of order"
        assert {read.device for read in bench.readings} == {"device-1"}, bench.readings


async def two_at_once_are_two(kit: Kit, wire: Wire) -> None:
    """What is in the field together is never merged and never half hidden."""
    async with on_stage(kit, wire) as stage, running(kit.make(stage.link)) as bench:
        await bench.until(lambda: bench.ups or bench.error)
        await _identified(kit, stage, bench, *kit.identities)


async def an_unplugged_device_is_lost_and_read_again_when_back(kit: Kit, wire: Wire) -> None:
    """Unplug is a DriverError; the same driver serves the device when it is back."""
    one = kit.identities[0]
    async with on_stage(kit, wire) as stage:
        driver = kit.make(stage.link)
        async with running(driver) as bench:
            await bench.until(lambda: bench.ups or bench.error)
            await _identified(kit, stage, bench, one)
            stage.unplug()
            await bench.until(lambda: bench.error, kit.within_s)
            assert str(bench.error), f"{kit}: lost without a word"
    async with on_stage(kit, wire) as stage, running(kit.make(stage.link)) as again:
        await again.until(lambda: again.ups or again.error)
        await _identified(kit, stage, again, one)


async def nobody_there_is_an_error_in_words(kit: Kit, wire: Wire) -> None:
    """A wire without a device: DriverError with a cause, never a read, never up."""
    async with on_stage(kit, wire) as stage:
        link = stage.link
    async with running(kit.make(link)) as bench:
        await bench.until(lambda: bench.error, kit.within_s)
    assert str(bench.error), f"{kit}: no cause"
    assert not bench.ups, bench.ups


async def garbage_between_frames_costs_no_read(kit: Kit, wire: Wire) -> None:
    """Garbage is noise; what follows it is read, and nothing else is."""
    async with on_stage(kit, wire) as stage, running(kit.make(stage.link)) as bench:
        await bench.until(lambda: bench.ups or bench.error)
        stage.faults.before = kit.garbage
        await _identified(kit, stage, bench, kit.identities[0])
        assert bench.noise, f"{kit}: garbage was not counted"


async def another_make_is_never_read(kit: Kit, wire: Wire) -> None:
    """A device of another make: no read; where the protocol has answers, lost with a reason."""
    async with on_stage(kit, wire) as stage:
        stage.faults.instead = kit.foreign
        async with running(kit.make(stage.link)) as bench:
            kit.show(stage.device, kit.identities)
            if kit.answers:
                await bench.until(lambda: bench.error, kit.within_s)
                assert str(bench.error), f"{kit}: lost without a word"
                assert not bench.ups, bench.ups
            else:
                await bench.until(lambda: bench.ups or bench.error)
                kit.show(stage.device, kit.identities)
                await bench.until(lambda: bench.noise)
        assert not bench.readings, bench.readings


async def a_silent_device_is_lost(kit: Kit, wire: Wire) -> None:
    """An open wire without answers is a lost device, not an idle one."""
    if not kit.answers:
        return  # Silence is all such a device says while nobody scans.
    async with on_stage(kit, wire) as stage, running(kit.make(stage.link)) as bench:
        await bench.until(lambda: bench.ups or bench.error)
        await _identified(kit, stage, bench, kit.identities[0])
        stage.faults.silent = True
        await bench.until(lambda: bench.error, kit.within_s)
        assert str(bench.error), f"{kit}: lost without a word"


async def a_device_left_pushing_is_read_or_named(kit: Kit, wire: Wire) -> None:
    """Left in push mode by whoever used it before: its tags are read all the same."""
    if kit.leave_pushing is None:
        return
    async with on_stage(kit, wire) as stage:
        kit.leave_pushing(stage.device)
        async with running(kit.make(stage.link)) as bench:
            await bench.until(lambda: bench.ups or bench.error)
            await _identified(kit, stage, bench, kit.identities[0])


async def a_storm_of_repeats_is_one_identity(kit: Kit, wire: Wire) -> None:
    """Thousands of sightings of one thing: no other identity, no error, and it stays alive."""
    one, other = kit.identities
    async with on_stage(kit, wire) as stage, running(kit.make(stage.link)) as bench:
        await bench.until(lambda: bench.ups or bench.error)
        await _identified(kit, stage, bench, one)
        stage.faults.repeats = STORM_REPEATS
        for _ in range(STORM_SHOWS):
            kit.show(stage.device, (one,))
        await asyncio.sleep(IDLE_S)
        stage.faults.repeats = 1
        assert bench.error is None, f"{kit}: {bench.error}"
        assert bench.identities == {one}, f"{kit}: read {bench.identities}"
        kit.show(stage.device, (other,))
        await bench.until(lambda: other in bench.identities or bench.error, kit.within_s)
        assert bench.error is None, f"{kit}: {bench.error}"
        assert bench.identities == {one, other}, f"{kit}: read {bench.identities}"


async def a_slow_device_is_served(kit: Kit, wire: Wire) -> None:
    """Late answers are answers."""
    async with on_stage(kit, wire) as stage:
        stage.faults.slow_s = SLOW_S
        async with running(kit.make(stage.link)) as bench:
            await bench.until(lambda: bench.ups or bench.error)
            await _identified(kit, stage, bench, kit.identities[0])


async def a_cancelled_driver_lets_go_whenever_it_is(kit: Kit, wire: Wire) -> None:
    """Cancelled while opening, identifying or reading: ended at once, and the wire is free."""
    async with on_stage(kit, wire) as stage:
        loop = asyncio.get_running_loop()
        for after_s in (0.0, 0.02, 0.2, 0.6):
            async with running(kit.make(stage.link)) as bench:
                await asyncio.sleep(after_s)
                started_s = loop.time()
            taken_s = loop.time() - started_s
            assert taken_s < LET_GO_WITHIN_S, f"{kit}: needed {taken_s:.1f} s to stop"
            assert bench.error is None, f"{kit}: {bench.error}"
        async with running(kit.make(stage.link)) as bench:
            await bench.until(lambda: bench.ups or bench.error)
            await _identified(kit, stage, bench, kit.identities[0])


async def a_stop_does_not_wait_for_a_silent_device(kit: Kit, wire: Wire) -> None:
    """Shutdown while the device hangs: bounded all the same."""
    async with on_stage(kit, wire) as stage:
        stage.faults.silent = True
        loop = asyncio.get_running_loop()
        async with running(kit.make(stage.link)):
            await asyncio.sleep(IDLE_S)
            started_s = loop.time()
        assert loop.time() - started_s < LET_GO_WITHIN_S, f"{kit}: a hung device held the stop"


CASES: tuple[Case, ...] = (
    an_idle_device_is_up_and_says_nothing,
    it_turns_while_it_waits_and_only_then,
    what_is_shown_is_read_as_it_is,
    two_at_once_are_two,
    an_unplugged_device_is_lost_and_read_again_when_back,
    nobody_there_is_an_error_in_words,
    garbage_between_frames_costs_no_read,
    another_make_is_never_read,
    a_silent_device_is_lost,
    a_device_left_pushing_is_read_or_named,
    a_storm_of_repeats_is_one_identity,
    a_slow_device_is_served,
    what_was_held_back_is_as_old_as_it_is,
    a_cancelled_driver_lets_go_whenever_it_is,
    a_stop_does_not_wait_for_a_silent_device,
    *MEMORY_CASES,
)


async def keeps_the_contract(kit: Kit, wire: Wire) -> None:
    """Every case at once, each with a device and a wire of its own: as long as the slowest one.

    Raises an ExceptionGroup with one AssertionError a broken case, each naming its case.
    """
    failed: list[Exception] = []

    async def run(case: Case) -> None:
        try:
            await case(kit, wire)
        except Exception as exc:  # noqa: BLE001 - whatever it was, the other cases are told too
            exc.add_note(f"case {case.__name__} of {kit} on {wire.__name__}")
            failed.append(exc)

    # Alone: the name of a terminal that is gone is given to the next one that is opened.
    await run(nobody_there_is_an_error_in_words)
    async with asyncio.TaskGroup() as group:
        for case in CASES:
            if case is not nobody_there_is_an_error_in_words:
                group.create_task(run(case))
    if failed:
        raise ExceptionGroup(f"{kit} breaks the driver contract", failed)

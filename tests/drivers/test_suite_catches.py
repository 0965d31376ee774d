"""The contract suite can fail: each way of breaking a driver is caught by the case named for it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from drivers.contract import Context, Driver, DriverError, Reading, TagRead
from drivers.suite import Case, cases, on_tcp
from drivers.suite.held_back import what_was_held_back_is_as_old_as_it_is
from drivers.template.acme_reader.driver import DRIVER
from drivers.template.acme_reader.scripted import KIT

SOON_S = 1.5


@dataclass
class Broken:
    """The template's driver, run by somebody careless."""

    name: str
    inner: Driver
    run_it: Callable[[Driver, Context], Awaitable[None]]

    async def run(self, context: Context) -> None:
        await self.run_it(self.inner, context)


def ghost(at_ns: int, uid: str = "AABB") -> TagRead:
    return TagRead("device-1", uid, 1, None, at_ns)


async def invents_reads(driver: Driver, context: Context) -> None:
    def up(text: str) -> None:
        context.up(text)
        context.emit(ghost(context.monotonic_ns()))

    await driver.run(replace(context, up=up))


async def respells_uids(driver: Driver, context: Context) -> None:
    def emit(read: Reading) -> None:
        assert isinstance(read, TagRead)
        context.emit(replace(read, uid=read.uid.lower()))

    await driver.run(replace(context, emit=emit))


async def keeps_the_first_of_two(driver: Driver, context: Context) -> None:
    seen: list[str] = []

    def emit(read: Reading) -> None:
        assert isinstance(read, TagRead)
        seen.append(read.uid)
        if read.uid == seen[0]:
            context.emit(read)

    await driver.run(replace(context, emit=emit))


async def hides_a_loss(driver: Driver, context: Context) -> None:
    try:
        await driver.run(context)
    except DriverError:
        await asyncio.get_running_loop().create_future()


async def hides_noise(driver: Driver, context: Context) -> None:
    await driver.run(replace(context, noise=lambda _reason, _raw: None))


async def reads_noise(driver: Driver, context: Context) -> None:
    def noise(reason: str, raw: bytes) -> None:
        context.noise(reason, raw)
        context.emit(ghost(context.monotonic_ns(), raw.hex().upper()))

    await driver.run(replace(context, noise=noise))


async def is_up_before_it_asked(driver: Driver, context: Context) -> None:
    context.up("surely")
    await driver.run(context)


async def is_impatient(driver: Driver, context: Context) -> None:
    answered = asyncio.Event()

    async def limit() -> None:
        try:
            async with asyncio.timeout(0.25):
                await answered.wait()
        except TimeoutError:
            raise DriverError("too slow") from None

    def up(text: str) -> None:
        answered.set()
        context.up(text)

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(limit())
            await driver.run(replace(context, up=up))
    except ExceptionGroup as failed:
        raise DriverError("too slow") from failed


async def will_not_stop(driver: Driver, context: Context) -> None:
    try:
        await driver.run(context)
    finally:
        await asyncio.sleep(cases.LET_GO_WITHIN_S + 0.2)


async def tires_of_repeats(driver: Driver, context: Context) -> None:
    count = 0

    def emit(read: Reading) -> None:
        nonlocal count
        count += 1
        if count > 3:
            raise DriverError("enough")
        context.emit(read)

    await driver.run(replace(context, emit=emit))


async def says_nothing_at_rest(driver: Driver, context: Context) -> None:
    await driver.run(replace(context, alive=lambda: None, frame=lambda _way, _raw: None))


async def stamps_what_it_hears(driver: Driver, context: Context) -> None:
    def emit(read: Reading) -> None:
        context.emit(replace(read, at_ns=context.monotonic_ns()))

    await driver.run(replace(context, emit=emit))


async def has_a_heart_apart(driver: Driver, context: Context) -> None:
    async def beat() -> None:
        while True:
            context.alive()
            await asyncio.sleep(0.2)  # apart from whether the driver turns

    async with asyncio.TaskGroup() as group:
        task = group.create_task(beat())
        try:
            await driver.run(context)
        finally:
            task.cancel()


CAUGHT: list[tuple[Callable[[Driver, Context], Awaitable[None]], Case]] = [
    (invents_reads, cases.an_idle_device_is_up_and_says_nothing),
    (says_nothing_at_rest, cases.it_turns_while_it_waits_and_only_then),
    (has_a_heart_apart, cases.it_turns_while_it_waits_and_only_then),
    (respells_uids, cases.what_is_shown_is_read_as_it_is),
    (keeps_the_first_of_two, cases.two_at_once_are_two),
    (hides_a_loss, cases.an_unplugged_device_is_lost_and_read_again_when_back),
    (hides_a_loss, cases.a_silent_device_is_lost),
    (hides_a_loss, cases.nobody_there_is_an_error_in_words),
    (hides_noise, cases.garbage_between_frames_costs_no_read),
    (reads_noise, cases.garbage_between_frames_costs_no_read),
    (reads_noise, cases.another_make_is_never_read),
    (is_up_before_it_asked, cases.another_make_is_never_read),
    (is_up_before_it_asked, cases.nobody_there_is_an_error_in_words),
    (is_impatient, cases.a_slow_device_is_served),
    (stamps_what_it_hears, what_was_held_back_is_as_old_as_it_is),
    (will_not_stop, cases.a_cancelled_driver_lets_go_whenever_it_is),
    (will_not_stop, cases.a_stop_does_not_wait_for_a_silent_device),
    (tires_of_repeats, cases.a_storm_of_repeats_is_one_identity),
]


@pytest.mark.parametrize(
    ("how", "case"), CAUGHT, ids=[f"{how.__name__}-{case.__name__}" for how, case in CAUGHT]
)
async def test_a_careless_driver_is_caught(
    how: Callable[[Driver, Context], Awaitable[None]], case: Case
) -> None:
    def make(name: str, settings: Any, profiles: Mapping[str, Any]) -> Driver:
        return Broken(name, DRIVER.make(name, settings, profiles), how)

    kit = replace(KIT, driver=replace(DRIVER, make=make, lively_s=SOON_S), within_s=SOON_S)
    with pytest.raises((AssertionError, ExceptionGroup)):
        await case(kit, on_tcp)


async def test_a_driver_of_which_nobody_can_tell_is_caught() -> None:
    kit = replace(KIT, driver=replace(DRIVER, lively_s=0.0))
    with pytest.raises(AssertionError, match="no lively_s"):
        await cases.it_turns_while_it_waits_and_only_then(kit, on_tcp)

"""The memory cases of the contract suite can fail: each way of breaking a reader is caught by one."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from drivers.contract import Context, Driver, DriverError, Reading, TagContents, TagRead
from drivers.suite import Case, memory_cases, on_tcp
from tests.drivers.kits import KITS
from tests.drivers.test_suite_catches import SOON_S, Broken

READER = next(kit for kit in KITS if kit.name == "uhfreader288-poll")


async def tells_the_last_one_of_everybody(driver: Driver, context: Context) -> None:
    """As one who takes whatever answer comes for that of the tag he sees."""
    last: TagContents | None = None

    def emit(read: Reading) -> None:
        nonlocal last
        assert isinstance(read, TagRead)
        last = read.contents or last
        context.emit(replace(read, contents=last))

    await driver.run(replace(context, emit=emit))


async def tells_everybody_the_first(driver: Driver, context: Context) -> None:
    """As one who asks for whichever tag answers."""
    first: TagContents | None = None

    def emit(read: Reading) -> None:
        nonlocal first
        assert isinstance(read, TagRead)
        first = first or read.contents
        context.emit(replace(read, contents=first and read.contents and first))

    await driver.run(replace(context, emit=emit))


async def tells_half(driver: Driver, context: Context) -> None:
    def emit(read: Reading) -> None:
        assert isinstance(read, TagRead)
        told = read.contents
        if told is not None and told.data:
            told = replace(told, data=told.data[: len(told.data) // 2])
        context.emit(replace(read, contents=told))

    await driver.run(replace(context, emit=emit))


async def keeps_quiet(driver: Driver, context: Context) -> None:
    def emit(read: Reading) -> None:
        assert isinstance(read, TagRead)
        known = read.contents is not None and not read.contents.why
        context.emit(read if known else replace(read, contents=None))

    await driver.run(replace(context, emit=emit))


async def gives_up(driver: Driver, context: Context) -> None:
    def emit(read: Reading) -> None:
        assert isinstance(read, TagRead)
        if read.contents is not None and read.contents.why:
            raise DriverError(read.contents.why)
        context.emit(read)

    await driver.run(replace(context, emit=emit))


UNREAD = memory_cases.memory_that_cannot_be_read_is_told_and_tags_are_read_on
CAUGHT: list[tuple[Callable[[Driver, Context], Awaitable[None]], Case]] = [
    (tells_the_last_one_of_everybody, memory_cases.memory_comes_with_its_own_tag),
    (tells_everybody_the_first, memory_cases.memory_of_two_at_once_is_never_mixed_up),
    (tells_half, memory_cases.memory_comes_with_its_own_tag),
    (keeps_quiet, UNREAD),
    (gives_up, UNREAD),
]


@pytest.mark.parametrize(("breaks", "case"), CAUGHT, ids=[f"{b.__name__}" for b, _ in CAUGHT])
async def test_a_broken_reader_is_caught(
    breaks: Callable[[Driver, Context], Awaitable[None]], case: Case
) -> None:
    def make(name: str, settings: Any, profiles: Mapping[str, Any]) -> Driver:
        return Broken(name, READER.driver.make(name, settings, profiles), breaks)

    kit = replace(READER, driver=replace(READER.driver, make=make), within_s=2 * SOON_S)
    with pytest.raises((AssertionError, ExceptionGroup)):
        await case(kit, on_tcp)

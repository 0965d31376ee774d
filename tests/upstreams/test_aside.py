"""Blocking work aside: its result, its error, and a caller who did not stay."""

import asyncio
import threading

import pytest

from gatewayd.upstreams.aside import aside


async def test_what_the_work_raises_is_raised() -> None:
    def work() -> None:
        raise OSError("no route")

    ended: list[bool] = []
    with pytest.raises(OSError, match="no route"):
        await aside(work, done=lambda: ended.append(True))
    assert ended == [True]


async def test_a_caller_who_left_does_not_wait_and_the_end_is_still_told() -> None:
    go_on, ended = threading.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(aside(lambda: assert_set(go_on), done=ended.set))
        await asyncio.sleep(0)
        task.cancel()
    assert not ended.is_set()
    go_on.set()
    async with asyncio.timeout(5):
        await ended.wait()


def assert_set(event: threading.Event) -> None:
    assert event.wait(5)

"""A driver that can be made to hang: what it waits for comes, and it never hears of it."""

import asyncio
from collections.abc import Generator
from dataclasses import replace
from typing import Any

from drivers.contract import Context, Direction, Driver


class Freezable:
    """Runs a driver until `frozen`; from then on it stands where it waited, till it is cancelled.

    `moves` are the times (of the loop, in seconds) at which it said that it does not hang.
    """

    def __init__(self, driver: Driver) -> None:
        self.name = driver.name
        self.frozen = False
        self.moves: list[float] = []
        self._driver = driver

    async def run(self, context: Context) -> None:
        """As the driver does; raises what it raises."""
        loop = asyncio.get_running_loop()

        def alive() -> None:
            self.moves.append(loop.time())
            context.alive()

        def frame(direction: Direction, raw: bytes) -> None:
            self.moves.append(loop.time())
            context.frame(direction, raw)

        ended: list[Exception] = []

        async def run() -> None:
            try:
                await _Held(self, self._driver.run(replace(context, alive=alive, frame=frame)))
            except Exception as exc:  # noqa: BLE001 - handed on as it is, not in a group
                ended.append(exc)

        async with asyncio.TaskGroup() as group:
            task = group.create_task(run())  # Its own time-outs cancel this one, not us.
            try:
                await asyncio.wait({task})
            finally:
                self.frozen = False
        if ended:
            raise ended[0]


class _Held:
    """Drives a coroutine by hand, so that it can be kept from going on."""

    def __init__(self, driver: Freezable, held: Any) -> None:
        self._driver = driver
        self._held = held

    def __await__(self) -> Generator[Any, None, None]:
        loop = asyncio.get_running_loop()
        go_on, what = self._held.send, None
        while True:
            try:
                waits_for = go_on(what)
            except StopIteration:
                return
            go_on, what = self._held.send, None
            try:
                yield waits_for
            except BaseException as exc:  # noqa: BLE001 - the driver's, like everything it waits for
                go_on, what = self._held.throw, exc
            while self._driver.frozen:
                try:
                    yield from loop.create_future()
                except asyncio.CancelledError as exc:  # A time-out of its own, or the end.
                    go_on, what = self._held.throw, exc

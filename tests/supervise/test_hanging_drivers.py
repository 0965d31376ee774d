"""A driver that hangs is a lost device; one that says that it turns, or of whom nobody can tell, is not."""

import asyncio
import random

from structlog.testing import capture_logs

from drivers.contract import Context
from gatewayd.clock import SystemClock
from gatewayd.supervise import DeviceStatus, Supervisor
from tests.support.waiting import until


class Hanging:
    """Asks a few times, then waits for what never comes; asked again, it works on for good."""

    name = "gun-1"

    def __init__(self) -> None:
        self.runs = 0
        self.closed = 0

    async def run(self, context: Context) -> None:
        self.runs += 1
        context.up("a reader")
        try:
            for _ in range(3 if self.runs == 1 else 1_000):
                context.frame("host>device", b"\x05")
                await asyncio.sleep(0.02)  # its device takes so long
            await asyncio.Event().wait()
        finally:
            self.closed += 1


async def test_a_driver_that_is_up_and_hangs_is_a_lost_device_and_begun_again() -> None:
    driver, statuses = Hanging(), list[DeviceStatus]()
    supervisor = Supervisor(
        driver,
        clock=SystemClock(),
        emit=lambda _: None,
        on_status=statuses.append,
        rng=random.Random(7),
        lively_s=0.5,
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(supervisor.run())
        await until(lambda: driver.runs == 2)
        states = [status.state for status in statuses]
        assert states[:3] == ["connecting", "up", "down"]
        assert "hangs" in (statuses[2].error or "")
        assert driver.closed == 1, "its link was let go"
        await until(lambda: supervisor.status.state == "up")
        task.cancel()


async def test_a_driver_that_hangs_as_soon_as_it_is_up_is_a_lost_device_too() -> None:
    class Stuck(Hanging):
        async def run(self, context: Context) -> None:
            self.runs += 1
            context.frame("host>device", b"\x05")
            context.up("a reader")
            await asyncio.Event().wait()

    driver = Stuck()
    supervisor = Supervisor(
        driver,
        clock=SystemClock(),
        emit=lambda _: None,
        on_status=lambda _: None,
        rng=random.Random(7),
        lively_s=0.2,
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(supervisor.run())
        await until(lambda: driver.runs == 2)
        assert supervisor.counters.losses == 1
        task.cancel()


async def test_a_driver_that_hangs_is_down_at_once_however_long_it_takes_to_end() -> None:
    let_go = asyncio.Event()

    class Clinging(Hanging):
        async def run(self, context: Context) -> None:
            try:
                await super().run(context)
            finally:
                context.up("ended too late")
                await let_go.wait()

    driver = Clinging()
    supervisor = Supervisor(
        driver,
        clock=SystemClock(),
        emit=lambda _: None,
        on_status=lambda _: None,
        rng=random.Random(7),
        lively_s=0.2,
    )
    with capture_logs() as logs:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(supervisor.run())
            await until(lambda: driver.closed == 1)
            assert supervisor.status.state == "down"
            assert [each.trouble.kind for each in supervisor.troubles.standing] == ["driver_hangs"]
            assert driver.runs == 1, "its link is not free"
            let_go.set()
            await until(lambda: driver.runs == 2)
            task.cancel()
    assert [each["event"] for each in logs][:3] == ["device.up", "device.hangs", "device.trouble"]
    assert supervisor.counters.losses == 1


async def test_what_says_that_it_turns_may_be_silent_for_ever() -> None:
    class Waiting(Hanging):
        async def run(self, context: Context) -> None:
            self.runs += 1
            context.up("a scanner")
            while True:
                context.alive()
                await asyncio.sleep(0.02)  # its device takes so long

    driver = Waiting()
    supervisor = Supervisor(
        driver, clock=SystemClock(), emit=lambda _: None, on_status=lambda _: None, lively_s=0.5
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(supervisor.run())
        await asyncio.sleep(1.2)  # Twice the time that ends one that does not say so.
        assert (driver.runs, supervisor.status.state) == (1, "up")
        task.cancel()


async def test_one_of_whom_nobody_can_tell_may_be_silent_for_ever() -> None:
    driver = Hanging()
    clock = SystemClock()
    supervisor = Supervisor(driver, clock=clock, emit=lambda _: None, on_status=lambda _: None)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(supervisor.run())
        await until(lambda: driver.runs == 1)
        await asyncio.sleep(0.7)  # The time that ends the one above.
        assert (driver.runs, driver.closed) == (1, 0)
        task.cancel()

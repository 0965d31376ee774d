"""The supervisor with drivers that fail in every way a driver can."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from drivers.contract import CodeRead, Context, Driver, DriverError, Reading
from drivers.readings import Unread
from gatewayd.clock import ManualClock
from gatewayd.supervise import (
    NOISE_BYTES_SHOWN,
    RETRY_S_FIRST,
    RETRY_S_MAX,
    RETRY_S_MIN,
    STABLE_S,
    UNREAD_BYTES_SHOWN,
    DeviceStatus,
    Supervisor,
)

START = datetime(2026, 3, 1, tzinfo=UTC)


def up_for(seconds: float, error: str = "gone") -> Callable[["Flaky", Context], None]:
    """An attempt that is up for a while and then loses its link."""

    def attempt(driver: "Flaky", context: Context) -> None:
        context.up("reader 7")
        driver.clock.advance(seconds=seconds)
        raise DriverError(error)

    return attempt


def refused(_driver: "Flaky", _context: Context) -> None:
    raise DriverError("refused")


def bug(_driver: "Flaky", _context: Context) -> None:
    message = "a bug of ours"
    raise KeyError(message)


@dataclass
class Flaky:
    """Plays one attempt after the other, then serves quietly for ever."""

    clock: ManualClock
    attempts: list[Callable[["Flaky", Context], None]]
    name: str = "gun-1"
    context: Context | None = None

    async def run(self, context: Context) -> None:
        self.context = context
        if self.attempts:
            self.attempts.pop(0)(self, context)
        await asyncio.Event().wait()


@dataclass
class Watch:
    """A supervisor's surroundings: what it told, and how long it slept."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    statuses: list[DeviceStatus] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    slept_s: list[float] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    def supervisor(self, driver: Driver, seed: int = 1) -> Supervisor:
        return Supervisor(
            driver,
            clock=self.clock,
            emit=self.readings.append,
            on_status=self.statuses.append,
            rng=random.Random(seed),
            sleep=self.sleep,
            unread=self.unread.append,
        )

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.clock.advance(seconds=seconds)
        await asyncio.sleep(0)

    def states(self) -> list[tuple[str, str | None]]:
        return [(status.state, status.error) for status in self.statuses]


async def play(
    watch: Watch, attempts: list[Callable[[Flaky, Context], None]], *, seed: int = 1
) -> tuple[Supervisor, list[tuple[str, str]]]:
    """Run a driver through its attempts; returns the supervisor and what was logged."""
    driver = Flaky(watch.clock, attempts)
    supervisor = watch.supervisor(driver, seed)
    with capture_logs() as logs:
        running = asyncio.ensure_future(supervisor.run())
        async with asyncio.timeout(5):
            while attempts and not running.done():  # noqa: ASYNC110 - watches plain values
                await asyncio.sleep(0)
            for _ in range(5):
                await asyncio.sleep(0)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    return supervisor, [(line["event"], line["log_level"]) for line in logs]


async def test_a_device_that_is_off_at_the_start_stays_connecting_and_is_logged_once() -> None:
    watch = Watch()
    supervisor, logs = await play(watch, [refused] * 20)
    assert watch.states() == [("connecting", None), ("connecting", "refused")]
    assert logs == [("device.down", "warning")]
    assert supervisor.status.since == START
    assert supervisor.counters.attempts == 21
    assert supervisor.counters.losses == 0


async def test_one_outage_is_one_line_down_and_one_line_up() -> None:
    watch = Watch()
    supervisor, logs = await play(
        watch, [up_for(60), refused, refused, refused, up_for(60), up_for(60)]
    )
    assert watch.states() == [
        ("connecting", None),
        ("up", None),
        ("down", "gone"),
        ("down", "refused"),
        ("up", None),
        ("down", "gone"),
        ("up", None),
        ("down", "gone"),
    ]
    assert logs == [("device.up", "info"), ("device.down", "warning")] * 3
    assert supervisor.counters.losses == 3


async def test_a_status_says_since_when_what_and_why() -> None:
    watch = Watch()
    await play(watch, [up_for(60), refused])
    _, up, down, still_down = watch.statuses
    assert up == DeviceStatus("gun-1", "up", START, None, "reader 7")
    assert down == DeviceStatus("gun-1", "down", START + timedelta(seconds=60), "gone", "reader 7")
    assert still_down.since == down.since


async def test_the_lines_say_device_error_and_wait() -> None:
    watch = Watch()
    driver = Flaky(watch.clock, [up_for(60, "closed by the device")])
    with capture_logs() as logs:
        running = asyncio.ensure_future(watch.supervisor(driver).run())
        for _ in range(3):
            await asyncio.sleep(0)
        running.cancel()
    assert logs[0] == {
        "event": "device.up",
        "log_level": "info",
        "device": "gun-1",
        "detail": "reader 7",
    }
    assert logs[1] == {
        "event": "device.down",
        "log_level": "warning",
        "device": "gun-1",
        "state": "down",
        "error": "closed by the device",
        "retry_s": watch.slept_s[0],
    }


async def test_waits_grow_with_full_jitter_up_to_the_limit() -> None:
    slept: list[list[float]] = []
    for seed in range(40):
        watch = Watch()
        await play(watch, [refused] * 9, seed=seed)
        slept.append(watch.slept_s)
    for attempt, waits in enumerate(zip(*slept, strict=True)):
        longest = min(RETRY_S_MAX, RETRY_S_FIRST * 2**attempt)
        assert all(RETRY_S_MIN <= wait <= longest for wait in waits)
        assert max(waits) > 0.8 * longest
        assert min(waits) < RETRY_S_MIN + 0.2 * longest


async def test_waits_start_again_only_after_the_device_was_stable() -> None:
    async def wait_after(up_s: float) -> list[float]:
        firsts = []
        for seed in range(30):
            watch = Watch()
            await play(watch, [refused] * 8 + [up_for(up_s)], seed=seed)
            firsts.append(watch.slept_s[8])
        return firsts

    assert max(await wait_after(STABLE_S)) <= RETRY_S_FIRST
    assert max(await wait_after(STABLE_S - 0.001)) > 10 * RETRY_S_FIRST


@pytest.mark.parametrize("attempts", [[bug], [refused, bug], [up_for(60), bug]])
async def test_a_bug_latches_the_device_as_faulted_and_is_logged_with_its_traceback(
    attempts: list[Callable[[Flaky, Context], None]],
) -> None:
    watch = Watch()
    driver = Flaky(watch.clock, [*attempts, refused])
    supervisor = watch.supervisor(driver)
    with capture_logs() as logs:
        await asyncio.wait_for(supervisor.run(), 5)
    assert supervisor.status.state == "fault"
    assert supervisor.status.error == "KeyError: 'a bug of ours'"
    assert driver.attempts == [refused], "it is never started again"
    faults = [line for line in logs if line["event"] == "device.fault"]
    assert len(faults) == 1
    assert isinstance(faults[0]["exc_info"], KeyError)


async def test_a_driver_that_returns_is_faulted() -> None:
    class Returning:
        name = "gun-1"

        async def run(self, context: Context) -> None:
            pass

    watch = Watch()
    supervisor = watch.supervisor(Returning())
    await asyncio.wait_for(supervisor.run(), 5)
    assert supervisor.status.state == "fault"
    assert "returned instead of raising" in str(supervisor.status.error)


async def test_a_faulted_driver_leaves_the_others_running() -> None:
    watch = Watch()
    broken, sound = Flaky(watch.clock, [bug]), Flaky(watch.clock, [], name="qr-1")
    async with asyncio.TaskGroup() as group:
        group.create_task(watch.supervisor(broken).run())
        running = group.create_task(watch.supervisor(sound).run())
        for _ in range(5):
            await asyncio.sleep(0)
        assert sound.context is not None
        sound.context.up("a scanner")
        sound.context.emit(CodeRead("qr-1", "123", 1))
        assert not running.done()
        running.cancel()
    last = {status.name: status.state for status in watch.statuses}
    assert last == {"gun-1": "fault", "qr-1": "up"}
    assert watch.readings == [CodeRead("qr-1", "123", 1)]


async def test_a_second_up_tells_more_and_is_no_news() -> None:
    def twice(_driver: Flaky, context: Context) -> None:
        context.up("reader 7")
        context.up("reader 7")
        context.up("reader 7, serves antenna 1")

    watch = Watch()
    _, logs = await play(watch, [twice])
    assert [s.detail for s in watch.statuses] == ["", "reader 7", "reader 7, serves antenna 1"]
    assert logs == [("device.up", "info")]


async def test_noise_is_counted_and_the_last_of_it_can_be_shown() -> None:
    def noisy(_driver: Flaky, context: Context) -> None:
        context.noise("bad CRC", bytes(range(200)))
        context.noise("no answer", b"")

    watch = Watch()
    supervisor, _ = await play(watch, [noisy])
    assert (supervisor.counters.noises, supervisor.counters.noise_reason) == (2, "no answer")
    assert supervisor.counters.noise_hex == bytes(range(NOISE_BYTES_SHOWN)).hex()
    (unread,) = watch.unread
    assert (unread.why, unread.raw) == ("bad CRC", bytes(range(UNREAD_BYTES_SHOWN)))


@pytest.mark.parametrize("up", [True, False])
async def test_cancelling_ends_it_at_once_while_serving_and_while_waiting(*, up: bool) -> None:
    watch = Watch()
    forever: Callable[[float], Awaitable[object]] = lambda _: asyncio.Event().wait()  # noqa: E731 - a value
    supervisor = Supervisor(
        Flaky(watch.clock, [] if up else [refused]),
        clock=watch.clock,
        emit=watch.readings.append,
        on_status=watch.statuses.append,
        sleep=forever,
    )
    running = asyncio.ensure_future(supervisor.run())
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 1)
    assert len(asyncio.all_tasks()) == 1

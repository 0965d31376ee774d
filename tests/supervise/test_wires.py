"""Where a wire's time goes is seen from outside, and told again only when it changed."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from drivers.contract import Context
from drivers.links import TcpLink
from drivers.plc.budget import Budget, UnitShare
from drivers.plc.modbus import DRIVER
from drivers.plc.settings import PlcModbusSettings
from drivers.plc.wire import Wire
from gatewayd.board import Board
from gatewayd.clock import ManualClock, SystemClock
from gatewayd.devices import show_device
from gatewayd.supervise import Supervisor
from gatewayd.wires import LOOK_EVERY_S, WireNews, changed, picture
from tests.support.plcs import REFERENCE, Plc, TcpServer
from tests.support.waiting import until

ZONE = ZoneInfo("Asia/Shanghai")


def budget(*used: float, resting: tuple[int, ...] = ()) -> Budget:
    by_unit = {number: UnitShare(one, 0.0, 9, 0) for number, one in enumerate(used, 1)}
    return Budget("serial:/dev/ttyS0", sum(used), 1 - sum(used), by_unit, resting)


class Scale:
    """A driver that is never run."""

    name = "scale-1"

    async def run(self, context: Context) -> None:
        raise AssertionError(context)


def test_a_budget_is_shown_in_whole_percent() -> None:
    assert picture(budget(0.204, 0.3, resting=(2,))) == {
        "name": "serial:/dev/ttyS0",
        "used": 50,
        "spare": 50,
        "by_unit": {"1": {"used": 20, "missed": 0}, "2": {"used": 30, "missed": 0}},
        "resting": [2],
    }
    assert picture(None) is None


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        (budget(0.2), budget(0.21), False),
        (budget(0.2), budget(0.23), True),
        (budget(0.2), budget(0.2, resting=(1,)), True),
        (budget(0.2), budget(0.2, 0.001), False),
        (budget(0.2), budget(0.2, 0.1), True),
        (None, budget(0.2), True),
        (budget(0.2), None, True),
        (None, None, False),
    ],
)
def test_what_moved_by_less_than_the_dead_band_is_no_news(
    before: Budget | None, after: Budget | None, *, news: bool
) -> None:
    assert changed(before, after) is news


def test_a_wire_is_looked_at_now_and_then() -> None:
    clock = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))
    now = [budget(0.2)]
    supervisor = Supervisor(
        Scale(), clock=clock, emit=lambda _: None, on_status=lambda _: None, budget=lambda: now[0]
    )
    news = WireNews(clock)
    assert news.count(supervisor) == 0
    clock.advance(seconds=LOOK_EVERY_S - 0.1)
    assert news.count(supervisor) == 0
    clock.advance(seconds=0.1)
    assert [news.count(supervisor) for _ in range(2)] == [1, 1]
    now[0] = budget(0.4)
    assert news.count(supervisor) == 1
    clock.advance(seconds=LOOK_EVERY_S)
    assert news.count(supervisor) == 2


async def test_the_status_of_a_gate_says_what_it_takes_of_its_wire() -> None:
    board = Board()
    async with TcpServer({1: Plc()}).serving() as server:
        link = TcpLink(tcp=f"127.0.0.1:{server.port}")
        settings = PlcModbusSettings(link=link, profile=REFERENCE.id, poll_ms=20)
        driver = DRIVER.make("plc-1", settings, {REFERENCE.id: REFERENCE})
        supervisor = Supervisor(
            driver,
            clock=SystemClock(),
            emit=lambda _: None,
            on_status=lambda _: show_device(board, supervisor, ZONE),
            budget=lambda: Wire.budget_of(link.wire()),
        )
        running = asyncio.ensure_future(supervisor.run())
        await until(lambda: supervisor.status.state == "up")
        shown = board.get("devices/plc-1/status")
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    assert shown is not None
    assert shown["wire"]["name"] == link.wire()
    assert shown["wire"]["used"] + shown["wire"]["spare"] == 100
    assert set(shown["wire"]["by_unit"]) == {"1"}

"""Troubles of a device: told once, counted, gone when quiet, and in the device state for everyone."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from structlog.testing import capture_logs

from drivers import troubles
from drivers.contract import Context, DriverError, Trouble
from gatewayd.board import Board
from gatewayd.clock import ManualClock
from gatewayd.devices import COUNTS_S, DeviceNews, show_device
from gatewayd.supervise import Supervisor
from gatewayd.troubles import TROUBLE_QUIET_S, TROUBLES_MAX, Troubles

START = datetime(2026, 3, 1, tzinfo=UTC)
FLOOD = troubles.flood(500)
TWO = troubles.several_tags(1, ("E2801160", "E2801161"))
DIALECT = troubles.wrong_dialect("18", "288")


def standing(clock: ManualClock, changes: list[int] | None = None) -> Troubles:
    told = changes if changes is not None else []
    return Troubles("gun-1", clock, lambda: told.append(1))


def kinds(found: Troubles) -> list[tuple[str, int]]:
    return [(each.trouble.kind, each.count) for each in found.standing]


def test_a_trouble_told_again_is_counted_and_keeps_when_it_began() -> None:
    clock = ManualClock(START)
    changes: list[int] = []
    found = standing(clock, changes)
    with capture_logs() as logs:
        for _ in range(50):
            found.add(FLOOD)
            clock.advance(seconds=1)
        found.add(TWO)
    assert kinds(found) == [("flood", 50), ("several_tags", 1)]
    assert [each.since for each in found.standing] == [START, START + timedelta(seconds=50)]
    assert [line["kind"] for line in logs] == ["flood", "several_tags"]
    assert len(changes) == 2, "a repeated trouble is no change"


def test_the_newest_text_of_a_kind_is_shown() -> None:
    found = standing(ManualClock(START))
    found.add(TWO)
    found.add(troubles.several_tags(2, ("AA", "BB")))
    assert "antenna 2" in found.standing[0].trouble.en


def test_a_quiet_trouble_is_gone_with_one_line() -> None:
    clock = ManualClock(START)
    changes: list[int] = []
    found = standing(clock, changes)
    found.add(FLOOD)
    clock.advance(seconds=TROUBLE_QUIET_S - 0.001)
    found.sweep()
    assert kinds(found) == [("flood", 1)]
    clock.advance(seconds=0.001)
    with capture_logs() as logs:
        found.sweep()
        found.sweep()
    assert kinds(found) == []
    assert [(line["event"], line["kind"]) for line in logs] == [("device.trouble_gone", "flood")]
    assert len(changes) == 2


def test_the_reason_of_a_lost_device_stands_until_it_is_up_or_fails_otherwise() -> None:
    clock = ManualClock(START)
    found = standing(clock)
    found.lost(DIALECT)
    clock.advance(seconds=10 * TROUBLE_QUIET_S)
    found.sweep()
    found.lost(DIALECT)
    assert kinds(found) == [("wrong_dialect", 2)]
    found.lost(troubles.wrong_baud())
    assert kinds(found) == [("wrong_baud", 1)]
    found.up()
    assert kinds(found) == []


def test_more_kinds_than_the_limit_are_not_kept() -> None:
    found = standing(ManualClock(START))
    for number in range(TROUBLES_MAX + 3):
        found.add(Trouble(f"kind_{number}", "中", "en"))
    assert len(found.standing) == TROUBLES_MAX


class Scripted:
    """Meets troubles, is lost with one, then serves."""

    name = "gun-1"

    def __init__(self) -> None:
        self.attempt = 0

    async def run(self, context: Context) -> None:
        self.attempt += 1
        if self.attempt == 1:
            context.up("reader")
            context.trouble(FLOOD)
            raise DriverError("refused", DIALECT)
        await asyncio.Event().wait()


def test_a_trouble_that_goes_on_is_not_told_at_every_look() -> None:
    """Over a mobile link each telling of a retained state costs; a new kind is told at once."""
    clock = ManualClock(START)
    supervisor = Supervisor(Scripted(), clock=clock, emit=lambda _: None, on_status=lambda _: None)
    news, told = DeviceNews(clock), []
    assert not news.of(supervisor), "nothing to tell of it"
    for look in range(round(10 * COUNTS_S)):
        if look == 8:
            supervisor.troubles.add(TWO)
        supervisor.troubles.add(FLOOD)
        told.append(news.of(supervisor))
        clock.advance(seconds=0.1)
    assert told[0], "the first word of it"
    assert told[8], "another kind"
    assert told.count(True) == 2
    assert news.of(supervisor) is False
    clock.advance(seconds=COUNTS_S)
    assert news.of(supervisor), "how often it was told so far"
    clock.advance(seconds=COUNTS_S)
    assert not news.of(supervisor), "nothing new"


async def test_the_device_state_tells_every_trouble_in_both_languages() -> None:
    clock, board = ManualClock(START), Board()
    driver = Scripted()
    zone = ZoneInfo("Asia/Shanghai")

    async def sleep(_seconds: float) -> None:
        await asyncio.sleep(0)

    supervisor = Supervisor(
        driver,
        clock=clock,
        emit=lambda _: None,
        on_status=lambda _: show_device(board, supervisor, zone),
        sleep=sleep,
    )
    running = asyncio.ensure_future(supervisor.run())
    for _ in range(10):
        await asyncio.sleep(0)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    shown = board.get("devices/gun-1/status")
    assert shown is not None
    assert shown["state"] == "down"
    assert shown["troubles"] == [
        {
            "kind": trouble.kind,
            "message": {"zh": trouble.zh, "en": trouble.en},
            "since": "2026-03-01T08:00:00.000+08:00",
            "count": 1,
        }
        for trouble in (FLOOD, DIALECT)
    ]

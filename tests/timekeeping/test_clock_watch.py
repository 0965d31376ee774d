"""What others hear of the clock: board, alarm and store, once for each change."""

import json
from pathlib import Path

from gatewayd.alarms.alarms import Alarms
from gatewayd.board import Board
from gatewayd.timekeeping.watch import ALARM, TOPIC, ClockWatch
from tests.support.stores import STATION, ZONE
from tests.timekeeping.machine import Site, site


def watching(here: Site) -> tuple[ClockWatch, Board, Alarms]:
    board = Board()
    alarms = Alarms(STATION, store=here.store, board=board, clock=here.machine, zone=ZONE)
    watch = ClockWatch(
        here.keeper, store=here.store, board=board, clock=here.machine, zone=ZONE, alarms=alarms
    )
    return watch, board, alarms


async def test_a_clock_in_doubt_is_shown_alarmed_and_kept_and_so_is_its_end(tmp_path: Path) -> None:
    here = site(tmp_path)
    watch, board, alarms = watching(here)
    await watch.once()
    shown = board.get(TOPIC)
    assert shown is not None
    assert (shown["state"], shown["synchronised"], shown["doubt"]) == ("gateway", False, None)
    assert shown["since"] == "2026-08-01T20:00:00+08:00"
    assert not alarms.stands(ALARM, TOPIC)

    here.machine.pass_(10)
    here.machine.set_by(3_600)
    await watch.once()
    shown = board.get(TOPIC)
    assert shown is not None
    assert (shown["state"], shown["doubt"]["kind"]) == ("untrusted", "jumped")
    assert "+3600 s" in shown["doubt"]["message"]["zh"]
    assert "gatewayd clock accept" in shown["doubt"]["message"]["en"]
    assert alarms.stands(ALARM, TOPIC)
    assert not here.store.clock_mark().believed

    here.machine.set_by(-3_600)
    here.machine.pass_(1)
    await watch.once()
    shown = board.get(TOPIC)
    assert shown is not None
    assert (shown["state"], shown["doubt"]) == ("gateway", None)
    assert shown["since"] == "2026-08-01T20:00:11+08:00"
    assert not alarms.stands(ALARM, TOPIC)
    assert here.store.clock_mark().believed
    await alarms.flush()
    (record,) = here.store.records(kind="alarm")
    assert "+3600 s" in json.loads(record.body)["data"]["detail"]
    await here.store.close()


async def test_a_time_server_is_noticed_within_the_refresh(tmp_path: Path) -> None:
    here = site(tmp_path)
    watch, board, _ = watching(here)
    await watch.once()
    here.machine.ntp = True
    here.machine.pass_(4.9)
    await watch.once()
    shown = board.get(TOPIC)
    assert shown is not None
    assert shown["state"] == "gateway"
    here.machine.pass_(0.1)
    await watch.once()
    shown = board.get(TOPIC)
    assert shown is not None
    assert (shown["state"], shown["synchronised"]) == ("ntp", True)
    await here.store.close()

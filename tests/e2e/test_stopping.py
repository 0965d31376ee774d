"""SIGTERM in bad moments: five seconds, exit 0, and the next start settles what was open."""

from pathlib import Path

import apsw
import pytest

from gatewayd.alarms import words
from gatewayd.clock import SECOND, SystemClock
from gatewayd.ids import new_id
from gatewayd.store.model import StoredAlarm
from gatewayd.store.reads import Reader
from tests.e2e.house import House
from tests.support.stores import NOON, STATION, open_store, permit
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

SLOW = 2.0
"""Times life: a fill goes on for longer than a busy machine takes to notice that it began."""
STOP_WITHIN_S = 5.0
AGREE_G = 20
ORPHANED = "permit_orphaned"


async def stopped(house: House) -> float:
    """Stop the daemon; seconds it took."""
    clock = SystemClock()
    began_ns = clock.monotonic_ns()
    assert await house.daemon.stop() == 0, house.daemon.log()[-2000:]
    return (clock.monotonic_ns() - began_ns) / SECOND


async def test_a_gate_that_is_gone_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    async with House(tmp_path, speed=SLOW) as house:
        rig = house.station.rigs[0]
        await house.fill(house.legal[0])
        rig.plc_wire.unplug()
        assert await stopped(house) < STOP_WITHIN_S
        assert house.stored() == []
        await until(lambda: not rig.plc.valve_open)
        await rig.plc_wire.plug()
        await house.daemon.start()
        await house.until(lambda: len(house.fills()) == 1)
        (fill,) = house.fills()
        assert fill["outcome"] == "interrupted"
        assert fill["net_g"] == pytest.approx(rig.plc.retained.total_g, abs=AGREE_G)


async def test_a_store_that_is_locked_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    async with House(tmp_path, speed=SLOW) as house:
        rig = house.station.rigs[0]
        await house.fill(house.legal[0])
        backup = apsw.Connection(str(house.config / "gatewayd.db"))
        backup.execute("BEGIN IMMEDIATE")
        took_s = await stopped(house)
        backup.execute("ROLLBACK")
        backup.close()
        assert not rig.plc.valve_open
        assert took_s < STOP_WITHIN_S
        await house.daemon.start()
        await house.until(lambda: len(house.fills()) == 1)
        (fill,) = house.fills()
        assert fill["net_g"] == pytest.approx(rig.plc.retained.total_g, abs=AGREE_G)


async def test_a_permit_of_a_rig_that_is_gone_is_named_at_start(tmp_path: Path) -> None:
    async with House(tmp_path, start=False) as house:
        store = open_store(house.config)
        await store.issue(permit(rig_id="rig-9"))
        before = StoredAlarm(ORPHANED, "rig-1", "", "warning", NOON, new_id(), 1, "", {})
        await store.append(words.draft(before, "raised", station_id=STATION, at=NOON))
        await store.close()
        await house.daemon.start()
        await house.ready()
        (event,) = house.daemon.events("permit.orphaned")
        assert event["rig"] == "rig-9"
        with Reader.open(house.config / "gatewayd.db") as reader:
            await until(lambda: _orphans(reader) == ["rig-9"])  # rig-1 has its old name again.


def _orphans(reader: Reader) -> list[str]:
    return [each.subject for each in reader.alarms(standing=True) if each.kind == ORPHANED]

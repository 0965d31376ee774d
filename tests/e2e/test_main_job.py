"""The main job end to end: real daemon process, real broker, simulated devices on real wires."""

import json
import signal
from functools import partial
from pathlib import Path

import pytest

from gatewayd.sim.gate_map import Status
from tests.e2e.house import LOOP_LATE_MS, House, drained_ms
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

REASONS = (
    "CODE_UNKNOWN",
    "NOT_OWN",
    "OVERDUE",
    "INSPECTION_FAILED",
    "LIFE_EXCEEDED",
    "SCRAPPED",
    "CANCELLED",
    "WRONG_GAS",
    "FILL_COUNT",
    "DATA_MISSING",
)
AGREE_G = 20
SLOW = 4.0
LEASE_MS = 1500
"""Times life: a fill takes longer than a lease, so that it can be cut short."""


async def test_a_legal_cylinder_is_filled_and_its_record_arrives(tmp_path: Path) -> None:
    async with House(tmp_path, rigs=2) as house:
        for index, rig in enumerate(house.station.rigs):
            cylinder = house.legal[index]
            await house.fill(cylinder, index)
            await house.rig_state(rig.name, "locked")
            (record,) = [r for r in await house.settled() if r["data"]["rig_id"] == rig.name]
            data = record["data"]
            assert record["type"] == "gatewayd.fill.v1"
            assert data["outcome"] == "completed"
            assert data["cylinder"]["code"] == cylinder.code
            assert abs(data["net_g"] - data["target_g"]) <= 200
            assert data["total_after_g"] - data["total_before_g"] == pytest.approx(
                data["net_g"], abs=AGREE_G
            )
            rig.take_away()
        assert await house.daemon.stop() == 0
        await house.until(lambda: house.newest("status").get("state") == "offline")


def _refused(house: House, count: int) -> bool:
    return len(house.refusals()) == count


async def test_every_reason_refuses_and_the_valve_stays_shut(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        rig = house.station.rigs[0]
        for count, reason in enumerate(REASONS, start=1):
            rig.bring(house.illegal(reason))
            await house.rig_state("rig-1", "refused")
            await house.until(partial(_refused, house, count))
            rig.press_start()
            codes = [f["code"] for f in house.refusals()[-1]["verdict"]["findings"]]
            assert reason in codes
            rig.take_away()
            await house.rig_state("rig-1", "locked")
        assert rig.plc.retained.total_g == 0
        assert house.fills() == []


async def test_a_permit_that_is_not_taken_up_expires(tmp_path: Path) -> None:
    async with House(tmp_path, start_within_s=2) as house:
        rig = house.station.rigs[0]
        rig.bring(house.legal[0])
        await house.rig_state("rig-1", "permitted")
        await house.until(lambda: len(house.fills()) == 1)
        (fill,) = house.fills()
        assert (fill["outcome"], fill["net_g"], fill["end_reason"]) == ("not_started", 0, "expired")
        assert rig.plc.permit_echo == 0
        rig.press_start()
        await house.rig_state("rig-1", "locked")
        assert rig.plc.retained.total_g == 0


async def test_a_stopped_daemon_loses_the_lease_in_time(tmp_path: Path) -> None:
    async with House(tmp_path, lease_ms=LEASE_MS, speed=SLOW) as house:
        rig = house.station.rigs[0]
        await house.fill(house.legal[0])
        house.daemon.send(signal.SIGSTOP)
        stopped_ms = await drained_ms(rig)
        await until(lambda: not rig.plc.valve_open)
        assert rig.plc.shut_ms - rig.plc.renewed_ms <= LEASE_MS
        assert rig.plc.renewed_ms - stopped_ms <= LOOP_LATE_MS
        house.daemon.send(signal.SIGCONT)
        await house.until(lambda: len(house.fills()) == 1)
        (fill,) = house.fills()
        assert fill["outcome"] == "interrupted"
        assert fill["net_g"] == pytest.approx(rig.plc.retained.total_g, abs=AGREE_G)
        rig.press_start()
        await house.rig_state("rig-1", "locked")
        assert not rig.plc.valve_open


async def test_a_stall_with_an_unused_permit_voids_it(tmp_path: Path) -> None:
    async with House(tmp_path, lease_ms=LEASE_MS) as house:
        rig = house.station.rigs[0]
        rig.bring(house.legal[0])
        await house.rig_state("rig-1", "permitted")
        house.daemon.send(signal.SIGSTOP)
        await until(lambda: rig.plc.permit_echo == 0)
        house.daemon.send(signal.SIGCONT)
        await house.until(lambda: len(house.fills()) == 1)
        assert house.fills()[0]["outcome"] == "not_started"


@pytest.mark.parametrize("dead_s", ["short", "long"])
async def test_sigkill_during_a_fill_ends_in_one_true_record(tmp_path: Path, dead_s: str) -> None:
    async with House(tmp_path, speed=SLOW) as house:
        rig = house.station.rigs[0]
        await house.fill(house.legal[0])
        await house.daemon.kill()
        if dead_s == "long":
            await until(lambda: Status.FILLING not in rig.plc.status)
        await house.daemon.start()
        await house.until(lambda: len(house.fills()) == 1)
        (fill,) = house.fills()
        assert fill["outcome"] in ("interrupted", "completed")
        assert fill["net_g"] == pytest.approx(rig.plc.retained.total_g, abs=AGREE_G)
        await house.rig_state("rig-1", "locked")
        rig.press_start()
        rig.take_away()
        assert await house.daemon.stop() == 0
        assert len(house.stored()) == 1


async def test_a_cylinder_that_stayed_on_after_a_crash_is_not_filled_again(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        rig = house.station.rigs[0]
        await house.fill(house.legal[0])
        await house.rig_state("rig-1", "locked")
        await house.daemon.kill()
        await house.daemon.start()
        await house.until(lambda: len(house.daemon.events("gatewayd.started")) == 2)
        await house.rig_state("rig-1", "locked")
        code, _, _ = await house.daemon.say("records", "verify")
        assert code == 0
        assert rig.plc.permit_echo == 0
        assert len(house.stored()) == 1


async def test_an_unplugged_plc_closes_by_itself_and_the_fill_is_settled(tmp_path: Path) -> None:
    async with House(tmp_path, speed=SLOW) as house:
        rig = house.station.rigs[0]
        await house.fill(house.legal[0])
        rig.plc_wire.unplug()
        await house.rig_state("rig-1", "fault")
        await until(lambda: not rig.plc.valve_open)
        await rig.plc_wire.plug()
        await house.until(lambda: len(house.fills()) == 1)
        (fill,) = house.fills()
        assert fill["outcome"] == "interrupted"
        assert fill["net_g"] == pytest.approx(rig.plc.retained.total_g, abs=AGREE_G)
        assert len(house.daemon.events("device.down")) == 1


async def test_an_unplugged_reader_stops_the_fill_and_faults_the_rig(tmp_path: Path) -> None:
    async with House(tmp_path, speed=SLOW) as house:
        rig = house.station.rigs[0]
        await house.fill(house.legal[0])
        rig.reader_wire.unplug()
        await house.rig_state("rig-1", "fault")
        await until(lambda: not rig.plc.valve_open)
        await house.until(lambda: len(house.fills()) == 1)
        assert house.fills()[0]["outcome"] == "aborted"
        rig.take_away()
        await rig.reader_wire.plug()
        await house.rig_state("rig-1", "locked")


async def test_a_second_tag_is_ambiguous(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        rig = house.station.rigs[0]
        rig.reader.tag_in(house.legal[1].epc)
        rig.bring(house.legal[0])
        await house.until(lambda: len(house.refusals()) == 1)
        assert house.refusals()[0]["verdict"]["findings"][0]["code"] == "AMBIGUOUS"
        rig.press_start()
        rig.take_away()
        await house.rig_state("rig-1", "locked")
        assert rig.plc.retained.total_g == 0


async def test_a_second_tag_during_a_fill_locks(tmp_path: Path) -> None:
    async with House(tmp_path, speed=SLOW) as house:
        rig = house.station.rigs[0]
        await house.fill(house.legal[0])
        rig.reader.tag_in(house.legal[1].epc)
        await until(lambda: not rig.plc.valve_open)
        await house.until(lambda: len(house.fills()) == 1)
        assert house.fills()[0]["end_reason"] == "second_tag"


async def test_sigterm_during_a_fill_closes_records_and_leaves_in_time(tmp_path: Path) -> None:
    async with House(tmp_path, speed=SLOW) as house:
        rig = house.station.rigs[0]
        await house.fill(house.legal[0])
        assert await house.daemon.stop() == 0
        assert not rig.plc.valve_open
        (record,) = house.stored()
        assert record["data"]["outcome"] == "aborted"
        assert record["data"]["net_g"] == pytest.approx(rig.plc.retained.total_g, abs=AGREE_G)


async def test_records_chain_without_a_gap_and_verify(tmp_path: Path) -> None:
    async with House(tmp_path, rigs=2) as house:
        for reason in ("OVERDUE", "SCRAPPED"):
            for rig in house.station.rigs:
                rig.bring(house.illegal(reason))
                await house.rig_state(rig.name, "refused")
                rig.take_away()
                await house.rig_state(rig.name, "locked")
        records = await house.settled()
        assert [r["sequence"] for r in records] == [1, 2, 3, 4]
        assert records[0]["prevhash"] == "0" * 64
        assert [r["prevhash"] for r in records[1:]] == [r["hash"] for r in records[:-1]]
        code, out, _ = await house.daemon.say("records", "verify", "--json")
        assert code == 0
        assert json.loads(out)["ok"] is True

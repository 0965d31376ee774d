"""Everything that can go away and come back: broker, devices, power, the daemon itself."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from gatewayd.sim.cylinders import SimCylinder
from gatewayd.sim.gate_map import Status
from gatewayd.sim.rig import SimRig
from tests.e2e.house import House, started
from tests.support.brokers import IotCore
from tests.support.relay import Relay
from tests.support.subscribers import Subscriber
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

AGREE_G = 20
SLOW = 4.0


async def _take_away(rig: SimRig) -> None:
    """Away long enough for two polls: nobody swaps cylinders faster than that."""
    rig.take_away()
    await until(lambda: Status.CYLINDER_ON not in rig.plc.status)
    asked = rig.plc.slave.requests
    await until(lambda: rig.plc.slave.requests >= asked + 2)


async def _refuse(house: House, rig: SimRig, reason: str) -> None:
    """One refusal, seen only through the store: no broker is needed."""
    before = len(house.stored())
    rig.bring(house.illegal(reason))
    await until(lambda: len(house.stored()) == before + 1)
    await _take_away(rig)


async def _fill(house: House, rig: SimRig, cylinder: SimCylinder) -> None:
    """One whole fill, seen only through the PLC and the store."""
    before = len(house.stored())
    rig.bring(cylinder)
    await until(lambda: Status.PERMITTED in rig.plc.status)
    await started(rig)
    await until(lambda: len(house.stored()) == before + 1)
    await _take_away(rig)


def _arrived(seen: Subscriber) -> list[dict[str, Any]]:
    """Every record as it arrived: copies, order and all."""
    return [json.loads(message.payload) for message in seen.messages("/records/")]


async def test_a_broker_away_for_the_whole_run_gets_every_record_once_in_order(
    tmp_path: Path,
) -> None:
    async with House(tmp_path, start=False, broker_up=False) as house:
        rig = house.station.rigs[0]
        await house.daemon.start()
        await _fill(house, rig, house.legal[0])
        await _refuse(house, rig, "OVERDUE")
        assert await house.daemon.stop() == 0
        await house.daemon.start()
        await _refuse(house, rig, "SCRAPPED")
        stored = house.stored()
        await asyncio.to_thread(house.broker.start)
        house.watch()
        await house.settled()
        assert house.seen is not None
        assert _arrived(house.seen) == stored
        assert [record["sequence"] for record in stored] == [1, 2, 3]


async def test_a_broker_that_dies_again_and_again_misses_nothing(tmp_path: Path) -> None:
    def through_the_relay(config: Path) -> None:
        file = config / "gateway.yaml"
        file.write_text(file.read_text().replace(house.broker.url, relay.url))

    house = House(tmp_path, start=False, edit=through_the_relay)
    async with Relay(house.broker.port) as relay, house:
        rig = house.station.rigs[0]
        await house.daemon.start()
        received: dict[str, dict[str, Any]] = {}
        for reason in ("OVERDUE", "SCRAPPED", "NOT_OWN"):
            await _refuse(house, rig, reason)
            assert house.seen is not None
            received |= {record["id"]: record for record in _arrived(house.seen)}
            relay.close()
            house.seen.__exit__(None, None, None)
            await asyncio.to_thread(house.broker.restart)
            house.watch()
            await _refuse(house, rig, "CANCELLED")
            relay.open()
        assert house.seen is not None
        seen, stored = house.seen, house.stored()
        await house.until(lambda: any(r["sequence"] == len(stored) for r in _arrived(seen)))
        received |= {record["id"]: record for record in _arrived(seen)}
        everything = sorted(received.values(), key=lambda record: int(record["sequence"]))
        assert everything == stored
        assert [record["sequence"] for record in stored] == list(range(1, 7))


async def test_the_main_job_runs_on_the_embedded_broker_too(tmp_path: Path) -> None:
    async with House(tmp_path, broker=IotCore) as house:
        rig = house.station.rigs[0]
        await house.fill(house.legal[0])
        await house.until(lambda: len(house.fills()) == 1)
        await _take_away(rig)
        await _refuse(house, rig, "WRONG_GAS")
        records = await house.settled()
        assert records == house.stored()
        assert house.fills()[0]["outcome"] == "completed"
        await house.daemon.kill()
        await house.until(lambda: house.newest("status").get("state") == "offline")


async def test_a_killed_daemon_is_shown_offline_by_its_last_will(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        assert house.newest("status")["state"] == "online"
        await house.daemon.kill()
        await house.until(lambda: house.newest("status")["state"] == "offline")
        with Subscriber(house.broker.port, "#") as later:
            topic = f"gatewayd/v1/{house.station.spec.station_id}/status"
            await later.until(lambda: later.last(topic) is not None)
            last = later.last(topic)
            assert last is not None
            assert last.retain
            assert json.loads(last.payload)["state"] == "offline"


DEVICES = ("rig-1-gun", "rig-1-plc", "rig-1-qr")


def _states(house: House) -> set[str]:
    return {house.newest(f"devices/{name}/status").get("state", "") for name in DEVICES}


def _told(house: House, event: str) -> dict[str, int]:
    """How often the log says this of each device."""
    events = [line["device"] for line in house.daemon.events(event)]
    return {name: events.count(name) for name in DEVICES}


def _errors(house: House) -> list[str | None]:
    return [house.newest(f"devices/{name}/status")["error"] for name in DEVICES]


async def test_devices_that_are_off_at_the_start_work_once_they_are_plugged_in(
    tmp_path: Path,
) -> None:
    async with House(tmp_path, start=False) as house:
        rig = house.station.rigs[0]
        for wire in rig.wires:
            wire.unplug()
        await house.daemon.start()
        await house.until(lambda: _states(house) == {"connecting"})
        await house.rig_state("rig-1", "fault")
        await house.until(lambda: all(_errors(house)))  # each says why
        for wire in rig.wires:
            await wire.plug()
        await house.until(lambda: _states(house) == {"up"})
        await house.rig_state("rig-1", "locked")
        assert _told(house, "device.down") == dict.fromkeys(DEVICES, 1)
        assert _told(house, "device.up") == dict.fromkeys(DEVICES, 1)
        rig.bring(house.legal[0])
        await house.rig_state("rig-1", "permitted")


async def test_an_outage_of_an_idle_reader_is_told_once_and_ends_by_itself(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        rig = house.station.rigs[0]
        await house.until(lambda: _states(house) == {"up"})
        for outage in (1, 2):
            rig.reader_wire.unplug()
            await house.rig_state("rig-1", "fault")
            assert house.newest("rigs/rig-1/state")["fault"] == "rig-1-gun"
            await rig.reader_wire.plug()
            await house.rig_state("rig-1", "locked")
            counts = {"rig-1-gun": outage, "rig-1-plc": 0, "rig-1-qr": 0}
            assert _told(house, "device.down") == counts
            assert _told(house, "device.up") == {n: 1 + c for n, c in counts.items()}
        assert house.stored() == []


def _settle_soon(config: Path) -> None:
    """A PLC that forgot the fill never names it: do not wait for that as long as in the field."""
    file = config / "rigs" / "rig-1.yaml"
    file.write_text(file.read_text().replace("medium: LPG", "medium: LPG\n    settle_within_s: 3"))


@pytest.mark.parametrize("keep", [True, False], ids=["memory_kept", "memory_lost"])
async def test_a_power_cut_at_the_plc_during_a_fill_ends_in_one_true_record(
    tmp_path: Path, *, keep: bool
) -> None:
    async with House(tmp_path, speed=SLOW, edit=_settle_soon) as house:
        rig, cylinder = house.station.rigs[0], house.legal[0]
        await house.fill(cylinder)
        await until(lambda: rig.plc.retained.net_g > 1000)
        await rig.power_cut(keep=keep)
        assert not rig.plc.valve_open
        await house.until(lambda: len(house.fills()) == 1)
        (fill,) = house.fills()
        true_g = rig.plant.delivered_g[cylinder.code]
        assert fill["outcome"] == "interrupted"
        assert fill["net_g"] == pytest.approx(true_g, abs=AGREE_G)
        rig.press_start()
        rig.take_away()
        await house.rig_state("rig-1", "locked")
        await house.settled()
        assert len(house.fills()) == 1
        alarms = [record["data"]["code"] for record in house.records("alarm")]
        assert alarms == ([] if keep else ["totaliser_mismatch"])
        assert rig.plant.passed_g == pytest.approx(true_g, abs=AGREE_G)

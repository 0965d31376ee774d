"""The whole simulated station: its archive, its configuration, its people, its sums."""

import asyncio
import os
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import date
from itertools import islice
from pathlib import Path

import pytest

from gatewayd.settings.load import load
from gatewayd.sim.cylinders import FLAWS, SimCylinder, make_fleet, write_csv
from gatewayd.sim.station import SimStation, StationSpec
from gatewayd.sim.worker import Habits, plan
from protocols.tags import epc
from rules_engine.engine import judge
from rules_engine.facts import derive, group
from tests.sim.stand_in_gateway import StandInGateway
from tests.support.archives import read
from tests.support.rules import cn_lpg
from tests.support.waiting import until

TODAY = date(2026, 7, 1)
OWNER = "3701000042"
HASTE = Habits(
    patience_s=1.5, reach_s=0.05, start_within_s=3, fill_within_s=20, linger_s=0.2, gap_s=0.3
)
SPEC = StationSpec(today=TODAY, seed=4, speed=80, habits=HASTE)
WITHIN_S = 40


def findings(cylinder: SimCylinder) -> set[str]:
    known = cylinder.reason != "CODE_UNKNOWN"
    facts = {
        **(group("cylinder", cylinder.entry.known()) if known else {}),
        "code.known": known,
        "code.text": cylinder.code,
        "rig.medium": "LPG",
        "station.owners": (OWNER,),
        "clock.today": TODAY,
    }
    verdict = judge([cn_lpg()], derive(facts))
    return {finding.code for finding in verdict.findings if finding.severity == "deny"}


@pytest.mark.parametrize("seed", range(3))
def test_the_shipped_rules_refuse_every_cylinder_for_its_one_reason(seed: int) -> None:
    fleet = make_fleet(today=TODAY, seed=seed, owner=OWNER, legal=40)
    assert [findings(one) for one in fleet.legal] == [set()] * 40
    for one in fleet.illegal:
        expected = {one.reason}
        found = findings(one)
        assert expected <= found, (one.reason, found)
        if one.reason != "CODE_UNKNOWN":
            assert found == expected


def test_the_archive_file_is_what_import_reads(tmp_path: Path) -> None:
    fleet = make_fleet(today=TODAY)
    write_csv(fleet.archive(), tmp_path / "cylinders.csv")
    table = read((tmp_path / "cylinders.csv").read_bytes(), "cylinders.csv", whole=True)
    assert tuple(table.cylinders) == fleet.archive()
    codes = [one.code for one in fleet.archive()]
    assert len(set(codes)) == len(codes)
    assert all(len(code) == 16 and code.startswith("370100") for code in codes)


def test_tags_are_returnable_assets_or_opaque() -> None:
    fleet = make_fleet(today=TODAY, legal=20)
    kinds = Counter(type(epc.decode(one.epc)) for one in fleet.legal)
    assert kinds == {epc.Grai96: 10, epc.Opaque: 10}


def test_the_plan_brings_every_reason_early_and_no_cylinder_to_two_rigs() -> None:
    fleet = make_fleet(today=TODAY)
    come = [list(islice(cylinders, 100)) for cylinders in plan(fleet, 2, seed=3)]
    early = {one.reason for cylinders in come for one in cylinders[:7]}
    assert early >= set(FLAWS)
    first, second = ({one.code for one in cylinders} for cylinders in come)
    assert not first & second
    for cylinders in come:
        codes = [one.code for one in cylinders if one.reason is None]
        assert len(set(codes)) == len(codes), "none comes again before all were there"
    legal = sum(one.reason is None for cylinders in come for one in cylinders)
    assert 120 < legal < 180
    assert come == [list(islice(cylinders, 100)) for cylinders in plan(fleet, 2, seed=3)]


async def test_the_written_configuration_is_valid(tmp_path: Path) -> None:
    async with SimStation(SPEC) as station:
        station.write_config(tmp_path, "mqtt://127.0.0.1:1883")
        settings = load(tmp_path)
    assert set(settings.rigs) == {"rig-1", "rig-2"}
    assert len(settings.devices) == 5
    assert settings.store_path == tmp_path / "gatewayd.db"


async def test_two_rigs_work_through_the_real_drivers_and_the_sums_agree(tmp_path: Path) -> None:
    async with SimStation(SPEC) as station:
        station.write_config(tmp_path, None)
        settings = load(tmp_path)
        known = {one.epc: one for one in station.fleet.legal}
        gateways = [StandInGateway(rig, settings, known) for rig in station.rigs]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(gateway.run()) for gateway in gateways]
            station.start_workers()
            await until(
                lambda: all(len(worker.visits) >= 4 for worker in station.workers), WITHIN_S
            )
            await station.finish()
            for task in tasks:
                task.cancel()

        outcomes = Counter(
            (visit.outcome, visit.cylinder.reason is None) for visit in station.visits
        )
        assert set(outcomes) == {("done", True), ("refused", False)}
        fills = outcomes["done", True]
        filled_g = sum(visit.filled_g for visit in station.visits)
        assert abs(filled_g - station.totaliser_g) < 20 * fills
        assert abs(station.passed_g - station.totaliser_g) < 2 * len(station.rigs)
        assert all(visit.filled_g == 0 for visit in station.visits if visit.outcome == "refused")


async def test_a_worker_nobody_answers_gives_up_and_lets_no_gas_flow() -> None:
    async with SimStation(replace(SPEC, habits=replace(HASTE, patience_s=0.3))) as station:
        station.start_workers()
        worker = station.workers[0]
        worker.rig.plc.slave.requests = worker.rig.reader.requests = 1
        await until(lambda: worker.visits, WITHIN_S)
        assert worker.visits[0].outcome == "no_permit"
        assert station.passed_g == 0


async def test_a_start_that_nobody_permits_is_pushed_in_vain() -> None:
    async with SimStation(SPEC) as station:
        rig = station.rigs[0]
        rig.bring(station.fleet.legal[0])
        assert not await rig.start_fill(within_s=0.2)
        assert (rig.plc.retained.fills, rig.plant.passed_g) == (0, 0)


async def test_a_plc_without_power_is_gone_and_comes_back_with_or_without_memory() -> None:
    async with SimStation(SPEC) as station:
        rig = station.rigs[0]
        rig.plc.retained.total_g = 1234
        await rig.power_cut(seconds=0.05)
        assert rig.plc.retained.total_g == 1234
        rig.plc.write(0, [7])
        await rig.power_cut(keep=False, seconds=0.05)
        assert rig.plc.retained.total_g == 0
        assert rig.plc.command == (0,) * 7
        assert await rig.wait_for(bool, WITHIN_S)


def left() -> tuple[int, int]:
    """Tasks and descriptors there are."""
    return len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - an open iterator would be one more


async def test_a_station_leaves_nothing_behind() -> None:
    before = left()
    with suppress(RuntimeError):
        async with SimStation(SPEC) as station:
            station.start_workers()
            raise RuntimeError("the test fell over")
    await until(lambda: left() == before, instead=left)

"""A rig locked and a cylinder held from the command line while the real daemon fills."""

import json
from pathlib import Path

import pytest

from gatewayd.sim.gate_map import Status
from gatewayd.sim.rig import SimRig
from tests.e2e.house import House
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

SLOW = 4.0
SLOWEST = 1.0
"""Times life: a fill that lasts until a busy machine has started the command that ends it."""
WHO = ("--by", "SAMR", "--reason", "涉事故调查")


async def _gone(rig: SimRig) -> None:
    """Take the cylinder away, and wait until the daemon has had two looks at the empty scale."""
    rig.take_away()
    await until(lambda: Status.CYLINDER_ON not in rig.plc.status)
    asked = rig.plc.slave.requests
    await until(lambda: rig.plc.slave.requests >= asked + 2)


async def _say(house: House, *words: str) -> None:
    code, out, err = await house.daemon.say(*words)
    assert code == 0, (out, err)


async def test_a_lock_ends_the_fill_and_reaches_the_platform(tmp_path: Path) -> None:
    async with House(tmp_path, rigs=2, speed=SLOWEST) as house:
        rig = house.station.rigs[0]
        await house.fill(house.legal[0])
        await _say(house, "lock", "rig-1", *WHO)
        await until(lambda: Status.VALVE_OPEN not in rig.plc.status)
        await house.rig_state("rig-1", "locked")
        assert house.newest("rigs/rig-1/state")["lock"]["by"] == "SAMR"
        await house.until(lambda: len(house.fills()) == 1)
        (fill,) = house.fills()
        assert (fill["outcome"], fill["end_reason"]) == ("aborted", "regulator_lock")
        (lock,) = house.records("lock")
        assert (lock["data"]["event"], lock["data"]["by"]["who"]) == ("locked", "SAMR")
        await house.rig_state("rig-2", "locked")
        assert house.newest("rigs/rig-2/state")["lock"] is None, "the other rig goes on"
        await _gone(rig)
        rig.bring(house.legal[1])
        await house.until(lambda: len(house.refusals()) == 1)
        codes = [found["code"] for found in house.refusals()[0]["verdict"]["findings"]]
        assert codes == ["REGULATOR_LOCK"]
        await _say(house, "unlock", "rig-1", *WHO)
        await _gone(rig)
        await house.until(lambda: house.newest("rigs/rig-1/state").get("lock") is None)
        await house.fill(house.legal[2])
        code, out, _ = await house.daemon.say("records", "verify", "--json")
        assert (code, json.loads(out)["ok"]) == (0, True)


async def test_a_lock_outlives_a_restart_and_holds_before_any_judgement(tmp_path: Path) -> None:
    async with House(tmp_path, start=False) as house:
        await _say(house, "lock", "rig-1", *WHO)
        await house.daemon.start()
        await house.until(lambda: bool(house.newest("rigs/rig-1/state").get("lock")))
        rig = house.station.rigs[0]
        rig.bring(house.legal[0])
        await house.until(lambda: len(house.refusals()) == 1)
        rig.press_start()
        assert rig.plc.retained.total_g == 0


async def test_a_held_cylinder_loses_its_permit_and_is_traced(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        code = house.legal[0].code
        house.station.rigs[0].bring(house.legal[0])
        await house.rig_state("rig-1", "permitted")
        await _say(house, "hold", code, *WHO)
        await house.until(lambda: len(house.fills()) == 1)
        assert house.fills()[0]["end_reason"] == "cylinder_held"
        exit_code, out, err = await house.daemon.say("trace", code, "--json")
        assert exit_code == 0, err
        (told,) = json.loads(out)["cylinders"]
        kinds = [event["kind"] for event in told["events"]]
        assert {"hold", "fill", "archive"} <= set(kinds)
        assert told["archive"]["hold"] == "涉事故调查"

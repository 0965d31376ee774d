"""A PLC that lies, mumbles or falls silent, and a scale that jumps: the gate closes, facts stay true.

Every fault has a rig of its own in one house, so that all of them happen at once and none may
disturb another rig.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import pytest
from pymodbus.constants import ExcCodes

from gatewayd.sim.cylinders import YSP12, SimCylinder
from gatewayd.sim.modbus_server import ModbusFaults
from gatewayd.sim.plc import PlcFaults
from gatewayd.sim.rig import SimRig
from tests.e2e.house import LOOP_LATE_MS, House, drained_ms, started
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

AGREE_G = 20
SLOW = 4.0
LEASE_MS = 1500
HEARTBEAT_MS = 1000
"""How long a heartbeat may stand still before the device counts as lost (contract §4)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong. `known_after_ms`: until then nothing tells it from a healthy PLC.

    `when_idle`: it shows without a permit, too.
    """

    name: str
    begin: Callable[[SimRig], None]
    known_after_ms: int = 0
    when_idle: bool = True


def _wire(name: str, value: object) -> Callable[[SimRig], None]:
    return lambda rig: setattr(rig.plc.wire_faults, name, value)


def _program(name: str, value: object) -> Callable[[SimRig], None]:
    return lambda rig: setattr(rig.plc.faults, name, value)


def _scale(name: str, value: object) -> Callable[[SimRig], None]:
    return lambda rig: setattr(rig.plant, name, value)


FAULTS = (
    Fault("silent", _wire("silent", value=True)),
    Fault("silent on serial", _wire("silent", value=True)),
    Fault("late", _wire("reply_delay_s", 0.5)),
    Fault("late on serial", _wire("reply_delay_s", 0.5)),
    Fault("exception", _wire("exception", ExcCodes.DEVICE_FAILURE)),
    Fault("another register on serial", _wire("shift", 2)),
    Fault("another register", _wire("shift", 11)),
    Fault("half a reply on serial", _wire("cut_reply_bytes", 3)),
    Fault("garbage before the reply", _wire("noise_before", b"\x00\xff\x01\x03\x20noise")),
    Fault("another unit on serial", _wire("wrong_unit", value=True)),
    Fault("frozen heartbeat", _program("frozen_heartbeat", value=True), HEARTBEAT_MS),
    Fault("wrong echo on serial", _program("echo_offset", 1), when_idle=False),
)
"""Odd ones are on TCP, even ones on serial."""


def _heal(rig: SimRig) -> None:
    for kind, faults in ((ModbusFaults, rig.plc.wire_faults), (PlcFaults, rig.plc.faults)):
        healthy = kind()
        for item in fields(healthy):
            setattr(faults, item.name, getattr(healthy, item.name))


def _states(house: House, rig: SimRig) -> list[str]:
    """Every state the rig has shown: some pass in less time than it takes to look."""
    assert house.seen is not None
    return [json.loads(m.payload)["state"] for m in house.seen.messages(f"/{rig.name}/state")]


async def _never_opens(house: House, rig: SimRig, fault: Fault, cylinder: SimCylinder) -> None:
    """Broken while idle: a cylinder comes, somebody presses start, nothing flows; then it heals."""
    if not fault.when_idle:
        rig.bring(cylinder)
    else:
        fault.begin(rig)
        await house.rig_state(rig.name, "fault")
        rig.bring(cylinder)
        rig.press_start()
        await until(lambda: not rig.plc._start_scans)
        assert (rig.plc.valve_open, rig.plant.passed_g) == (False, 0)
        _heal(rig)
    await house.rig_state(rig.name, "permitted")


async def _closes(house: House, rig: SimRig, fault: Fault) -> None:
    """Broken while gas flows: closed within the lease, shown as fault, one record when it heals."""
    await started(rig)
    await house.rig_state(rig.name, "filling")
    shown = len(_states(house, rig))
    fault.begin(rig)
    asked = rig.plc.slave.requests
    await until(lambda: rig.plc.slave.requests > asked or not rig.plc.valve_open)
    began_ms = await drained_ms(
        rig
    )  # What the daemon had heard before it may have answered by then.
    await until(lambda: not rig.plc.valve_open)
    assert rig.plc.shut_ms - rig.plc.renewed_ms <= LEASE_MS
    assert rig.plc.renewed_ms - began_ms <= fault.known_after_ms + LOOP_LATE_MS
    await house.until(lambda: "fault" in _states(house, rig)[shown:])
    passed_g = rig.plant.passed_g
    rig.press_start()
    await until(lambda: not rig.plc._start_scans)
    assert rig.plant.passed_g == passed_g
    _heal(rig)
    await house.rig_state(rig.name, "locked")
    rig.take_away()


async def _invents_nothing(house: House, rig: SimRig, fault: Fault) -> None:
    """Broken with nobody there and much on the totaliser: what it says then is not believed."""
    if fault.when_idle:
        shown = len(_states(house, rig))
        fault.begin(rig)
        await house.until(lambda: "fault" in _states(house, rig)[shown:])
        await house.until(lambda: house.newest(f"devices/{rig.name}-plc/status")["state"] == "down")
        _heal(rig)
        await house.rig_state(rig.name, "locked")


async def _suffer(house: House, rig: SimRig, fault: Fault, cylinder: SimCylinder) -> None:
    try:
        await _never_opens(house, rig, fault, cylinder)
        await _closes(house, rig, fault)
        await _invents_nothing(house, rig, fault)
    except AssertionError as exc:
        raise AssertionError(f"{rig.name}, {fault.name}: {exc}") from exc


async def test_no_lie_of_a_plc_opens_a_gate_or_keeps_it_open(tmp_path: Path) -> None:
    async with House(tmp_path, rigs=len(FAULTS), lease_ms=LEASE_MS, speed=SLOW) as house:
        async with asyncio.TaskGroup() as group:
            for rig, fault, cylinder in zip(
                house.station.rigs, FAULTS, house.legal[: len(FAULTS)], strict=True
            ):
                group.create_task(_suffer(house, rig, fault, cylinder))
        await house.settled()
        for rig, fault in zip(house.station.rigs, FAULTS, strict=True):
            records = [r for r in house.records() if r["data"]["rig_id"] == rig.name]
            alarms = {r["data"]["code"] for r in records if r["type"] == "gatewayd.alarm.v1"}
            fills = [r["data"] for r in records if r["type"] != "gatewayd.alarm.v1"]
            assert alarms <= {"open_without_permit"}, (fault.name, alarms)
            assert len(fills) == 1, (fault.name, fills)
            assert fills[0]["net_g"] == pytest.approx(rig.plant.passed_g, abs=AGREE_G), fault.name


@dataclass(frozen=True, slots=True)
class Jump:
    """A scale that goes wrong in mid-fill, what the record then says, and the most that flowed."""

    name: str
    begin: Callable[[SimRig], None]
    outcome: str
    over_g: int
    alarmed: bool = True


REACTION_G = 800
"""What flows at SLOW between the last poll before the limit and the valve being shut."""

JUMPS = (
    Jump("up", _scale("jump_g", 20_000), "overfilled", over_g=-2000),
    Jump("down", _scale("jump_g", -5000), "aborted", over_g=-2000, alarmed=False),
    Jump("a little down", _scale("jump_g", -400), "overfilled", over_g=200 + REACTION_G),
    Jump("stuck", _scale("stuck_scale", value=True), "overfilled", over_g=200 + REACTION_G),
)


async def _jump(house: House, rig: SimRig, jump: Jump, cylinder: SimCylinder) -> None:
    rig.bring(cylinder)
    await house.rig_state(rig.name, "permitted")
    await started(rig)
    await until(lambda: rig.plant.passed_g > 1000)
    jump.begin(rig)
    await house.rig_state(rig.name, "locked")
    assert not rig.plc.valve_open, jump.name


async def test_a_weight_that_jumps_ends_the_fill_and_never_hides_a_gram(tmp_path: Path) -> None:
    def settle_soon(config: Path) -> None:
        for file in (config / "rigs").iterdir():
            text = file.read_text()
            file.write_text(text.replace("medium: LPG", "medium: LPG\n    settle_within_s: 3"))

    async with House(tmp_path, rigs=len(JUMPS), speed=SLOW, edit=settle_soon) as house:
        small = [one for one in house.legal if one.entry.model == YSP12.model]
        async with asyncio.TaskGroup() as group:
            for rig, jump, cylinder in zip(house.station.rigs, JUMPS, small, strict=False):
                group.create_task(_jump(house, rig, jump, cylinder))
        await house.settled()
        for rig, jump in zip(house.station.rigs, JUMPS, strict=True):
            (fill,) = [fill for fill in house.fills() if fill["rig_id"] == rig.name]
            alarms = [
                r["data"]["code"] for r in house.records("alarm") if r["data"]["rig_id"] == rig.name
            ]
            counted_g = fill["total_after_g"] - fill["total_before_g"]
            assert fill["outcome"] == jump.outcome, jump.name
            assert counted_g == pytest.approx(rig.plant.passed_g, abs=AGREE_G), jump.name
            assert rig.plant.passed_g <= YSP12.allowed_net_g + jump.over_g, jump.name
            wanted = ["overfilled"] * (jump.outcome == "overfilled")
            wanted += ["totaliser_mismatch"] * jump.alarmed
            assert alarms == wanted, jump.name

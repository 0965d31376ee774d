"""A second witness of a shift is a device that tells what it is asked for, and serves no rig."""

from pathlib import Path

import pytest

from gatewayd.settings.load import examine
from tests.support.configs import DEVICES, GATEWAY, RIGS, write_config

TANK = (
    "  tank-1: {driver: scale.toledo, link: {tcp: '192.168.1.50:4001'}}\n"
    "  plc-9: {driver: plc.modbus, link: {tcp: '192.168.1.51:502'}, unit: 1,"
    " profile: reference-gate-v1}\n"
    "  meter-1: {driver: meter.modbus, link: {tcp: '192.168.1.52:502'}, unit: 1,"
    " profile: reference-meter-v1}\n"
)


def _examined(folder: Path, witness: str) -> tuple[list[str], list[str]]:
    changes = {
        "devices/all.yaml": DEVICES + TANK,
        "gateway.yaml": GATEWAY + f"shifts: {{witness: [{witness}]}}\n",
    }
    found = examine(write_config(folder, changes))
    return [str(p) for p in found.problems], [str(w) for w in found.warnings]


def test_a_tank_scale_and_a_meter_are_witnesses_and_serve(tmp_path: Path) -> None:
    told = (
        "{device: tank-1, kind: mass_falls, rigs: [rig-1]}, {device: plc-9, kind: flow_total}, "
        "{device: meter-1, kind: flow_total, flow_kg_h_max: 20000}"
    )
    problems, warnings = _examined(tmp_path, told)
    assert problems == []
    assert not [warning for warning in warnings if "serves no rig" in warning]


@pytest.mark.parametrize(
    ("witness", "wrong"),
    [
        ("{device: tank-2, kind: mass_falls}", "device 'tank-2' does not exist"),
        ("{device: tank-1, kind: flow_total}", "device 'tank-1' cannot count what flows"),
        ("{device: gun-1, kind: mass_falls}", "device 'gun-1' cannot weigh a tank"),
        ("{device: meter-1, kind: mass_falls}", "device 'meter-1' cannot weigh a tank"),
        ("{device: meter-1, kind: flow_total, flow_kg_h_max: 99}", "flow_kg_h_max"),
        ("{device: scale-1, kind: flow_total}", "serves a rig, and is no second witness"),
        ("{device: tank-1, kind: mass_falls, rigs: [rig-9]}", "rig 'rig-9' does not exist"),
        ("{device: tank-1, kind: mass_falls, rigs: [rig-1, rig-1]}", "a rig is named twice"),
        (
            "{device: tank-1, kind: mass_falls}, {device: tank-1, kind: mass_falls}",
            "device 'tank-1' is named twice",
        ),
        ("{device: tank-1, kind: mass}", "mass_falls"),
    ],
)
def test_a_mistake_is_said_at_its_place(tmp_path: Path, witness: str, wrong: str) -> None:
    problems, _ = _examined(tmp_path, witness)
    (problem,) = [each for each in problems if wrong in each]
    assert "gateway.yaml:5:" in problem


def test_a_meter_serves_no_rig(tmp_path: Path) -> None:
    """It counts what went by; it neither weighs nor holds anything."""
    changes = {
        "devices/all.yaml": DEVICES + TANK,
        "rigs/all.yaml": RIGS.replace("scale-1", "meter-1"),
    }
    problems = [str(p) for p in examine(write_config(tmp_path, changes)).problems]
    assert any("device 'meter-1' cannot be a gate" in each for each in problems)
    assert any("device 'meter-1' cannot weigh" in each for each in problems)

"""`points/*.yaml`: every mistake with its place, references across files, packs in force."""

from pathlib import Path

import pytest

from gatewayd.settings.load import examine, load
from tests.support.configs import DEVICES, write_config

SCANNERS = '  qr-8: {driver: barcode.tcp, link: {tcp: "192.168.1.33:6000"}}\n'
WITH = {"devices/all.yaml": DEVICES + SCANNERS}
GATE = """\
points:
  gate:
    kind: dispatch
    identify: [{device: qr-8}]
    rules: [cn-industrial]
"""


def problems(directory: Path, text: str) -> list[str]:
    write_config(directory, {**WITH, "points/gate.yaml": text})
    found = examine(directory).problems
    return [str(problem).replace(f"{directory}/", "") for problem in found]


def test_a_point_brings_its_pack_and_its_defaults(tmp_path: Path) -> None:
    settings = load(write_config(tmp_path, {**WITH, "points/gate.yaml": GATE}))
    point = settings.points["gate"]
    assert (point.judged_at, point.direction, point.crosses) == ("dispatch", "out", True)
    assert (point.repeat_s, point.medium) == (10, None)
    assert set(settings.packs) == {"cn-lpg", "cn-industrial"}


def test_a_station_without_points_has_none(tmp_path: Path) -> None:
    assert load(write_config(tmp_path)).points == {}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("kind: dispatch", "kind: departure"), "points/gate.yaml:3:5: points.gate.kind"),
        (("qr-8", "qr-7"), "points/gate.yaml:4:17: gate: device 'qr-7' does not exist"),
        (("qr-8", "scale-1"), "points/gate.yaml:4:17: gate: device 'scale-1' cannot identify"),
        (("qr-8", "qr-1"), "gate: 'qr-1' already identifies at rig 'rig-1'"),
        (("cn-industrial", "cn-nothing"), "gate: rule pack 'cn-nothing' does not exist"),
        (("  gate:", "  rig-1:"), "points/gate.yaml:2:3: point 'rig-1' has the name of a rig"),
        (("rules: [cn-industrial]", "stage: dispatch"), "a stage without rules judges nothing"),
        (("rules:", "medium: O2\n    rules:"), "medium O2 is not filled at this station"),
        (("rules:", "repeat_s: 0\n    rules:"), "points/gate.yaml:5:5: points.gate.repeat_s"),
        (("rules:", "colour: red\n    rules:"), "points/gate.yaml:5:5: "),
        (("points:", "point:"), "points/gate.yaml:1:1: unknown key 'point'"),
    ],
)
def test_every_mistake_is_told_with_its_place(
    tmp_path: Path, change: tuple[str, str], expected: str
) -> None:
    found = problems(tmp_path, GATE.replace(*change))
    assert any(expected in problem for problem in found), found


def test_two_points_share_no_scanner(tmp_path: Path) -> None:
    second = GATE.replace("  gate:", "  dock:").replace("points:\n", "")
    found = problems(tmp_path, GATE + second)
    assert any("already identifies at point 'gate'" in problem for problem in found), found


def test_a_scanner_of_a_point_is_used(tmp_path: Path) -> None:
    write_config(tmp_path, {**WITH, "points/gate.yaml": GATE})
    assert not [w for w in examine(tmp_path).warnings if "qr-8" in str(w)]

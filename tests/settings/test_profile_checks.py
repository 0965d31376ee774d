"""What `gatewayd check` says of the register maps that devices use."""

from pathlib import Path

import pytest

from gatewayd.settings.load import examine
from tests.support.configs import DEVICES, write_config

SCALE = '  scale-3: {driver: scale.modbus, link: {tcp: "192.168.1.41:502"}, '


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def told(device: str, **files: str) -> tuple[list[str], list[str]]:
    changes = {"devices/all.yaml": f"{DEVICES}{device}\n", **files}
    examined = examine(write_config(Path("etc"), changes))
    return [str(p) for p in examined.problems], [str(w) for w in examined.warnings]


def test_a_map_that_nobody_has_seen_on_a_device_is_a_warning() -> None:
    problems, warnings = told(f"{SCALE}profile: laumas-tlu, mass_unit: kg, decimals: 2}}")
    assert problems == []
    assert any(
        "scale-3: profile 'laumas-tlu' has parts that nobody has seen on a device; "
        "gatewayd profiles laumas-tlu lists them" in warning
        for warning in warnings
    )
    assert not any("scale-1: profile" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("profile: precise-dat400", "profile 'precise-dat400' is not usable: the addresses of"),
        ("profile: reference-gate-v1", "has no scale section; it serves as: gate, scale"),
        ("profile: laumas-tlu, mass_unit: kg", "do not tell decimals"),
        ("profile: laumas-tlv", "did you mean 'laumas-tlu'?"),
    ],
)
def test_a_map_that_cannot_weigh_is_a_problem(settings: str, expected: str) -> None:
    problems, _ = told(f"{SCALE}{settings}}}")
    assert len(problems) == 1
    assert expected in problems[0]


def test_a_request_that_the_device_does_not_bear_is_a_problem_of_the_map() -> None:
    text = (
        "id: mine\ntitle: {zh: 甲, en: a}\nsource: s\nserves: [scale]\n"
        "limits: {registers_max: 2, functions: [4]}\nmass: {unit: kg, decimals: 2}\n"
        "scale: {gross: gross, stable: stable}\npoints:\n"
        "  gross: {address: 0, type: int32, mass: true, doc: d}\n"
        "  state: {address: 2, type: bits, bits: {stable: 0}, doc: d}\n"
    )
    problems, _ = told(f"{SCALE}profile: mine}}", **{"profiles/mine.yaml": text})
    assert [problem.partition(": ")[2] for problem in problems] == [
        "gross: the device does not answer function 3",
        "state: the device does not answer function 3",
    ]


IO = '  io-1: {driver: output.modbus, link: {tcp: "192.168.1.41:502"}, unit: %d, coil: 512}'


def test_modbus_devices_of_any_kind_share_a_wire_by_their_units() -> None:
    scale = f"{SCALE}unit: 1, profile: laumas-tlu, mass_unit: kg, decimals: 2}}"
    problems, _ = told(f"{scale}\n{IO % 2}")
    assert problems == []
    problems, _ = told(f"{scale}\n{IO % 1}")
    assert [p.partition(": ")[2].partition(";")[0] for p in problems] == [
        "io-1: unit 1 twice on wire tcp:192.168.1.41:502"
    ]
    other = '  qr-3: {driver: barcode.tcp, link: {tcp: "192.168.1.41:502"}}'
    problems, _ = told(f"{scale}\n{other}")
    assert "second protocol (barcode.tcp beside scale.modbus)" in problems[0]


def test_a_scale_map_is_no_gate_and_that_is_said_once() -> None:
    gate = '  plc-9: {driver: plc.modbus, link: {tcp: "192.168.1.49:502"}, profile: tuna-id551}'
    problems, _ = told(gate)
    assert [problem.partition(": ")[2] for problem in problems] == [
        "plc-9: profile 'tuna-id551' is no gate: it serves as: scale"
    ]

"""What no single file can know: references, gates, readers, wires, and ports that change names."""

from pathlib import Path

import pytest

from gatewayd.settings.load import examine
from gatewayd.settings.shipped import shipped_dir
from tests.support.configs import DEVICES, GATEWAY, RIGS, write_config


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def problems(changes: dict[str, str]) -> list[str]:
    examined = examine(write_config(Path("etc"), changes))
    assert (examined.settings is None) == bool(examined.problems)
    return [str(problem) for problem in examined.problems]


def warnings(changes: dict[str, str]) -> list[str]:
    return [str(w) for w in examine(write_config(Path("etc"), changes)).warnings]


def rigs(old: str, new: str) -> dict[str, str]:
    assert old in RIGS
    return {"rigs/all.yaml": RIGS.replace(old, new, 1)}


def devices(old: str, new: str) -> dict[str, str]:
    assert old in DEVICES
    return {"devices/all.yaml": DEVICES.replace(old, new, 1)}


def test_a_valid_station_has_neither_problem_nor_warning() -> None:
    examined = examine(write_config(Path("etc")))
    assert examined.problems == ()
    assert examined.warnings == ()
    assert examined.settings is not None


def test_a_device_that_does_not_exist_is_named_at_the_reference() -> None:
    assert problems(rigs("device: gun-1", "device: gum-1")) == [
        (
            "etc/rigs/all.yaml:4:17: rig-1: device 'gum-1' does not exist; "
            "known: gun-1, gun-2, qr-1, scale-1, scale-2; did you mean 'gun-1'?"
        )
    ]


def test_a_device_must_be_able_to_do_what_the_rig_wants() -> None:
    assert problems(rigs("device: qr-1", "device: scale-1")) == [
        (
            "etc/rigs/all.yaml:4:46: rig-1: device 'scale-1' cannot identify a cylinder; "
            "driver plc.modbus can: gate, scale; devices that can: gun-1, gun-2, qr-1"
        )
    ]
    (no_scale, no_gate) = problems(
        rigs("scale: scale-1\n    gate: scale-1", "scale: gun-2\n    gate: gun-2")
    )
    assert no_scale == (
        "etc/rigs/all.yaml:5:5: rig-1: device 'gun-2' cannot weigh; "
        "driver rfid.uhfreader can: identify; devices that can: scale-1, scale-2"
    )
    assert "cannot be a gate" in no_gate


def test_the_scale_is_the_gate_until_a_later_version() -> None:
    (problem,) = problems(rigs("scale: scale-1", "scale: scale-2"))
    assert problem.startswith("etc/rigs/all.yaml:5:5: rig-1: scale 'scale-2' is not the gate")
    assert "write scale: scale-1" in problem


def test_two_rigs_never_share_a_gate() -> None:
    (problem,) = problems(
        rigs("scale: scale-2\n    gate: scale-2", "scale: scale-1\n    gate: scale-1")
    )
    assert problem == (
        "etc/rigs/all.yaml:12:5: rig-2: gate 'scale-1' is already the gate of rig 'rig-1'; "
        "see etc/rigs/all.yaml:6:5; every rig needs a gate of its own"
    )


@pytest.mark.parametrize(
    ("second", "ambiguous"),
    [
        ("{device: gun-1, antenna: 1}", True),
        ("{device: gun-1}", True),
        ("{device: gun-1, antenna: 2}", False),
    ],
)
def test_one_antenna_of_a_reader_serves_one_rig(*, second: str, ambiguous: bool) -> None:
    found = problems(rigs("{device: gun-2}", second))
    assert len(found) == ambiguous
    if ambiguous:
        assert "already identifies at rig 'rig-1'; see etc/rigs/all.yaml:4:17" in found[0]


def test_a_rig_waits_only_for_an_antenna_that_its_reader_uses() -> None:
    some = devices('"192.168.1.30:6000"}', '"192.168.1.30:6000"}, antennas: [1, 2]')
    assert problems(some) == []
    (problem,) = problems({**some, **rigs("antenna: 1", "antenna: 3")})
    assert problem == (
        "etc/rigs/all.yaml:4:32: rig-1: 'gun-1' does not use antenna 3; antennas of the reader: 1, 2"
    )


def test_a_device_named_twice_by_one_rig_is_ambiguous_too() -> None:
    (problem,) = problems(rigs("{device: qr-1}", "{device: gun-1}"))
    assert "rig-1: 'gun-1' already identifies at rig 'rig-1'" in problem


def test_a_rule_pack_must_exist_and_is_named_once() -> None:
    assert problems(rigs("rules: [cn-lpg]", "rules: [cn-lpg, cn-lgp, cn-lpg]")) == [
        (
            "etc/rigs/all.yaml:7:21: rig-1: rule pack 'cn-lgp' does not exist; "
            "known: cn-industrial, cn-lpg, cn-vehicle, eu-adr, us-dot; did you mean 'cn-lpg'?"
        ),
        "etc/rigs/all.yaml:7:29: rig-1: rule pack 'cn-lpg' is named twice",
    ]


def test_a_profile_must_exist() -> None:
    (problem,) = problems(devices("reference-gate-v1", "reference-gate-v9"))
    assert problem.startswith("etc/devices/all.yaml:5:75: scale-1: profile 'reference-gate-v9'")
    assert "did you mean 'reference-gate-v1'?" in problem


def test_a_profile_that_is_no_gate_is_told_before_it_runs() -> None:
    shipped = (shipped_dir() / "profiles/reference-gate-v1.yaml").read_text(encoding="utf-8")
    blind = shipped.replace("id: reference-gate-v1", "id: blind").replace("heartbeat:", "pulse:")
    own = {"profiles/blind.yaml": blind, **devices("reference-gate-v1", "blind")}
    (problem,) = problems(own)
    assert problem.startswith("etc/devices/all.yaml:5:75: scale-1: profile 'blind' is no gate: ")
    assert "heartbeat is not reported" in problem


def test_a_rig_fills_only_what_the_station_may() -> None:
    (problem,) = problems(rigs("medium: LPG", "medium: O2"))
    assert problem.startswith(
        "etc/rigs/all.yaml:3:5: rig-1: medium O2 is not filled at this station; station.media: LPG"
    )
    anything = {"gateway.yaml": GATEWAY.replace(", media: [LPG]", "")}
    assert problems({**rigs("medium: LPG", "medium: O2"), **anything}) == []


def test_the_lease_lives_for_three_polls_at_least() -> None:
    slow = devices("unit: 1,", "unit: 1, poll_ms: 500,")
    lease = rigs("rules: [cn-lpg]", "rules: [cn-lpg]\n    permit: {lease_ms: 1499}")
    assert problems({**slow, **lease}) == [
        (
            "etc/rigs/all.yaml:8:14: rig-1: lease_ms 1499 is too short; "
            "at least 1500, three polls of gate 'scale-1'; lengthen lease_ms or shorten poll_ms"
        )
    ]
    enough = rigs("rules: [cn-lpg]", "rules: [cn-lpg]\n    permit: {lease_ms: 1500}")
    assert problems({**slow, **enough}) == []


def test_a_sample_may_not_be_stale_before_the_next_poll() -> None:
    slow = devices("unit: 1,", "unit: 1, poll_ms: 500,")
    stale = rigs("rules: [cn-lpg]", "rules: [cn-lpg]\n    stale_after_ms: 500")
    (problem,) = problems({**slow, **stale})
    assert "stale_after_ms 500 is too short; more than poll_ms 500" in problem


def test_two_protocols_on_one_wire_name_both_devices_with_their_places() -> None:
    assert problems(devices("192.168.1.32:6000", "192.168.1.30:6000")) == [
        (
            "etc/devices/all.yaml:4:31: qr-1: second protocol (barcode.tcp beside rfid.uhfreader) "
            "on wire tcp:192.168.1.30:6000; shared with 'gun-1' at etc/devices/all.yaml:2:35; "
            "one wire speaks one protocol; correct the link of one of the two"
        )
    ]


def test_a_protocol_that_is_alone_on_its_wire_stays_alone() -> None:
    lonely = devices(
        "scale-1:", 'qr-2: {driver: barcode.tcp, link: {tcp: "192.168.1.32:6000"}}\n  scale-1:'
    )
    (problem,) = problems(lonely)
    assert "qr-2: second barcode.tcp on wire tcp:192.168.1.32:6000" in problem


def test_a_bus_has_every_unit_once() -> None:
    (problem,) = problems(devices("unit: 2", "unit: 1"))
    assert "scale-2: unit 1 twice on wire tcp:192.168.1.40:502" in problem
    assert "shared with 'scale-1' at etc/devices/all.yaml:5:33" in problem


BUS = 'link: {tcp: "192.168.1.40:502"}, unit:'


def test_a_bus_has_one_speed() -> None:
    text = DEVICES.replace(f"{BUS} 1", "link: {serial: /dev/bus, baud: 9600}, unit: 1")
    text = text.replace(f"{BUS} 2", "link: {serial: /dev/bus, baud: 19200}, unit: 2")
    (problem,) = problems({"devices/all.yaml": text})
    assert "scale-2: other line settings on wire serial:/dev/bus" in problem


def test_one_port_under_two_names_is_one_wire(tmp_path: Path) -> None:
    (tmp_path / "ttyUSB0").touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "ttyUSB0")
    text = DEVICES.replace(f"{BUS} 1", f"link: {{serial: {tmp_path}/ttyUSB0}}, unit: 1")
    text = text.replace(f"{BUS} 2", f"link: {{serial: {tmp_path}/by-id}}, unit: 1")
    (problem,) = problems({"devices/all.yaml": text})
    assert "scale-2: other line settings" in problem
    assert f"serial:{tmp_path}/ttyUSB0" in problem


@pytest.mark.parametrize("port", ["/dev/ttyUSB0", "/dev/ttyACM12"])
def test_a_port_that_changes_its_name_is_only_a_warning(port: str) -> None:
    changes = devices(f"{BUS} 1", f"link: {{serial: {port}}}, unit: 1")
    assert problems(changes) == []
    (warning,) = warnings(changes)
    assert warning.startswith(f"etc/devices/all.yaml:5:40: scale-1: {port} may be another device")
    assert "/dev/serial/by-id" in warning


def test_a_device_without_a_rig_is_only_a_warning() -> None:
    changes = rigs(", {device: qr-1}", "")
    assert problems(changes) == []
    assert warnings(changes) == ["etc/devices/all.yaml:4:3: device 'qr-1' serves no rig"]


def test_a_name_is_given_once_over_all_files() -> None:
    again = 'devices:\n  gun-1: {driver: rfid.uhfreader, link: {tcp: "192.168.1.39:6000"}}\n'
    assert problems({"devices/more.yaml": again}) == [
        (
            "etc/devices/more.yaml:2:3: device 'gun-1' exists twice; first at etc/devices/all.yaml:2:3; "
            "rename or remove one"
        )
    ]


def test_a_device_with_a_mistake_still_exists_for_its_rig() -> None:
    (problem,) = problems(devices("192.168.1.30:6000", "192.168.1.30"))
    assert problem.startswith("etc/devices/all.yaml:2:")


def test_a_file_that_is_not_yaml_is_told_once_and_not_at_every_reference() -> None:
    (problem,) = problems({"devices/all.yaml": "devices: {"})
    assert problem.startswith("etc/devices/all.yaml:1:11: not YAML")

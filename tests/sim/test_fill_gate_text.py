"""The shipped Structured Text says the same numbers as the profile the driver uses."""

from pathlib import Path

import pytest

from drivers.contract import EndReason
from gatewayd.sim.gate_map import End, GateSettings, Status
from protocols.documents import parse as parse_yaml
from tests.sim.gate_bench import ROOT, ST_UNITS
from tests.support.structured_text import Block, StructuredTextError
from tests.support.structured_text_parser import parse

GATE = ST_UNITS["FillGate"]
PROFILE = ROOT / "config/profiles/reference-gate-v1.yaml"


def constants(prefix: str) -> dict[str, int]:
    found = {
        name.removeprefix(prefix).lower(): one.initial
        for name, one in GATE.variables.items()
        if name.startswith(prefix) and one.section == "VAR CONSTANT"
    }
    return {name: value for name, value in found.items() if value is not None}


def profile(path: Path) -> dict[str, dict[str, object]]:
    points: dict[str, dict[str, object]] = parse_yaml(path.read_text("utf-8"), str(path)).value[
        "points"
    ]
    return points


def test_register_numbers_are_those_of_the_profile() -> None:
    points = profile(PROFILE)
    assert constants("R_") == {name: point["address"] for name, point in points.items()}


def test_status_bits_are_those_of_the_profile_and_of_the_simulation() -> None:
    bits = profile(PROFILE)["status"]["bits"]
    assert isinstance(bits, dict)
    assert constants("BIT_") == {name: 1 << bit for name, bit in bits.items()}
    assert constants("BIT_") == {bit.name.lower(): int(bit) for bit in Status if bit.name}


def test_end_reasons_are_those_of_the_contract_everywhere() -> None:
    assert constants("END_") == {end.name.lower(): int(end) for end in End}
    assert constants("END_") == {end.name.lower(): int(end) for end in EndReason}


def test_default_settings_are_those_of_the_simulation() -> None:
    defaults = {
        name: one.initial for name, one in GATE.variables.items() if one.initial is not None
    }
    settings = GateSettings()
    names = ("cylinder_on_g", "left_below_g", "coarse_before_g", "aim_under_g", "preact_first_g")
    for name in (*names, "lease_margin_ms"):
        assert defaults[name] == getattr(settings, name), name
    assert defaults["settle_time"] == settings.settle_ms
    assert defaults["fill_time_max"] == settings.fill_ms_max


def test_what_must_survive_power_loss_is_retained() -> None:
    kept = {name for name, one in GATE.variables.items() if one.section == "VAR RETAIN"}
    needed = {
        "state",
        "held_permit",
        "spent_permit",
        "last_permit",
        "last_net_g",
        "total_g",
        "fills",
    }
    assert needed <= kept


def test_outputs_are_closed_before_the_first_scan() -> None:
    fresh = Block(GATE, ST_UNITS)
    assert fresh.values["valve_main"] is False
    assert fresh.values["valve_coarse"] is False


def test_the_program_wires_one_gate_and_runs_closed() -> None:
    main = Block(ST_UNITS["Main"], ST_UNITS)
    main.call(10, {"load_cell_ok": True, "e_stop_circuit": True, "stop_button_nc": True})
    assert main.values["holding_100"][115] == 1
    assert main.values["main_valve"] is False


@pytest.mark.parametrize(
    "body",
    [
        "flag := 1;",
        "count := TRUE;",
        "flag := count = TRUE;",
        "unknown := 1;",
        "count := count + 40000; count := count + 1;",
        "FIXED := 1;",
        "flag := NOT count;",
        "count := SQRT(4);",
        "WHILE flag DO",
    ],
)
def test_the_interpreter_refuses_what_a_plc_would(body: str) -> None:
    text = f"""PROGRAM Main VAR flag : BOOL; count : INT; END_VAR
    VAR CONSTANT FIXED : INT := 3; END_VAR {body} END_PROGRAM"""
    with pytest.raises((StructuredTextError, AssertionError, IndexError)):
        Block(parse(text)["Main"], {}).call(0, {})

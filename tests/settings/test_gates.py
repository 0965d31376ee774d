"""Kinds of gates in a config: what each needs, how each closes, and what is said out loud."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gatewayd.cli.root import main
from gatewayd.rigs.gates import soft_settings
from gatewayd.settings.gates import closings
from gatewayd.settings.load import examine
from tests.support.configs import DEVICES, RIGS, write_config

IO = """\
  weigher-1: {driver: scale.toledo, link: {tcp: "192.168.1.60:4001"}}
  io-1: {driver: output.modbus, link: {tcp: "192.168.1.61:502"}, coil: 512, WATCHDOG START}
"""
WATCHDOG = "watchdog: {register: 4096, ms: 1000, unit_ms: 100},"
START = "start: {input: 0, active: true}"
REASON = 'accept_no_watchdog: {reason: "a spring valve closes when the pump stops"}'


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def config(*, rig: str = "", watchdog: str = WATCHDOG, start: str = START) -> dict[str, str]:
    """Rig rig-1 on a scale and a module of their own."""
    io = IO.replace("WATCHDOG", watchdog).replace("START", start)
    more = f"    {rig}\n" if rig else ""
    changed = RIGS.replace(
        "    scale: scale-1\n    gate: scale-1\n",
        f"    scale: weigher-1\n    gate: io-1\n{more}",
        1,
    )
    return {"devices/all.yaml": DEVICES + io, "rigs/all.yaml": changed}


def said(changes: dict[str, str]) -> tuple[list[str], list[str]]:
    examined = examine(write_config(Path("etc"), changes))
    warnings = [str(w) for w in examined.warnings if "serves no rig" not in str(w)]
    return [str(p) for p in examined.problems], warnings


def test_a_guarded_output_with_a_scale_is_a_gate_without_a_word() -> None:
    assert said(config()) == ([], [])


def test_an_unguarded_output_is_refused() -> None:
    (problem,), _ = said(config(watchdog=""))
    assert problem.startswith("etc/rigs/all.yaml:6:5: rig-1: gate 'io-1' would stay open if")
    assert "accept_no_watchdog" in problem


def test_an_unguarded_output_that_was_accepted_is_still_said_loudly() -> None:
    problems, (warning,) = said(config(watchdog="", rig=REASON))
    assert problems == []
    assert "STAYS OPEN" in warning
    assert "阀门一直打开" in warning
    assert "accepted: a spring valve closes" in warning


def test_a_reason_must_be_one() -> None:
    (problem,), _ = said(config(watchdog="", rig='accept_no_watchdog: {reason: "ok"}'))
    assert "reason" in problem


def test_what_is_guarded_needs_no_acceptance() -> None:
    (problem,), _ = said(config(rig=REASON))
    assert "has a watchdog, nothing is to be accepted" in problem


def test_a_watchdog_must_be_as_fast_as_the_lease() -> None:
    (problem,), _ = said(config(watchdog="watchdog: {register: 1, ms: 3000},"))
    assert "closes 3000 ms after this computer died" in problem
    assert "within lease_ms 2000" in problem


def test_a_start_needs_a_button_or_says_that_it_needs_none() -> None:
    (problem,), _ = said(config(start=""))
    assert "start: input needs a button" in problem
    by_hand = "start: permit\n    permit: {start_within_s: 30}"
    assert said(config(start="", rig=by_hand)) == ([], [])


def test_a_valve_that_is_open_before_gas_is_seen_is_open_for_seconds_only() -> None:
    for rig in ("start: permit", "start: permit\n    permit: {start_within_s: 31}"):
        (problem,), _ = said(config(rig=rig))
        assert "start_within_s" in problem
        assert "at most 30" in problem


def test_a_gate_that_closes_by_weights_told_to_us_takes_no_old_ones() -> None:
    slow = "permit: {lease_ms: 9000}\n    stale_after_ms: "
    assert said(config(rig=f"{slow}2000")) == ([], [])
    (problem,), _ = said(config(rig=f"{slow}2001"))
    assert "stale_after_ms 2001 is too long" in problem
    changes = {
        "rigs/all.yaml": RIGS.replace("medium: LPG", "medium: LPG\n    stale_after_ms: 9000")
    }
    assert said(changes) == ([], []), "a PLC weighs by itself"


def test_a_scale_that_stands_still_is_noticed_within_a_minute() -> None:
    assert said(config(rig="no_flow_s: 60")) == ([], [])
    (problem,), _ = said(config(rig="no_flow_s: 61"))
    assert "no_flow_s" in problem


def test_an_output_needs_a_scale_of_its_own() -> None:
    changes = config()
    changes["rigs/all.yaml"] = changes["rigs/all.yaml"].replace("scale: weigher-1", "scale: io-1")
    problems, _ = said(changes)
    assert any("cannot weigh" in problem for problem in problems)
    changes["rigs/all.yaml"] = changes["rigs/all.yaml"].replace("scale: io-1", "scale: scale-1")
    (problem,), _ = said(changes)
    assert "'scale-1' does not weigh beside the output 'io-1'" in problem


def test_two_rigs_never_share_a_scale() -> None:
    more = '  io-2: {driver: output.modbus, link: {tcp: "192.168.1.62:502"}, coil: 512, '
    more += f"{WATCHDOG} {START}}}\n"
    changes = config()
    changes["devices/all.yaml"] += more
    changes["rigs/all.yaml"] = changes["rigs/all.yaml"].replace(
        "    scale: scale-2\n    gate: scale-2\n", "    scale: weigher-1\n    gate: io-2\n"
    )
    (problem,), _ = said(changes)
    assert "rig-2: scale 'weigher-1' is already the scale of rig 'rig-1'" in problem


@pytest.mark.parametrize(("coil", "warned"), [(512, True), (513, False)])
def test_two_units_with_one_coil_at_one_address_may_be_one_valve(
    coil: int, *, warned: bool
) -> None:
    changes = config()
    changes["devices/all.yaml"] += (
        f'  io-2: {{driver: output.modbus, link: {{tcp: "192.168.1.61:502"}}, unit: 2, coil: {coil}, '
        f"{WATCHDOG} {START}}}\n"
    )
    problems, warnings = said(changes)
    assert problems == []
    assert any("may be one output" in warning for warning in warnings) is warned


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (f"coil: 513, {WATCHDOG} start: {{input: 1, active: true}}", ""),
        (f"coil: 512, {WATCHDOG} start: {{input: 1, active: true}}", "output coil 512 twice on"),
        (f"coil: 513, {WATCHDOG} {START}", "start input 0 twice on unit 1"),
        ("coil: 513, start: {input: 1, active: true}", "two watchdogs for one module on unit 1"),
        (f"register: 5, bit: 1, {WATCHDOG}", "one output by coil, one by register, on unit 1"),
    ],
)
def test_two_outputs_of_one_module_are_two_devices(words: str, expected: str) -> None:
    changes = config()
    changes["devices/all.yaml"] += (
        f'  io-2: {{driver: output.modbus, link: {{tcp: "192.168.1.61:502"}}, {words}}}\n'
    )
    problems, _ = said(changes)
    assert len(problems) == bool(expected)
    assert all(expected in problem for problem in problems)


@pytest.mark.parametrize("key", ["start: input", "cylinder_on_g: 500", "preact_g: 0", REASON])
def test_what_a_plc_decides_is_not_set_at_its_rig(key: str) -> None:
    changes = {"rigs/all.yaml": RIGS.replace("medium: LPG", f"medium: LPG\n    {key}", 1)}
    (problem,), _ = said(changes)
    assert "is decided by the PLC of its gate" in problem


def test_a_scale_alone_is_no_gate() -> None:
    changes = config()
    changes["rigs/all.yaml"] = changes["rigs/all.yaml"].replace("gate: io-1", "gate: weigher-1")
    problems, _ = said(changes)
    assert any("'weigher-1' cannot be a gate" in problem for problem in problems)


FILLER = """\
  filler-1: {driver: filler.modbus, link: {tcp: "192.168.1.70:502"}, unit: 0, profile: hbm-wtx110-filler ACCEPTED}
"""


def filler(accepted: str) -> dict[str, str]:
    rigs = RIGS.replace(
        "    scale: scale-1\n    gate: scale-1\n",
        "    scale: filler-1\n    gate: filler-1\n    start: permit\n",
        1,
    )
    return {
        "devices/all.yaml": DEVICES + FILLER.replace("ACCEPTED", accepted),
        "rigs/all.yaml": rigs,
    }


def test_a_filler_whose_target_cannot_be_read_back_is_refused() -> None:
    (problem,), _ = said(filler(""))
    assert "target cannot be read back, so nothing proves what it fills to" in problem
    assert "accept_unread_target" in problem


def test_one_that_was_accepted_serves_and_check_says_what_remains() -> None:
    words = ', accept_unread_target: {reason: "both targets seen on its display"}'
    changes = filler(words)
    problems, warnings = said(changes)
    assert problems == []
    (loud,) = [each for each in warnings if "cannot be read back" in each]
    assert "it fills on to whatever target it holds" in loud
    assert "目标值不能读回" in loud
    assert "accepted: both targets seen on its display" in loud
    settings = examine(write_config(Path("etc"), changes)).settings
    assert settings is not None
    assert soft_settings(settings.rigs["rig-1"], settings.devices["filler-1"]).unproven


def test_every_kind_says_how_it_closes() -> None:
    settings = examine(write_config(Path("etc"), config())).settings
    assert settings is not None
    first, second = closings(settings)
    assert (first.kind, first.within_ms, second.kind, second.within_ms) == (
        *("watchdog", 1000),
        *("lease", 2000),
    )
    assert "drops its output within 1000 ms" in first.say("en")
    assert "1000 毫秒" in first.say("zh")


def test_check_and_config_show_say_it() -> None:
    write_config(Path("etc"), config(watchdog="", rig=REASON))
    checked = CliRunner().invoke(main, ["check", "-c", "etc", "--json"])
    (coil, lease) = json.loads(checked.stdout)["gates"]
    assert (coil["kind"], coil["closes_within_ms"], lease["kind"]) == ("coil", None, "lease")
    shown = CliRunner().invoke(main, ["config", "show", "-c", "etc", "--lang", "zh"])
    assert "# rig-1：本机死机后，io-1 的阀门一直打开" in shown.stdout
    people = CliRunner().invoke(main, ["check", "-c", "etc", "--lang", "zh"])
    assert "STAYS OPEN" in people.stderr
    assert "一直打开" in people.stdout


def test_probe_asks_before_it_touches_a_valve() -> None:
    write_config(Path("etc"), config())
    asked = CliRunner().invoke(main, ["probe", "io-1", "-c", "etc", "--lang", "en"], input="no\n")
    assert asked.exit_code == 1
    assert "io-1 holds a valve" in asked.stderr
    assert "nothing was written" in asked.stderr

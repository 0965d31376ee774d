"""How `gatewayd run` ends decides whether systemd starts it again."""

import sys
from pathlib import Path

import pytest

import gatewayd
from gatewayd.cli.common import A_BUG, COULD_NOT_RUN, NO, USAGE
from gatewayd.cli.run import to_its_end
from gatewayd.errors import StoreError

UNIT = Path(gatewayd.__file__).parent.parent / "systemd" / "gatewayd.service"


def _settings() -> dict[str, str]:
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")


def _broke() -> None:
    raise ExceptionGroup("tasks", [ValueError("a bug")])


def _no_store() -> None:
    raise StoreError("the disk is gone")


def test_a_bug_ends_otherwise_than_a_wrong_configuration_and_shows_where(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        to_its_end(_broke)
    assert ended.value.code == A_BUG
    told = capsys.readouterr()
    assert "ValueError: a bug" in told.out + told.err


def test_what_we_name_ourselves_and_an_end_pass_through() -> None:
    with pytest.raises(StoreError, match="the disk is gone"):
        to_its_end(_no_store)
    with pytest.raises(SystemExit):
        to_its_end(sys.exit)


def test_systemd_tries_again_what_may_get_well_and_nothing_else() -> None:
    unit = _settings()
    ended_for_good = {int(code) for code in unit["RestartPreventExitStatus"].split()}
    assert ended_for_good == {NO, USAGE}
    assert not ended_for_good & {A_BUG, COULD_NOT_RUN}
    assert (unit["Restart"], unit["StartLimitIntervalSec"]) == ("always", "0")

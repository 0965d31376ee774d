"""What `systemctl status` says, heard at the real socket."""

import subprocess
import sys
from pathlib import Path

import pytest

from gatewayd import notify
from gatewayd.clock import ManualClock
from gatewayd.errors import ConfigError, StoreError
from gatewayd.status_line import KINDS_SHOWN_MAX, at_work, hangs, told_when_it_ends
from gatewayd.vitals import ALIVE_S, Vitals
from tests.vitals.test_vitals import NOON, Systemd, systemd, systemd_at

__all__ = ["systemd"]


def test_rigs_are_counted_by_state_in_the_language_of_the_station() -> None:
    states = ["locked", "filling", "locked"]
    lost = ["device_lost", "config_invalid", "device_lost"]
    assert (
        at_work(states, lost, "en")
        == "3 rigs (locked 2, filling 1); 3 alarms stand (device_lost, config_invalid)"
    )
    assert at_work(states, [], "zh") == "工位 3 个（已锁定 2, 充装中 1）；未消除告警 0 条"
    assert at_work([], [], "en") == "no rigs; 0 alarms stand"
    many = [f"kind_{n}" for n in range(KINDS_SHOWN_MAX + 1)]
    assert at_work([], many, "en").endswith(
        "6 alarms stand (kind_0, kind_1, kind_2, kind_3, kind_4)"
    )


def test_it_is_told_when_it_changes_and_names_what_hangs(systemd: Systemd) -> None:
    clock = ManualClock(NOON)
    moved = {"store": clock.monotonic_ns()}
    vitals = Vitals(clock, lambda: moved, say=lambda dead: hangs(dead, "en") if dead else "well")
    vitals.tell()
    vitals.tell()
    assert systemd.heard() == [b"STATUS=well", b"WATCHDOG=1", b"WATCHDOG=1"]
    clock.advance(seconds=ALIVE_S + 1)
    vitals.tell()
    (told,) = systemd.heard()
    assert told.startswith(b"STATUS=store did not move for 10 s: gates closed by lease")


def test_what_a_file_says_is_one_line_and_never_another_word_to_systemd(systemd: Systemd) -> None:
    notify.status("bad value\nREADY=1\r\n" + "瓶" * 5_000)
    (told,) = systemd.heard()
    assert b"\n" not in told
    assert len(told) <= 4_096, "systemd drops what is longer"


@pytest.mark.parametrize(
    ("bad_news", "told"),
    [
        (
            ConfigError("a.yaml:1:2: x\nb.yaml:3:4: y"),
            "has 2 mistakes: not started, not tried again",
        ),
        (StoreError("the disk is gone"), "tried again and again: the disk is gone"),
    ],
)
def test_bad_news_passes_through_and_is_shown(
    systemd: Systemd, bad_news: Exception, told: str
) -> None:
    with pytest.raises(type(bad_news)), told_when_it_ends():
        raise bad_news
    (shown,) = systemd.heard()
    assert told in shown.decode()
    assert ("配置有误（2 处）" in shown.decode()) == isinstance(bad_news, ConfigError)


def test_a_daemon_that_cannot_start_shows_its_first_mistake(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("statoin: {}\n", encoding="utf-8")
    with systemd_at(tmp_path / "notify") as listener:
        run = [sys.executable, "-m", "gatewayd", "run", "-c", str(tmp_path)]
        done = subprocess.run(run, capture_output=True, text=True, check=False)
        (shown,) = listener.heard()
    assert done.returncode == 1
    assert shown.startswith(b"STATUS=")
    assert done.stderr.splitlines()[0] in shown.decode()
    assert "systemctl start gatewayd" in shown.decode()

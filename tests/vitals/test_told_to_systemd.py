"""The daemon as systemd starts it: READY=1 once, then signs of life, none while it hangs."""

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL
from pathlib import Path

import psutil
import pytest

from tests.support.waiting import until
from tests.vitals.test_vitals import Systemd, systemd_at

CONFIG = """\
station: {id: "3701000042", name: 示范站, region: "370100", media: [LPG]}
store: {path: gatewayd.db, quota_mb: 64}
watchdog: {device: /dev/null}
"""


def _life_signs(systemd: Systemd, heard: list[bytes]) -> int:
    heard += systemd.heard()
    return heard.count(b"WATCHDOG=1")


@pytest.mark.e2e
async def test_a_daemon_tells_systemd_that_it_lives_and_a_stopped_one_does_not(
    tmp_path: Path,
) -> None:
    site, log_path = tmp_path / "site", tmp_path / "log"
    site.mkdir()
    (site / "gateway.yaml").write_text(CONFIG, encoding="utf-8")
    heard: list[bytes] = []
    with systemd_at(tmp_path / "notify") as systemd, log_path.open("wb") as log:
        daemon = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gatewayd", "run", "-c", str(site), "--log", "json"),
            stdin=DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            await until(lambda: _life_signs(systemd, heard) >= 4, instead=log_path.read_text)
            assert heard.count(b"READY=1") == 1
            daemon.send_signal(signal.SIGSTOP)
            stopped = psutil.Process(daemon.pid)
            await until(lambda: stopped.status() == psutil.STATUS_STOPPED)
            before = _life_signs(systemd, heard)
            daemon.send_signal(signal.SIGCONT)
            await until(lambda: _life_signs(systemd, heard) > before)
        finally:
            daemon.terminate()
        assert await daemon.wait() == 0
    said = log_path.read_text(encoding="utf-8")
    assert "watchdog_off" in said, "the null device is no watchdog, and a person hears of it"
    assert "Inappropriate ioctl" in said

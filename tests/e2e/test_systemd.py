"""The shipped unit under a real systemd: it starts, a hang is ended by the watchdog, it stops in order.

Only root can boot one, see `support/systemd.py`; a /dev/watchdog is not tried here.
"""

import os
from pathlib import Path

import pytest

from tests.e2e.house import Daemon, House
from tests.support.systemd import UNIT, Systemd, booted, devices, let_in
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

LEASE_MS = 2_000
SOONER = "[Service]\nWatchdogSec=5\n"
"""For a test, in place of the unit's 15 s."""
CONFIG = """\
station: {id: "3701000042", name: 示范站, region: "370100", media: [LPG]}
store: {path: gatewayd.db, quota_mb: 64}
upstreams: {hall: {driver: mqtt, url: "mqtt://127.0.0.1:1", username: a, password: !secret hall}}
"""
KEPT = "[Service]\nLoadCredential=hall:/etc/password\n"
"""Kept by systemd, as `config/README.md` has it; the reload's own check must see it, too."""
MINOR_OF_NOBODY = 251
"""No driver of this machine has that many; a driver that is not loaded, as before a plug, has none."""
PROBE = """\
[Service]
Type=oneshot
Restart=no
WatchdogSec=0
ExecStart=
ExecStart=/opt/gatewayd/python/bin/python3 /opt/gatewayd/probe.py {}
"""
OPENS = """\
import errno, os, sys
for name in sys.argv[1:]:
    told = "opened"
    try:
        os.open("/dev/" + name, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as exc:
        told = errno.errorcode[exc.errno]
    print("/dev/" + name, told, sep=": ")
"""


class Served(Daemon):
    """The daemon as systemd runs it."""

    systemd: Systemd

    def log(self) -> str:
        return self.systemd.journal() if hasattr(self, "systemd") else super().log()


def _real_ports(config: Path) -> None:
    """Serial ports by the names of their nodes: the links to them are in a /tmp that is not seen."""
    for file in config.glob("devices/*.yaml"):
        lines = file.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            key, _, port = line.partition(": ")
            if key.strip() == "serial":
                lines[number] = f"{key}: {os.path.realpath(port)}"
                let_in(Path(os.path.realpath(port)))
        file.write_text("\n".join(lines), encoding="utf-8")


async def test_a_hang_in_mid_fill_is_ended_by_the_watchdog_and_a_stop_locks(tmp_path: Path) -> None:
    house = House(tmp_path, start=False, edit=_real_ports, lease_ms=LEASE_MS, speed=2.0)
    house.daemon = served = Served(house.config)
    async with (
        house,
        booted() as systemd,
    ):  # The daemon goes before the ports that it knows by number.
        served.systemd = systemd
        await systemd.install(house.config)
        await systemd.add_unit("gatewayd.service.d/sooner.conf", SOONER)
        plc = house.station.rigs[0].plc
        await systemd.ctl("start", "gatewayd")
        assert systemd.show("ActiveState") == "active", "READY=1 was told"
        await house.ready()
        await until(lambda: systemd.show("StatusText").startswith("工位 1 个（已锁定 1）"))
        await house.fill(house.legal[0])
        hung = systemd.pids()
        await systemd.ctl("kill", "--signal=STOP", "gatewayd")
        await until(lambda: not plc.valve_open)
        assert plc.shut_ms - plc.renewed_ms <= LEASE_MS, "closed by its lease"
        assert systemd.pids() == hung, "long before the watchdog"
        await until(lambda: systemd.pids() and systemd.pids() != hung)
        await until(lambda: "Watchdog timeout" in systemd.journal())
        await house.until(lambda: len(house.fills()) == 1)
        assert house.fills()[0]["outcome"] == "interrupted"
        await house.ready()
        await systemd.ctl("stop", "gatewayd")
        assert (plc.permit_echo, systemd.pids()) == (0, ())
        assert systemd.show("Result") == "success"


async def test_a_wrong_configuration_fails_the_reload_and_is_started_once(
    tmp_path: Path,
) -> None:
    gateway = tmp_path / "gateway.yaml"
    gateway.write_text(CONFIG, encoding="utf-8")
    async with booted() as systemd:
        await systemd.install(tmp_path)
        (systemd.root / "etc/password").write_text("a secret", encoding="utf-8")
        await systemd.add_unit("gatewayd.service.d/secret.conf", KEPT)
        await systemd.ctl("start", "gatewayd")
        await systemd.ctl("reload", "gatewayd")
        running = systemd.pids()
        wrong = systemd.root / "etc/gatewayd/gateway.yaml"
        wrong.write_text(wrong.read_text(encoding="utf-8") + "stoer: {}\n", encoding="utf-8")
        assert systemd.run("systemctl", "reload", "gatewayd").returncode == 1
        told = "\n/etc/gatewayd/gateway.yaml:4:1: unknown key 'stoer'"
        await until(lambda: told in systemd.journal())
        await until(lambda: "config_invalid" in systemd.show("StatusText"))
        assert (systemd.pids(), systemd.show("ActiveState")) == (running, "active")
        assert systemd.run("systemctl", "restart", "gatewayd").returncode == 1
        assert systemd.show("ActiveState") == "failed"
        shown = systemd.show("StatusText")
        assert "配置有误" in shown
        assert "correct it, then systemctl start gatewayd" in shown


async def test_the_unit_lets_in_what_is_plugged_in_later_and_nothing_that_is_no_port() -> None:
    kinds = devices()
    wanted = {"adapter": 188, "modem": 166, "usb": 189, "scanner": kinds.get("hidraw", 13)}
    barred = {"memory": (1, 1), "watchdog": (10, 130), "kvm": (10, 232)}
    async with booted() as systemd:
        systemd.add_program()
        (systemd.root / "opt/gatewayd/probe.py").write_text(OPENS, encoding="utf-8")
        nodes = barred | {name: (major, MINOR_OF_NOBODY) for name, major in wanted.items()}
        for name, (major, minor) in nodes.items():
            systemd.add_node(name, major, minor)
        await systemd.add_unit("probe.service", UNIT.read_text(encoding="utf-8"))
        await systemd.add_unit("probe.service.d/probe.conf", PROBE.format(" ".join(nodes)))
        await systemd.ctl("start", "probe")
        await until(lambda: _opened(systemd).keys() == nodes.keys())
        told = _opened(systemd)
    assert {name for name in nodes if told[name] == "EPERM"} == barred.keys()


def _opened(systemd: Systemd) -> dict[str, str]:
    """What became of each node; the journal may be a moment late."""
    lines = systemd.journal("probe").splitlines()
    return dict(line[5:].split(": ") for line in lines if line.startswith("/dev/"))

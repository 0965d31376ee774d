"""The station of every history, as a technician would configure it; loaded once a process."""

import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from gatewayd.clock import Clock, ManualClock
from gatewayd.settings.load import load
from gatewayd.settings.model import Settings
from gatewayd.sim.cylinders import Fleet, make_fleet
from gatewayd.store import database
from gatewayd.store.store import Store
from tests.histories.ground import Ground
from tests.histories.hand import LoopHand
from tests.histories.loop import VirtualLoop

STATION = "3701000042"
BEGIN = datetime(2027, 7, 1, 2, 0, tzinfo=UTC)
"""Well after the program was made, which no clock may deny."""
QUOTA_MB = 64
SIZES = ("YSP12", "YSP35.5")
"""Small ones fill quickly."""
GATEWAY = f"""\
station: {{id: "{STATION}", name: 模拟充装站, region: "370100", timezone: Asia/Shanghai, media: [LPG]}}
store: {{path: gatewayd.db, quota_mb: {QUOTA_MB}}}
"""
DEVICES = """\
devices:
  gun-1: {driver: rfid.uhfreader, link: {tcp: "127.0.0.1:6001"}, poll_ms: 150}
  qr-1: {driver: barcode.tcp, link: {tcp: "127.0.0.1:9001"}}
  plc-1: {driver: plc.modbus, link: {tcp: "127.0.0.1:5021"}, unit: 1, profile: reference-gate-v1, poll_ms: 100}
  gun-2: {driver: rfid.uhfreader, link: {tcp: "127.0.0.1:6002"}, poll_ms: 150}
  qr-2: {driver: barcode.tcp, link: {tcp: "127.0.0.1:9002"}}
  plc-2: {driver: plc.modbus, link: {serial: /dev/sim/plc-2, baud: 19200}, unit: 1, profile: reference-gate-v1, poll_ms: 100}
"""
RIGS = """\
rigs:
  rig-1:
    medium: LPG
    identify: [{device: gun-1, antenna: 1}, {device: qr-1}]
    scale: plc-1
    gate: plc-1
    rules: [cn-lpg]
    identify_within_s: 5
    stable_within_s: 5
    settle_within_s: 8
    permit: {start_within_s: 8, lease_ms: 2000}
  rig-2:
    medium: LPG
    identify: [{device: gun-2, antenna: 1}, {device: qr-2, require: true}]
    scale: plc-2
    gate: plc-2
    rules: [cn-lpg]
    identify_within_s: 5
    stable_within_s: 5
    settle_within_s: 8
    on_second_tag: hold
    on_tag_lost: lock
    permit: {start_within_s: 8, lease_ms: 1000}
"""


@dataclass(frozen=True, slots=True)
class Station:
    """What is the same in every history: settings, cylinders, and a store with their archive."""

    settings: Settings
    fleet: Fleet
    store: bytes

    def only(self, *rigs: str) -> Settings:
        """The settings of a station with these rigs alone."""
        kept = {name: rig for name, rig in self.settings.rigs.items() if name in rigs}
        used = {rig.gate for rig in kept.values()}
        used |= {item.device for rig in kept.values() for item in rig.identify}
        devices = {n: device for n, device in self.settings.devices.items() if n in used}
        return replace(self.settings, rigs=kept, devices=devices)


@cache
def station() -> Station:
    """Load and import once."""
    fleet = make_fleet(today=BEGIN.date(), seed=0, owner=STATION, legal=48, illegal_each=2)
    with tempfile.TemporaryDirectory(prefix="gatewayd-history-") as name:
        folder = Path(name)
        for part, text in (("", GATEWAY), ("devices", DEVICES), ("rigs", RIGS)):
            (folder / part).mkdir(exist_ok=True)
            (folder / part / ("all.yaml" if part else "gateway.yaml")).write_text(text, "utf-8")
        settings = load(folder)
        fleet = Fleet(tuple(c for c in fleet.legal if c.entry.model in SIZES), fleet.illegal)
        return Station(settings, fleet, _archive(fleet, folder / "gatewayd.db"))


def _archive(fleet: Fleet, path: Path) -> bytes:
    """A store that knows the fleet."""
    loop = VirtualLoop(Ground(), {})

    async def fill() -> None:
        store = open_store(path, ManualClock(BEGIN), loop)
        await store.import_cylinders(fleet.archive(), replace=True)
        await store.close()

    loop.run_until_complete(fill())
    loop.close()
    assert database.exists(path)
    wal = path.with_name(f"{path.name}-wal")
    assert not wal.exists() or not wal.stat().st_size, "the archive is in the log"
    return path.read_bytes()


def open_store(path: Path, clock: Clock, loop: VirtualLoop, hand: LoopHand | None = None) -> Store:
    """A store whose writer works on a virtual loop."""
    return Store.open(
        path,
        station_id=STATION,
        zone=ZoneInfo("Asia/Shanghai"),
        clock=clock,
        quota_mb=QUOTA_MB,
        hand=hand or LoopHand(loop),
    )

"""The cylinders of every history, and a store that knows them; made once a process."""

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from gatewayd.clock import ManualClock
from gatewayd.sim.cylinders import Fleet, make_fleet
from gatewayd.store import database
from gatewayd.store.store import Store
from tests.histories.config import QUOTA_MB, STATION
from tests.histories.ground import Ground
from tests.histories.hand import LoopHand
from tests.histories.loop import VirtualLoop

BEGIN = datetime(2027, 7, 1, 2, 0, tzinfo=UTC)
"""Well after the program was made, which no clock may deny."""
SIZES = ("YSP12", "YSP35.5")
"""Small ones fill quickly."""


@dataclass(frozen=True, slots=True)
class Station:
    """What is the same in every history: cylinders, and a store with their archive."""

    fleet: Fleet
    store: bytes


@cache
def station() -> Station:
    """Made once."""
    fleet = make_fleet(today=BEGIN.date(), seed=0, owner=STATION, legal=48, illegal_each=2)
    with tempfile.TemporaryDirectory(prefix="gatewayd-history-") as name:
        fleet = Fleet(tuple(c for c in fleet.legal if c.entry.model in SIZES), fleet.illegal)
        return Station(fleet, _archive(fleet, Path(name) / "gatewayd.db"))


def _archive(fleet: Fleet, path: Path) -> bytes:
    """A store that knows the fleet."""
    loop = VirtualLoop(Ground(), {})

    async def fill() -> None:
        store = Store.open(
            path,
            station_id=STATION,
            zone=ZoneInfo("Asia/Shanghai"),
            clock=ManualClock(BEGIN),
            quota_mb=QUOTA_MB,
            hand=LoopHand(loop),
        )
        await store.import_cylinders(fleet.archive(), replace=True)
        await store.close()

    loop.run_until_complete(fill())
    loop.close()
    assert database.exists(path)
    wal = path.with_name(f"{path.name}-wal")
    assert not wal.exists() or not wal.stat().st_size, "the archive is in the log"
    return path.read_bytes()

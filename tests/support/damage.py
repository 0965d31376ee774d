"""A store with something of everything in it, and ways to damage its file."""

import asyncio
import random
import shutil
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import apsw

from gatewayd.alarms.damage import remedy
from gatewayd.clock import ManualClock
from gatewayd.ids import new_id
from gatewayd.store import orders
from gatewayd.store.model import Cylinder, RecordDraft, StoredAlarm
from gatewayd.store.reads import Reader
from gatewayd.store.store import Store
from gatewayd.store.swap import PIECES
from tests.support.stores import NOON, STATION, ZONE, draft, open_store, permit

DB = "gatewayd.db"
RECORDS = 70
CYLINDERS = 200
DELIVERED = 40
PAGE = 4_096
RIGS = ("rig-1", "rig-2")


@dataclass(frozen=True, slots=True)
class Made:
    """What was in the store before it was damaged: record bodies by sequence, a pending permit."""

    folder: Path
    bodies: dict[int, str]
    permit_id: str

    @property
    def path(self) -> Path:
        return self.folder / DB

    def copy_to(self, folder: Path) -> Path:
        """The same store in a folder of its own."""
        shutil.copytree(self.folder, folder)
        return folder / DB


async def make(folder: Path) -> Made:
    """A store with records short and long, an archive, a permit, holds, locks, an alarm."""
    store = open_store(folder)
    entries = [Cylinder(f"{n:010}", (f"E200{n:04X}",), maker="m" * 90) for n in range(CYLINDERS)]
    await store.import_cylinders(entries, replace=False)
    for n in range(RECORDS - 4):
        text = "气" * (3_000 if n % 9 == 4 else 100)
        await store.append(draft(data={"net_g": 14_500, "text": text}, total_after_g=n))
    await store.append(_alarm())
    await store.hold("0000000007", "recall", by="bureau")
    lock = orders.Order(new_id(), "rig-2", "hose", "li", "page", NOON)
    await store.order(orders.lock, lock)
    await store.acknowledge("platform", DELIVERED, dead=[(3, "refused")])
    right = permit()
    await store.issue(right)
    await store.append(draft("refusal", rig_id="points/gate"))
    await store.close()
    with Reader.open(folder / DB) as reader:
        bodies = {record.sequence: record.body for record in reader.records()}
    assert len(bodies) == RECORDS
    return Made(folder, bodies, right.id)


def _alarm() -> RecordDraft:
    alarm = StoredAlarm("overfilled", "0000000009", "rig-1", "critical", NOON, new_id(), 1, "", {})
    return replace(draft("alarm", record_id=alarm.record_id), alarm=alarm)


def pages(path: Path) -> dict[tuple[str, str], list[int]]:
    """The numbers of pages by what they belong to and their kind: leaf, internal, overflow."""
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        found: dict[tuple[str, str], list[int]] = {}
        for name, kind, number in connection.execute("SELECT name, pagetype, pageno FROM dbstat"):
            found.setdefault((str(name), str(kind)), []).append(int(number))
        return found


def zeroed(path: Path, page: int) -> None:
    """A page that the disk gives back empty."""
    _write(path, (page - 1) * PAGE, bytes(PAGE))


def garbled(path: Path, page: int) -> None:
    """A page of noise."""
    _write(path, (page - 1) * PAGE, random.Random(page).randbytes(PAGE))


def flipped(path: Path, page: int) -> None:
    """A few bytes of a page are others: its head, and a sprinkle."""
    chance, data = random.Random(page), bytearray(path.read_bytes())
    start = (page - 1) * PAGE
    for at in (start, *(start + chance.randrange(PAGE) for _ in range(12))):
        data[at] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def _write(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def reopen(folder: Path) -> Store:
    """Open as the daemon does: what is damaged is put aside."""
    return Store.open(
        folder / DB,
        station_id=STATION,
        zone=ZONE,
        clock=ManualClock(NOON),
        quota_mb=64,
        busy_ms=200,
        remedy=remedy(STATION, RIGS),
    )


def put_aside(folder: Path) -> list[Path]:
    """The stores that were put aside, without their logs."""
    found = sorted(folder.glob(f"{DB}.damaged-*"))
    return [file for file in found if not file.name.endswith(PIECES[1:])]


def run_make(folder: Path) -> Made:
    """`make` for who is not on a loop."""
    return asyncio.run(make(folder))

"""A desk with a real store and the settings of a real config; its rigs only note that they were told."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from gatewayd.clock import ManualClock
from gatewayd.desk.desk import Desk
from gatewayd.desk.terms import By
from gatewayd.errors import StoreError
from gatewayd.rigs.model import Identity, Phase, State
from gatewayd.settings.load import load
from gatewayd.settings.model import Settings
from gatewayd.store import people
from gatewayd.store.model import RigLock
from gatewayd.store.people_model import Operator
from gatewayd.store.store import Store
from rules_engine.verdict import Message
from tests.rigs.bench import LEGAL, OTHER
from tests.support import shapes
from tests.support.configs import RIGS, write_config
from tests.support.stores import ZONE

START = datetime(2026, 8, 1, 4, 0, tzinfo=UTC)
PAGE = By("zhang", "page", "shift begins")
LI = Operator(
    "op-1",
    "李四",
    "T-370100-1",
    date(2027, 1, 1),
    ("LPG",),
    roles=("filler", "inspector"),
    cards=("04:A1:B2:C3", "OP 1"),
)
WANG = replace(LI, id="op-2", name="王五", roles=("filler",), cards=("04A1B2C4",))
GONE = replace(LI, id="op-3", name="赵六", cards=("04A1B2C5",), active=False)
ASKS = """\
    operator: {device: qr-1, required: true, session_min: 60}
    precheck: {form: lpg-prefill, required: true}
    postcheck: {form: lpg-postfill, required: true}
"""


@dataclass
class ToldPeople:
    """What a rig was told about people."""

    changes: int = 0
    acknowledged: int = 0
    notices: list[str] = field(default_factory=list)

    def changed(self) -> None:
        self.changes += 1

    def acknowledge(self, presence: int) -> None:
        self.acknowledged = presence

    def notice(self, code: str, message: Message) -> None:
        assert message.zh
        assert message.en
        self.notices.append(code)


@dataclass
class Told:
    """A rig as far as the desk sees it: what stands there, and how often it was told to look."""

    state: State = field(default_factory=State)
    people: ToldPeople = field(default_factory=ToldPeople)
    locked: RigLock | None = None
    changes: int = 0

    def store_changed(self, lock: RigLock | None, *, archive: bool) -> None:
        self.locked = lock
        self.changes += archive

    def stand(self, cylinder: Any = LEGAL, *, refused_for: tuple[str, ...] = ()) -> None:
        """A cylinder that was read stands here."""
        phase = Phase.REFUSED if refused_for else Phase.JUDGING
        who = Identity("one", cylinder, uid=cylinder.tag_uids[0])
        self.state = State(phase=phase, identity=who, presence=7, findings=refused_for)


@dataclass
class Hall:
    """What runs."""

    settings: Settings
    rigs: Mapping[str, Told]


@dataclass
class Front:
    """The desk and everything behind it."""

    desk: Desk
    store: Store
    clock: ManualClock
    rigs: Mapping[str, Told]
    hall: Hall

    @property
    def rig(self) -> Told:
        return self.rigs["rig-1"]

    def records(self, kind: str = "") -> list[dict[str, Any]]:
        """The `data` of every record, of one kind where named."""
        found = [json.loads(record.body) for record in self.store.records()]
        return [body["data"] for body in found if kind in body["type"]]


async def employ(store: Store, *operators: Operator, replace: bool = False) -> None:
    """Put operators on the list."""
    await store.commit(
        lambda connection, _issuer: people.upsert_operators(connection, operators, replace=replace)
    )


def rigs_file(asks: str = ASKS) -> str:
    """The rigs of the valid station; rig-1 asks for people and checks."""
    return RIGS.replace("  rig-2:", f"{asks}  rig-2:")


@asynccontextmanager
async def at_front(folder: Path, asks: str = ASKS, **files: str) -> AsyncIterator[Front]:
    """A desk that is open: three operators are listed, two cylinders known, nobody is logged in."""
    changes = {f"{name}/site.yaml": text for name, text in files.items()}
    settings = load(write_config(folder, {"rigs/all.yaml": rigs_file(asks), **changes}))
    clock = ManualClock(START)
    store = Store.open(
        folder / "gatewayd.db", station_id="3701000042", zone=ZONE, clock=clock, quota_mb=64
    )
    try:
        await store.import_cylinders((LEGAL, OTHER), replace=False)
        await employ(store, LI, WANG, GONE)
        rigs = {name: Told() for name in settings.rigs}
        hall = Hall(settings, rigs)
        yield Front(Desk(hall, store, clock), store, clock, rigs, hall)
        with suppress(StoreError):  # a test may have closed it
            shapes.all_records_well(store, shapes.OF_THE_DESK)
    finally:
        await store.close()

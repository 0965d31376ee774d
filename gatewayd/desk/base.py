"""What every part of the desk has: the settings in force, the rigs that run, store and clock."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from gatewayd.clock import Clock
from gatewayd.desk.terms import By, No, no
from gatewayd.errors import StoreError
from gatewayd.ids import new_id
from gatewayd.logs import logger
from gatewayd.rigs.evidence import stamp
from gatewayd.rigs.model import State
from gatewayd.settings.model import RigSettings, Settings
from gatewayd.shapes.kinds import RecordKind
from gatewayd.store.model import RecordDraft, RigLock
from gatewayd.store.store import Store
from rules_engine.verdict import Message

T = TypeVar("T")


class PeopleThere(Protocol):
    """What the desk tells a rig about people: plain calls that never wait."""

    def changed(self) -> None:
        """Somebody logged in or out, or a check or batch changed: look at the store again."""
        ...

    def acknowledge(self, presence: int) -> None:
        """Somebody has seen the refusal of this presence."""
        ...

    def notice(self, code: str, message: Message) -> None:
        """Show for a while why a card or code was refused."""
        ...


class RunningRig(Protocol):
    """What the desk asks of a rig: plain calls that never wait."""

    state: State

    @property
    def people(self) -> PeopleThere:
        """Who is at it."""
        ...

    def store_changed(self, lock: RigLock | None, *, archive: bool) -> None:
        """Somebody locked this rig (None: it is not locked), or the archive or a hold changed."""
        ...


class Floor(Protocol):
    """What runs now: a reload changes it in place."""

    settings: Settings

    @property
    def rigs(self) -> Mapping[str, RunningRig]:
        """The rigs by name."""
        ...


class Base:
    """Parts of the desk inherit this. One request at a time: each sees what the last one left."""

    def __init__(self, floor: Floor, store: Store, clock: Clock) -> None:
        self._floor = floor
        self._store = store
        self._clock = clock
        self._turn = asyncio.Lock()
        self._log = logger("desk")

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._floor.settings

    @property
    def rigs(self) -> Mapping[str, RunningRig]:
        """The rigs that run."""
        return self._floor.rigs

    @property
    def zone(self) -> ZoneInfo:
        """The station's time zone."""
        return ZoneInfo(self.settings.station.timezone)

    def _rig(self, rig_id: str) -> RigSettings | No:
        found = self.settings.rigs.get(rig_id)
        if found is None or rig_id not in self.rigs:
            return no("no_rig", rig=rig_id, known=", ".join(self.rigs) or "-")
        return found

    def _draft(
        self, kind: RecordKind, rig_id: str, at: datetime, by: By, data: Mapping[str, Any]
    ) -> RecordDraft:
        head = {"station_id": self.settings.station.id, "rig_id": rig_id}
        return RecordDraft(new_id(), kind, rig_id, at, {**head, **data, "by": by.shown()})

    def _changed(self, rig_id: str) -> None:
        """Let a rig look again, unless a reload has taken it away meanwhile."""
        rig = self.rigs.get(rig_id)
        if rig is not None:
            rig.people.changed()

    def _stamp(self, wall: datetime) -> str:
        return stamp(wall, self.zone)

    async def _one(self, work: Callable[[], Awaitable[T | No]]) -> T | No:
        """One request in its turn; a store that cannot read or commit is a refusal."""
        async with self._turn:
            try:
                return await work()
            except StoreError as exc:
                self._log.exception("desk.not_committed", error=str(exc))
                return no("store_unavailable")

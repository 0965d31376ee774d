"""Who else knows facts for a judgement: the archive's age, people and checks, history, the clock.

A rig and `gatewayd verdict` ask every source at each judgement. A source answers from memory or
from the store's read connection, at once. What it does not know it leaves out: a rule that needs it
then denies with DATA_MISSING. One that cannot read the store says so: then nothing is permitted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from drivers.contract import GateSample
from gatewayd.errors import StoreError
from gatewayd.rigs.findings import loosened
from gatewayd.rigs.model import Identity
from gatewayd.settings.model import RigSettings, StationSettings
from gatewayd.settings.offline import ArchiveSettings
from gatewayd.store.reads import Reads
from rules_engine.verdict import Finding

HOUR_S = 3_600
UNREADABLE = "?"
"""What stands for the reason of a lock while nobody can read whether there is one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a judgement is about; `wall` is aware, `sample` None when only asked in theory.

    `presence` numbers the cylinder that stands there, from 1; 0 where that is not asked for.
    """

    rig_id: str
    rig: RigSettings
    station: StationSettings
    identity: Identity
    sample: GateSample | None
    wall: datetime
    presence: int = 0


class FactSource(Protocol):
    """One room that knows facts."""

    def facts(self, asked: Asked) -> Mapping[str, Any]:
        """Flat facts by their names in `rules_engine.vocabulary`; raises nothing but StoreError."""
        ...


@dataclass(frozen=True, slots=True)
class RigLocks:
    """Why a rig is locked, as it is committed right now."""

    reads: Reads

    def facts(self, asked: Asked) -> Mapping[str, Any]:
        """`rig.lock`, empty when nobody locked it; a store that cannot be read is a lock."""
        try:
            lock = self.reads.rig_lock(asked.rig_id)
        except StoreError:
            return {"rig.lock": UNREADABLE}
        return {"rig.lock": "" if lock is None else lock.reason}


@dataclass(frozen=True, slots=True)
class ArchiveAge:
    """How old the archive is, where that is limited; an age in doubt is absent."""

    settings: ArchiveSettings
    reads: Reads

    def facts(self, asked: Asked) -> Mapping[str, Any]:
        """`station.archive_age_s` and `station.archive_age_s_max`."""
        if self.settings.stale_after_h is None:
            return {}
        today = asked.wall.astimezone(ZoneInfo(asked.station.timezone)).date()
        limit_h = self.settings.stale_after_h + self.settings.grace_h(today)
        limit = {"station.archive_age_s_max": limit_h * HOUR_S}
        try:
            confirmed_at = self.reads.archive_confirmed_at()
        except StoreError:
            return limit  # Unknown denies, as it does when nobody ever confirmed the archive.
        if confirmed_at is None or confirmed_at > asked.wall:
            return limit
        return limit | {"station.archive_age_s": int((asked.wall - confirmed_at).total_seconds())}

    def loosened(self, facts: Mapping[str, Any]) -> Finding | None:
        """What stands in every verdict while fills go on with an archive nobody confirmed."""
        age_s, today = facts.get("station.archive_age_s"), facts.get("clock.today")
        stale_h, how = self.settings.stale_after_h, self.settings.offline
        if age_s is None or today is None or stale_h is None:
            return None
        grace_h = self.settings.grace_h(today)
        if not stale_h * HOUR_S < age_s <= (stale_h + grace_h) * HOUR_S:
            return None
        return loosened(
            "ARCHIVE_STALE",
            age_h=age_s // HOUR_S,
            stale_after_h=stale_h,
            hours_max=how.hours_max,
            reason=how.reason,
            approved_by=how.approved_by,
            until=how.until,
        )

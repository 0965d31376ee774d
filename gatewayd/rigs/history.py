"""What the store remembers of a cylinder as facts: its last fill, retired codes, whose it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from gatewayd.rigs.identity import plain_uid, spellings
from gatewayd.rigs.sources import Asked
from gatewayd.settings.model import StationSettings
from gatewayd.store.model import Cylinder
from gatewayd.store.passing import RETIRING
from gatewayd.store.reads import Reads


@dataclass(frozen=True, slots=True)
class History:
    """The last fill, and whether the cylinder left since: where points watch the station's gate.

    Without such a point nobody can say whether a cylinder left, so nothing is said and REPEAT_FILL
    is not judged.
    """

    reads: Reads
    gate_is_watched: bool

    def facts(self, asked: Asked) -> Mapping[str, Any]:
        """`history.last_filled_on`, `history.left_since_fill`; raises StoreError."""
        cylinder = asked.identity.cylinder
        if cylinder is None or not self.gate_is_watched:
            return {}
        life = self.reads.life(cylinder.code)
        if life.filled_at is None:
            return {}
        day = life.filled_at.astimezone(ZoneInfo(asked.station.timezone)).date()
        return {"history.last_filled_on": day, "history.left_since_fill": life.left_since_fill}


def filled(reads: Reads, code: str) -> dict[str, int]:
    """`scale.net_g` as the last fill left it, for who weighs nothing; raises StoreError."""
    filled_g = reads.life(code).filled_g
    return {} if filled_g is None else {"scale.net_g": filled_g}


@dataclass(frozen=True, slots=True)
class RetiredCodes:
    """Whether what was read was retired; an entry that is ended itself says so in other words."""

    reads: Reads

    def facts(self, asked: Asked) -> Mapping[str, Any]:
        """`code.retired`; raises StoreError."""
        who = asked.identity
        if who.status != "one" or (who.cylinder and who.cylinder.status in RETIRING):
            return {}
        codes: tuple[str, ...] = ()
        if who.cylinder is not None:
            codes = (who.cylinder.code,)  # An older spelling of it may be retired, it is not.
        elif who.code is not None:
            codes = spellings(who.code, asked.station.region)
        retired = any(self.reads.retired("code", code) for code in dict.fromkeys(codes))
        if not retired and who.uid is not None:
            retired = self.reads.retired("uid", plain_uid(who.uid)) is not None
        return {"code.retired": retired}


@dataclass(frozen=True, slots=True)
class Ownership:
    """By which association another owner's cylinder may be filled here (cylinders.md §3.4, 09)."""

    def facts(self, asked: Asked) -> Mapping[str, Any]:
        """`station.association`, only for a cylinder of an associated owner."""
        found = association(asked.station, asked.identity.cylinder)
        return {} if found is None else {"station.association": found}


def association(station: StationSettings, cylinder: Cylinder | None) -> str | None:
    """The associated owner whose cylinder this is; None for our own and for a stranger's."""
    if cylinder is None or cylinder.owner == station.id:
        return None
    return cylinder.owner if cylinder.owner in station.associated_owners else None

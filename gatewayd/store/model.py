"""The values that the store keeps: cylinders, permits, records. Frozen; names are contract §7, §9."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Literal

from gatewayd.shapes.kinds import RecordKind
from gatewayd.store.passing import Passing

Resolution = Literal["posted", "voided", "expired"]

PERMIT_NO_MAX = 65_535


@dataclass(frozen=True, slots=True)
class Cylinder:
    """One archive entry (contract §9, in column order). None = unknown; `tag_uids` as imported.

    From `kind` on: what rules may read beyond the contract's columns.
    """

    code: str
    tag_uids: tuple[str, ...] = ()
    serial_no: str | None = None
    maker: str | None = None
    owner: str | None = None
    model: str | None = None
    medium: str | None = None
    water_capacity_ml: int | None = None
    stamped_tare_g: int | None = None
    allowed_net_g: int | None = None
    made_on: date | None = None
    scrap_on: date | None = None
    life_extended_to: date | None = None
    last_inspection_on: date | None = None
    next_inspection_on: date | None = None
    design_standard: str | None = None
    design_life_years: int | None = None
    inspection_result: str | None = None
    status: str | None = None
    hold: str | None = None
    fills_allowed: int | None = None
    fills_done: int | None = None
    refurbished: bool | None = None
    screw_shroud: bool | None = None
    embossed_mark: bool | None = None
    kind: str | None = None
    working_pressure_kpa: int | None = None
    registered: bool | None = None
    maker_licensed: bool | None = None
    taxi: bool | None = None

    def known(self) -> dict[str, Any]:
        """The columns that are known, as JSON values: dates ISO, `tag_uids` a list."""
        values = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: _json(value) for name, value in values if value is not None}


def _json(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True)
class Permit:
    """A single-use right to fill, as committed before the gate was touched.

    `record_id` is the id of the one record this permit will end in. `judged` is the identity and
    verdict part of that record's data. `total_before_g` and `fills_before` are the PLC's counters
    at issue. Times are aware UTC.
    """

    id: str
    record_id: str
    rig_id: str
    permit_no: int
    cylinder_code: str
    target_g: int
    limit_gross_g: int
    tare_g: int
    lease_ms: int
    total_before_g: int
    fills_before: int
    issued_at: datetime
    expires_at: datetime
    judged: Mapping[str, Any]

    def __post_init__(self) -> None:
        """A permit that no gate may see must not exist."""
        assert 1 <= self.permit_no <= PERMIT_NO_MAX, self
        assert 0 < self.target_g <= self.limit_gross_g, self
        assert self.issued_at.tzinfo is not None, self
        assert self.expires_at > self.issued_at, self


@dataclass(frozen=True, slots=True)
class StoredAlarm:
    """The last life of one alarm, by `kind` and `subject`. Times are aware UTC.

    It stands while `cleared_at` is None. `record_id` is the record of its last raising; `rig_id` is
    empty for what belongs to no rig; `count` is how often it was told in this life.
    """

    kind: str
    subject: str
    rig_id: str
    severity: str
    raised_at: datetime
    record_id: str
    count: int
    detail: str
    values: Mapping[str, Any]
    cleared_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class RecordDraft:
    """A fact about to be committed. `id` was made once, by whoever knows it happened.

    `data` is JSON. `counts_fill_of` names the cylinder whose `fills_done` grows by one with this
    record; `total_after_g` becomes the rig's last recorded totaliser; `alarm` is what an alarm has
    become with this record. `passing` is what it says of a cylinder's way. An empty `rig_id` is a
    fact of the station and of no rig, `points/NAME` one of a scan point.
    """

    id: str
    kind: RecordKind
    rig_id: str
    time: datetime
    data: Mapping[str, Any]
    counts_fill_of: str | None = None
    total_after_g: int | None = None
    alarm: StoredAlarm | None = None
    also: "tuple[RecordDraft, ...]" = ()
    passing: Passing | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A committed fact: `sequence` from 1 without a gap, `body` the CloudEvents JSON text (§7)."""

    sequence: int
    id: str
    kind: str
    rig_id: str
    body: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that an upstream refused for good; `retrying` once a person asked for another try.

    The record itself is safe in the chain. `refused_at` is aware UTC.
    """

    upstream: str
    sequence: int
    record_id: str
    kind: str
    reason: str
    refused_at: datetime
    retrying: bool


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far an upstream has taken the records: all up to `sequence`; `acknowledged_at` is UTC."""

    upstream: str
    sequence: int
    acknowledged_at: datetime


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """What an archive import did, in cylinders.

    `outdated` are entries that were left alone: their upstream has said something newer already.
    `retired` are those that use a retired code or tag again; the rigs refuse them.
    """

    added: int
    updated: int
    unchanged: int
    removed: int
    outdated: int = 0
    retired: int = 0


@dataclass(frozen=True, slots=True)
class ArchiveState:
    """What the archive is: `version` of its last change, and when its source last confirmed it.

    Who knows the archive as of a version below `removed_version` misses that entries were removed
    since, and needs it whole. `confirmed_at` is aware UTC, None = never.
    """

    version: int
    removed_version: int
    cylinders: int
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One archive entry with the version and time (aware UTC) of its last change."""

    cylinder: Cylinder
    version: int
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Hold:
    """A cylinder held by somebody, until released; open while `released_at` is None."""

    code: str
    reason: str
    held_by: str
    held_at: datetime
    released_by: str | None = None
    released_at: datetime | None = None
    release_reason: str | None = None


@dataclass(frozen=True, slots=True)
class RigLock:
    """A rig locked by somebody, until unlocked; in force while `unlocked_at` is None."""

    rig_id: str
    reason: str
    locked_by: str
    locked_at: datetime
    unlocked_by: str | None = None
    unlocked_at: datetime | None = None
    unlock_reason: str | None = None

"""The values of people and checks that the store keeps: operators, sessions, checks, batches."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

Stage = Literal["prefill", "postfill"]


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who may log in. None = unknown; `active` None = listed and not barred.

    `media` are those the certificate covers; `cards` uids and codes as imported; `roles` what they
    may answer in checks.
    """

    id: str
    name: str | None = None
    certificate: str | None = None
    certificate_until: date | None = None
    media: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()
    active: bool | None = None

    @property
    def barred(self) -> bool:
        """Whether they may not log in any more."""
        return self.active is False

    def shown(self) -> dict[str, Any]:
        """As records name an operator (contract §7)."""
        return {"id": self.id, "name": self.name, "certificate": self.certificate}


@dataclass(frozen=True, slots=True)
class Session:
    """Who is logged in at a rig, from `since` until before `until` (aware UTC).

    `name` and `certificate` are as at the log-in; `how` is card, code, page, mqtt or cli.
    """

    rig_id: str
    operator_id: str
    name: str | None
    certificate: str | None
    since: datetime
    until: datetime
    how: str

    def lives(self, wall: datetime) -> bool:
        """Whether it counts now; a clock that went back before the log-in ends it as well."""
        return self.since <= wall < self.until

    def shown(self) -> dict[str, Any]:
        """As records name an operator (contract §7)."""
        return {"id": self.operator_id, "name": self.name, "certificate": self.certificate}


@dataclass(frozen=True, slots=True)
class Check:
    """The newest answered check of one form for one cylinder or one batch; times are aware UTC.

    `subject` is a cylinder's code or a batch number. `failed` is empty when it passed. `facts` are
    numbers that it gives to the rules. `fill_id` is the record of the fill that a post-fill check
    is about. `spent_by` is the record of the fill for which a pre-fill check was used up.
    """

    subject: str
    form: str
    stage: Stage
    rig_id: str
    record_id: str
    answered_at: datetime
    valid_until: datetime
    failed: tuple[str, ...]
    facts: Mapping[str, int]
    operator: Mapping[str, Any] | None
    fill_id: str | None = None
    spent_by: str | None = None

    def passed(self, wall: datetime) -> bool:
        """Whether it lets a cylinder pass now."""
        timely = self.answered_at <= wall < self.valid_until
        return not self.failed and self.spent_by is None and timely


@dataclass(frozen=True, slots=True)
class Due:
    """A fill whose post-fill check is still open; `filled_at` is aware UTC."""

    fill_id: str
    rig_id: str
    cylinder_code: str
    form: str
    filled_at: datetime


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch of a rig and what was filled in it; open while `closed_at` is None (aware UTC)."""

    rig_id: str
    number: str
    opened_at: datetime
    automatic: bool
    closed_at: datetime | None = None
    fills: int = 0
    net_g: int = 0

    @property
    def key(self) -> str:
        """As checks name it: two rigs may give their batches one number."""
        return f"{self.rig_id}/{self.number}"

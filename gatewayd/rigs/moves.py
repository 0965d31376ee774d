"""What happens at a rig: events in, effects out, as frozen values.

The machine (`machine.py`) turns a state and an event into a state and effects; the actor
(`rig.py`) carries the effects out and answers with events.
"""

from dataclasses import dataclass
from typing import TypeAlias

from drivers.contract import GateOrder, GateSample
from gatewayd.rigs.model import Ending, Identity, Plan, View
from gatewayd.store.model import Permit
from rules_engine.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict, and what may be filled: None when it denies or the tare is not yet stable."""

    verdict: Verdict
    plan: Plan | None
    sample: GateSample


@dataclass(frozen=True, slots=True)
class Issued:
    """Commit 1 happened: the permit is pending in the store, nothing was written to the gate.

    `view` was taken after it: a commit may take long, and the world does not wait.
    """

    permit: Permit
    view: View


@dataclass(frozen=True, slots=True)
class NotIssued:
    """Commit 1 failed; no permit exists."""

    why: str


@dataclass(frozen=True, slots=True)
class Opened:
    """The gate holds the order as written; the echo is still to come."""

    started_ns: int
    finished_ns: int


@dataclass(frozen=True, slots=True)
class Renewed:
    """The lease counter moved between these two moments."""

    started_ns: int
    finished_ns: int


@dataclass(frozen=True, slots=True)
class GateFailed:
    """A write to the gate failed or read back wrong."""

    why: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class Resolved:
    """Commit 2 happened: the permit ended in its one record."""

    total_g: int
    code: str
    flowed: bool


@dataclass(frozen=True, slots=True)
class NotResolved:
    """Commit 2 failed; it is tried again with the same record id."""

    why: str


Event: TypeAlias = (
    View | Judged | Issued | NotIssued | Opened | Renewed | GateFailed | Resolved | NotResolved
)


@dataclass(frozen=True, slots=True)
class Judge:
    """Judge this identity with this sample."""

    identity: Identity
    sample: GateSample


@dataclass(frozen=True, slots=True)
class Refuse:
    """Commit a refusal of what stands here."""

    identity: Identity
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class RefuseFor:
    """Commit a refusal for a reason that no rule pack judges: NO_TAG, AMBIGUOUS and others."""

    code: str
    identity: Identity


@dataclass(frozen=True, slots=True)
class Issue:
    """Commit a pending permit (commit 1)."""

    identity: Identity
    verdict: Verdict
    plan: Plan
    sample: GateSample


@dataclass(frozen=True, slots=True)
class Open:
    """Write the order to the gate and read it back. `seen_ns` is the sample that justified it."""

    order: GateOrder
    seen_ns: int


@dataclass(frozen=True, slots=True)
class Renew:
    """Move the lease once. The sample that justified it was taken at `seen_ns`."""

    seen_ns: int


@dataclass(frozen=True, slots=True)
class Lock:
    """Write permit 0. Allowed at any time."""


@dataclass(frozen=True, slots=True)
class Resolve:
    """Commit the permit's one record (commit 2)."""

    permit: Permit
    ending: Ending


@dataclass(frozen=True, slots=True)
class Unauthorised:
    """Gas flowed that no permit covers: a fill record and an alarm. `away`: while nobody watched."""

    identity: Identity
    net_g: int
    total_before_g: int
    sample: GateSample
    away: bool = False


@dataclass(frozen=True, slots=True)
class Baseline:
    """Remember the totaliser as it stands: nothing to compare with, or it went backwards."""

    total_g: int
    went_back_from_g: int | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """Tell people. `code` names a text of the catalogue; `cylinder` whose it is, empty = the rig's."""

    code: str
    detail: str
    cylinder: str = ""


Effect: TypeAlias = (
    Judge
    | Refuse
    | RefuseFor
    | Issue
    | Open
    | Renew
    | Lock
    | Resolve
    | Unauthorised
    | Baseline
    | Alarm
)

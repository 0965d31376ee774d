"""What a rig knows, as frozen values: phases, identity, the view it looks at, its state.

`moves.py` has the events and effects. Nothing here waits or writes.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias

from drivers.contract import GateSample
from drivers.readings import Unread
from gatewayd.rigs.held import Held
from gatewayd.store.model import Cylinder, Permit
from rules_engine.masses import Masses
from rules_engine.verdict import Verdict


class Phase(StrEnum):
    """The states of contract §5."""

    LOCKED = "locked"
    IDENTIFYING = "identifying"
    JUDGING = "judging"
    PERMITTED = "permitted"
    FILLING = "filling"
    SETTLING = "settling"
    REFUSED = "refused"
    FAULT = "fault"


class Withdrawal(StrEnum):
    """Why a permit no longer holds the gate open."""

    ENDED = "ended"
    EXPIRED = "expired"
    CYLINDER_LEFT = "cylinder_left"
    SECOND_TAG = "second_tag"
    TAG_LOST = "tag_lost"
    NO_ECHO = "no_echo"
    GATE_LOST = "gate_lost"
    GATE_FAULT = "gate_fault"
    OVER_LIMIT = "over_limit"
    DEVICE_LOST = "device_lost"
    STORE_LOST = "store_lost"
    STALLED = "stalled"
    STOPPING = "stopping"
    REGULATOR_LOCK = "regulator_lock"
    CYLINDER_HELD = "cylinder_held"
    FILL_RULE = "fill_rule"
    CONFIG_CHANGED = "config_changed"
    RULES_CHANGED = "rules_changed"
    DUPLICATE = "duplicate"
    OPERATOR_CHANGED = "operator_changed"
    VERDICT_CHANGED = "verdict_changed"
    CHECK_FAILED = "check_failed"
    RESTART = "restart"


JUDGED_ANEW = frozenset(
    {Withdrawal.RULES_CHANGED, Withdrawal.OPERATOR_CHANGED, Withdrawal.VERDICT_CHANGED}
)
"""What takes back a permit that nobody started, while the cylinder may still be a legal one."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Why something known may have been read as unknown; advice, never an identity.

    `reversed_uid`: the archive has the tag `seen` with its bytes the other way round, as `known`.
    `gs_lost`: the GS1 code `seen` may have lost a separator; another reading of it is `known`.
    """

    kind: Literal["reversed_uid", "gs_lost"]
    seen: str
    known: str


@dataclass(frozen=True, slots=True)
class Clash:
    """A tag and a printed code, both asked for, that do not name one cylinder.

    `by_uid` and `by_code` are the codes of the cylinders they name, None = not in the archive.
    """

    uid: str
    code: str
    by_uid: str | None
    by_code: str | None


@dataclass(frozen=True, slots=True)
class Identity:
    """What the reads at a rig agree on since the cylinder came.

    `waiting`: a required device has not spoken. `one`: all that spoke name one thing, which is in
    the archive when `cylinder` is not None. `many`: more than one candidate, shown in `shown`.
    `uid` is spelled as the archive spells it when known; `code` is the text as scanned.
    `tag_lost`: a required reader has not seen its tag for the time the rig allows.
    `hint`: what to change when something unknown was read that is nearly known.
    `clash`: why it is `many`, where the rig asks for tag and printed code and they disagree.
    `agrees`: a tag and a printed code were read and name this one cylinder.
    `elsewhere`: where this cylinder stands too, or stood too soon before; empty = nowhere, None =
    nobody looked.
    `unread`: what a device that has not spoken heard since and could not read; of `waiting` alone.
    `held`: what the tags hold, for each device that is asked for it; empty where none is.
    """

    status: Literal["waiting", "one", "many"] = "waiting"
    cylinder: Cylinder | None = None
    uid: str | None = None
    code: str | None = None
    shown: tuple[str, ...] = ()
    tag_lost: bool = False
    hint: Hint | None = None
    clash: Clash | None = None
    agrees: bool = False
    elsewhere: str | None = None
    held: tuple[Held, ...] = ()
    unread: Unread | None = None

    @property
    def told(self) -> bool:
        """Whether everything is known that may still come of what tags hold."""
        return not any(each.coming for each in self.held)

    @property
    def untold(self) -> str:
        """The reason to refuse when this is `waiting` and the time is up."""
        return "NO_TAG" if self.unread is None else "UNREADABLE"

    @property
    def objection(self) -> str:
        """The reason to refuse when this is `many`."""
        return "AMBIGUOUS" if self.clash is None else "TAG_MISMATCH"


NOBODY = Identity()
Plan: TypeAlias = Masses
"""The masses of a fill that the verdict allows."""
STORE_ILL = "store"
"""What `View.ill` says when the store cannot commit or the archive cannot be read."""
PROGRAM = "program"
"""What `State.fault` says of a rig that ended of a bug, until it is begun again."""


@dataclass(frozen=True, slots=True)
class View:
    """Everything a rig looks at, at one moment.

    `sample` None = the gate is lost or its last word is stale. `presence` numbers the cylinder
    standing there (0 = none); `found` = it stood there already when the gate came up. `steady` =
    this sample and the one before it are stable with that cylinder on: a swinging scale looks
    stable for a moment where it turns round. `leaked_g` is what it grew heavier by without a permit,
    and without the totaliser. `ill` = why
    nothing may be open (a required device, the store), empty when all is well. `stopping` = the
    daemon is going down; `locked` = somebody locked this rig; `recalled` = why a permit nobody has
    started no longer counts. `people` changes whenever somebody logged in or answered a check;
    `acknowledged` is the presence whose refusal somebody has seen; `objected` is what a rule of
    stage `fill` says against the flow; `denied` why a live permit would not be given now, empty when
    nobody asked or it would be.
    """

    now_ns: int
    wall: datetime
    sample: GateSample | None
    presence: int
    identity: Identity
    found: bool = False
    steady: bool = False
    leaked_g: int = 0
    ill: str = ""
    stopping: bool = False
    locked: bool = False
    recalled: Withdrawal | None = None
    objected: Withdrawal | None = None
    denied: tuple[str, ...] = ()
    people: int = 0
    acknowledged: int = 0


@dataclass(frozen=True, slots=True)
class Ending:
    """How a permit ended. Masses in grams.

    `resolution` is what the permit becomes; `mismatch_g` is totaliser minus net where they
    disagree by more than is allowed, else 0. `stray_g` flowed meanwhile and cannot be this fill's:
    `total_after_g` is without it, so that it is booked as flow without a permit. `seconds` are
    monotonic, None when the start was not seen: the wall clock may jump between the two times.
    """

    outcome: str
    resolution: Literal["posted", "voided", "expired"]
    end_reason: str
    net_g: int
    gross_end_g: int
    total_after_g: int
    mismatch_g: int
    stray_g: int
    started_at: datetime | None
    ended_at: datetime
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Stray:
    """Gas that flows without a permit: since when, whose, and when the totaliser last moved."""

    since_ns: int
    identity: Identity
    total_g: int
    moved_ns: int


@dataclass(frozen=True, slots=True)
class State:
    """Everything a rig remembers between two looks.

    `served` is the presence that was filled or refused already; `refused` who was refused last and
    for what, so that it is not recorded again for having been found; `last_filled` the code of the last
    cylinder filled here, so that it is not filled again for having been found. `permit` with `withdrawn` None is
    live: the only thing that may hold the gate open. `total_g` is the totaliser as last recorded,
    None = never seen; `leaked_g` of what stands here was told. `gate_known` turns true when the gate was locked after coming up.
    `unclosed_ns` is since when a withdrawn permit's gate does not show closed, 0 = it does.

    `people` is the view's number at the last judgement, made at `looked_ns` on who was `judged`.
    `waiting` is what people
    still have to do before it is judged again, since `waiting_ns`. `mendable`: the refusal lacks
    people alone and nothing flowed since; `mended` is the presence that was judged again for it. `stood`
    is which presence was known first, and its gross weight when it stood still then.
    """

    phase: Phase = Phase.LOCKED
    fault: str = ""
    identity: Identity = NOBODY
    verdict: Verdict | None = None
    findings: tuple[str, ...] = ()
    presence: int = 0
    presence_since_ns: int = 0
    found: bool = False
    served: int = 0
    refused: tuple[str | None, ...] = ()
    last_filled: str | None = None
    permit: Permit | None = None
    withdrawn: Withdrawal | None = None
    withdrawn_ns: int = 0
    echoed: bool = False
    flowed: bool = False
    seen_net_g: int = 0
    opened_ns: int = 0
    renewed_ns: int = 0
    locked_ns: int = 0
    retry_ns: int = 0
    unclosed_ns: int = 0
    started_at: datetime | None = None
    started_ns: int = 0
    ended_at: datetime | None = None
    ended_ns: int = 0
    total_g: int | None = None
    away: bool = False
    stray: Stray | None = None
    leaked_g: int = 0
    gate_known: bool = False
    people: int = 0
    judged: Identity = NOBODY
    looked_ns: int = 0
    waiting: tuple[str, ...] = ()
    waiting_ns: int = 0
    mendable: bool = False
    mended: int = 0
    stood: tuple[int, int] = (0, 0)

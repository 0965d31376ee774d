"""`data` of every kind of record (contract §7). Masses are grams."""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from gatewayd.shapes.common import (
    Acknowledged,
    By,
    Cylinder,
    Moment,
    Operator,
    Verdict,
    Voucher,
    Words,
)

Severity = Literal["critical", "warning", "info"]


class Prechecked(TypedDict):
    """Which check was asked for before the fill, and what it said."""

    form: str
    required: bool
    done: bool
    failed: list[str]
    record_id: str | None
    operator: Operator | None


class Postchecked(TypedDict):
    """Which check is asked for after the fill; its answer is a record `check` that names the fill."""

    form: str
    required: bool
    done: bool


class Refusal(TypedDict):
    """A cylinder that was not filled, and why."""

    station_id: str
    rig_id: str
    cylinder: Cylinder
    association: str | None
    batch: str | None
    operator: Operator | None
    verdict: Verdict
    precheck: Prechecked | None
    postcheck: Postchecked | None
    voucher: NotRequired[Voucher]


class Fill(TypedDict):
    """A fill. `verdict` is null where nobody had permitted it, and so is what a permit brings."""

    station_id: str
    rig_id: str
    cylinder: Cylinder
    association: str | None
    batch: str | None
    operator: Operator | None
    verdict: Verdict | None
    precheck: Prechecked | None
    postcheck: Postchecked | None
    voucher: NotRequired[Voucher]
    gate: str
    permit_id: str | None
    permit_no: int | None
    issued_at: Moment | None
    tare_stamped_g: int | None
    tare_g: int | None
    residual_g: int | None
    target_g: int | None
    limit_gross_g: int | None
    safe_net_g: int | None
    overfilled_above_g: int | None
    underfilled_below_g: int | None
    gross_end_g: int
    net_g: int
    started_at: Moment | None
    ended_at: Moment
    seconds: float | None
    outcome: Literal[
        "completed",
        "underfilled",
        "overfilled",
        "aborted",
        "interrupted",
        "unauthorised",
        "not_started",
    ]
    end_reason: str
    postfill: Verdict | None
    total_before_g: int
    total_after_g: int
    device_time: Moment | None
    time_quality: Literal["ntp", "gateway", "jumped", "untrusted"]
    fill_count: int | None


class Alarm(TypedDict):
    """What became of an alarm. `code` is its kind; `rig_id` is null for what is of no rig."""

    station_id: str
    rig_id: str | None
    code: str
    message: Words
    detail: str
    action: Literal["raised", "again", "cleared", "acknowledged"]
    subject: str
    severity: Severity
    title: Words
    cause: Words
    todo: Words
    values: dict[str, Any]
    count: int
    raised_at: Moment
    cleared_at: Moment | None
    acknowledged: Acknowledged | None


class HeldCylinder(TypedDict):
    """A cylinder by its code; the archive need not know it."""

    code: str


class RetiredValue(TypedDict):
    """What is out of use: a code, or a tag's uid in upper-case hex."""

    kind: Literal["code", "uid"]
    value: str


class Hold(TypedDict):
    """A cylinder was held or released, or a code or tag of it taken out of use, or back into it.

    `held_for` is the reason that it was held, or out of use, for.
    """

    station_id: str
    event: Literal["held", "released", "retired", "reinstated"]
    cylinder: HeldCylinder
    reason: str
    by: By
    held_for: NotRequired[str | None]
    retired: NotRequired[RetiredValue]


class Lock(TypedDict):
    """A rig was locked or unlocked; `locked_for` is the reason that it was locked for."""

    station_id: str
    rig_id: str
    event: Literal["locked", "unlocked"]
    reason: str
    by: By
    locked_for: NotRequired[str | None]


class Command(TypedDict):
    """A request of a platform and what came of it; `asked` is what it asked for.

    `command` and `request_id` are null where what came was no request. `unrecorded`: how many were
    refused since the last record and have none.
    """

    station_id: str
    rig_id: str | None
    command: str | None
    request_id: str | None
    upstream: str
    asked: dict[str, Any]
    outcome: Literal["done", "refused"]
    error: str | None
    by: By
    unrecorded: NotRequired[int]


class Clock(TypedDict):
    """Somebody vouched for the clock, which showed `now`."""

    station_id: str
    event: Literal["accepted"]
    by: str
    reason: str
    now: Moment


class Scan(TypedDict):
    """A cylinder at a scan point: came, left, was issued, inspected or repaired, or was refused."""

    station_id: str
    point_id: str
    point_kind: Literal["receiving", "dispatch", "storage", "issue", "inspection", "repair"]
    direction: Literal["in", "out", "within"]
    accepted: bool
    read: str
    read_as: Literal["tag", "code"]
    cylinder: Cylinder
    association: str | None
    operator: Operator | None
    stage: Literal["receive", "prefill", "dispatch"] | None
    verdict: Verdict
    scanned_at: Moment


Reconciliation = TypedDict(
    "Reconciliation",
    {
        "station_id": str,
        "rig_id": str,
        "from": Moment,
        "to": Moment,
        "closed_at": Moment,
        "fills": int,
        "net_g": int,
        "unauthorised_g": int,
        "total_before_g": int,
        "total_after_g": int,
        "flowed_g": int,
        "difference_g": int,
        "limit_g": int,
        "agrees": bool,
        "after_sequence": int,
        "through_sequence": int,
    },
)
Witness = TypedDict(
    "Witness",
    {
        "station_id": str,
        "device": str,
        "kind": Literal["mass_falls", "flow_total"],
        "rigs": list[str],
        "from": Moment,
        "to": Moment,
        "closed_at": Moment,
        "fills": int,
        "net_g": int,
        "before_g": int | None,
        "after_g": int | None,
        "flowed_g": int | None,
        "difference_g": int | None,
        "limit_g": int,
        "agrees": bool | None,
        "why": Literal["", "silent", "delivery", "went_back", "jumped", "coarse", "unknown_flow"],
        "risen_g": int,
        "jumped_g": NotRequired[int],
        "step_g": NotRequired[int],
        "silent_s": int,
        "after_sequence": int,
        "through_sequence": int,
    },
)
Witness.__doc__ = (
    "A shift by a second witness: what the rigs recorded, and what a tank scale or a meter saw. "
    "`agrees` null: not comparable, and `why`."
)
Reconciliation.__doc__ = "The books of a shift: what the records say has flowed, and the totaliser."

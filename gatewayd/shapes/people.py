"""`data` of the records of people: log-ins, answered checks, batches, refusals that were seen."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from gatewayd.shapes.common import By, Moment, Named, Operator, Words


class Session(TypedDict):
    """Somebody logged in or out at a rig."""

    station_id: str
    rig_id: str
    event: Literal["logged_in", "extended", "taken_over", "logged_out"]
    operator: Operator
    before: Operator | None
    since: Moment
    until: Moment
    by: By


class CheckItem(TypedDict):
    """One question as it was asked; `fails` is what rules see when it speaks against the cylinder."""

    id: str
    text: Words
    kind: Literal["yes_no", "choice", "number"]
    answer: str | int | None
    unit: str | None
    failed: bool
    fails: str


class Check(TypedDict):
    """An answered check of a cylinder, or of a whole batch; `fill_id`: of that fill."""

    station_id: str
    rig_id: str
    cylinder: Named | None
    batch: str | None
    fill_id: str | None
    form: str
    stage: Literal["prefill", "postfill"]
    scope: Literal["cylinder", "batch"]
    title: Words
    source: str
    operator: Operator | None
    result: Literal["passed", "failed"]
    failed: list[str]
    items: list[CheckItem]
    answered_at: Moment
    valid_until: Moment | None
    by: By


class Batch(TypedDict):
    """A batch was opened, or closed with what was filled in it."""

    station_id: str
    rig_id: str
    event: Literal["opened", "closed"]
    batch: str
    medium: str
    automatic: bool
    opened_at: Moment
    closed_at: Moment | None
    fills: NotRequired[int]
    net_g: NotRequired[int]
    by: By


class Acknowledgement(TypedDict):
    """Somebody has seen a refusal; `findings` are its reason codes."""

    station_id: str
    rig_id: str
    cylinder: Named
    findings: list[str]
    by: By

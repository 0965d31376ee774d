"""Parts that several records and topics have. A key that is not `NotRequired` is always there."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

_TIME = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$"
_DATE = r"^\d{4}-\d{2}-\d{2}$"
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time", "pattern": _TIME})]
"""RFC 3339 with its offset."""
Day = Annotated[str, Field(json_schema_extra={"format": "date", "pattern": _DATE})]
Decision = Literal["allow", "deny"]


class Words(TypedDict):
    """One text for a person, in both languages."""

    zh: str
    en: str


class Said(TypedDict):
    """A stable word, and what it means for a person."""

    code: str
    message: Words


class Finding(TypedDict):
    """A rule that holds (contract §8): `values` are the facts it read."""

    code: str
    severity: Literal["deny", "warn", "observe"]
    message: Words
    basis: str
    rule: str
    values: dict[str, Any]


class Override(TypedDict):
    """What a site loosened, why, by whom and until when; `applied`: it counted at this judgement."""

    rule: str
    reason: str
    approved_by: str
    until: Day
    applied: bool


class PackRef(TypedDict):
    """Which rule pack decided; `hash` is the SHA-256 of its text."""

    id: str
    version: str
    hash: str
    extends: NotRequired["PackRef"]
    overrides: NotRequired[list[Override]]


class Verdict(TypedDict):
    """Allow or deny, with every finding (contract §9)."""

    decision: Decision
    findings: list[Finding]
    packs: list[PackRef]


class By(TypedDict):
    """Who asked for something, how it reached the gateway, and why; `start`: gatewayd itself did."""

    who: str
    how: Literal["card", "code", "page", "mqtt", "cli", "start"]
    why: str


class Operator(TypedDict):
    """Who filled, as the list of operators has them."""

    id: str
    name: str | None
    certificate: str | None


class Named(TypedDict):
    """A cylinder by name alone."""

    code: str | None
    tag_uid: str | None


class TagMemory(TypedDict):
    """What the tag held that one device saw, where it was to be read: `hex` by the layout named.

    `finding` is what an inspector wrote, empty = nothing, null = the layout has no such field.
    `lack` is why it is not known, and `why` the reader's own words.
    """

    device: str
    uid: str | None
    layout: str
    layout_hash: str
    bank: str
    start: int
    hex: str
    values: dict[str, Any]
    finding: str | None
    facts: dict[str, str]
    lack: Literal["pending", "no_tag", "unread", "not_of_layout"] | None
    why: str | None


class KnownCylinder(TypedDict):
    """A cylinder of the archive as it was judged (contract §9); null = unknown."""

    code: str
    tag_uid: str | None
    scanned: str | None
    serial_no: str | None
    maker: str | None
    owner: str | None
    medium: str | None
    model: str | None
    water_capacity_ml: int | None
    stamped_tare_g: int | None
    allowed_net_g: int | None
    made_on: Day | None
    scrap_on: Day | None
    life_extended_to: Day | None
    last_inspection_on: Day | None
    next_inspection_on: Day | None
    design_standard: str | None
    design_life_years: int | None
    inspection_result: str | None
    status: str | None
    hold: str | None
    fills_allowed: int | None
    fills_done: int | None
    refurbished: bool | None
    screw_shroud: bool | None
    embossed_mark: bool | None
    kind: str | None
    working_pressure_kpa: int | None
    registered: bool | None
    maker_licensed: bool | None
    taxi: bool | None
    tag_memory: NotRequired[list[TagMemory]]


class UnknownCylinder(TypedDict):
    """What was read where no one cylinder of the archive answers to it; `seen` are candidates."""

    code: str | None
    tag_uid: str | None
    scanned: str | None
    seen: list[str]
    tag_memory: NotRequired[list[TagMemory]]


Cylinder = KnownCylinder | UnknownCylinder


class Acknowledged(TypedDict):
    """Who answered for an alarm."""

    by: str
    at: Moment
    note: str | None


class Voucher(TypedDict):
    """What the platform said before the fill; `valid` is null where it had not answered.

    `offline`: it gave neither a yes nor a no, and `reason` says what came of asking.
    """

    upstream: str
    valid: bool | None
    number: str | None
    code: str | None
    reason: str | None
    asked_at: Moment | None
    answered_at: Moment | None
    offline: bool

"""Payloads of the topics that show what is true now (contract §6). Masses are grams."""

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from gatewayd.shapes.common import (
    Acknowledged,
    Cylinder,
    Decision,
    Finding,
    Moment,
    Operator,
    PackRef,
    Said,
    Words,
)
from gatewayd.shapes.records import Severity

Percent = Annotated[int, Field(ge=0)]


class Status(TypedDict):
    """Whether the gateway is there; the broker says `offline` for one that can no longer speak."""

    state: Literal["online", "stopping", "offline"]
    since: Moment
    version: str
    boot_id: str


class Station(TypedDict):
    """The station that the gateway serves."""

    id: str
    name: str


class RigInfo(TypedDict):
    """What a rig is made of."""

    medium: str
    gate: str
    rules: list[str]


class PointInfo(TypedDict):
    """What a scan point is for."""

    kind: str


class Info(TypedDict):
    """What runs here: rigs, devices by their driver, rule packs, the ids of all schemas."""

    version: str
    contract: Literal["v1"]
    boot_id: str
    station: Station
    rigs: dict[str, RigInfo]
    points: dict[str, PointInfo]
    devices: dict[str, str]
    packs: list[PackRef]
    schemas: list[str]
    public_key: str | None


class Noise(TypedDict):
    """Bytes that were no frame: how often, and the last of them."""

    count: int
    reason: str
    hex: str


class Trouble(TypedDict):
    """What a person should put right at a device."""

    kind: str
    message: Words
    since: Moment
    count: int


class UnitShare(TypedDict):
    """What one unit takes of its wire's time."""

    used: Percent
    missed: Percent


class Wire(TypedDict):
    """Where the time of a shared wire goes, in whole percent."""

    name: str
    used: Percent
    spare: Percent
    by_unit: dict[str, UnitShare]
    resting: list[int]


class DeviceStatus(TypedDict):
    """How a device is; `error` is why it is not up, `detail` what it said it is."""

    state: Literal["connecting", "up", "down", "fault"]
    since: Moment
    error: str | None
    detail: str
    noise: Noise | None
    troubles: list[Trouble]
    wire: Wire | None


class RigLock(TypedDict):
    """Why a rig is locked, by whom and since when."""

    reason: str
    by: str
    since: Moment


class LoggedIn(Operator):
    """Who is logged in, and until when that counts."""

    until: Moment


class RigState(TypedDict):
    """What a rig does. `permit` is the number that the gate knows, `fault` what is not well."""

    state: Literal[
        "locked",
        "identifying",
        "judging",
        "permitted",
        "filling",
        "settling",
        "refused",
        "fault",
    ]
    since: Moment
    fault: str | None
    cylinder: Cylinder | None
    verdict: Decision | None
    permit: int | None
    gross_g: int | None
    net_g: int | None
    target_g: int | None
    lock: RigLock | None
    findings: list[Finding]
    operator: LoggedIn | None
    batch: str | None
    waiting: list[Said]
    notice: Said | None


class Weight(TypedDict):
    """A weight that changed, in passing."""

    t: Moment
    gross_g: int
    net_g: int
    stable: bool


class PointState(TypedDict):
    """A scan point and its last scan; `lost` scans came faster than they could be committed."""

    state: Literal["ready", "fault"]
    since: Moment
    fault: str | None
    kind: str
    waiting: int
    lost: int
    record: str | None
    scanned_at: Moment | None
    cylinder: Cylinder | None
    verdict: Decision | None
    findings: list[Finding]
    message: Words | None


class AlarmShown(TypedDict):
    """An alarm that stands; `gone_at` is since when its cause is over."""

    kind: str
    subject: str
    rig: str | None
    severity: Severity
    title: Words
    cause: Words
    todo: Words
    values: dict[str, Any]
    count: int
    detail: str
    since: Moment
    gone_at: Moment | None
    cleared_at: Moment | None
    acknowledged: Acknowledged | None


class Doubt(TypedDict):
    """What speaks against the clock."""

    kind: Literal["before_build", "before_last_record", "jumped", "not_synchronised", "unreadable"]
    against: str
    message: Words


class ClockShown(TypedDict):
    """Whether the clock is believed; `synchronised` null = nobody can tell."""

    state: Literal["ntp", "gateway", "untrusted"]
    since: Moment
    synchronised: bool | None
    doubt: Doubt | None


class WebStatus(TypedDict):
    """Whether the station's page is served at `listen`, and why not."""

    state: Literal["listening", "failed"]
    since: Moment
    listen: str
    error: str


class Problem(TypedDict):
    """One mistake in the configuration, as `gatewayd check --json` prints it."""

    file: str
    line: int
    column: int
    what: str
    expected: str
    hint: str


class Config(TypedDict):
    """What became of the last change of the configuration."""

    state: Literal["applied", "waiting", "invalid", "refused", "packs"]
    since: Moment
    message: Words
    problems: list[Problem]
    waiting: list[str]
    restart: list[str]


class UpstreamStatus(TypedDict):
    """How an upstream is; `refused`: it is there but does not take the oldest record."""

    state: Literal["connecting", "up", "refused", "down"]
    since: Moment
    error: str
    dead_letters: int | None

"""What speaks against a clock: pure, from what it shows and what it is held against."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from gatewayd.clock import SECOND

Kind = Literal["before_build", "before_last_record", "jumped", "not_synchronised", "unreadable"]

STEP_S_MIN = 1.0
"""Between two looks the wall clock is slewed by milliseconds; more than this, somebody set it."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why the clock is not to be believed. `against` is what it was held against, for a person."""

    kind: Kind
    against: str


@dataclass(frozen=True, slots=True)
class Known:
    """What a clock is held against.

    `latest_at` is the newest time in a record that was believed (aware), None = no record yet.
    `moved_s` is by how much the clock was set since anybody vouched for it, forward positive.
    `ntp` is whether a time server keeps it, None = nobody can tell.
    """

    built_on: date
    latest_at: datetime | None
    moved_s: float
    ntp: bool | None


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a clock may stray: set by `clock` in gateway.yaml."""

    jump_s_max: int
    require_ntp: bool


def doubt(wall: datetime, known: Known, limits: Limits) -> Doubt | None:
    """The gravest reason not to believe `wall` (aware); None = nothing speaks against it."""
    if (behind := behind_history(wall, known, limits)) is not None:
        return behind
    if abs(known.moved_s) > limits.jump_s_max:
        return Doubt("jumped", f"{known.moved_s:+.0f} s")
    if limits.require_ntp and known.ntp is not True:
        return Doubt("not_synchronised", "NTP")
    return None


def behind_history(wall: datetime, known: Known, limits: Limits) -> Doubt | None:
    """Whether `wall` is a time that is certainly over: no setting allows that."""
    if behind_build(wall, known.built_on):
        return Doubt("before_build", known.built_on.isoformat())
    latest = known.latest_at
    if latest is not None and wall < latest - timedelta(seconds=limits.jump_s_max):
        return Doubt("before_last_record", latest.isoformat(timespec="seconds"))
    return None


def behind_build(wall: datetime, built_on: date) -> bool:
    """Whether `wall` lies before the first moment (UTC) of the day the program was made."""
    return wall < datetime(built_on.year, built_on.month, built_on.day, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Look:
    """Both clocks of the machine at one moment."""

    wall: datetime
    monotonic_ns: int


def step_s(before: Look, now: Look) -> float:
    """By how many seconds the wall clock was set between two looks; 0.0 = it only ran."""
    passed_s = (now.monotonic_ns - before.monotonic_ns) / SECOND
    moved_s = (now.wall - before.wall).total_seconds() - passed_s
    return moved_s if abs(moved_s) >= STEP_S_MIN else 0.0

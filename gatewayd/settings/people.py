"""What a rig file says about people and checks: operator, pre-check, post-check, batch (contract §10).

A rig asks for none of them unless its file says so.
"""

import re
import string
from collections.abc import Mapping
from datetime import datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from drivers.contract import Strict

NAME = r"^[a-z0-9][a-z0-9_.-]{0,63}$"
Name = Annotated[str, Field(pattern=NAME)]
WaitS = Annotated[int, Field(ge=0, le=600)]
SHIFTS_MAX = 8
BATCH = r"^[^\s/+#]{1,64}$"
"""A batch number: text without blanks, and without what means something in a topic."""
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]\Z")
_PLACES = frozenset({"date", "medium", "rig", "shift"})


class OperatorSettings(Strict):
    """Who fills here. Without `required` an operator who logs in is recorded, and nobody is refused.

    * `device`: the reader or scanner that takes cards; None = only the page and commands log in.
    * `antenna`: of that reader; None = any.
    * `session_min`: minutes for which a log-in counts.
    * `wait_s`: seconds to wait for a log-in before refusing.
    """

    device: Name | None = None
    antenna: int | None = Field(default=None, ge=1, le=64)
    required: bool = False
    session_min: int = Field(default=480, ge=1, le=1_440)
    wait_s: WaitS = 0


class PrecheckSettings(Strict):
    """The form of the pre-fill check; `wait_s`: seconds to wait for it before refusing."""

    form: Name
    required: bool = False
    wait_s: WaitS = 0


class PostcheckSettings(Strict):
    """The form of the post-fill check; with `required` the next permit waits for open checks.

    `open_max`: so many fills may wait for their check, as where it is done further down the line.
    `wait_s`: seconds to wait before refusing.
    """

    form: Name
    required: bool = False
    open_max: int = Field(default=0, ge=0, le=100)
    wait_s: WaitS = 0


class BatchSettings(Strict):
    """Batches of this rig numbered by a template; without one people open and close them.

    * `number`: text with `{date}` (20260831), `{medium}`, `{rig}`, `{shift}`.
    * `shifts`: name to the local time at which it begins; before the first it is the last one's,
      and the date is that of the day on which the shift began.
    """

    number: str = Field(min_length=1, max_length=120)
    shifts: Mapping[Name, str] = Field(default={}, max_length=SHIFTS_MAX)

    @field_validator("number")
    @classmethod
    def _places(cls, value: str) -> str:
        try:
            places = {
                name
                for _, name, spec, how in string.Formatter().parse(value)
                if name or spec or how
            }
        except ValueError as exc:
            raise ValueError(f"braces: {exc}") from exc
        unknown = {place for place in places if place not in _PLACES}
        if unknown:
            raise ValueError(
                f"unknown {min(map(str, unknown))!r}; known: {', '.join(sorted(_PLACES))}"
            )
        made = value.format(date="20260831", medium="LPG", rig="r", shift="s")
        if not re.fullmatch(BATCH, made):
            raise ValueError("expected up to 64 characters without blanks and without / + #")
        return value

    @field_validator("shifts")
    @classmethod
    def _clocks(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        wrong = [begins for begins in value.values() if not _CLOCK.match(begins)]
        if wrong:
            raise ValueError(f'{wrong[0]!r} is not a time of day; expected such as "08:00"')
        if len(set(value.values())) != len(value):
            raise ValueError("two shifts begin at the same time")
        return value

    @model_validator(mode="after")
    def _shift(self) -> "BatchSettings":
        if ("{shift}" in self.number) != bool(self.shifts):
            raise ValueError("{shift} in number and shifts belong together")
        return self

    def at(self, wall: datetime, zone: ZoneInfo, *, medium: str, rig: str) -> str:
        """The number of the batch that is filled at this moment."""
        local = wall.astimezone(zone)
        day, now = local.date(), local.time()
        begins = sorted((time.fromisoformat(begin), name) for name, begin in self.shifts.items())
        begun = [name for begin, name in begins if begin <= now]
        if begins and not begun:
            day = day.fromordinal(day.toordinal() - 1)
        shift = (begun or [name for _, name in begins] or [""])[-1]
        return self.number.format(date=f"{day:%Y%m%d}", medium=medium, rig=rig, shift=shift)

"""The four offline questions: what holds while the archive cannot be confirmed.

Offline is what the archive itself says: its source has not confirmed it for `stale_after_h`. Two of
the questions have one answer only, and stand here so that a person finds it written down.
"""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from drivers.contract import Strict

HOURS_MAX = 72
"""Nobody may fill longer than this on an archive that nobody confirmed."""


def _day(text: str) -> str:
    date.fromisoformat(text)
    return text


class OfflineSettings(Strict):
    """What a rig does offline. `unknown`, `tag_only`: refuse, there is no other answer.

    `stale: warn` lets fills go on for `hours_max` beyond `stale_after_h`, through the day `until`,
    with a warning in every verdict that says who approved it and why.
    """

    unknown: Literal["refuse"] = "refuse"
    tag_only: Literal["refuse"] = "refuse"
    stale: Literal["refuse", "warn"] = "refuse"
    hours_max: int | None = Field(default=None, ge=1, le=HOURS_MAX)
    reason: str | None = Field(default=None, min_length=4, max_length=500)
    approved_by: str | None = Field(default=None, min_length=2, max_length=200)
    until: Annotated[str, AfterValidator(_day)] | None = Field(
        default=None, description="its last day"
    )

    @model_validator(mode="after")
    def _in_writing(self) -> Self:
        """Loosened only with how long, why, by whom and until when; else none of it stands there."""
        said = (self.hours_max, self.reason, self.approved_by, self.until)
        if self.stale == "warn" and None in said:
            raise ValueError("stale: warn needs hours_max, reason, approved_by and until")
        if self.stale == "refuse" and any(each is not None for each in said):
            raise ValueError("hours_max, reason, approved_by and until belong to stale: warn")
        return self

    @property
    def last_day(self) -> date | None:
        """The last day on which `stale: warn` counts; None = it does not."""
        return None if self.until is None else date.fromisoformat(self.until)


class ArchiveSettings(Strict):
    """How old the archive may be. None = no limit, for a station whose archive is kept by hand.

    Its age counts from the last import of whole entries or from when its source confirmed it.
    """

    stale_after_h: int | None = Field(default=None, ge=1, le=8_760)
    offline: OfflineSettings = OfflineSettings()

    @model_validator(mode="after")
    def _of_what(self) -> Self:
        if self.offline.stale == "warn" and self.stale_after_h is None:
            raise ValueError("offline.stale: warn needs stale_after_h: without it nothing is stale")
        return self

    def grace_h(self, day: date) -> int:
        """Hours beyond `stale_after_h` for which fills go on, on that day; 0 = they do not."""
        last = self.offline.last_day
        return 0 if last is None or day > last else self.offline.hours_max or 0

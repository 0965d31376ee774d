"""Settings of `points/*.yaml`: scan points that are not rigs (contract §3)."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from pydantic import Field, field_validator

from drivers.contract import Strict
from rules_engine.facts import MEDIA

NAME = r"^[a-z0-9][a-z0-9_.-]{0,63}$"
PointKind: TypeAlias = Literal["receiving", "dispatch", "storage", "issue", "inspection", "repair"]
PointStage: TypeAlias = Literal["receive", "prefill", "dispatch"]
Direction: TypeAlias = Literal["in", "out", "within"]

DIRECTIONS: Mapping[str, Direction] = {
    "receiving": "in",
    "dispatch": "out",
    "issue": "out",
    "storage": "within",
    "inspection": "within",
    "repair": "within",
}
STAGES: Mapping[str, PointStage] = {"dispatch": "dispatch", "issue": "dispatch"}
"""Whose rules are judged where the file does not say; elsewhere those of `receive`."""


class PointDevice(Strict):
    """One reader or scanner of a point; `antenna` None = any."""

    device: str = Field(pattern=NAME)
    antenna: int | None = Field(default=None, ge=1, le=64)


class PointSettings(Strict):
    """A place where cylinders are scanned as they come, go or are put away.

    `rules` empty = nothing is judged, what is known is noted. A code that is read again within
    `repeat_s` is the same scan.
    """

    kind: PointKind
    identify: tuple[PointDevice, ...] = Field(min_length=1, max_length=8)
    rules: tuple[str, ...] = ()
    stage: PointStage | None = None
    medium: str | None = None
    repeat_s: int = Field(default=10, ge=1, le=3_600)

    @field_validator("medium")
    @classmethod
    def _medium(cls, value: str | None) -> str | None:
        if value is not None and value not in MEDIA:
            raise ValueError(f"unknown medium; one of {', '.join(sorted(MEDIA))}")
        return value

    @property
    def direction(self) -> Direction:
        """Where a cylinder goes that is scanned here."""
        return DIRECTIONS[self.kind]

    @property
    def crosses(self) -> bool:
        """Whether a scan here says that a cylinder leaves the station or comes back."""
        return self.direction != "within"

    @property
    def judged_at(self) -> PointStage:
        """The stage of the rules that are judged here."""
        return self.stage or STAGES.get(self.kind, "receive")

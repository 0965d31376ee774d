"""What a second witness of a shift told: a tank scale or a flow meter, and whether it may be believed.

Pure. A witness counts only where it was heard all the time, and where nothing but the rigs took from
it: after a silence, or a delivery into the tank, it says so instead of guessing.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal, Self, TypeAlias

from drivers.contract import FillerSample, GateSample, MeterSample, Reading, WeightSample
from gatewayd.settings.upkeep import WitnessSettings
from gatewayd.shifts.totals import UINT32, moved_g

Why: TypeAlias = Literal["", "silent", "delivery", "went_back", "jumped", "coarse", "unknown_flow"]
"""Why a shift cannot be compared: the witness was not heard, its tank rose, its counter went back, or
forward by more than can flow, it counts in larger steps than the limit, or nobody knows how much a
fill that runs has taken. Empty = it can."""

HOUR_S = 3_600
FRESH_S = 10.0
"""An older word does not say how things stand at the end of a shift."""


TREMBLE_G = 20
"""A counter that goes back by no more than this, beyond its own step, trembles: electronics compute."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a witness: a mass or a counter, what one step of it is, where it starts again."""

    grams: int
    step_g: int = 0
    wraps_g: int | None = UINT32


def told(reading: Reading, witness: WitnessSettings) -> Word | None:
    """The mass or the counter that a reading tells; None: it tells neither."""
    match reading, witness.kind:
        case (MeterSample(total_g=int(total_g)), "flow_total"):
            return Word(total_g, reading.step_g, reading.wraps_g)
        case (GateSample(total_g=int(total_g)) | FillerSample(total_g=int(total_g)), "flow_total"):
            return Word(total_g)
        case (
            GateSample(gross_g=int(gross_g))
            | FillerSample(gross_g=int(gross_g))
            | WeightSample(gross_g=int(gross_g)),
            "mass_falls",
        ):
            return Word(gross_g)
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What one witness told since a moment. Masses in grams; times are wall time.

    `sequence`: records up to it belong to the shift before; `open_g`: what fills that ran then had
    taken already. `first_g` None: not heard yet. `low_g` is the least since it last rose, `risen_g`
    by how much it rose against its nature, at least; `silent_s` the longest silence. Of a counter,
    `counted_g` is how far it moved, `jumped_g` how much of that cannot have flowed, `step_g` the
    largest of its steps.
    """

    begun_at: datetime
    sequence: int
    open_g: int
    first_g: int | None = None
    last_g: int | None = None
    heard_at: datetime | None = None
    low_g: int = 0
    risen_g: int = 0
    silent_s: float = 0.0
    counted_g: int = 0
    jumped_g: int = 0
    step_g: int = 0

    def hear(self, word: Word, at: datetime, witness: WitnessSettings) -> Self:
        """One more word."""
        now_g, quiet_s = word.grams, self.quiet_s(at)
        heard = replace(
            self,
            last_g=now_g,
            heard_at=at,
            silent_s=max(self.silent_s, quiet_s),
            step_g=max(self.step_g, word.step_g),
        )
        if self.first_g is None or self.last_g is None:
            return replace(heard, first_g=now_g, low_g=now_g)
        if witness.kind == "flow_total":
            move_g = moved_g(self.last_g, now_g, word.wraps_g)
            most_g = _most_g(witness, quiet_s) + word.step_g
            return heard.moved(move_g, most_g, TREMBLE_G + word.step_g)
        rise_g = now_g - self.low_g
        if rise_g >= witness.delivery_g:
            return replace(heard, low_g=now_g, risen_g=self.risen_g + rise_g)
        return replace(heard, low_g=min(self.low_g, now_g))

    def moved(self, move_g: int, most_g: int, tremble_g: int) -> Self:
        """A counter moved; beyond these two it was reset or set, by a person or a fault."""
        back_g = -move_g if -move_g > tremble_g else 0
        jump_g = move_g if move_g > most_g else 0
        return replace(
            self,
            counted_g=self.counted_g + move_g,
            risen_g=self.risen_g + back_g,
            jumped_g=self.jumped_g + jump_g,
        )

    def quiet_s(self, at: datetime) -> float:
        """For how long it has not been heard; a clock that was set back is no silence."""
        return max(0.0, (at - (self.heard_at or self.begun_at)).total_seconds())

    def late(self, at: datetime, witness: WitnessSettings) -> bool:
        """Whether a first word would come too late to say what flowed since, and is no silence yet."""
        return self.first_g is None and FRESH_S < self.quiet_s(at) <= witness.silent_s

    def doubt(self, at: datetime, witness: WitnessSettings) -> Why:
        """Why it cannot be compared now."""
        if self.first_g is None or self.quiet_s(at) > FRESH_S or self.silent_s > witness.silent_s:
            return "silent"
        if self.risen_g:
            return "delivery" if witness.kind == "mass_falls" else "went_back"
        return "jumped" if self.jumped_g else ""

    def flowed_g(self, witness: WitnessSettings) -> int | None:
        """What went out of the tank or through the meter by its word; None: it told nothing."""
        if self.first_g is None or self.last_g is None:
            return None
        if witness.kind == "flow_total":
            return self.counted_g
        return self.first_g - self.last_g

    def after(self, begun_at: datetime, at: datetime, *, sequence: int, open_g: int) -> "Witnessed":
        """The next one; it begins with the last word of this, where that is fresh."""
        fresh = self.last_g if self.quiet_s(at) <= FRESH_S else None
        heard_at = None if fresh is None else self.heard_at
        return Witnessed(begun_at, sequence, open_g, fresh, fresh, heard_at, fresh or 0)

    def spelled(self) -> str:
        """As text, for the store."""
        values = asdict(self)
        values["begun_at"] = self.begun_at.isoformat()
        values["heard_at"] = None if self.heard_at is None else self.heard_at.isoformat()
        return json.dumps(values)


def _most_g(witness: WitnessSettings, quiet_s: float) -> int:
    """What can have flowed since the last word; a clock that was set back a little costs nothing."""
    return round(witness.flow_kg_h_max * 1_000 * max(quiet_s, FRESH_S) / HOUR_S)


def recalled(text: str | None) -> Witnessed | None:
    """What an earlier life kept; None: nothing, or nothing that this version understands."""
    if text is None:
        return None
    try:
        values: Mapping[str, Any] = json.loads(text)
        heard_at, first_g, last_g = values["heard_at"], values["first_g"], values["last_g"]
        # What a version before 2026-11 kept has no count of its own.
        counted_g = 0 if first_g is None or last_g is None else moved_g(first_g, last_g)
        made = Witnessed(
            **{
                "counted_g": counted_g,
                **values,
                "begun_at": datetime.fromisoformat(values["begun_at"]),
                "heard_at": None if heard_at is None else datetime.fromisoformat(heard_at),
            }
        )
    except (ValueError, TypeError, KeyError):
        return None
    return made if made.begun_at.tzinfo is not None else None

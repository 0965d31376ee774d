"""Check forms (`checks/*.yaml`): what a person answers before or after a fill, and which answer blocks.

Answers are words or whole numbers; what an answer means stands here, never in code.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, field_validator, model_validator

from drivers.contract import Strict

ITEMS_MAX = 32
CHOICES_MAX = 16

ITEM = r"^[a-z][a-z0-9_]{0,31}$"
ItemId = Annotated[str, Field(pattern=ITEM)]
Role = Literal["filler", "inspector"]
Answer: TypeAlias = str | int


class Words(Strict):
    """One sentence in both languages."""

    zh: str = Field(min_length=1, max_length=200)
    en: str = Field(min_length=1, max_length=200)


def _each_once(values: Iterable[str], what: str) -> None:
    twice = [value for value, times in Counter(values).items() if times > 1]
    if twice:
        raise ValueError(f"{what} {twice[0]!r} is there twice")


class _Item(Strict):
    """What every kind of item has.

    * `fails`: what `checks.failed` says when the answer blocks; by default the item's own id.
    * `who`: the roles that may answer it; empty = everyone who may answer the form.
    * `optional`: it may stay unanswered.
    """

    id: ItemId
    text: Words
    fails: ItemId | None = None
    who: tuple[Role, ...] = ()
    optional: bool = False

    @property
    def failure(self) -> str:
        """What `checks.failed` says when the answer blocks."""
        return self.fails or self.id


class YesNoItem(_Item):
    """Answered `yes` or `no`; `blocks` is the answer that speaks against the cylinder."""

    kind: Literal["yes_no"]
    blocks: Literal["yes", "no"] | None = "no"

    def objection(self, answer: Answer) -> str:
        """What is wrong with this answer as an answer; empty when it is one."""
        return "" if answer in ("yes", "no") else "yes, no"

    def blocked(self, answer: Answer) -> bool:
        """Whether this answer speaks against the cylinder."""
        return answer == self.blocks

    def good(self) -> Answer | None:
        """The answer of a cylinder without a fault; None = there is not exactly one."""
        return None if self.blocks is None else {"yes": "no", "no": "yes"}[self.blocks]


class Choice(Strict):
    """One answer to choose."""

    id: ItemId
    text: Words


class ChoiceItem(_Item):
    """Answered by the id of one of `choices`; those in `blocks` speak against the cylinder."""

    kind: Literal["choice"]
    choices: tuple[Choice, ...] = Field(min_length=2, max_length=CHOICES_MAX)
    blocks: tuple[ItemId, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "ChoiceItem":
        ids = [choice.id for choice in self.choices]
        _each_once(ids, "choice")
        unknown = [name for name in self.blocks if name not in ids]
        if unknown:
            raise ValueError(f"blocks {unknown[0]!r} is no choice; choices: {', '.join(ids)}")
        return self

    def objection(self, answer: Answer) -> str:
        """What is wrong with this answer as an answer; empty when it is one."""
        ids = [choice.id for choice in self.choices]
        return "" if answer in ids else ", ".join(ids)

    def blocked(self, answer: Answer) -> bool:
        """Whether this answer speaks against the cylinder."""
        return answer in self.blocks

    def good(self) -> Answer | None:
        """The answer of a cylinder without a fault; None = there is not exactly one."""
        good = [choice.id for choice in self.choices if choice.id not in self.blocks]
        return good[0] if len(good) == 1 else None


class NumberItem(_Item):
    """Answered by a whole number in `unit`; outside `least`..`most` it is a slip of the pen.

    * `blocks_below`, `blocks_above`: numbers beyond them speak against the cylinder.
    * `fact`: the number is also this fact for the rules.
    """

    kind: Literal["number"]
    unit: str = Field(min_length=1, max_length=16)
    least: int
    most: int
    blocks_below: int | None = None
    blocks_above: int | None = None
    fact: (
        Literal["checks.residual_kpa", "checks.settled_kpa", "checks.gas_temperature_dc"] | None
    ) = None

    @model_validator(mode="after")
    def _consistent(self) -> "NumberItem":
        limits = [self.least, self.blocks_below, self.blocks_above, self.most]
        known = [limit for limit in limits if limit is not None]
        if known != sorted(known) or self.least == self.most:
            raise ValueError("expected least <= blocks_below <= blocks_above <= most, least < most")
        return self

    def objection(self, answer: Answer) -> str:
        """What is wrong with this answer as an answer; empty when it is one."""
        whole = isinstance(answer, int) and not isinstance(answer, bool)
        if whole and self.least <= int(answer) <= self.most:
            return ""
        return f"{self.least}..{self.most} {self.unit}"

    def blocked(self, answer: Answer) -> bool:
        """Whether this answer speaks against the cylinder."""
        low, high = self.blocks_below, self.blocks_above
        number = int(answer)
        return (low is not None and number < low) or (high is not None and number > high)

    def good(self) -> Answer | None:
        """No number is the right one: it has to be read off something."""
        return None


Item = Annotated[YesNoItem | ChoiceItem | NumberItem, Field(discriminator="kind")]


class FormSettings(Strict):
    """One form. It belongs to one cylinder, or with `scope: batch` to every one of the open batch.

    * `stage`: `prefill` is answered before a permit, `postfill` after a fill.
    * `valid_min`: minutes for which a passed check counts; a failed one counts until a new one passes.
    * `who`: roles that may answer; empty = anyone.
    * `device`: whether printed codes (`GW:CHECK:...`) may answer it at the rig.
    * `source`: where the questions come from.
    """

    stage: Literal["prefill", "postfill"]
    title: Words
    items: tuple[Item, ...] = Field(min_length=1, max_length=ITEMS_MAX)
    scope: Literal["cylinder", "batch"] = "cylinder"
    valid_min: int = Field(default=60, ge=1, le=10_080)
    who: tuple[Role, ...] = ()
    device: bool = True
    source: str = Field(default="", max_length=500)

    @field_validator("items")
    @classmethod
    def _ids(cls, value: tuple[Item, ...]) -> tuple[Item, ...]:
        _each_once((item.id for item in value), "item")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "FormSettings":
        if self.stage == "postfill" and self.scope == "batch":
            raise ValueError("a post-fill check belongs to one cylinder; remove scope: batch")
        if self.scope == "batch" and any(getattr(item, "fact", None) for item in self.items):
            raise ValueError("a number that is a fact belongs to one cylinder; remove scope: batch")
        return self

    def by_codes(self) -> bool:
        """Whether the printed code OK can answer it: every item that must be answered has one good answer."""
        return self.device and all(item.optional or item.good() is not None for item in self.items)

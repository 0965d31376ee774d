"""One weighing as a scale said it: exact decimals, never a float; unknown is not zero."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from protocols.framing import FrameError

Mode: TypeAlias = Literal["gross", "net", "display"]
"""What was weighed; `display` is whatever the scale shows, it does not say which."""

_NUMBER = re.compile(r" *([+-]?) *([0-9]+(?:\.[0-9]*)?|\.[0-9]+) *\Z")


@dataclass(frozen=True, slots=True)
class Weighing:
    """What one frame says of the weight.

    `value` None: no weight, and `why` says so with what was sent instead. `unit` is as sent, empty
    where frames do not say. `stable` None: the frame has no word for it. `tare` is what the scale
    has taken off a `net` value, None where it does not say. `step` is the least the value can
    change by, in its own unit.
    """

    value: Decimal | None
    mode: Mode = "display"
    unit: str = ""
    stable: bool | None = None
    tare: Decimal | None = None
    why: str = ""
    step: int = 1

    def __post_init__(self) -> None:
        """A weight, or the reason why there is none."""
        assert (self.value is None) == bool(self.why), self

    @property
    def decimals(self) -> int | None:
        """Digits behind the point; None without a weight."""
        return None if self.value is None else decimals(self.value)


def decimals(value: Decimal) -> int:
    """Digits behind the point, as written."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int), value
    return max(0, -exponent)


def number(text: str) -> Decimal:
    """An exact number of digits, a point and a sign, blanks around them; raises FrameError.

    The decimals stay as they were written; minus zero is zero.
    """
    match = _NUMBER.match(text)
    if match is None:
        raise FrameError(f"not a number: {text!r}")
    value = Decimal(match[1] + match[2])
    return value or abs(value)


def scaled(digits: str, places: int, *, negative: bool) -> Decimal:
    """Digits with a point set `places` from the right; blanks may stand for leading zeros.

    Raises FrameError when there is no digit, or a blank between digits.
    """
    if re.fullmatch(r" *[0-9]+", digits) is None:
        raise FrameError(f"not digits: {digits!r}")
    value = Decimal(int(digits)).scaleb(-places)
    return -value if negative and value else value


def text_of(value: Decimal) -> str:
    """A number as it is read: all its decimals, no exponent, no leading zeros."""
    return f"{value:f}"

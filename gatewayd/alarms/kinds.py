"""What a kind of alarm is."""

from dataclasses import dataclass
from typing import Literal

from gatewayd.texts import Text

Severity = Literal["critical", "warning", "info"]
"""Gas or records are at stake now; work is hindered or a doubt is open; good to know."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of alarm.

    One that `lasts` is a state: who raised it clears it. Any other happened: it stands until a
    person acknowledges it. `every`: each time is a record of its own, however soon it comes again.
    """

    name: str
    severity: Severity
    title: Text
    cause: Text
    todo: Text
    lasts: bool = True
    every: bool = False

    def message(self) -> dict[str, str]:
        """What it is and what to do, as one sentence a language."""
        return {
            "zh": f"{self.title.zh}；{self.todo.zh}",
            "en": f"{self.title.en}; {self.todo.en}",
        }

"""Who asks at the desk, what may be asked about a check, and how the desk says no."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from gatewayd.settings.checks import Answer
from gatewayd.texts import text
from rules_engine.verdict import Message

How: TypeAlias = Literal["card", "code", "page", "mqtt", "cli"]


@dataclass(frozen=True, slots=True)
class By:
    """Who asks, how and why; it stands in every record that follows.

    `who` is a user of the page, the name of an upstream, a login of the system, or a card.
    """

    who: str
    how: How
    why: str = ""

    def shown(self) -> dict[str, Any]:
        """As records show it."""
        return {"who": self.who, "how": self.how, "why": self.why}


@dataclass(frozen=True, slots=True)
class No:
    """The desk refused; nothing changed. `code` is a stable word, `message` for the person."""

    code: str
    message: Message

    def as_json(self) -> dict[str, Any]:
        """For pages and replies."""
        return {"code": self.code, "message": {"zh": self.message.zh, "en": self.message.en}}


def no(code: str, **values: Any) -> No:
    """A refusal in the catalogue's words: `desk.<code>`."""
    key = f"desk.{code}"
    return No(code, Message(text(key, "zh", **values), text(key, "en", **values)))


@dataclass(frozen=True, slots=True)
class Answers:
    """A check as a person answered it: item id to `yes`, `no`, a choice's id, or a whole number.

    `cylinder` None: the one that stands at the rig. `fill_id` names the fill's record that a
    post-fill check is about, None: the oldest at that rig whose check is open. `operator` None:
    who is logged in at the rig.
    """

    rig_id: str
    form: str
    answers: Mapping[str, Answer] = field(default_factory=dict)
    cylinder: str | None = None
    fill_id: str | None = None
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """An answered check: its record, and the items that failed (none: it passed)."""

    record_id: str
    subject: str
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A refusal that somebody has seen: of which cylinder, and for what."""

    record_id: str
    cylinder_code: str | None
    findings: tuple[str, ...]

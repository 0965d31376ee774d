"""What goes between the server and the answers of the API; nothing here knows HTTP libraries."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from gatewayd.desk.terms import By, No
from gatewayd.settings.web import Role
from gatewayd.texts import text
from rules_engine.verdict import Message

ROLES: Final[tuple[Role, ...]] = ("viewer", "operator", "supervisor")
WORDS_MAX = 200
"""Characters of a text that a person types."""

OK, BAD, UNKNOWN_USER, FORBIDDEN, NOT_FOUND, CONFLICT = 200, 400, 401, 403, 404, 409
TOO_MANY, UNAVAILABLE = 429, 503


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks. `user` is empty where nobody logs in: whoever sits at this computer."""

    user: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether this login may do what takes that role."""
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: who, what parts of the path, which query, what body."""

    login: Login
    address: str
    parts: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)

    def by(self) -> By:
        """As records name who asked: the user, else the name given, else the page itself."""
        who = self.login.user or self.word("name", least=0) or "page"
        return By(who, "page", self.word("reason", least=0))

    def word(self, key: str, *, least: int = 1, most: int = WORDS_MAX) -> str:
        """A text of the body; raises RefusedError when it is none, too short or too long."""
        value = self.body.get(key, "")
        if not isinstance(value, str) or not least <= len(value.strip()) <= most:
            raise RefusedError(BAD, refusal("bad_field", field=key, most=most))
        if not value.isprintable():
            raise RefusedError(BAD, refusal("bad_field", field=key, most=most))
        return value.strip()


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back, as JSON. `token` is a new session's, empty = the session is over."""

    body: Mapping[str, Any]
    status: int = OK
    token: str | None = None


class RefusedError(Exception):
    """A request that is answered with a status and a sentence in both languages."""

    def __init__(self, status: int, why: No) -> None:
        super().__init__(why.code)
        self.status = status
        self.why = why

    def answer(self) -> Answer:
        """As the API says it."""
        return Answer({"error": self.why.as_json()}, self.status)


Handler: TypeAlias = Callable[[Asked], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """One thing the API answers. `role` None = anyone, also who is not logged in."""

    method: str
    path: str
    role: Role | None
    handler: Handler


def refusal(code: str, **values: Any) -> No:
    """A refusal of the page itself, in the catalogue's words: `web.<code>`."""
    key = f"web.{code}"
    return No(code, Message(text(key, "zh", **values), text(key, "en", **values)))

"""A request from bytes: strictly, everything wrong at once, and whether it counts now. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from gatewayd.commands.schemas import Request
from gatewayd.commands.table import Spec
from gatewayd.commands.terms import Refusal, refuse

LIFE_S_MAX = 86_400
"""A request counts for a day at most: until then its id is remembered."""
KEPT_S = 3_600
"""An id is remembered for so much longer than its request counts, beside how far a clock may jump."""
ID_CHARACTERS_MAX = 100


@dataclass(frozen=True, slots=True)
class Now:
    """The clock as a request is judged by it; `doubt` says why it is not believed, else empty."""

    wall: datetime
    doubt: str
    jump_s_max: int


def parse(body: bytes) -> Mapping[str, Any] | Refusal:
    """The JSON object in a body."""
    try:
        found = from_json(body, allow_inf_nan=False)
    except ValueError as exc:
        return refuse("no_json", why=str(exc)[:200])
    return found if isinstance(found, dict) else refuse("no_object")


def id_of(found: Mapping[str, Any] | Refusal) -> str | None:
    """The id that a reply may name; None when there is none worth repeating."""
    if isinstance(found, Refusal):
        return None
    said = found.get("id")
    good = isinstance(said, str) and 0 < len(said) <= ID_CHARACTERS_MAX and said.isprintable()
    return said if good else None


def understand(spec: Spec, found: Mapping[str, Any]) -> Request | Refusal:
    """The request, or every mistake in it."""
    try:
        return spec.request.model_validate(found)
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_context=False, include_input=False)
        mistakes = tuple(
            {"field": ".".join(str(part) for part in each["loc"])[:200], "error": each["msg"]}
            for each in errors
        )
        return refuse("wrong", mistakes=mistakes)


def timely(spec: Spec, asked: Request, now: Now) -> Refusal | None:
    """Why a request does not count now; None = it does."""
    if now.doubt:
        return None if spec.harmless else refuse("clock_untrusted", why=now.doubt)
    if asked.expires <= now.wall:
        return refuse("expired", expires=asked.expires.isoformat(), now=_shown(now.wall))
    if asked.expires > now.wall + timedelta(seconds=LIFE_S_MAX):
        return refuse("lives_too_long", most=LIFE_S_MAX // 3600)
    return None


def kept_until(asked: Request, now: Now) -> datetime:
    """Until when its id is remembered: longer than it can count by any clock that is believed."""
    end = now.wall + timedelta(seconds=LIFE_S_MAX)
    last = min(asked.expires, end) if not now.doubt else end
    return last + timedelta(seconds=KEPT_S + now.jump_s_max)


def _shown(wall: datetime) -> str:
    return wall.isoformat(timespec="seconds")

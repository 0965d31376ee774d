"""One request on its way, why it is refused, and the reply that the store remembers."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import apsw
from pydantic import BaseModel

from gatewayd.desk.terms import By, No
from gatewayd.store import requests
from gatewayd.store.chain import Issuer
from gatewayd.store.model import RecordDraft
from gatewayd.store.requests import Settled
from gatewayd.store.store import Store
from gatewayd.texts import text
from rules_engine.verdict import Message

MISTAKES_SHOWN_MAX = 100
"""Mistakes named in a reply; of the rest the number."""

Reply: TypeAlias = dict[str, Any]
"""`{"id", "ok", "error", "result"}`; of a repeated request also `first`."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not carried out. `result`: what is true of it all the same."""

    code: str
    message: Message
    mistakes: tuple[Mapping[str, Any], ...] = ()
    result: BaseModel | None = None

    def as_json(self) -> dict[str, Any]:
        """As `error` of a reply."""
        more = len(self.mistakes) - MISTAKES_SHOWN_MAX
        shown = [dict(each) for each in self.mistakes[:MISTAKES_SHOWN_MAX]]
        shown += [{"error": f"and {more} more"}] if more > 0 else []
        message = {"zh": self.message.zh, "en": self.message.en}
        return {"code": self.code, "message": message, "mistakes": shown}


Said: TypeAlias = BaseModel | Refusal
"""What a command came to."""


def refuse(
    code: str,
    *,
    mistakes: tuple[Mapping[str, Any], ...] = (),
    result: BaseModel | None = None,
    **values: Any,
) -> Refusal:
    """A refusal in the catalogue's words: `command.<code>`."""
    key = f"command.{code}"
    message = Message(text(key, "zh", **values), text(key, "en", **values))
    return Refusal(code, message, mistakes, result)


def refused_by(desk: No) -> Refusal:
    """The desk said no."""
    return Refusal(desk.code, desk.message)


def reply_of(request_id: str | None, said: Said) -> Reply:
    """What is answered."""
    if isinstance(said, Refusal):
        result = None if said.result is None else said.result.model_dump(mode="json")
        return {"id": request_id, "ok": False, "error": said.as_json(), "result": result}
    return {"id": request_id, "ok": True, "error": None, "result": said.model_dump(mode="json")}


def encoded(reply: Reply) -> bytes:
    """A reply as it leaves."""
    return json.dumps(reply, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Case:
    """A request that counts: it is new, timely and allowed, and understood.

    `record_id` is made once, so that whatever runs again writes one record. `asked` is what stands
    of it in the record. `kept_until` is how long its id is remembered; `forget_before` see `Settled`.
    """

    station_id: str
    upstream: str
    command: str
    id: str
    by: By
    at: datetime
    kept_until: datetime
    forget_before: datetime | None
    record_id: str
    asked: Mapping[str, Any]
    recorded: bool = True
    rig_id: str = ""

    def settle(self, connection: apsw.Connection, issuer: Issuer, said: Said) -> Reply:
        """Remember the request with its reply and its record, beside its effect."""
        reply = reply_of(self.id, said)
        settled = Settled(
            self.upstream, self.id, self.command, reply, self.kept_until, self.forget_before
        )
        requests.settle(connection, issuer, settled, self.draft(said) if self.recorded else None)
        return reply

    async def finish(self, store: Store, said: Said) -> Reply:
        """Settle a request that has no other effect, or none any more. Raises StoreError."""
        return await store.commit(lambda connection, issuer: self.settle(connection, issuer, said))

    def draft(self, said: Said) -> RecordDraft:
        """The record of it."""
        refused = isinstance(said, Refusal)
        data = {
            "station_id": self.station_id,
            "rig_id": self.rig_id or None,
            "command": self.command,
            "request_id": self.id,
            "upstream": self.upstream,
            "asked": dict(self.asked),
            "outcome": "refused" if refused else "done",
            "error": said.code if isinstance(said, Refusal) else None,
            "by": self.by.shown(),
        }
        return RecordDraft(self.record_id, "command", self.rig_id, self.at, data)


@dataclass(frozen=True, slots=True)
class Later:
    """A command that takes so long that others go on meanwhile."""

    work: Callable[[], Awaitable[Reply]]

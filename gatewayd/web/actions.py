"""What the page asks of the desk and of the alarms: each once, durable, recorded with who asked.

Nothing here touches a rig, a device or a gate: the desk commits, and the rigs look again.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from gatewayd.alarms.alarms import Alarms
from gatewayd.desk.desk import Desk
from gatewayd.desk.terms import Answers, No
from gatewayd.errors import RejectedError, StoreError
from gatewayd.settings.checks import ITEMS_MAX
from gatewayd.settings.checks import Answer as ItemAnswer
from gatewayd.web.doors import TRIES_S, Doors
from gatewayd.web.terms import (
    BAD,
    CONFLICT,
    NOT_FOUND,
    TOO_MANY,
    UNAVAILABLE,
    UNKNOWN_USER,
    Answer,
    Asked,
    RefusedError,
    refusal,
)

STATUS: Mapping[str, int] = {
    "no_rig": NOT_FOUND,
    "store_unavailable": UNAVAILABLE,
    "wait": TOO_MANY,
    "wrong_password": UNKNOWN_USER,
}
"""HTTP status of a refusal; any other is a conflict with how things are."""
CARD_CHARACTERS_MAX = 128
ANSWER_CHARACTERS_MAX = 64


class Actions:
    """Answers of the API that ask for something."""

    def __init__(self, desk: Desk, alarms: Alarms, doors: Doors, full: Callable[[], bool]) -> None:
        self._desk = desk
        self._alarms = alarms
        self._doors = doors
        self._full = full

    # --- the page itself ---

    async def me(self, asked: Asked) -> Answer:
        """Who is logged in at the page, whether anybody has to, and whether no more can be live."""
        login, asks, full = asked.login, self._doors.asks, self._full()
        return Answer({"user": login.user, "role": login.role, "asks": asks, "full": full})

    async def log_in(self, asked: Asked) -> Answer:
        """Log in at the page by `user` and `password`."""
        user, password = asked.word("user"), asked.body.get("password")
        if not isinstance(password, str):
            raise RefusedError(BAD, refusal("bad_field", field="password", most=0))
        if not self._doors.asks:
            raise RefusedError(CONFLICT, refusal("no_login"))
        token = await self._doors.log_in(user, password, asked.address)
        if isinstance(token, No):
            raise RefusedError(STATUS[token.code], token)
        login = self._doors.who(token)
        assert login is not None, "just made"
        return Answer(
            {"user": login.user, "role": login.role, "asks": True, "full": False}, token=token
        )

    async def log_out(self, _asked: Asked) -> Answer:
        """The session is over; the server forgets its token."""
        return Answer({}, token="")

    # --- a rig ---

    async def rig_log_in(self, asked: Asked) -> Answer:
        """Log an operator in at a rig by `card`: a card or code, scanned or typed."""
        if self._doors.tries.too_many(asked.address):
            raise RefusedError(TOO_MANY, refusal("wait", seconds=TRIES_S))
        card = asked.word("card", most=CARD_CHARACTERS_MAX)
        told = await self._desk.log_in(asked.parts["rig"], card=card, by=asked.by())
        if isinstance(told, No) and told.code == "unknown_card":
            self._doors.tries.wrong(asked.address)
        return _answer(told)

    async def rig_log_out(self, asked: Asked) -> Answer:
        """Log out whoever is logged in at a rig."""
        return await _done(self._desk.log_out(asked.parts["rig"], by=asked.by()))

    async def check(self, asked: Asked) -> Answer:
        """Answer `form` with `answers`; `fill_id` for one fill of a post-fill check."""
        answers = Answers(
            asked.parts["rig"],
            asked.word("form"),
            _answers(asked.body.get("answers")),
            fill_id=asked.word("fill_id", least=0) or None,
        )
        told = await self._desk.answer_check(answers, by=asked.by())
        if isinstance(told, No):
            return _answer(told)
        return Answer({"record_id": told.record_id, "failed": list(told.failed)})

    async def acknowledge(self, asked: Asked) -> Answer:
        """Somebody has seen the refusal that stands at a rig."""
        return await _done(self._desk.acknowledge(asked.parts["rig"], by=asked.by()))

    async def open_batch(self, asked: Asked) -> Answer:
        """Open batch `number` at a rig."""
        number = asked.word("number")
        return await _done(self._desk.open_batch(asked.parts["rig"], number, by=asked.by()))

    async def close_batch(self, asked: Asked) -> Answer:
        """Close the open batch of a rig."""
        return await _done(self._desk.close_batch(asked.parts["rig"], by=asked.by()))

    async def lock(self, asked: Asked) -> Answer:
        """Lock a rig, for a `reason`."""
        asked.word("reason")
        return await _done(self._desk.lock(asked.parts["rig"], by=asked.by()))

    async def unlock(self, asked: Asked) -> Answer:
        """Unlock a rig, for a `reason`."""
        asked.word("reason")
        return await _done(self._desk.unlock(asked.parts["rig"], by=asked.by()))

    # --- cylinders and alarms ---

    async def hold(self, asked: Asked) -> Answer:
        """Hold a cylinder, for a `reason`."""
        asked.word("reason")
        return await _done(self._desk.hold(asked.parts["code"], by=asked.by()))

    async def release(self, asked: Asked) -> Answer:
        """Release a cylinder, for a `reason`."""
        asked.word("reason")
        return await _done(self._desk.release(asked.parts["code"], by=asked.by()))

    async def answer_for(self, asked: Asked) -> Answer:
        """Answer for an alarm: `kind`, `subject`, and a `note`."""
        kind, subject = asked.word("kind"), asked.word("subject")
        note, who = asked.word("note", least=0), asked.by().who
        try:
            await self._alarms.acknowledge(kind, subject, by=who, note=note)
        except RejectedError as exc:
            raise RefusedError(CONFLICT, refusal("no_alarm")) from exc
        except StoreError as exc:
            raise RefusedError(UNAVAILABLE, refusal("store_unreadable")) from exc
        return Answer({})


async def _done(asking: Awaitable[object]) -> Answer:
    return _answer(await asking)


def _answer(told: object) -> Answer:
    """Done, or the desk's refusal with its status."""
    if isinstance(told, No):
        raise RefusedError(STATUS.get(told.code, CONFLICT), told)
    return Answer({})


def _answers(given: Any) -> dict[str, ItemAnswer]:
    """Answers by item as the desk takes them: words and whole numbers; it judges the rest."""
    if not isinstance(given, dict) or len(given) > ITEMS_MAX:
        raise RefusedError(BAD, refusal("bad_field", field="answers", most=ITEMS_MAX))
    for answer in given.values():
        whole = isinstance(answer, int) and not isinstance(answer, bool)
        if not whole and not (isinstance(answer, str) and len(answer) <= ANSWER_CHARACTERS_MAX):
            raise RefusedError(BAD, refusal("bad_field", field="answers", most=ITEMS_MAX))
    return given

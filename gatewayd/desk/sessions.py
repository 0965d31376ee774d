"""Log in and out at a rig. The card that is shown last counts; the same one again begins anew."""

from datetime import datetime, timedelta
from functools import partial

from gatewayd.desk.base import Base
from gatewayd.desk.terms import By, No, no
from gatewayd.rigs.identity import by_code, by_uid, plain_uid
from gatewayd.settings.people import OperatorSettings
from gatewayd.store import people
from gatewayd.store.people_model import Operator, Session


class Sessions(Base):
    """Who is logged in where."""

    async def log_in(
        self, rig_id: str, *, by: By, card: str = "", operator: str = ""
    ) -> Session | No:
        """Log an operator in at a rig, by `card` (uid or code) or by `operator` id.

        Whoever was logged in before is logged out; the same operator's time begins anew. Refuses
        `no_rig not_asked unknown_card unknown_operator card_is_cylinder barred store_unavailable`.
        """
        assert bool(card) != bool(operator), "one of card and operator"
        return await self._one(partial(self._log_in, rig_id, by, card, operator))

    async def log_out(self, rig_id: str, *, by: By) -> Session | No:
        """End the session of a rig; refuses `no_rig nobody_logged_in store_unavailable`."""
        return await self._one(partial(self._log_out, rig_id, by))

    def logged_in(self, rig_id: str) -> Session | None:
        """Who is logged in at a rig right now; raises StoreError."""
        session = self._store.session(rig_id)
        return session if session is not None and session.lives(self._clock.wall()) else None

    async def _log_in(self, rig_id: str, by: By, card: str, operator_id: str) -> Session | No:
        rig = self._rig(rig_id)
        if isinstance(rig, No):
            return rig
        if rig.operator is None:
            return no("not_asked", rig=rig_id)
        operator = self._by_card(card) if card else self._by_id(operator_id)
        if isinstance(operator, No):
            return operator
        wall = self._clock.wall()
        before = self.logged_in(rig_id)
        session = _session(rig_id, rig.operator, operator, wall, by)
        data = {
            "event": _event(before, session),
            "operator": session.shown(),
            "before": None if before is None else before.shown(),
            "since": self._stamp(session.since),
            "until": self._stamp(session.until),
        }
        draft = self._draft("session", rig_id, wall, by, data)
        await self._store.commit(
            lambda connection, issuer: people.log_in(connection, issuer, session, draft)
        )
        self._log.info("desk.logged_in", rig=rig_id, operator=operator.id, how=by.how)
        self._changed(rig_id)
        return session

    def _by_card(self, card: str) -> Operator | No:
        """Whose card it is; a cylinder's tag or code is nobody's, also when it is listed as one."""
        found = self._store.operator_of_card(card)
        if found is None:
            return no("unknown_card", card=masked(card))
        if self.names_cylinder(card):
            return no("card_is_cylinder", card=masked(card))
        return self._by_id(found)

    def names_cylinder(self, text: str) -> bool:
        """Whether the archive knows a cylinder under this tag or code; raises StoreError."""
        region = self.settings.station.region
        return bool(by_uid(self._store, plain_uid(text)) or by_code(self._store, text, region))

    def _by_id(self, operator_id: str) -> Operator | No:
        operator = self._store.operator(operator_id)
        if operator is None:
            return no("unknown_operator", operator=operator_id)
        return no("barred", operator=operator.name or operator.id) if operator.barred else operator

    async def _log_out(self, rig_id: str, by: By) -> Session | No:
        rig = self._rig(rig_id)
        if isinstance(rig, No):
            return rig
        session = self.logged_in(rig_id)
        if session is None:
            return no("nobody_logged_in", rig=rig_id)
        wall = self._clock.wall()
        data = {
            "event": "logged_out",
            "operator": session.shown(),
            "before": session.shown(),
            "since": self._stamp(session.since),
            "until": self._stamp(wall),
        }
        draft = self._draft("session", rig_id, wall, by, data)
        await self._store.commit(
            lambda connection, issuer: people.log_out(connection, issuer, draft)
        )
        self._log.info("desk.logged_out", rig=rig_id, operator=session.operator_id, how=by.how)
        self._changed(rig_id)
        return session


def _session(
    rig_id: str, asked: OperatorSettings, operator: Operator, wall: datetime, by: By
) -> Session:
    until = wall + timedelta(minutes=asked.session_min)
    return Session(rig_id, operator.id, operator.name, operator.certificate, wall, until, by.how)


def _event(before: Session | None, now: Session) -> str:
    if before is None:
        return "logged_in"
    return "extended" if before.operator_id == now.operator_id else "taken_over"


def masked(card: str) -> str:
    """A card for eyes: who knows all of it can copy it."""
    return f"…{card[-4:]}"

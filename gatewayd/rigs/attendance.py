"""Who is at one rig, as the rig sees it at each look: cached, told when it changed, never waiting."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from gatewayd.clock import SECOND, Clock
from gatewayd.errors import StoreError
from gatewayd.logs import logger
from gatewayd.rigs import evidence
from gatewayd.rigs.assess import Bench
from gatewayd.rigs.people import owing
from gatewayd.store.people_model import Batch, Session
from gatewayd.store.reads import Reads
from gatewayd.texts import text
from rules_engine.verdict import Message

RELOOK_S = 1
"""How old the store's word on people may be where nobody told that it changed: an import from the
command line is seen this late. A judgement always looks anew."""

NOTICE_S = 30
"""How long a rig shows why the last card or code was refused."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Why the last card or code at this rig was refused, until `until_ns` (monotonic)."""

    code: str
    message: Message
    until_ns: int


class Attendance:
    """One rig's people. `changed` whenever the desk committed something; use it on one loop."""

    def __init__(self, bench: Bench, reads: Reads, clock: Clock, wake: Callable[[], None]) -> None:
        self.revision = 0
        self.acknowledged = 0
        self._bench = bench
        self._rig = bench.rig
        self._reads = reads
        self._clock = clock
        self._wake = wake
        self._zone = ZoneInfo(bench.station.timezone)
        self._log = logger("rigs").bind(rig=bench.rig_id)
        self._session: Session | None = None
        self._batch: Batch | None = None
        self._owed: str | None = None
        self._looked_ns: int | None = None
        self._unreadable = False
        self._judged_by: str | None = None
        self._notice: Notice | None = None

    # --- what the desk tells: plain calls that never wait ---

    def changed(self) -> None:
        """Somebody logged in or out, a check was answered, a batch changed: judge by that."""
        self.revision += 1
        self._looked_ns = None
        self._notice = None
        self._wake()

    def acknowledge(self, presence: int) -> None:
        """Somebody has seen the refusal of this presence."""
        self.acknowledged = presence
        self._wake()

    def notice(self, code: str, message: Message) -> None:
        """Show why a card or code was refused."""
        until_ns = self._clock.monotonic_ns() + NOTICE_S * SECOND
        self._notice = Notice(code, message, until_ns)
        self._wake()

    # --- what the rig asks ---

    def judged(self) -> None:
        """A judgement was made by what the store says now."""
        self._looked_ns = None
        self._judged_by = self.operator()

    @property
    def operator_changed(self) -> bool:
        """Whether the operator who was required at the last judgement is here no more."""
        asked = self._rig.operator
        return asked is not None and asked.required and self.operator() != self._judged_by

    def operator(self) -> str | None:
        """The id of who is logged in now."""
        session = self._present()
        return None if session is None else session.operator_id

    def _present(self) -> Session | None:
        self._look()
        session = self._session
        return session if session is not None and session.lives(self._clock.wall()) else None

    def _look(self) -> None:
        """Ask the store again when told, or after a while; in doubt nobody is here."""
        now_ns = self._clock.monotonic_ns()
        if self._looked_ns is not None and now_ns - self._looked_ns < RELOOK_S * SECOND:
            return
        self._looked_ns = now_ns
        rig_id = self._bench.rig_id
        try:
            self._session = self._reads.session(rig_id) if self._rig.operator else None
            self._batch = self._reads.open_batch(rig_id)
            self._owed = owing(self._reads, rig_id, self._rig)
        except StoreError as exc:
            if not self._unreadable:
                self._log.exception("people.unreadable", error=str(exc))
            self._session, self._unreadable = None, True
        else:
            self._unreadable = False

    # --- what others see (contract §6, additions) ---

    def key(self) -> tuple[object, ...]:
        """Changes whenever `picture` does."""
        self._look()
        notice = self._notice
        if notice is not None and self._clock.monotonic_ns() >= notice.until_ns:
            self._notice = None
        return self._present(), self._batch and self._batch.number, self._owed, self._notice

    def picture(self, waiting: tuple[str, ...]) -> dict[str, Any]:
        """`operator`, `batch`, what is waited for, and why the last card or code was refused."""
        session, notice = self._present(), self._notice
        return {
            "operator": None if session is None else self._shown(session),
            "batch": None if self._batch is None else self._batch.number,
            "waiting": [self._awaited(kind) for kind in waiting],
            "notice": None if notice is None else _said(notice.code, notice.message),
        }

    def _shown(self, session: Session) -> dict[str, Any]:
        return {**session.shown(), "until": self._stamp(session.until)}

    def _stamp(self, wall: datetime) -> str:
        return evidence.stamp(wall, self._zone)

    def _awaited(self, kind: str) -> Mapping[str, Any]:
        asked = {"precheck": self._rig.precheck, "postcheck": self._rig.postcheck}.get(kind)
        values = {"form": asked.form if asked else "", "cylinder": self._owed or "?"}
        key = f"waiting.{kind}"
        return _said(kind, Message(text(key, "zh", **values), text(key, "en", **values)))


def _said(code: str, message: Message) -> dict[str, Any]:
    return {"code": code, "message": {"zh": message.zh, "en": message.en}}

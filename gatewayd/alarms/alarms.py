"""The alarms that stand: raised once, shown while they stand, recorded, answered for by a person.

Raising and clearing are plain calls that never wait: the board shows it at once, the log has it,
and the record follows as soon as the store commits. What stands survives a restart in the store.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any

from gatewayd.alarms import words
from gatewayd.alarms.beside import Beside
from gatewayd.alarms.catalogue import KINDS
from gatewayd.alarms.kinds import Kind
from gatewayd.board import Board
from gatewayd.clock import SECOND, Clock
from gatewayd.errors import RejectedError, StoreError
from gatewayd.ids import new_id
from gatewayd.logs import logger
from gatewayd.store.model import RecordDraft, StoredAlarm
from gatewayd.store.store import Store
from gatewayd.store.writes import Commit, record_alone

AGAIN_S = 60
"""An alarm that is told stands for at least so long: one that comes and goes with every poll is
one raising and one clearing a minute at most, and those in between are counted."""
SWEEP_S = 1.0
"""How often alarms whose cause is over are let go, and answers from beside are taken over."""
RETRY_S = 1.0
"""How often a commit that failed is tried again."""
STANDING_MAX = 1_024
"""Alarms recorded here that stand at once, and so drafts that wait for a store that cannot commit: a
new one waits for the last of its kind and subject. More kinds and names no station has; the rest is
logged. Not those of rigs: each cylinder that holds too much stands until a person answers for it."""

OF_THE_STATION = frozenset({"store", "clock", "gateway"})
"""Subjects that no configuration names."""

log = logger("alarms")


@dataclass(slots=True)
class _Standing:
    """One alarm that stands; `recorded_ns` None: of an earlier life, `left_to_us`: recorded here."""

    alarm: StoredAlarm
    recorded_ns: int | None
    repeats: int = 0
    gone_at: datetime | None = None
    left_to_us: bool = False


class Alarms:
    """What stands, by kind and subject. Use it on one event loop; `run` commits what was told."""

    def __init__(
        self, station_id: str, *, store: Store, board: Board, clock: Clock, zone: tzinfo
    ) -> None:
        self._station_id = station_id
        self._store = store
        self._board = board
        self._clock = clock
        self._zone = zone
        self._standing: dict[tuple[str, str], _Standing] = {}
        self._waiting: list[RecordDraft] = []
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._beside = Beside(store)
        self.looked_ns = clock.monotonic_ns()

    def restore(self, subjects: AbstractSet[str]) -> None:
        """Take up what an earlier life left standing; call once, before anything is raised.

        A state of a `subject` that no configuration names any more, or that each start finds out
        anew, is over. Alarms that ended are
        removed from the board once more: who shows it may not have heard. Raises StoreError.
        """
        for alarm in self._store.alarms(standing=False):
            key = (alarm.kind, alarm.subject)
            if alarm.cleared_at is not None or alarm.kind not in KINDS:
                self._board.remove(words.topic(*key))
                continue
            self._standing[key] = _Standing(alarm, None)
            self._show(key)
            if alarm.subject not in subjects or alarm.kind == "permit_orphaned":
                self.clear(*key)

    # --- plain calls ---

    def raise_(
        self,
        kind: str,
        subject: str,
        *,
        detail: str = "",
        values: Mapping[str, Any] | None = None,
        rig_id: str = "",
    ) -> None:
        """Raise an alarm, or tell one that stands again. Masses in `values` are grams (`_g`)."""
        key, ours = (kind, subject), sum(each.left_to_us for each in self._standing.values())
        if key not in self._standing and ours >= STANDING_MAX:
            log.error("alarm.too_many", code=kind, subject=subject, detail=detail)
            return
        draft = self.raised(kind, subject, detail=detail, values=values, rig_id=rig_id)
        self._standing[key].left_to_us = True
        if draft is not None:
            self._enqueue(draft)

    def clear(self, kind: str, subject: str) -> None:
        """Its cause is over. Nothing happens when it does not stand, or waits for a person."""
        draft = self.cleared(kind, subject)
        if draft is not None:
            self._enqueue(draft)

    def raised(
        self,
        kind: str,
        subject: str,
        *,
        detail: str = "",
        values: Mapping[str, Any] | None = None,
        rig_id: str = "",
    ) -> RecordDraft | None:
        """As `raise_`, for who commits the record in their own order; without `values` those stay."""
        told, key = KINDS[kind], (kind, subject)
        words.say(told, subject, detail)
        known = self._standing.get(key)
        if known is None:
            alarm = self._new(told, subject, rig_id)
            known = self._standing[key] = _Standing(alarm, None)
        count = known.alarm.count + 1
        numbers = known.alarm.values if values is None else dict(values)
        known.alarm = replace(known.alarm, detail=detail, values=numbers, count=count)
        known.gone_at = None
        again = count > 1 and self._too_soon(known, told)
        known.repeats += again
        draft = None if again else self._record(known, told)
        self._show(key)
        return draft

    def cleared(self, kind: str, subject: str) -> RecordDraft | None:
        """As `clear`, for who commits the record; None: nothing to commit, or not yet."""
        key = (kind, subject)
        known = self._standing.get(key)
        if known is None or not KINDS[kind].lasts:
            return None
        if known.gone_at is None:
            known.gone_at = self._clock.wall()
        if self._young(known):
            self._show(key)
            return None
        return self._let_go(key)

    def stands(self, kind: str, subject: str) -> bool:
        """Whether this alarm is to be cleared by who raised it: it stands and its cause does."""
        known = self._standing.get((kind, subject))
        return known is not None and known.gone_at is None

    @property
    def standing(self) -> tuple[StoredAlarm, ...]:
        """Everything that stands, the oldest first."""
        return tuple(sorted((s.alarm for s in self._standing.values()), key=lambda a: a.raised_at))

    @property
    def saved(self) -> bool:
        """Whether every record that was left to `run` is committed."""
        return not self._waiting

    # --- what waits ---

    async def acknowledge(
        self, kind: str, subject: str, *, by: str, note: str = "", commit: Commit = record_alone
    ) -> None:
        """A person answers for an alarm: durable first. What merely happened is over with it.

        Raises RejectedError when it does not stand, StoreError when that cannot be committed.
        """
        known = self._standing.get((kind, subject))
        if known is None:
            raise RejectedError(f"{kind} {subject}: no such alarm stands")
        before = known.alarm
        answered = words.answer(before, by=by, note=note, at=self._clock.wall())
        draft = self._draft(answered, "acknowledged")
        await self._store.commit(lambda connection, issuer: commit(connection, issuer, draft))
        if known.alarm.record_id == before.record_id:
            self._answered(known, answered)

    async def run(self, look: Callable[[], None] = lambda: None) -> None:
        """Commit what was told, let go what is over, take over answers; until cancelled.

        `look` is called each time before, for who raises what lasts.
        """
        while True:
            look()
            await self.flush()
            self.sweep()
            self.looked_ns = self._clock.monotonic_ns()
            wait_s = SWEEP_S if self.saved else RETRY_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
                    self._wake.clear()

    async def flush(self) -> None:
        """Commit what waits, in order; what the store does not take goes on waiting."""
        async with self._turn:
            try:
                while self._waiting:
                    await self._store.append(self._waiting[0])
                    self._waiting.pop(0)
            except StoreError as exc:
                log.warning("alarm.not_recorded_yet", error=str(exc), waiting=len(self._waiting))

    def sweep(self) -> None:
        """Let go what has been over for long enough; take over what a person answered beside us."""
        for key, known in tuple(self._standing.items()):
            if known.gone_at is not None and not self._young(known):
                self._enqueue(self._let_go(key))
        unanswered = (s.alarm for s in self._standing.values() if s.alarm.acknowledged_at is None)
        for alarm in self._beside.answered(unanswered):
            self._answered(self._standing[alarm.kind, alarm.subject], alarm)

    # --- pieces ---

    def _new(self, kind: Kind, subject: str, rig_id: str) -> StoredAlarm:
        assert subject, kind.name
        now = self._clock.wall()
        return StoredAlarm(kind.name, subject, rig_id, kind.severity, now, "", 0, "", {})

    def _record(self, known: _Standing, kind: Kind) -> RecordDraft:
        """A new record of it; what happened anew is to be answered for anew."""
        repeats, known.repeats = known.repeats, 0
        known.recorded_ns = self._clock.monotonic_ns()
        known.alarm = replace(known.alarm, record_id=new_id())
        if not kind.lasts:
            known.alarm = replace(
                known.alarm, acknowledged_at=None, acknowledged_by=None, note=None
            )
        return self._draft(known.alarm, "again" if known.alarm.count > 1 else "raised", repeats)

    def _draft(self, alarm: StoredAlarm, action: words.Action, repeats: int = 0) -> RecordDraft:
        at = self._clock.wall()
        return words.draft(alarm, action, station_id=self._station_id, at=at, repeats=repeats)

    def _too_soon(self, known: _Standing, kind: Kind) -> bool:
        """Whether this time is only counted: recorded just now, or that record still waits."""
        if kind.every:
            return not self._committed(known.alarm.record_id)
        return self._young(known)

    def _young(self, known: _Standing) -> bool:
        since_ns = known.recorded_ns
        now_ns = self._clock.monotonic_ns()
        if since_ns is not None and now_ns - since_ns < AGAIN_S * SECOND:
            return True
        return not self._committed(known.alarm.record_id)

    def _committed(self, record_id: str) -> bool:
        try:
            return self._store.record(record_id) is not None
        except StoreError:
            return False

    def _let_go(self, key: tuple[str, str]) -> RecordDraft:
        known = self._standing.pop(key)
        self._board.remove(words.topic(*key))
        log.info("alarm.cleared", code=key[0], subject=key[1], count=known.alarm.count)
        over = replace(known.alarm, cleared_at=known.gone_at or self._clock.wall())
        return self._draft(over, "cleared")

    def _answered(self, known: _Standing, answered: StoredAlarm) -> None:
        """Somebody answered for it: it stands on as such, or is over."""
        key = (answered.kind, answered.subject)
        log.info("alarm.acknowledged", code=key[0], subject=key[1], by=answered.acknowledged_by)
        if answered.cleared_at is not None:
            self._standing.pop(key, None)
            self._board.remove(words.topic(*key))
            return
        known.alarm = replace(
            known.alarm,
            acknowledged_at=answered.acknowledged_at,
            acknowledged_by=answered.acknowledged_by,
            note=answered.note,
        )
        self._show(key)

    def _show(self, key: tuple[str, str]) -> None:
        known = self._standing[key]
        seen = words.picture(known.alarm, self._zone, gone_at=known.gone_at)
        self._board.post(words.topic(*key), seen)

    def _enqueue(self, draft: RecordDraft) -> None:
        assert len(self._waiting) < 2 * STANDING_MAX, "a draft waits for the last of its own"
        self._waiting.append(draft)
        self._wake.set()

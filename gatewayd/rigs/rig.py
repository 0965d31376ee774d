"""The rig's actor, in the order a scan travels: take, look, judge, permit, open, renew, record.

Drivers call `take` and supervision calls `device`; both are plain and only leave a note and wake
the actor. The actor looks at everything at once (`View`), steps the machine, and carries out its
effects one after the other: the store before the gate, always.
"""

import asyncio
from collections import deque
from dataclasses import replace

from drivers.contract import FillGate, GateSample, Reading
from gatewayd.errors import StoreError
from gatewayd.logs import logger
from gatewayd.rigs import assess
from gatewayd.rigs.attendance import Attendance
from gatewayd.rigs.bookkeeper import Bookkeeper
from gatewayd.rigs.ending import proven_over
from gatewayd.rigs.findings import reason_at_rig
from gatewayd.rigs.grounds import Grounds
from gatewayd.rigs.hand import Hand
from gatewayd.rigs.machine import adopt, step
from gatewayd.rigs.means import Means
from gatewayd.rigs.mirror import Mirror
from gatewayd.rigs.model import PROGRAM, STORE_ILL, Phase, State, View
from gatewayd.rigs.moves import (
    Alarm,
    Baseline,
    Effect,
    Event,
    Issue,
    Issued,
    Judge,
    Judged,
    Lock,
    NotIssued,
    NotResolved,
    Open,
    Refuse,
    RefuseFor,
    Renew,
    Resolve,
    Resolved,
    Unauthorised,
)
from gatewayd.rigs.recovery import left_behind
from gatewayd.rigs.watch import Watch
from gatewayd.rigs.wishes import Wishes
from gatewayd.store.model import RigLock
from rules_engine.pack import Pack

EFFECTS_A_LOOK_MAX = 32
"""A look that leads to more effects than this is a bug of ours: the process must end."""


class Rig:
    """One filling position. Create, feed with `take` and `device`, `run`, then `stop`."""

    def __init__(self, bench: assess.Bench, gate: FillGate, means: Means) -> None:
        self.id = bench.rig_id
        self._bench = bench
        self._rig = bench.rig
        self._hand = Hand(bench.rig_id, gate, means.clock, stale_ms=bench.rig.stale_after_ms)
        self._store = means.store
        self._clock = means.clock
        self._log = logger("rigs").bind(rig=bench.rig_id)
        self._wake = asyncio.Event()
        self.people = Attendance(bench, means.store, means.clock, self._wake.set)
        self._books = Bookkeeper(bench, means)
        self._mirror = Mirror(bench, means, self.people)
        self._watch = Watch(bench, means.store, means.clock, means.sightings, means.timings)
        self._wishes = Wishes(self.people)
        self._grounds = Grounds(self._store)
        self._unsure = False
        self._bug: Exception | None = None
        self.machine = step  # Whoever tests may listen in.
        self.state = State()
        self.looked_ns = self._clock.monotonic_ns()
        self.ended = False

    # --- what others tell us: plain calls that never wait ---

    def take(self, reading: Reading) -> None:
        """One reading of one of this rig's devices."""
        before = self._watch.sample
        if self._watch.take(reading):
            self._wake.set()
        if isinstance(reading, GateSample):
            self._mirror.weigh(reading, before)

    def device(self, name: str, state: str) -> None:
        """A device of this rig changed its state (contract §6)."""
        self._watch.device(name, state)
        self._wake.set()

    def tick(self) -> None:
        """Look again: time passed."""
        self._wake.set()

    def fall(self, bug: Exception) -> None:
        """What it was told, or its gate, met a bug: `run` ends of it at its next look."""
        self._bug = bug
        self._wake.set()

    @property
    def fallen(self) -> bool:
        """Whether a bug ended `run`: locked, and to be begun again (`ward.py`)."""
        return self.state.fault == PROGRAM

    @property
    def stopping(self) -> bool:
        """Whether the daemon stops."""
        return self._wishes.stopping

    def stop(self) -> None:
        """Close the gate, settle what is open, then let `run` return."""
        self._wishes.stopping = True
        self._wake.set()

    def leave(self, *, leaving: bool = True) -> None:
        """Begin nothing new, let a fill end, then let `run` return; False takes that back."""
        self._wishes.leaving = leaving
        self._wake.set()

    def renew(self, packs: tuple[Pack, ...]) -> None:
        """Judge by these packs from the next judgement on."""
        self._bench = replace(self._bench, packs=packs)
        self._books.renew(self._bench)
        self._wishes.renewed()
        self._wake.set()

    def store_changed(self, lock: RigLock | None, *, archive: bool) -> None:
        """Somebody locked (None: unlocked) this rig: close at once; or the `archive` changed."""
        self._wishes.lock = lock
        self._watch.look_again(archive=archive)
        self._wake.set()

    # --- the actor ---

    async def run(self) -> None:
        """Serve the rig until `stop` and everything is closed and recorded.

        Raises StoreError when the store cannot be read at the start, and whatever a bug raises: then
        `down`, and `run` again. It begins as after a restart, with what the store and the gate say.
        """
        self._bug = None
        before = left_behind(self._store, self.id, self._clock.monotonic_ns())
        self.state = replace(before, refused=self.state.refused)
        self._show()
        while not (self._wishes.ending and self._at_rest()):
            await self._wake.wait()
            self._wake.clear()
            if self._bug is not None:
                raise self._bug
            await self._books.retry()
            self._adopt_unsure()
            await self._advance(self._view())
            await self._books.over(proven_over(self.state, self._watch.sample))
            self._show()
            self.looked_ns = self._clock.monotonic_ns()
        self._watch.leave()
        self.ended = True

    async def down(self, fault: str) -> None:
        """Locked and shown with this fault; nothing that was seen or judged counts any more.

        What waits for the store, and who was refused, is kept: nothing is lost, nothing told twice.
        """
        self.looked_ns = self._clock.monotonic_ns()
        self.state = State(phase=Phase.FAULT, fault=fault, refused=self.state.refused)
        await self._hand.shut()  # First: what sees and shows may be what is broken.
        self._watch, self._grounds = self._watch.anew(), Grounds(self._store)
        self._show()

    def _adopt_unsure(self) -> None:
        """A commit 1 that failed may have happened all the same: then it is settled like a crash.

        Its order never reached the gate, so it ends as not started.
        """
        if not self._unsure or not self._store.healthy or self.state.permit is not None:
            return
        try:
            pending = self._store.pending_permits(self.id)
        except StoreError as exc:
            self._log.warning("permits.unreadable", error=str(exc))
            return
        self._unsure = False
        if pending:
            self.state = adopt(self.state, pending[0], self._clock.monotonic_ns())

    def _at_rest(self) -> bool:
        gate_lost = self._watch.sample is None
        locked = self.state.permit is None and (self.state.gate_known or gate_lost)
        flows = self.state.stray is not None and not (self._wishes.stopping or gate_lost)
        return locked and self._books.saved and not flows

    def _view(self) -> View:
        seen = self._watch.view(trouble=self._trouble(), wishes=self._wishes)
        return self._grounds.look(self._bench, seen, self.state)

    def _trouble(self) -> str:
        """Why nothing may be open here, beside devices that are lost; empty when all is well."""
        if self._hand.broken:
            return self._rig.gate
        return "" if self._books.healthy and not self._unsure else STORE_ILL

    async def _advance(self, first: Event) -> None:
        events = deque([first])
        done = 0
        while events:
            self.state, effects = self.machine(self.state, events.popleft(), self._rig)
            for effect in effects:
                done += 1
                assert done <= EFFECTS_A_LOOK_MAX, (self.state, effect)
                answer = await self._perform(effect)
                if answer is not None:
                    events.append(answer)

    async def _perform(self, effect: Effect) -> Event | None:
        match effect:
            case Judge():
                return self._judge(effect)
            case Issue():
                return await self._issue(effect)
            case Open() | Renew() if self._bug is not None:
                raise self._bug  # It came in the midst of this look: nothing opens upon it.
            case Open() | Renew() | Lock():
                return await self._hand.touch(effect)
            case Resolve():
                return await self._resolve(effect)
            case _:
                await self._note(effect)
                return None

    def _judge(self, effect: Judge) -> Judged:
        seen, number = (effect.identity, effect.sample), self.state.presence
        verdict, plan = assess.at_rig(self._bench, *seen, self._clock.wall(), presence=number)
        self._wishes.judged()
        self._watch.look_again(archive=True)  # What comes of it is by the entry of then.
        return Judged(verdict, plan, effect.sample)

    async def _issue(self, effect: Issue) -> Event:
        """Commit 1: the permit is pending before the gate hears of it."""
        try:
            permit = self._books.permit(effect)
            self._unsure = True
            await self._store.issue(permit)
        except StoreError as exc:
            self._log.exception("permit.not_issued", error=str(exc))
            return NotIssued(str(exc))
        self._unsure = False
        self._log.info(
            "permit.issued",
            permit=permit.permit_no,
            cylinder=permit.cylinder_code,
            target_g=permit.target_g,
        )
        view = self._grounds.issued(self._bench, effect, permit, self._view())
        return Issued(permit, view)

    async def _resolve(self, effect: Resolve) -> Event:
        """Commit 2: permit resolved and record written, together or not at all."""
        permit, ending = effect.permit, effect.ending
        draft = self._books.explained(permit, ending, await self._books.fill(permit, ending))
        try:
            await self._books.resolve(permit, ending, draft)
        except StoreError as exc:
            self._log.exception("record.not_committed", error=str(exc), record=draft.id)
            return NotResolved(str(exc))
        self._log.info(
            "permit.resolved",
            permit=permit.permit_no,
            cylinder=permit.cylinder_code,
            outcome=ending.outcome,
            net_g=ending.net_g,
        )
        return Resolved(ending.total_after_g, permit.cylinder_code, bool(draft.counts_fill_of))

    async def _note(self, effect: Effect) -> None:
        """Facts that are records of their own."""
        match effect:
            case Refuse(who, verdict):
                await self._books.refuse(who, verdict)
            case RefuseFor(code, who):
                reason = reason_at_rig(code, who, self._watch.sample)
                await self._books.refuse(who, assess.denied(self._bench.packs, reason))
            case Unauthorised():
                await self._books.unauthorised(effect)
            case Baseline(total_g, went_back_from_g):
                await self._books.baseline(total_g, went_back_from_g)
            case Alarm(code, detail, cylinder):
                await self._books.alarm(code, detail, cylinder=cylinder)
            case _:
                raise AssertionError(effect)

    # --- what others see ---

    def _show(self) -> None:
        """Post the rig's state when anything but the weight changed (contract §6)."""
        self._mirror.show(self.state, self._watch.sample, self._wishes.lock)

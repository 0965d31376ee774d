"""The writer: jobs queue up, and whatever waits is committed together, with one fsync.

One batch is one BEGIN IMMEDIATE ... COMMIT with a savepoint a job, so a job that fails undoes only
itself. Nobody is told before the commit.
"""

import asyncio
import queue
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import apsw

from gatewayd.clock import MS, SECOND
from gatewayd.counting import QUICK_S, Spread
from gatewayd.errors import StoreError
from gatewayd.store import database, room, writes
from gatewayd.store.ballast import Ballast
from gatewayd.store.hand import Hand, OwnThread
from gatewayd.store.patience import Patience

T = TypeVar("T")

JOBS_WAITING_MAX = 4_096
"""Writes that may wait; at the limit a write is refused with StoreError at once."""
BATCH_MAX = 256
"""Jobs in one transaction."""
PROBE_S = 1.0
"""How often an unhealthy store is tried again when nobody writes."""


FULL = "{}: the store is full: only the reserve is left; free the disk or raise store.quota_mb"

_LAST_SEQUENCE = "SELECT coalesce(max(sequence), 0) FROM records"


class _TransactionLostError(Exception):
    """SQLite gave up the whole transaction, not only the statement that failed."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    run: Callable[[apsw.Connection], Any]
    future: asyncio.Future[Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Outcome:
    job: _Job
    result: Any = None
    error: Exception | None = None


_PASSING = (apsw.FullError, apsw.BusyError, apsw.LockedError)
"""What is waited for: room, and whoever else holds the store. A new start changes nothing of it."""


def _is_full(error: Exception | None) -> bool:
    """Whether a job failed because the disk, or the quota, has no room."""
    return error is not None and isinstance(error.__cause__, apsw.FullError)


class Writer:
    """Everything that is written passes here, in one hand. `healthy` is whether the last attempt left everything well."""

    def __init__(
        self,
        path: Path,
        connection: apsw.Connection,
        committed: Callable[[int], None],
        *,
        busy_ms: int = database.BUSY_MS,
        hand: Hand | None = None,
        ballast: Ballast | None = None,
        monotonic_ns: Callable[[], int],
    ) -> None:
        """`committed` is called on the loop after every batch with the last sequence.

        `why` says what was wrong with the last attempt, empty when it was well; `full`: no room;
        `used_percent`: of the room there is; `quota_bytes`: what the file may grow to, never less
        than it was when opened; `commits`: how long each took, in seconds.
        """
        self.healthy = True
        self.why = ""
        self.full = False
        self.dead: BaseException | None = None
        self.used_percent = room.used_percent(connection)
        _, self.quota_bytes = room.used(connection)
        self.batches = 0
        self.commits = Spread(QUICK_S)
        self._ballast = ballast
        self._monotonic_ns = monotonic_ns
        self._pending = 0
        self._moved_ns = 0
        self._broken_ns: int | None = None
        self._path = path
        self._connection = connection
        self._committed = committed
        self._last_sequence = 0
        self._room = True
        self._closed = False
        self._patience = Patience(busy_ms)
        connection.set_busy_handler(self._patience)
        self._jobs: queue.Queue[_Job | None] = queue.Queue(maxsize=JOBS_WAITING_MAX)
        self._hand = hand or OwnThread()
        self._hand.begin(self)

    async def submit(self, run: Callable[[apsw.Connection], T]) -> T:
        """Run `run` in the next transaction; returns its result after the commit.

        `run` must be repeatable: it runs again when its batch had to be taken apart. A cancelled
        caller does not stop it. Raises StoreError, or what `run` raised.
        """
        if self._closed or self.dead is not None:
            raise StoreError(f"{self._path}: the store is closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        try:
            self._jobs.put_nowait(_Job(run, future))
        except queue.Full as exc:
            raise StoreError(
                f"{self._path}: {JOBS_WAITING_MAX} writes wait for the disk; check the disk"
            ) from exc
        self._moved_ns = self._moved_ns if self._pending else self._monotonic_ns()
        self._pending += 1
        self._hand.rouse()
        return await future

    def stuck_ms(self) -> int:
        """How long something has waited while nothing moved: a disk or a thread that hangs."""
        return (self._monotonic_ns() - self._moved_ns) // MS if self._pending else 0

    def broken_ms(self) -> int:
        """How long every commit has failed for a reason that a new start may mend; 0 = none does."""
        since_ns = self._broken_ns
        return 0 if since_ns is None else (self._monotonic_ns() - since_ns) // MS

    def died(self, bug: BaseException) -> None:
        """The hand ended of a bug: nothing is committed any more, and whoever waits waits for ever."""
        self.healthy, self.why = False, f"{self._path}: the writer ended: {bug!r}"
        self.dead = bug

    async def close(self) -> None:
        """Commit what waits, then stop the thread and close the connection."""
        if not self._closed:
            self._closed = True
            self._patience.closing.set()
            await asyncio.to_thread(self._jobs.put, None)
            self._hand.rouse()
        await self._hand.ended()
        if self.dead is not None:
            self._connection.close()

    def work(self, *, wait: bool) -> bool:
        """Commit what waits, or probe a store that is unwell; False = that was the last time.

        `wait`: sleep until there is something to do.
        """
        batch, stopping = self._next_batch(wait=wait)
        if not self._room and self._ballast is not None:
            self._ballast.make()  # However busy it is: a full store is asked again and again.
        if batch:
            outcomes = self._commit(batch)
            outcomes = self._on_ballast(outcomes)
            failed = [o.error for o in outcomes if isinstance(o.error, StoreError)]
            self._judge(failed[0] if failed else None)
            self._finish(outcomes)
        elif not stopping:
            self._judge(self._probe())
        if stopping:
            self._fold_log()
            self._connection.close()
        return not stopping

    def _on_ballast(self, outcomes: list[_Outcome]) -> list[_Outcome]:
        """Jobs that found the disk full run again when the ballast has given them room."""
        full = [outcome.job for outcome in outcomes if _is_full(outcome.error)]
        if not full or self._ballast is None or not self._ballast.release():
            return outcomes
        again = self._commit(full)
        return [outcome for outcome in outcomes if not _is_full(outcome.error)] + again

    def _judge(self, failed: Exception | None) -> None:
        """What the last attempt says of the store."""
        self.full = _is_full(failed) or not self._room
        self.why = str(failed) if failed else "" if self._room else FULL.format(self._path)
        self.healthy = self._room and failed is None
        cause = None if failed is None else failed.__cause__  # None: the job itself was refused.
        broken = isinstance(cause, apsw.Error) and not isinstance(cause, _PASSING)
        since_ns = self._monotonic_ns() if self._broken_ns is None else self._broken_ns
        self._broken_ns = since_ns if broken else None

    def _fold_log(self) -> None:
        """Leave one file behind when nobody reads; what is in the log is as safe, so never wait."""
        self._connection.set_busy_timeout(0)
        with suppress(apsw.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _next_batch(self, *, wait: bool) -> tuple[list[_Job], bool]:
        """Wait for a job, then take what else is there; no job at all: time to probe."""
        batch: list[_Job] = []
        try:
            job = self._jobs.get(block=wait, timeout=None if self.healthy else PROBE_S)
            while job is not None:
                batch.append(job)
                if len(batch) == BATCH_MAX:
                    return batch, False
                job = self._jobs.get_nowait()
        except queue.Empty:
            return batch, False
        return batch, True

    def _commit(self, batch: Sequence[_Job]) -> list[_Outcome]:
        """Run a batch in one transaction. When that is lost, each job gets one of its own."""
        try:
            return self._transaction(batch)
        except _TransactionLostError as lost:
            database.roll_back(self._connection)
            if len(batch) > 1:
                return [outcome for job in batch for outcome in self._commit([job])]
            return [_Outcome(batch[0], error=self._named(lost.cause))]
        except apsw.Error as exc:
            database.roll_back(self._connection)
            return [_Outcome(job, error=self._named(exc)) for job in batch]

    def _transaction(self, batch: Sequence[_Job]) -> list[_Outcome]:
        self._connection.execute("BEGIN IMMEDIATE")
        outcomes = [self._run(job) for job in batch]
        enough, used = database.has_room(self._connection), room.used_percent(self._connection)
        last_sequence = self._connection.execute(_LAST_SEQUENCE).get
        began_ns = self._monotonic_ns()
        self._connection.execute("COMMIT")
        self.commits.note((self._monotonic_ns() - began_ns) / SECOND)
        self.batches += 1
        self._room, self._last_sequence, self.used_percent = enough, last_sequence, used
        return outcomes

    def _run(self, job: _Job) -> _Outcome:
        self._connection.execute("SAVEPOINT job")
        try:
            result = job.run(self._connection)
        except Exception as exc:  # Whatever it is, it is this waiter's news, not its neighbours'.
            if not self._connection.in_transaction:
                raise _TransactionLostError(exc) from exc
            self._connection.execute("ROLLBACK TO job; RELEASE job")
            return _Outcome(job, error=self._named(exc))
        self._connection.execute("RELEASE job")
        return _Outcome(job, result=result)

    def _named(self, exc: Exception) -> Exception:
        """World errors in our words; a broken constraint is our error, and so is the rest."""
        if isinstance(exc, apsw.ConstraintError):
            broken = AssertionError(str(exc))
            broken.__cause__ = exc
            return broken
        if not isinstance(exc, apsw.Error):
            return exc
        named = database.store_error(self._path, exc)
        named.__cause__ = exc
        return named

    def _probe(self) -> Exception | None:
        """Try one real commit, so that a store with room again recovers by itself."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            writes.probe(self._connection)
            self._room = database.has_room(self._connection)
            self.used_percent = room.used_percent(self._connection)
            self._connection.execute("COMMIT")
        except apsw.Error as exc:
            database.roll_back(self._connection)
            return self._named(exc)
        return None

    def _finish(self, outcomes: Sequence[_Outcome]) -> None:
        loop = outcomes[0].job.future.get_loop()
        with suppress(RuntimeError):  # A closed loop: nobody is left to be told.
            loop.call_soon_threadsafe(self._tell, outcomes, self._last_sequence)

    def _tell(self, outcomes: Sequence[_Outcome], last_sequence: int) -> None:
        self._committed(last_sequence)
        self._pending -= len(outcomes)
        self._moved_ns = self._monotonic_ns()
        for outcome in outcomes:
            if outcome.job.future.done():
                continue
            if outcome.error is not None:
                outcome.job.future.set_exception(outcome.error)
            else:
                outcome.job.future.set_result(outcome.result)

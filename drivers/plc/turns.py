"""Who may use a shared wire next: by rank, so that closing never queues, then by deadline.

The one bound that safety rests on: a lock waits for the request in flight and for the silence it
leaves behind (`budget.lock_wait_s_max`), whoever else waits and whatever the others answer.
"""

import asyncio
import heapq
import math
from enum import IntEnum
from types import TracebackType
from typing import Self

NO_DEADLINE = math.inf
PATIENCE_S = 0.1
"""Who names no deadline is due so long after it asked: late enough, and never starved."""


class Rank(IntEnum):
    """Who goes first when several wait for the wire.

    LOCK is the first attempt to withdraw a permit. CONFIRM is what follows it, its read-back and
    its second attempt: where many gates are locked at once, each is told before any is asked.
    """

    LOCK = 0
    CONFIRM = 1
    COMMAND = 2
    POLL = 3


class Turns:
    """A lock that is handed to the best rank waiting; within a rank to the earliest deadline.

    Deadlines are loop times. Equal ones go first come, first served.
    """

    def __init__(self) -> None:
        self._taken = False
        self._ready_s = 0.0
        self._count = 0
        self._waiting: list[tuple[int, float, int, asyncio.Future[None]]] = []

    def take(self, rank: Rank, due_s: float = NO_DEADLINE) -> "Turn":
        """`async with turns.take(rank)`: hold the wire alone."""
        return Turn(self, rank, due_s)

    async def acquire(self, rank: Rank, due_s: float = NO_DEADLINE) -> None:
        """Wait for the turn; cancelling while waiting passes it on."""
        if not self._taken:
            self._taken = True
            return
        await self.wait(self.queue(rank, due_s))

    def rest(self, until_s: float) -> None:
        """Whoever is next gets the turn at `until_s`, however much later or sooner it is given."""
        self._ready_s = until_s

    def release(self) -> None:
        """Hand the turn to the next once the wire has rested, or leave it free."""
        if self._ready_s:
            loop = asyncio.get_running_loop()
            if self._ready_s > loop.time():
                loop.call_at(self._ready_s, self._hand_on)
                return
        self._hand_on()

    def _hand_on(self) -> None:
        self._ready_s = 0.0
        while self._waiting:
            _, _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._taken = False

    def queue(self, rank: Rank, due_s: float) -> "asyncio.Future[None]":
        """A place among those who wait; `wait` for it."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        if due_s == NO_DEADLINE:
            due_s = loop.time() + PATIENCE_S
        self._count += 1
        heapq.heappush(self._waiting, (rank, due_s, self._count, turn))
        return turn

    async def wait(self, turn: "asyncio.Future[None]") -> None:
        """Wait for the turn of `queue`; cancelling passes it on when it was given already."""
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            raise


class Turn:
    """The context manager of one turn; a class because a poll pays for it ten times a second."""

    __slots__ = ("_due_s", "_held", "_rank", "_turns")

    def __init__(self, turns: Turns, rank: Rank, due_s: float) -> None:
        self._turns = turns
        self._rank = rank
        self._due_s = due_s
        self._held = False

    async def again(self, rank: Rank) -> None:
        """Let whoever is better than `rank` go first, and take the next turn."""
        assert self._held, self
        self._held = False
        queued = self._turns.queue(rank, NO_DEADLINE)
        self._turns.release()
        await self._turns.wait(queued)
        self._held = True

    async def __aenter__(self) -> Self:
        await self._turns.acquire(self._rank, self._due_s)
        self._held = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._held:
            self._held = False
            self._turns.release()

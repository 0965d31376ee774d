"""Who may use a shared wire next: a lock is handed over by rank, so that closing never queues."""

import asyncio
import heapq
from enum import IntEnum
from types import TracebackType


class Rank(IntEnum):
    """Who goes first when several wait for the wire."""

    LOCK = 0
    COMMAND = 1
    POLL = 2


class Turns:
    """A lock that is handed to the best rank waiting; within a rank first come, first served."""

    def __init__(self) -> None:
        self._taken = False
        self._count = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    def take(self, rank: Rank) -> "_Turn":
        """`async with turns.take(rank)`: hold the wire alone."""
        return _Turn(self, rank)

    async def acquire(self, rank: Rank) -> None:
        """Wait for the turn; cancelling while waiting passes it on."""
        if not self._taken:
            self._taken = True
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._waiting, (rank, self._count, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Hand the turn to the next, or leave the wire free."""
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._taken = False


class _Turn:
    """The context manager of one turn; a class because a poll pays for it ten times a second."""

    __slots__ = ("_rank", "_turns")

    def __init__(self, turns: Turns, rank: Rank) -> None:
        self._turns = turns
        self._rank = rank

    async def __aenter__(self) -> None:
        await self._turns.acquire(self._rank)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._turns.release()

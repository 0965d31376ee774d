"""The part of the store that a pump uses, and what leaves it out of turn."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import apsw

from gatewayd.store import ahead
from gatewayd.store.ahead import AHEAD_MAX, Resend
from gatewayd.store.chain import Issuer
from gatewayd.store.model import Record
from gatewayd.upstreams.contract import Outcome

T = TypeVar("T")


class Outbox(Protocol):
    """Committed records and how far each upstream has them. Reads raise StoreError."""

    def records(self, *, after_sequence: int, limit: int) -> tuple[Record, ...]:
        """The first records after a sequence, in order."""
        ...

    def alarm_records(self, *, after_sequence: int, limit: int) -> tuple[Record, ...]:
        """The first alarms after a sequence, in order."""
        ...

    def ahead(self, upstream: str) -> frozenset[int]:
        """What the upstream has already although its cursor is below it."""
        ...

    def next_resend(self, upstream: str) -> Resend | None:
        """The oldest range that the upstream asked for again."""
        ...

    def dead_to_retry(self, upstream: str, *, limit: int) -> tuple[Record, ...]:
        """Dead letters that a person released."""
        ...

    def last_sequence(self) -> int:
        """The highest sequence committed."""
        ...

    def cursor(self, upstream: str) -> int:
        """The sequence through which the upstream has acknowledged."""
        ...

    async def acknowledge(
        self, upstream: str, through_sequence: int, dead: Sequence[tuple[int, str]] = ()
    ) -> None:
        """Move the cursor, with dead letters by sequence and reason."""
        ...

    async def settle_retried(
        self, upstream: str, delivered: Sequence[int], dead: Sequence[tuple[int, str]] = ()
    ) -> None:
        """What became of released dead letters."""
        ...

    async def commit(self, work: Callable[[apsw.Connection, Issuer], T]) -> T:
        """One transaction."""
        ...

    async def wait_for(self, after_sequence: int) -> None:
        """Return once a higher sequence is committed."""
        ...


class Ahead:
    """Alarms that overtake a backlog: each leaves once, and is passed over when its turn comes."""

    def __init__(self, name: str, outbox: Outbox) -> None:
        self._name = name
        self._outbox = outbox
        self._sent = set(outbox.ahead(name))
        self._looked_through = max(self._sent, default=0)

    @property
    def room(self) -> int:
        """How many more may be sent before their turn."""
        return max(0, AHEAD_MAX - len(self._sent))

    def waiting(self, *, after_sequence: int, limit: int) -> tuple[Record, ...]:
        """The next alarms beyond a sequence, to be sent now; none at AHEAD_MAX. Raises StoreError."""
        room = min(limit, self.room)
        if room <= 0:
            return ()
        after = max(after_sequence, self._looked_through)
        return self._outbox.alarm_records(after_sequence=after, limit=room)

    async def took(self, batch: Sequence[Record], outcome: Outcome) -> int:
        """Remember what the platform took, and return how many; the rest comes again in its turn."""
        taken = [one.sequence for one in batch if one.sequence in outcome.accepted]
        if not outcome.kept:
            self._looked_through = max(self._looked_through, batch[-1].sequence)
        if not taken:
            return 0
        self._sent.update(taken)
        await self._outbox.commit(
            lambda connection, _issuer: ahead.sent_ahead(connection, self._name, taken)
        )
        return len(taken)

    def among(self, batch: Sequence[Record]) -> frozenset[int]:
        """Which of these the platform has already."""
        return frozenset(one.sequence for one in batch if one.sequence in self._sent)

    def passed(self, through_sequence: int) -> None:
        """The platform has everything through here: forget it."""
        self._sent = {sequence for sequence in self._sent if sequence > through_sequence}

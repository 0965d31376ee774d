"""Hold and release a cylinder, lock and unlock a rig: by page, by command, from the command line.

Each is committed with its record before anything else happens. A lock closes its rig at once, also
while gas flows; a hold closes the rig where that cylinder has a permit. The running daemon asks
`Holds`; a command beside it gives the same `order` to `beside.order`, and `Outside` tells the rigs.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from gatewayd.clock import Clock
from gatewayd.desk.base import Base
from gatewayd.desk.terms import By, No, no
from gatewayd.ids import new_id
from gatewayd.store import orders
from gatewayd.store.orders import CarryOut, Done, Order

WORDS_MAX = 200
"""Characters of a reason, of a name, and of a code."""

Within: TypeAlias = Callable[[CarryOut], CarryOut]
"""Wraps an order in the same transaction: what is looked at before, what is committed with it."""


def by_itself(work: CarryOut) -> CarryOut:
    """Nothing else belongs to it."""
    return work


def order(subject: str, by: By, clock: Clock) -> Order | No:
    """An order as it will be recorded; refuses `bad_words` when what, who or why is not said."""
    for what, words in (("subject", subject), ("by", by.who), ("reason", by.why)):
        if not words.strip() or len(words) > WORDS_MAX or not words.isprintable():
            return no("bad_words", what=what, most=WORDS_MAX)
    return Order(new_id(), subject.strip(), by.why.strip(), by.who.strip(), by.how, clock.wall())


class Holds(Base):
    """What a regulator, a platform or a person in charge may stop, and let go on."""

    async def hold(self, code: str, *, by: By, within: Within = by_itself) -> Done | No:
        """Hold a cylinder, known or not; `by.why` is shown where it is refused.

        Refuses `bad_words store_unavailable`.
        """
        return await self._one(partial(self._carry_out, orders.hold, code, by, "", within))

    async def release(self, code: str, *, by: By, within: Within = by_itself) -> Done | No:
        """End a hold, whoever made it; refuses `not_held bad_words store_unavailable`."""
        return await self._one(
            partial(self._carry_out, orders.release, code, by, "not_held", within)
        )

    async def lock(self, rig_id: str, *, by: By, within: Within = by_itself) -> Done | No:
        """Lock a rig: its gate closes at once, and nothing is filled there until it is unlocked.

        Refuses `no_rig bad_words store_unavailable`.
        """
        rig = self._rig(rig_id)
        if isinstance(rig, No):
            return rig
        return await self._one(partial(self._carry_out, orders.lock, rig_id, by, "", within))

    async def unlock(self, rig_id: str, *, by: By, within: Within = by_itself) -> Done | No:
        """Unlock a rig, whoever locked it; refuses `not_locked bad_words store_unavailable`."""
        return await self._one(
            partial(self._carry_out, orders.unlock, rig_id, by, "not_locked", within)
        )

    async def _carry_out(
        self, work: CarryOut, subject: str, by: By, nothing: str, within: Within
    ) -> Done | No:
        """Commit it with its record, then tell the rigs; `nothing` = there was nothing to end."""
        given = order(subject, by, self._clock)
        if isinstance(given, No):
            return given
        done = await self._store.order(within(work), given)
        if not done.changed and nothing:
            return no(nothing, subject=subject)
        locks = {lock.rig_id: lock for lock in self._store.rig_locks()}
        for name, rig in self.rigs.items():
            rig.store_changed(locks.get(name), archive=True)
        return done

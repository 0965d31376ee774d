"""Two rigs whose PLCs changed places: then the one would weigh and fill what the other one sees.

A gate has no name of its own, but its totaliser is as good as one: it is somewhere in four billion
grams. One that is not where it was left, and is where another rig's was, is the other rig's. Both are
locked until a person has looked at the wires.
"""

from gatewayd.clock import Clock
from gatewayd.ids import new_id
from gatewayd.logs import logger
from gatewayd.rigs.ending import AGREE_G, moved_g
from gatewayd.rigs.model import Ending
from gatewayd.store import orders
from gatewayd.store.model import Permit
from gatewayd.store.orders import Order
from gatewayd.store.store import Store
from gatewayd.texts import text

TELLS_FROM_G = 1_000_000
"""A totaliser that has counted less is new, as others may be: it names nobody."""


class Mixup:
    """What one rig knows of that. `clear`: nothing waits to be looked at."""

    def __init__(self, rig_id: str, store: Store, clock: Clock) -> None:
        self._rig_id = rig_id
        self._store = store
        self._clock = clock
        self._total_g: int | None = None

    @property
    def clear(self) -> bool:
        """Whether everything that was noted was looked at, and locked where it had to be."""
        return self._total_g is None

    def note(self, total_g: int) -> None:
        """The totaliser is here, and was left elsewhere; `settle` looks at that."""
        if total_g >= TELLS_FROM_G:
            self._total_g = total_g

    def ended(self, permit: Permit, ending: Ending, *, tolerance_g: int) -> None:
        """Note it where it moved otherwise than a fill can move it: exchanged under a permit."""
        moved = moved_g(permit.total_before_g, ending.total_after_g)
        if not -AGREE_G <= moved <= permit.limit_gross_g - permit.tare_g + tolerance_g:
            self.note(ending.total_after_g)

    async def settle(self) -> None:
        """Lock this rig and whose totaliser it is; nothing is noted any more. Raises StoreError."""
        if self._total_g is None:
            return
        others = self._store.rigs_at_total(self._total_g, within_g=AGREE_G, besides=self._rig_id)
        rigs = ", ".join(sorted((self._rig_id, *others)))
        for rig_id in (self._rig_id, *others) if others else ():
            await self._lock(rig_id, rigs)
        self._total_g = None

    async def _lock(self, rig_id: str, rigs: str) -> None:
        """Beside a reason that it is locked for already: who mends that one has not seen this."""
        known = self._store.rig_lock(rig_id)
        if known is not None and f"({rigs})" in known.reason:
            return
        words = {"rigs": rigs, "total_g": self._total_g}
        ours = f"{text('lock.mixup', 'zh', **words)} / {text('lock.mixup', 'en', **words)}"
        reason = ours if known is None else f"{known.reason}; {ours}"
        order = Order(new_id(), rig_id, reason, orders.GATEWAY, "start", self._clock.wall())
        await self._store.order(orders.lock, order)
        logger("rigs").error("rig.mixed_up", rig=rig_id, rigs=rigs, total_g=self._total_g)

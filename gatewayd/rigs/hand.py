"""A rig's hand on its gate: one write at a time, as the machine ordered it."""

import asyncio

from drivers.contract import DriverError, FillGate
from gatewayd.clock import MS, Clock
from gatewayd.logs import logger
from gatewayd.rigs.moves import Event, GateFailed, Lock, Open, Opened, Renew, Renewed

SHUT_WITHIN_S = 2.0
"""How long a rig that fell tries to lock its gate at once; the lease does it in any case."""


class Hand:
    """Writes and says what came of it; `broken`: the driver has a bug and is never used again."""

    def __init__(self, rig_id: str, gate: FillGate, clock: Clock, *, stale_ms: int) -> None:
        self.broken = False
        self._gate = gate
        self._clock = clock
        self._stale_ms = stale_ms
        self._complaint = ""
        self._log = logger("rigs").bind(rig=rig_id)

    async def touch(self, effect: Open | Renew | Lock) -> Event | None:
        """One write to the gate, read back by its driver. A driver that breaks latches the rig.

        A renewal that failed was no renewal: the next sample tries again, and when the lease has
        run out meanwhile the permit counts as stalled. One lost reply ends no fill.
        """
        try:
            answer = await write(self._gate, effect, self._clock, stale_ms=self._stale_ms)
        except DriverError as exc:
            self._complain(effect, str(exc))
            if isinstance(effect, Renew):
                return None
            return GateFailed(str(exc), self._clock.monotonic_ns())
        except Exception as exc:  # noqa: BLE001 - a bug in one driver must not stop the other rigs
            if not self.broken:
                self._log.exception("gate.fault", write=type(effect).__name__.lower())
            self.broken = True
            return GateFailed(str(exc), self._clock.monotonic_ns())
        self._complaint = ""
        return answer

    async def shut(self) -> bool:
        """Lock the gate, whatever is wrong with its rig; False = it did not say that it is."""
        try:
            async with asyncio.timeout(SHUT_WITHIN_S):
                return await self.touch(Lock()) is None
        except TimeoutError:
            return False

    def _complain(self, effect: Open | Renew | Lock, error: str) -> None:
        """Say why a write failed, once for as long as it fails in the same way."""
        if error != self._complaint:
            self._complaint = error
            self._log.warning("gate.failed", write=type(effect).__name__.lower(), error=error)


async def write(
    gate: FillGate, effect: Open | Renew | Lock, clock: Clock, *, stale_ms: int
) -> Event | None:
    """Carry out one order and say when, unless this process stood still: an old renewal is none.

    Raises DriverError when the gate did not take it, or when an opening would come too late.
    """
    started_ns = clock.monotonic_ns()
    match effect:
        case Open(order, seen_ns):
            if started_ns - seen_ns > stale_ms * MS:
                raise DriverError("stalled before the order was written")
            await gate.open(order)
            return Opened(started_ns, clock.monotonic_ns())
        case Renew(seen_ns):
            if started_ns - seen_ns > stale_ms * MS:
                return None
            await gate.renew()
            return Renewed(started_ns, clock.monotonic_ns())
        case Lock():
            await gate.lock()
            return None

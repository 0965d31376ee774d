"""One write to a gate, as the machine ordered it, unless this process stood still meanwhile."""

from drivers.contract import DriverError, FillGate
from gatewayd.clock import MS, Clock
from gatewayd.rigs.moves import Event, Lock, Open, Opened, Renew, Renewed


async def write(
    gate: FillGate, effect: Open | Renew | Lock, clock: Clock, *, stale_ms: int
) -> Event | None:
    """Carry out one order and say when; a renewal upon an old sample is none.

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

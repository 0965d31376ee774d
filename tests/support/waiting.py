"""Waiting for what must come: looked at until it holds, however slow the machine is."""

from collections.abc import Callable

from drivers.suite import bench
from drivers.suite.bench import LOOK_EVERY_S

__all__ = ["LOOK_EVERY_S", "WITHIN_S", "until"]

WITHIN_S = 60.0
"""Ends a wait that would hang: a start of the daemon takes half of it where ten others want the CPU."""


async def until(
    holds: Callable[[], object],
    within_s: float = WITHIN_S,
    *,
    instead: Callable[[], object] = lambda: "",
) -> None:
    """Return as soon as `holds()`; else fail with what there is `instead`."""
    await bench.until(holds, within_s, instead=instead)

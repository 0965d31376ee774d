"""Waiting for what must come: looked at until it holds, however slow the machine is."""

from collections.abc import Callable

from drivers.suite import bench
from drivers.suite.bench import LOOK_EVERY_S

__all__ = ["LOOK_EVERY_S", "WITHIN_S", "until"]

WITHIN_S = 240.0
"""Ends a wait that would hang, no more: a start took 73 s beside a dozen busy processes on two cores.

pytest's own `timeout` is above it, so that a wait in vain can say what it saw.
"""


async def until(
    holds: Callable[[], object],
    within_s: float = WITHIN_S,
    *,
    instead: Callable[[], object] = lambda: "",
) -> None:
    """Return as soon as `holds()`; else fail with what there is `instead`."""
    await bench.until(holds, within_s, instead=instead)

"""Waiting for what must come: looked at until it holds, however slow the machine is.

A deadline here only ends a test that would hang; none of them is a promise of ours.
"""

import asyncio
from collections.abc import Callable

WITHIN_S = 20.0
LOOK_EVERY_S = 0.01


async def until(
    holds: Callable[[], object],
    within_s: float = WITHIN_S,
    *,
    instead: Callable[[], object] = lambda: "",
) -> None:
    """Return as soon as `holds()`; else fail with what there is `instead`."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + within_s
    while not holds():
        assert loop.time() < deadline_s, f"waited {within_s} s in vain {instead()}"
        await asyncio.sleep(LOOK_EVERY_S)

"""Proof, again and again, that the store can commit: nothing is held open upon a memory.

A fill lasts minutes and writes nothing in between. Without this a disk that died meanwhile would be
found out when the record of the fill is to be written.
"""

import asyncio
import contextlib
from collections.abc import Callable

from gatewayd.errors import StoreError
from gatewayd.store.store import Store

PROVE_S = 1.0
"""How often the store is asked to commit while a permit is alive."""
PROVE_IDLE_S = 30.0
"""How often otherwise: a disk that fails is known before the next cylinder comes."""


async def run(store: Store, alive: Callable[[], bool]) -> None:
    """Ask for ever; `alive` says whether any permit is. The answer is `store.healthy`."""
    waited_s = 0.0
    while True:
        await asyncio.sleep(PROVE_S)
        waited_s += PROVE_S
        if alive() or waited_s >= PROVE_IDLE_S:
            waited_s = 0.0
            with contextlib.suppress(StoreError):  # The store says so itself, and tries by itself.
                await store.prove()

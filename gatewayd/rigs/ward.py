"""Keeps one rig alive: a bug locks it, is alarmed, and the rig is begun again, closed.

Other rigs go on. A rig that falls again and again is begun less and less often, and stays locked in
between; its gate closes by its own lease besides.
"""

import asyncio
from contextlib import suppress

from gatewayd.bugs import Bugs, Falls, Waits
from gatewayd.errors import StoreError
from gatewayd.logs import logger
from gatewayd.rigs.composite import Composite
from gatewayd.rigs.model import PROGRAM, STORE_ILL
from gatewayd.rigs.rig import Rig

UNREADABLE_AGAIN_S = 1.0
"""How soon a rig is begun again whose store could not be read at its start."""
LOOK_S = 0.1
"""How soon a rig that waits notices that the daemon stops."""

GATE_AGAIN_S = 0.5
"""How soon a gate of several devices is begun again: it alone closes what did not confirm."""


async def serve(rig: Rig, bugs: Bugs) -> None:
    """Run a rig until it ends by itself; raises nothing but cancellation."""
    waits = Waits(bugs.clock)
    while True:
        waits.began()
        try:
            await rig.run()
        except StoreError as exc:
            logger("rigs").warning("rig.not_begun", rig=rig.id, error=str(exc))
            await _lie(rig, bugs, STORE_ILL, UNREADABLE_AGAIN_S)
        except Exception as exc:  # noqa: BLE001 - a bug of one rig must not stop the others
            again_s = waits.next_s()
            bugs.note(rig.id, exc, kind="rig_failed", rig_id=rig.id, again_s=again_s)
            await _lie(rig, bugs, PROGRAM, again_s)
        else:
            return
        if rig.stopping:
            return  # What is open is in the store, and settled at the next start.


async def _lie(rig: Rig, bugs: Bugs, fault: str, wait_s: float) -> None:
    """Locked, until it is time to begin again or the daemon stops."""
    try:
        await rig.down(fault)
    except Exception as exc:  # noqa: BLE001 - what shows it may be what is broken: it lies all the same
        bugs.note(rig.id, exc, kind="rig_failed", rig_id=rig.id)
    with suppress(TimeoutError):
        async with asyncio.timeout(wait_s):
            while not rig.stopping:  # noqa: ASYNC110 - a rig tells its wishes to its own actor alone
                await asyncio.sleep(LOOK_S)


async def serve_gate(gate: Composite, rig: Falls) -> None:
    """Run a gate of several devices until cancelled; a bug in it closes it, and its rig falls."""
    while True:
        try:
            await gate.run()
        except Exception as exc:  # noqa: BLE001 - a bug of one gate must not stop the others
            gate.doubt()
            rig.fall(exc)
            await asyncio.sleep(GATE_AGAIN_S)

"""The case of a network that gives out late what a reader said: part of `cases.CASES`."""

import asyncio
import contextlib

from drivers.contract import TagRead
from drivers.suite.bench import Bench, running
from drivers.suite.kit import Kit
from drivers.suite.stage import Stage, on_stage
from drivers.suite.wires import Wire, on_tcp

HELD_S = (0.2, 1.3, 2.2)
"""How long a network holds back: an answer, a question more, and several."""
SHOW_EVERY_S = 1.0
"""How often something is shown again to a device that speaks once."""
SHOWN_TIMES_MAX = 20


async def what_was_held_back_is_as_old_as_it_is(kit: Kit, wire: Wire) -> None:
    """A network holds everything back while the tag leaves: it was not seen after that."""
    if wire is on_tcp and kit.proves_age and "identify" in kit.driver.capabilities:
        await asyncio.gather(*(_held_back(kit, wire, held_s) for held_s in HELD_S))


async def _held_back(kit: Kit, wire: Wire, held_s: float) -> None:
    one, other = kit.identities
    async with on_stage(kit, wire) as stage, running(kit.make(stage.link)) as bench:
        await bench.until(lambda: bench.ups or bench.error)
        await _read(kit, stage, bench, one)
        stage.faults.held = True
        kit.show(stage.device, (one,))
        await asyncio.sleep(held_s)  # the fault itself: so long nothing arrives
        kit.show(stage.device, ())
        gone_ns = bench.context.monotonic_ns()
        stage.faults.let_go()
        await _read(kit, stage, bench, other)
    tags = [read for read in bench.readings if isinstance(read, TagRead)]
    late = [tag for tag in tags if tag.uid == one and tag.at_ns >= gone_ns]
    assert not late, f"{kit}: seen after it had gone, held back for {held_s} s: {late}"


async def _read(kit: Kit, stage: Stage, bench: Bench, identity: str) -> None:
    """Show it until it is read; a device that was lost meanwhile may not be read any more."""
    for _ in range(SHOWN_TIMES_MAX):
        kit.show(stage.device, (identity,))
        with contextlib.suppress(AssertionError):
            await bench.until(lambda: identity in bench.identities or bench.error, SHOW_EVERY_S)
            return
    raise AssertionError(f"{kit}: {identity} is not read: {bench}")

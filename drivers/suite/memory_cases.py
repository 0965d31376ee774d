"""The contract of a reader that is asked for the memory of its tags while it identifies.

What it tells of a tag is of that tag, whole, or it says why it is not known; and tags are read on.
"""

import asyncio

from drivers.contract import TagContents, TagRead
from drivers.suite.bench import Bench, running
from drivers.suite.kit import Held, Kit
from drivers.suite.stage import Stage, on_stage
from drivers.suite.wires import Wire

WATCHED_S = 1.0
"""How long a reader is watched that reads no memory."""


def _told(bench: Bench, uid: str) -> list[TagContents]:
    """Everything that was told of what one tag holds."""
    reads = (read for read in bench.readings if isinstance(read, TagRead) and read.uid == uid)
    return [read.contents for read in reads if read.contents is not None]


def _only_true(kit: Kit, bench: Bench, held: dict[str, bytes]) -> None:
    """Nothing was told of any tag but what it holds."""
    for uid, data in held.items():
        told = {contents.data for contents in _told(bench, uid) if contents.data}
        assert told <= {data}, f"{kit}: {uid} holds {data.hex()}, told {told}"


def _lay(kit: Kit, stage: Stage, memory: Held, *which: str) -> dict[str, bytes]:
    """Show these tags, each with bytes of its own."""
    held = {uid: bytes((number + 1,)) * memory.size_bytes for number, uid in enumerate(which)}
    for uid, data in held.items():
        memory.hold(stage.device, uid, data)
    kit.show(stage.device, which)
    return held


async def _until_told(kit: Kit, bench: Bench, held: dict[str, bytes]) -> None:
    def whole() -> bool:
        return all(any(c.data == data for c in _told(bench, uid)) for uid, data in held.items())

    await bench.until(lambda: whole() or bench.error, kit.within_s)
    assert bench.error is None, f"{kit}: {bench.error}"


async def memory_comes_with_its_own_tag(kit: Kit, wire: Wire) -> None:
    """One tag, then another at its place: each is told with what it holds, never with the other's."""
    memory = kit.memory
    if memory is None:
        return
    one, other = kit.identities
    async with on_stage(kit, wire) as stage:
        bench = Bench(memory=memory.area)
        async with running(kit.make(stage.link), bench):
            held = _lay(kit, stage, memory, one, other)
            kit.show(stage.device, (one,))
            await _until_told(kit, bench, {one: held[one]})
            kit.show(stage.device, (other,))
            await _until_told(kit, bench, held)
            _only_true(kit, bench, held)


async def memory_of_two_at_once_is_never_mixed_up(kit: Kit, wire: Wire) -> None:
    """Two tags in the field: each holds its own, in a storm of repeated answers too."""
    memory = kit.memory
    if memory is None:
        return
    async with on_stage(kit, wire) as stage:
        bench = Bench(memory=memory.area)
        async with running(kit.make(stage.link), bench):
            await bench.until(lambda: bench.ups or bench.error)
            stage.faults.repeats = 3
            held = _lay(kit, stage, memory, *kit.identities)
            await _until_told(kit, bench, held)
            _only_true(kit, bench, held)


async def memory_that_cannot_be_read_is_told_and_tags_are_read_on(kit: Kit, wire: Wire) -> None:
    """The reader refuses: every tag is identified all the same, and the reason is told in words."""
    memory = kit.memory
    if memory is None:
        return
    one = kit.identities[0]
    async with on_stage(kit, wire) as stage:
        memory.spoil(stage.device)
        bench = Bench(memory=memory.area)
        async with running(kit.make(stage.link), bench):
            kit.show(stage.device, (one,))
            await bench.until(lambda: _told(bench, one) or bench.error, kit.within_s)
            assert bench.error is None, f"{kit}: {bench.error}"
            assert {contents.data for contents in _told(bench, one)} == {b""}
            assert all(contents.why for contents in _told(bench, one))
            bench.readings.clear()
            await asyncio.sleep(WATCHED_S)
            assert bench.uids == {one}, f"{kit}: read {bench.uids}, expected {one}"


MEMORY_CASES = (
    memory_comes_with_its_own_tag,
    memory_of_two_at_once_is_never_mixed_up,
    memory_that_cannot_be_read_is_told_and_tags_are_read_on,
)

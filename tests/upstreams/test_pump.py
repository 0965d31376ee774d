"""The pump against a naive model: any answers in any order, every record settles once, in order."""

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import apsw
import pytest

from gatewayd.store.model import Record
from gatewayd.upstreams.backoff import Pace
from gatewayd.upstreams.contract import Outcome, Sink
from gatewayd.upstreams.pump import BATCH_MAX, Pump
from tests.support.outpost import WAIT_S_MAX, Outpost

INSTANT = Pace(first_s=0.001, max_s=0.002, look_s=0.01)


class ScriptedSink:
    """Decides each record's fate by a seeded coin; remembers what was offered and taken."""

    def __init__(self, seed: int, *, dead: frozenset[int] = frozenset()) -> None:
        self.gone = asyncio.Event()
        self.offers: list[list[int]] = []
        self.taken: list[int] = []
        self._dead = dead
        self._random = random.Random(seed)

    async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:
        assert not alone or len(batch) == 1
        self.offers.append([record.sequence for record in batch])
        await asyncio.sleep(0)
        kept = {record.sequence for record in batch if self._random.random() < 0.3}
        if kept and self._random.random() < 0.3:
            self.gone.set()
        rejected = {s: "never" for s in self.offers[-1] if s in self._dead - kept}
        accepted = frozenset(self.offers[-1]) - kept - rejected.keys()
        self.taken += sorted(accepted)
        return Outcome(accepted, rejected, "not now" if kept else "")


class Heard:
    """What a pump reported."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._new = asyncio.Event()
        self.heard = asyncio.Event()

    def __call__(self, text: str) -> None:
        self.texts.append(text)
        self._new.set()
        self.heard.set()

    async def until(self, *texts: str) -> None:
        while tuple(self.texts[-len(texts) :]) != texts:
            self._new.clear()
            await self._new.wait()


async def first_of(*waits: Coroutine[Any, Any, None]) -> None:
    """Run both until one has ended."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=WAIT_S_MAX)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def pumping(pump: Pump, sink: Sink) -> AsyncIterator[None]:
    async with asyncio.timeout(WAIT_S_MAX), asyncio.TaskGroup() as tasks:
        tasks.create_task(pump.run(sink))
        yield
        sink.gone.set()


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_the_platform_does_every_record_is_settled_in_order(
    outpost: Outpost, seed: int
) -> None:
    count = 60
    await outpost.commit(count)
    dead = frozenset(random.Random(seed).sample(range(1, count + 1), 5))
    pump = Pump("platform", outpost.store, outpost.clock, lambda _: None, INSTANT)
    settled: list[int] = []
    for connection in range(1000):
        if outpost.store.cursor("platform") == count:
            break
        sink = ScriptedSink(seed * 1000 + connection, dead=dead)
        await first_of(pump.run(sink), pump.drained())
        settled += sink.taken
        assert all(offer == sorted(offer) for offer in sink.offers)
        assert sink.offers[0][0] <= outpost.store.cursor("platform") + 1
    letters = {letter.sequence for letter in outpost.store.dead_letters("platform")}
    assert letters == dead
    assert set(settled) == set(range(1, count + 1)) - dead


async def test_an_offer_is_bounded_and_a_doubt_makes_it_one_record(outpost: Outpost) -> None:
    await outpost.commit(BATCH_MAX + 1)
    pump = Pump("platform", outpost.store, outpost.clock, lambda _: None, INSTANT)
    sizes: list[int] = []

    class OnceKept:
        def __init__(self) -> None:
            self.gone = asyncio.Event()

        async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:
            sizes.append(len(batch))
            assert alone == (len(sizes) == 2)
            if len(sizes) == 1:
                return Outcome(kept="busy")
            return Outcome(frozenset(record.sequence for record in batch))

    async with pumping(pump, OnceKept()):
        await pump.drained()
    assert sizes == [BATCH_MAX, 1, BATCH_MAX]


async def test_reasons_are_reported_and_taken_back(outpost: Outpost) -> None:
    await outpost.commit(1)
    said = Heard()
    pump = Pump("platform", outpost.store, outpost.clock, said, INSTANT)
    answers = [Outcome(kept="quota"), Outcome(kept="quota"), Outcome(frozenset({1}))]

    class Answering:
        def __init__(self) -> None:
            self.gone = asyncio.Event()

        async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:  # noqa: ARG002 - the contract's signature
            return answers.pop(0)

    async with pumping(pump, Answering()):
        await pump.drained()
        await said.until("quota", "quota", "")
    assert not answers


async def test_a_store_that_cannot_commit_makes_nobody_see_a_record_twice(
    outpost: Outpost,
) -> None:
    await outpost.commit(3)
    said = Heard()
    pump = Pump("platform", outpost.store, outpost.clock, said, INSTANT)
    offers: list[list[int]] = []
    other = apsw.Connection(str(outpost.store.path))
    other.execute("BEGIN IMMEDIATE")

    class Taking:
        def __init__(self) -> None:
            self.gone = asyncio.Event()

        async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:  # noqa: ARG002 - the contract's signature
            offers.append([record.sequence for record in batch])
            return Outcome(frozenset(offers[-1]))

    async with pumping(pump, Taking()):
        await said.heard.wait()
        other.execute("ROLLBACK")
        other.close()
        await pump.drained()
    assert offers == [[1, 2, 3]]
    assert outpost.store.cursor("platform") == 3


def test_a_record_has_one_fate() -> None:
    with pytest.raises(AssertionError):
        Outcome(frozenset({1}), {1: "no"})

"""What leaves out of turn: alarms overtake a backlog once, and a range is sent again beside the cursor."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from gatewayd.store import ahead
from gatewayd.store.ahead import AHEAD_MAX, RESENDS_WAITING_MAX
from gatewayd.store.model import Record
from gatewayd.upstreams.contract import Outcome
from gatewayd.upstreams.pump import BATCH_MAX, Pump
from tests.support.outpost import Outpost
from tests.support.waiting import until
from tests.upstreams.test_pump import INSTANT, Heard, ScriptedSink, first_of, pumping


class Taking:
    """Takes everything; `gone` after so many offers. Remembers what it was offered, in order."""

    def __init__(self, offers_max: int = 1_000_000) -> None:
        self.gone = asyncio.Event()
        self.offers: list[list[int]] = []
        self._offers_max = offers_max

    @property
    def taken(self) -> list[int]:
        return [sequence for offer in self.offers for sequence in offer]

    async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:
        del alone
        self.offers.append([record.sequence for record in batch])
        await asyncio.sleep(0)
        if len(self.offers) >= self._offers_max:
            self.gone.set()
        return Outcome(frozenset(self.offers[-1]))


def a_pump(outpost: Outpost) -> Pump:
    return Pump("platform", outpost.store, outpost.clock, Heard(), INSTANT)


async def until_gone(sink: ScriptedSink) -> None:
    await sink.gone.wait()


async def ask(outpost: Outpost, first: int, last: int) -> bool:
    return await outpost.store.commit(
        lambda connection, _issuer: ahead.ask(connection, "platform", first, last)
    )


async def test_an_alarm_overtakes_a_backlog_and_is_sent_once(outpost: Outpost) -> None:
    await outpost.commit(3 * BATCH_MAX)
    await outpost.commit(2, "alarm")
    await outpost.commit(10)
    pump, sink = a_pump(outpost), Taking()
    async with pumping(pump, sink):
        await pump.drained()
    alarms = [3 * BATCH_MAX + 1, 3 * BATCH_MAX + 2]
    assert sink.offers[0] == alarms, "before anything else"
    rest = [n for n in range(1, 3 * BATCH_MAX + 13) if n not in alarms]
    assert sink.taken == [*alarms, *rest], "once each, the others in their order"
    assert outpost.store.ahead("platform") == frozenset(), "nothing is left to remember"


async def test_alarms_ahead_are_not_sent_again_when_another_kind_is_tried(
    outpost: Outpost,
) -> None:
    """The broker refuses the first kind for a while, and takes one record of another between."""
    await outpost.commit(10, "refusal")
    await outpost.commit(1, "fill")
    await outpost.commit(3 * BATCH_MAX, "refusal")
    (alarm,) = await outpost.commit(1, "alarm")

    class Barring(Taking):
        barred = True

        async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:
            taken = await super().deliver(batch, alone=alone)
            if batch[0].kind != "refusal" or not self.barred:
                return taken
            self.barred = sum(offer[0] == batch[0].sequence for offer in self.offers) < 3
            return Outcome(kept="not authorized", by_kind=True)

    pump, sink = a_pump(outpost), Barring()
    async with pumping(pump, sink):
        await pump.drained()
    assert sink.offers.count([11]) == 1, "the one of another kind, by itself"
    assert sink.taken.count(alarm.sequence) == 1


async def test_an_alarm_sent_ahead_is_not_sent_again_after_a_restart(outpost: Outpost) -> None:
    await outpost.commit(2 * BATCH_MAX)
    (alarm,) = await outpost.commit(1, "alarm")
    first, second = Taking(offers_max=1), Taking()
    async with pumping(a_pump(outpost), first):
        await first.gone.wait()
    assert first.taken == [alarm.sequence]
    pump = a_pump(outpost)
    async with pumping(pump, second):
        await pump.drained()
    assert second.taken == list(range(1, 2 * BATCH_MAX + 1))


async def test_more_alarms_than_may_be_ahead_wait_for_their_turn(outpost: Outpost) -> None:
    await outpost.commit(BATCH_MAX)
    await asyncio.gather(*(outpost.commit(1, "alarm") for _ in range(AHEAD_MAX + BATCH_MAX)))
    pump, sink = a_pump(outpost), Taking()
    async with pumping(pump, sink):
        await pump.drained()
    first = BATCH_MAX + 1
    assert sink.taken[:AHEAD_MAX] == list(range(first, first + AHEAD_MAX))
    assert sink.taken[AHEAD_MAX : AHEAD_MAX + BATCH_MAX] == list(range(1, first))
    assert sorted(sink.taken) == list(range(1, first + AHEAD_MAX + BATCH_MAX))


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_the_platform_does_alarms_overtake_and_nothing_is_lost(
    outpost: Outpost, seed: int
) -> None:
    coin = random.Random(seed)
    kinds = ["alarm" if coin.random() < 0.1 else "fill" for _ in range(2 * BATCH_MAX + 40)]
    for kind in kinds:
        await outpost.commit(1, "alarm" if kind == "alarm" else "fill")
    dead = frozenset(n for n in range(1, len(kinds) + 1) if coin.random() < 0.02)
    taken: set[int] = set()
    for connection in range(2_000):
        if outpost.store.cursor("platform") == len(kinds):
            break
        pump, sink = a_pump(outpost), ScriptedSink(seed * 10_000 + connection, dead=dead)
        async with pumping(pump, sink):
            await first_of(pump.drained(), until_gone(sink))
        taken.update(sink.taken)
    assert taken | dead == set(range(1, len(kinds) + 1))
    assert {d.sequence for d in outpost.store.dead_letters("platform")} == dead
    assert outpost.store.ahead("platform") == frozenset()


async def test_a_range_is_sent_again_with_the_same_bytes_beside_the_cursor(
    outpost: Outpost,
) -> None:
    count = 2 * BATCH_MAX + 5
    await outpost.commit(count)
    pump, sink = a_pump(outpost), Taking()
    async with pumping(pump, sink):
        await pump.drained()
        assert await ask(outpost, 3, count - 1)
        await until(lambda: outpost.store.next_resend("platform") is None)
    assert sink.taken == [*range(1, count + 1), *range(3, count)]
    assert outpost.store.cursor("platform") == count, "the cursor stays"


async def test_a_cut_in_a_range_goes_on_where_it_was(outpost: Outpost) -> None:
    count = 3 * BATCH_MAX
    await outpost.commit(count)
    await outpost.store.acknowledge("platform", count)
    await ask(outpost, 1, count)
    first, second = Taking(offers_max=2), Taking()
    async with pumping(a_pump(outpost), first):
        await first.gone.wait()
    async with pumping(a_pump(outpost), second):
        await until(lambda: outpost.store.next_resend("platform") is None)
    assert first.taken + second.taken == list(range(1, count + 1))


async def test_a_range_waits_for_what_is_new_and_holds_nothing_up(outpost: Outpost) -> None:
    """Behind the backlog that was there, and before none of what comes while it is sent."""
    count = 3 * BATCH_MAX
    await outpost.commit(count)
    await outpost.store.acknowledge("platform", count - 50)
    assert await ask(outpost, 1, 2 * BATCH_MAX)
    sink = Taking()
    committed: list[int] = []

    async def more() -> None:
        """New records of every kind, while the first part of the range is under way."""
        await until(lambda: len(sink.offers) >= 2)
        committed.extend([one.sequence for one in await outpost.commit(1, "alarm")])
        committed.extend([one.sequence for one in await outpost.commit(3)])

    async with pumping(a_pump(outpost), sink):
        await more()
        await until(lambda: outpost.store.next_resend("platform") is None)
        await until(lambda: outpost.store.cursor("platform") == committed[-1])
    assert sink.offers[0] == list(range(count - 49, count + 1)), "what waited goes first"
    assert sink.offers[1] == list(range(1, BATCH_MAX + 1)), "then the range, a batch at a time"
    again = [one for one in sink.taken if one <= 2 * BATCH_MAX]
    assert again == list(range(1, 2 * BATCH_MAX + 1))
    assert [one for one in sink.taken if one in committed] == committed, "each once, in order"


async def test_what_is_new_goes_before_the_rest_of_a_range(outpost: Outpost) -> None:
    count = 2 * BATCH_MAX
    await outpost.commit(count)
    await outpost.store.acknowledge("platform", count)
    assert await ask(outpost, 1, count)
    first = Taking(offers_max=1)
    async with pumping(a_pump(outpost), first):
        await first.gone.wait()
    (alarm,) = await outpost.commit(1, "alarm")
    second = Taking()
    async with pumping(a_pump(outpost), second):
        await until(lambda: outpost.store.next_resend("platform") is None)
    assert first.taken == list(range(1, BATCH_MAX + 1))
    assert second.taken == [alarm.sequence, *range(BATCH_MAX + 1, count + 1)]


async def test_only_so_many_ranges_wait(outpost: Outpost) -> None:
    await outpost.commit(1)
    said = [await ask(outpost, 1, 1) for _ in range(RESENDS_WAITING_MAX + 1)]
    assert said == [True] * RESENDS_WAITING_MAX + [False]

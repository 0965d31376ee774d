"""The pump: records from its own cursor to a sink, acknowledged in order, none ever skipped.

One pump an upstream, for the life of the daemon; `run` is called once for each connection. After
any doubt (a refusal, a lost connection) it offers one record alone, so that what a platform
refuses is told apart from what merely flew beside it; the window opens again once one is taken.
A record that was taken while an earlier one was refused is sent again behind it, same id.
Alarms overtake a backlog: they leave before their turn, once, and are passed over at it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from gatewayd.clock import Clock
from gatewayd.errors import StoreError
from gatewayd.logs import logger
from gatewayd.store import ahead
from gatewayd.store.model import Record
from gatewayd.upstreams.backoff import FIELD, Backoff, Pace
from gatewayd.upstreams.contract import Outcome, Sink
from gatewayd.upstreams.flow import Flow
from gatewayd.upstreams.offers import settled_of, sleep_or_gone
from gatewayd.upstreams.outbox import Ahead, Outbox
from gatewayd.upstreams.pacing import Bucket

BATCH_MAX = 100
"""Records in one offer."""
REPEATED_MAX = 2 * BATCH_MAX
"""The most that a crash can make the platform see twice: the yes to one offer is committed while
the next one is made."""

log = logger("upstreams")


class Pump:
    """Moves one upstream's records. `report` hears why records wait, and "" when they flow.

    `records_per_s` paces what is sent, None does not; `batch_max` are the records of one offer. What
    passes is counted in `flow`.
    """

    def __init__(
        self,
        name: str,
        outbox: Outbox,
        clock: Clock,
        report: Callable[[str], None],
        pace: Pace = FIELD,
        *,
        records_per_s: int | None = None,
        flow: Flow | None = None,
        batch_max: int = BATCH_MAX,
    ) -> None:
        self._name = name
        self._outbox = outbox
        self._report = report
        self._flow = flow or Flow()
        self._batch_max = batch_max
        self._by_kind = False
        self._tried_for = 0
        self._paced_through = 0
        self._look_s = pace.look_s
        self._refused = Backoff(clock, pace.first_s, pace.max_s, stable_s=0)
        self._bucket = Bucket(clock, records_per_s)
        self._through = self._taken = outbox.cursor(name)
        self._ahead = Ahead(name, outbox)
        self._owed: tuple[int, list[tuple[int, str]]] | None = None
        self._alone = False
        self._why = ""
        self._idle = asyncio.Event()
        self._news = asyncio.Event()
        self._moved = asyncio.Event()

    async def run(self, sink: Sink) -> None:
        """Pump until the sink is gone; what it said is committed, or owed. Raises nothing."""
        async with asyncio.TaskGroup() as tasks:
            bells = [
                tasks.create_task(self._ring_at_record()),
                tasks.create_task(self._ring_at_end(sink)),
            ]
            self._paced_through = 0
            while not sink.gone.is_set():
                try:
                    await self._turn(sink)
                except StoreError as exc:
                    await self._wait_out(sink, str(exc))
            await self._try_to_pay()
            for bell in bells:
                bell.cancel()

    async def drained(self) -> None:
        """Return once every record committed so far is settled."""
        last = self._outbox.last_sequence()
        while self._through < last:
            self._moved.clear()
            await self._moved.wait()

    async def _turn(self, sink: Sink) -> None:
        """Offer what waits, oldest first; with nothing to offer, sleep until there may be."""
        self._news.clear()
        limit = 1 if self._alone else self._batch_max
        batch = self._outbox.records(after_sequence=self._taken, limit=limit)
        if self._by_kind and batch:
            await self._try_another_kind(sink, batch[0])
        if len(batch) == self._batch_max and await self._overtake(sink, batch[-1].sequence):
            return
        if batch:
            await self._offer(sink, batch)
            return
        await self._pay()
        retried = self._outbox.dead_to_retry(self._name, limit=1)
        if retried:
            await self._offer_again(sink, retried)
            return
        if await self._send_again(sink):
            return
        self._idle.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._look_s):
                await self._news.wait()

    async def _overtake(self, sink: Sink, backlog_through: int) -> bool:
        """Send alarms that wait behind a backlog; False = there are none."""
        alarms = self._ahead.waiting(after_sequence=backlog_through, limit=BATCH_MAX)
        alarms = tuple(await self._paced(sink, alarms)) if alarms else ()
        if not alarms:
            return False
        outcome = await sink.deliver(alarms, alone=False)
        self._flow.delivered += await self._ahead.took(alarms, outcome)
        await self._after(sink, outcome, ())
        return True

    async def _try_another_kind(self, sink: Sink, head: Record) -> None:
        """Send the next record of another kind, once: is it everything that is refused, or a kind?"""
        if self._tried_for == head.sequence or not self._ahead.room:
            return
        behind = self._outbox.records(after_sequence=head.sequence, limit=BATCH_MAX)
        had = self._ahead.among(behind)
        others = [one for one in behind if one.kind != head.kind and one.sequence not in had]
        # Another rig's if there is one: then every rig's order is kept, whatever becomes of the head.
        others.sort(key=lambda one: one.rig_id == head.rig_id)
        another = await self._paced(sink, others[:1])
        if not another:
            return
        took = await self._ahead.took(another, await sink.deliver(another, alone=True))
        self._flow.delivered += took
        self._tried_for = head.sequence if took else 0

    async def _offer(self, sink: Sink, batch: Sequence[Record]) -> None:
        had = self._ahead.among(batch)
        offer = await self._let_through(sink, [one for one in batch if one.sequence not in had])
        if not offer and len(had) < len(batch):
            return
        outcome, unpaid = await asyncio.gather(self._deliver(sink, offer), self._try_to_pay())
        through, dead = settled_of(batch, replace(outcome, accepted=outcome.accepted | had))
        if through is not None:
            self._owe(through, dead)
            settled = sum(one.sequence <= through and one.sequence not in had for one in batch)
            self._flow.delivered += settled - len(dead)
            self._flow.rejected += len(dead)
        if self._alone or outcome.kept or dead:
            await self._pay()
        elif unpaid is not None:
            raise unpaid
        await self._after(sink, outcome, dead)

    async def _deliver(self, sink: Sink, batch: Sequence[Record]) -> Outcome:
        return await sink.deliver(batch, alone=self._alone) if batch else Outcome()

    def _owe(self, through: int, dead: list[tuple[int, str]]) -> None:
        """The platform has everything through a sequence, which is to be committed."""
        earlier = [] if self._owed is None else self._owed[1]
        self._owed, self._taken = (through, earlier + dead), through
        self._ahead.passed(through)

    async def _try_to_pay(self) -> StoreError | None:
        try:
            await self._pay()
        except StoreError as exc:
            return exc
        return None

    async def _let_through(self, sink: Sink, batch: Sequence[Record]) -> Sequence[Record]:
        """As `_paced`; what is under way since an earlier offer costs nothing again."""
        known = sum(one.sequence <= self._paced_through for one in batch)
        fresh = await self._paced(sink, batch[known:]) if known < len(batch) else ()
        if sink.gone.is_set():
            return ()
        if fresh:
            self._paced_through = fresh[-1].sequence
        return [*batch[:known], *fresh]

    async def _paced(self, sink: Sink, batch: Sequence[Record]) -> Sequence[Record]:
        """As much of the batch as may go now, after waiting for it; none when the sink is gone."""
        await sleep_or_gone(sink, self._bucket.wait_s(len(batch)))
        if sink.gone.is_set():
            return ()
        batch = batch[: self._bucket.granted(len(batch))]
        self._bucket.spend(len(batch))
        return batch

    async def _pay(self) -> None:
        """Commit what the platform took; owed until done, so that it is not sent again meanwhile."""
        if self._owed is None:
            return
        through, dead = self._owed
        await self._outbox.acknowledge(self._name, through, dead)
        self._owed, self._through = None, through
        self._moved.set()

    async def _offer_again(self, sink: Sink, batch: Sequence[Record]) -> None:
        """Send a dead letter that a person released; it is behind the cursor already."""
        batch = await self._paced(sink, batch)
        if not batch:
            return
        outcome = await sink.deliver(batch, alone=self._alone)
        dead = list(outcome.rejected.items())
        if outcome.accepted or dead:
            await self._outbox.settle_retried(self._name, list(outcome.accepted), dead)
            self._flow.delivered += len(outcome.accepted)
            self._flow.rejected += len(dead)
            self._report("")
        await self._after(sink, outcome, dead)

    async def _send_again(self, sink: Sink) -> bool:
        """Send more of a range that the platform asked for; False = it asked for none."""
        asked = self._outbox.next_resend(self._name)
        if asked is None:
            return False
        limit = 1 if self._alone else min(BATCH_MAX, asked.to_sequence - asked.next_sequence + 1)
        found = self._outbox.records(after_sequence=asked.next_sequence - 1, limit=limit)
        there = [one for one in found if one.sequence <= asked.to_sequence]
        if not there:
            await self._resent(asked, asked.to_sequence)
            return True
        batch = await self._paced(sink, there)
        if not batch:
            return True
        outcome = await sink.deliver(batch, alone=self._alone)
        through, refused = settled_of(batch, outcome)
        for sequence, reason in refused:
            log.warning(
                "upstream.resend_refused", upstream=self._name, sequence=sequence, reason=reason
            )
        if through is not None:
            self._flow.resent += sum(one.sequence <= through for one in batch) - len(refused)
            await self._resent(asked, through)
        await self._after(sink, outcome, ())
        return True

    async def _resent(self, asked: ahead.Resend, through: int) -> None:
        await self._outbox.commit(
            lambda connection, _issuer: ahead.resent(connection, asked, through + 1)
        )

    async def _after(self, sink: Sink, outcome: Outcome, dead: Sequence[tuple[int, str]]) -> None:
        for sequence, reason in dead:
            log.error("upstream.dead_letter", upstream=self._name, sequence=sequence, reason=reason)
        self._alone, self._by_kind = bool(outcome.kept), outcome.by_kind
        if outcome.kept:
            self._paced_through = 0
            self._flow.retried += 1
            await self._wait_out(sink, outcome.kept, outcome.wait_s)
            return
        self._refused.good()
        if self._why or dead:
            self._why = ""
            self._report("")

    async def _wait_out(self, sink: Sink, why: str, wait_s: float = 0.0) -> None:
        """Records are kept: say why, and wait for the next attempt or the end of the sink.

        `wait_s` is how long the platform asked to be left alone; never less.
        """
        if sink.gone.is_set():
            return
        self._why = why
        self._report(why)
        await sleep_or_gone(sink, wait_s + self._refused.failed())

    async def _ring_at_record(self) -> None:
        """While idle everything committed is settled: the next record is above the cursor."""
        while True:
            await self._idle.wait()
            await self._outbox.wait_for(self._through)
            self._idle.clear()
            self._news.set()

    async def _ring_at_end(self, sink: Sink) -> None:
        await sink.gone.wait()
        self._news.set()

"""What the platform itself confirms on `{p}/ack`: a PUBACK of the broker is no promise of disk.

A confirmation that comes late, while its record waits to be sent again, counts as well: a platform
that is slower than we wait must not be sent the same records for ever.

Records go on while earlier ones wait for their confirmation, as many as `ACK_WINDOW`, in order: the
sink answers as soon as the oldest `REFILL` are confirmed, and is offered the others again with new
ones behind them.
"""

import asyncio
import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Final

from gatewayd.logs import logger
from gatewayd.store.model import Record
from gatewayd.upstreams.contract import Outcome, Sink
from gatewayd.upstreams.mqtt_ears import Ears
from gatewayd.upstreams.mqtt_terms import Heard

ACK_WINDOW = 400
"""Records of one upstream that wait for their confirmation; further ones are not sent. So many, and
what is just being committed, may be repeated after a crash."""
REFILL = 100
"""So many of the oldest are confirmed, and as many new ones go."""
ACK_BYTES_MAX = 65_536
"""A larger message confirms nothing."""
OFFERED_MAX = 1_000
"""Records whose confirmation is waited for, or may still come late; at the limit the oldest go."""
FOREIGN_TOLD_EVERY = 1_000

NOT_CONFIRMED: Final = "the broker took it, but nobody confirmed it on {} for {:g} s"
NOT_HEARD: Final = "the broker does not let us hear {}: {}"

log = logger("upstreams")


class Acks:
    """Confirmations of one upstream, for the life of the daemon."""

    def __init__(self, upstream: str, topic: str) -> None:
        self.topic = topic
        self.foreign = 0
        """What confirmed nothing: unknown ids, retained messages, bytes that are no confirmation."""
        self.deaf = ""
        self._upstream = upstream
        self._offered: dict[str, int] = {}
        self._confirmed: set[str] = set()
        self._news = asyncio.Event()

    # What the broker brings

    def hear(self, heard: Heard) -> None:
        """`{"id"}`, `{"ids": [...]}` or `{"through_sequence"}`; a record is confirmed once."""
        said = None if heard.retained else _said(heard.payload)
        if said is None:
            self._stranger(heard.payload)
            return
        known = said.meant(self._offered)
        for one in known:
            del self._offered[one]
            self._confirmed.add(one)
        if known:
            self._news.set()
        strangers = [one for one in said.ids if one not in self._confirmed]
        if strangers:
            self._stranger(strangers[0].encode(errors="replace"), len(strangers))

    def refused(self, why: str) -> None:
        """The broker does not let us listen."""
        self.deaf = NOT_HEARD.format(self.topic, why)
        self._news.set()

    def listening(self) -> None:
        """A new connection asks anew."""
        self.deaf = ""

    def excuse(self, within_s: float) -> str:
        """Why what was sent is not confirmed."""
        return self.deaf or NOT_CONFIRMED.format(self.topic, within_s)

    def _stranger(self, shown: bytes, count: int = 1) -> None:
        before, self.foreign = self.foreign, self.foreign + count
        if not before or before // FOREIGN_TOLD_EVERY != self.foreign // FOREIGN_TOLD_EVERY:
            text = shown[:80].decode(errors="replace")
            log.warning(
                "upstream.foreign_ack", upstream=self._upstream, count=self.foreign, last=text
            )

    # What the sink asks

    def offer(self, batch: Iterable[Record]) -> None:
        """These are about to be sent."""
        for record in batch:
            self._offered[record.id] = record.sequence
        for oldest in list(self._offered)[: max(0, len(self._offered) - OFFERED_MAX)]:
            del self._offered[oldest]

    def confirmed(self, batch: Iterable[Record]) -> frozenset[int]:
        """Which of these the platform has, by sequence."""
        return frozenset(one.sequence for one in batch if one.id in self._confirmed)

    def settled(self, batch: Iterable[Record]) -> None:
        """What was confirmed of these is told: forget it."""
        self._confirmed.difference_update(record.id for record in batch)

    async def wait(self, batch: Sequence[Record], gone: asyncio.Event, within_s: float) -> None:
        """Return once all of these are confirmed, nothing came for `within_s`, or nothing can."""
        left = deque(record.id for record in batch)
        async with asyncio.TaskGroup() as tasks:
            bell = tasks.create_task(_ring(gone, self._news))
            while not (gone.is_set() or self.deaf):
                while left and left[0] in self._confirmed:
                    left.popleft()
                if not left:
                    break
                self._news.clear()
                try:
                    async with asyncio.timeout(within_s):
                        await self._news.wait()
                except TimeoutError:
                    break
            bell.cancel()


class ConfirmedSink:
    """Records over one connection that count only when the platform confirms them."""

    def __init__(self, inner: Sink, acks: Acks, within_s: float) -> None:
        self.gone = inner.gone
        self._inner = inner
        self._acks = acks
        self._within_s = within_s
        self._under_way: set[int] = set()

    async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:
        """Send what is neither confirmed nor under way, and wait for the platform's word.

        Settles at least the first `REFILL` of the batch, all of a shorter one; else it says why not.
        """
        acks = self._acks
        if acks.deaf:
            return Outcome(kept=acks.deaf)
        if alone:
            self._under_way.clear()
        had = acks.confirmed(batch) | self._under_way
        rest = [one for one in batch if one.sequence not in had]
        acks.offer(rest)
        outcome = await self._inner.deliver(rest, alone=alone) if rest else Outcome()
        self._under_way |= outcome.accepted
        awaited = batch if outcome.kept else batch[:REFILL]
        sent = [one for one in awaited if one.sequence in self._under_way]
        await acks.wait(sent, self.gone, self._within_s)
        return self._said(batch, outcome)

    def _said(self, batch: Sequence[Record], outcome: Outcome) -> Outcome:
        """What the platform has of this batch: a beginning of it without a gap, or why not."""
        taken = self._acks.confirmed(batch) - outcome.rejected.keys()
        settled = taken | outcome.rejected.keys()
        first = list(takewhile(lambda one: one.sequence in settled, batch))
        kept = outcome.kept
        if len(first) < min(len(batch), REFILL):
            kept = kept or self._acks.excuse(self._within_s)
        # What is confirmed behind a gap is told when it comes up again; what is told is forgotten:
        # it may be asked for once more, and must be sent then.
        self._acks.settled(first)
        through = {one.sequence for one in first}
        if kept:
            self._under_way.clear()
            return replace(outcome, accepted=taken & through, kept=kept)
        self._under_way -= through
        dead = {at: why for at, why in outcome.rejected.items() if at in through}
        return Outcome(taken & through, dead)


def confirmed_sink(inner: Sink, acks: Acks, ears: Ears, within_s: float) -> ConfirmedSink:
    """A sink over a new connection; raises UpstreamError when that is lost already."""
    acks.listening()
    ears.listen(acks.topic, acks.hear, acks.refused)
    return ConfirmedSink(inner, acks, within_s)


async def _ring(gone: asyncio.Event, news: asyncio.Event) -> None:
    await gone.wait()
    news.set()


@dataclass(frozen=True, slots=True)
class _Said:
    """One confirmation."""

    ids: frozenset[str]
    through: int | None

    def meant(self, offered: Mapping[str, int]) -> list[str]:
        """Which of these records, by id and with their sequences, it confirms."""
        if self.through is None:
            return [one for one in self.ids if one in offered]
        through, ids = self.through, self.ids
        return [one for one, at in offered.items() if at <= through or one in ids]


def _said(payload: bytes) -> _Said | None:
    """A confirmation, or None for anything else."""
    if len(payload) > ACK_BYTES_MAX:
        return None
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    through = said.get("through_sequence")
    if through is not None and (not isinstance(through, int) or isinstance(through, bool)):
        return None
    several = said.get("ids", [])
    if not isinstance(several, list):
        return None
    ids = [*several, *([said["id"]] if "id" in said else ())]
    if not all(isinstance(one, str) for one in ids) or (through is None and not ids):
        return None
    return _Said(frozenset(ids), through)

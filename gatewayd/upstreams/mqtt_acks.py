"""What the platform itself confirms on `{p}/ack`: a PUBACK of the broker is no promise of disk.

A confirmation that comes late, while its record waits to be sent again, counts as well: a platform
that is slower than we wait must not be sent the same records for ever.
"""

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gatewayd.logs import logger
from gatewayd.store.model import Record
from gatewayd.upstreams.contract import Outcome, Sink
from gatewayd.upstreams.mqtt_ears import Ears
from gatewayd.upstreams.mqtt_terms import Heard

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
        known = [one for one, sequence in self._offered.items() if said.means(one, sequence)]
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
        async with asyncio.TaskGroup() as tasks:
            bell = tasks.create_task(_ring(gone, self._news))
            while len(self.confirmed(batch)) < len(batch) and not (gone.is_set() or self.deaf):
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

    async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:
        """Send what is not confirmed yet, wait for the broker, then for the platform."""
        acks = self._acks
        if acks.deaf:
            return Outcome(kept=acks.deaf)
        had = acks.confirmed(batch)
        rest = [one for one in batch if one.sequence not in had]
        acks.offer(rest)
        outcome = await self._inner.deliver(rest, alone=alone) if rest else Outcome()
        sent = [one for one in rest if one.sequence in outcome.accepted]
        await acks.wait(sent, self.gone, self._within_s)
        taken = acks.confirmed(batch) - outcome.rejected.keys()
        kept = outcome.kept
        if not taken.issuperset(outcome.accepted):
            kept = kept or acks.excuse(self._within_s)
        if not kept:
            acks.settled(batch)
        return Outcome(taken, outcome.rejected, kept, outcome.wait_s)


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

    def means(self, record_id: str, sequence: int) -> bool:
        """Whether it confirms this record."""
        return record_id in self.ids or (self.through is not None and sequence <= self.through)


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

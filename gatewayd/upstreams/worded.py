"""What a sink sends for a record: the record itself, or what a mapping makes of it.

A record of a kind that the mapping does not name, or that it skips, is settled: it is not for this
platform. One that it names and cannot say is a dead letter with the reason. Everything else keeps
its place in the order.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from gatewayd.mapping.mapping import Skipped, Tongue, Unfit
from gatewayd.mapping.messages import Letter
from gatewayd.settings.mapped import MappedSettings
from gatewayd.store.model import Record
from gatewayd.upstreams.contract import Outcome, Sink
from gatewayd.upstreams.plain import LosableSink

SAID_A_TURN = 8
"""Records that are said in one turn of the loop, a fraction of a millisecond each: gates go first."""


class Wording(Protocol):
    """Says records; asked for one only after `Worded` has let it pass."""

    @property
    def mapped(self) -> bool:
        """Whether the words are the platform's; else they are ours (contract §7)."""
        ...

    def letter(self, record: Record) -> Letter:
        """What is sent for a record."""
        ...


class Plain:
    """Records as they are, to where the upstream puts them."""

    mapped = False

    def letter(self, record: Record) -> Letter:
        """The record itself."""
        return Letter("", "", record.body)


PLAIN = Plain()


class Mapped:
    """Records by a mapping. Pure, but for what it remembers of the batch under way."""

    mapped = True

    def __init__(self, tongue: Tongue) -> None:
        self._tongue = tongue
        self._fates: dict[int, Letter | Skipped | Unfit] = {}

    def letter(self, record: Record) -> Letter:
        """The message of a record that `sort` has let pass."""
        fate = self._fates[record.sequence]
        assert isinstance(fate, Letter), fate
        return fate

    async def sort(self, batch: Sequence[Record]) -> tuple[list[Record], Outcome]:
        """The records that have a message, in order, and what became of the others."""
        known, self._fates = self._fates, {}
        for index, one in enumerate(batch):
            if index % SAID_A_TURN == 0:
                await asyncio.sleep(0)
            # A sink may be offered again what it still waits for.
            self._fates[one.sequence] = known.get(one.sequence) or self._say(one)
        left: list[Record] = []
        settled: set[int] = set()
        rejected: dict[int, str] = {}
        for record in batch:
            match self._fates[record.sequence]:
                case Letter():
                    left.append(record)
                case Skipped():
                    settled.add(record.sequence)
                case Unfit(why):
                    rejected[record.sequence] = why
        return left, Outcome(frozenset(settled), rejected)

    def _say(self, record: Record) -> Letter | Skipped | Unfit:
        return self._tongue.said(json.loads(record.body))

    def masked(self, text: str) -> str:
        """A text without any secret of this platform."""
        return self._tongue.masked(text)


class Worded:
    """A sink behind a mapping: it gets only the records that have a message."""

    def __init__(self, inner: Sink, wording: Mapped) -> None:
        self.gone = inner.gone
        self._inner = inner
        self._wording = wording

    async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:
        """Settle what is not for this platform, refuse what cannot be said, send the rest."""
        left, sorted_out = await self._wording.sort(batch)
        if not left:
            return sorted_out
        outcome = await self._inner.deliver(left, alone=alone)
        masked = self._wording.masked
        rejected = {sequence: masked(why) for sequence, why in outcome.rejected.items()}
        return replace(
            outcome,
            accepted=outcome.accepted | sorted_out.accepted,
            rejected={**rejected, **sorted_out.rejected},
            kept=masked(outcome.kept),
        )


class WordedWay(Worded):
    """The same over a sink that says why it is gone."""

    def __init__(self, inner: LosableSink, wording: Mapped) -> None:
        super().__init__(inner, wording)
        self._way = inner

    @property
    def why(self) -> str:
        """Why the inner sink is gone."""
        return self._wording.masked(self._way.why)


def wording_of(settings: MappedSettings) -> Wording:
    """What an upstream says, by its settings."""
    tongue = settings.tongue
    return PLAIN if tongue is None else Mapped(tongue)


def spoken(sink: LosableSink, wording: Wording) -> LosableSink:
    """A sink that gets what its wording can say."""
    return WordedWay(sink, wording) if isinstance(wording, Mapped) else sink

"""Records in the platform's own words over HTTP, in order, one request at a time.

A record of a kind that the mapping does not name is settled: it is not for this platform. One that
it names and cannot say is a dead letter with the reason; `outbox retry` tries it again.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

from gatewayd.errors import UpstreamError
from gatewayd.mapping.json_text import dumps
from gatewayd.mapping.mapping import Fit, Skipped, Tongue, Unfit, call, together
from gatewayd.store.model import Record
from gatewayd.upstreams.contract import Outcome, UpstreamContext
from gatewayd.upstreams.http_answers import Answer
from gatewayd.upstreams.http_headers import headers_of, idempotency_key
from gatewayd.upstreams.http_said import judge_said
from gatewayd.upstreams.http_settings import HttpSettings
from gatewayd.upstreams.worded import SAID_A_TURN

MAPPED_BYTES_MAX = 1 << 20
"""A request of many is cut before it grows larger; a single record goes as large as it is."""


class Sender(Protocol):
    """What a mapped sink needs of the wire."""

    async def send(
        self, method: str, path: str, body: bytes, headers: dict[str, str], query: str = ""
    ) -> Answer:
        """Send one request; raises UpstreamError when no whole answer came."""
        ...


class MappedSink:
    """Records over one wire; gone at the first request without an answer."""

    def __init__(
        self,
        wire: Sender,
        settings: HttpSettings,
        tongue: Tongue,
        context: UpstreamContext,
        proven: Callable[[], None],
    ) -> None:
        self.gone = asyncio.Event()
        self.why = ""
        self._wire = wire
        self._settings = settings
        self._tongue = tongue
        self._context = context
        self._proven = proven

    async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:
        """Settle what is not for this platform, refuse what cannot be said, send the rest."""
        assert not alone or len(batch) == 1
        accepted: set[int] = set()
        rejected: dict[int, str] = {}
        async with aclosing(self._parts(batch, accepted, rejected)) as parts:
            async for part in parts:
                outcome = await self._send(part)
                accepted |= outcome.accepted
                rejected |= outcome.rejected
                if outcome.kept:
                    return Outcome(frozenset(accepted), rejected, outcome.kept, outcome.wait_s)
                self._proven()
        return Outcome(frozenset(accepted), rejected)

    async def _parts(
        self, batch: Sequence[Record], accepted: set[int], rejected: dict[int, str]
    ) -> AsyncGenerator[list[tuple[Record, Fit]], None]:
        """The requests, in order. What needs none is told in its turn, and never before it."""
        part: list[tuple[Record, Fit]] = []
        size = 0
        for index, record in enumerate(batch):
            if index % SAID_A_TURN == 0:
                await asyncio.sleep(0)
            fate = self._tongue.fate(json.loads(record.body))
            if isinstance(fate, Fit):
                length = len(dumps(fate.item)) if fate.request.many else 0
                full = len(part) == self._settings.batch_max or size + length > MAPPED_BYTES_MAX
                if part and (full or not together(part[0][1], fate)):
                    yield part
                    part, size = [], 0
                part.append((record, fate))
                size += length
                continue
            if part:
                yield part
                part, size = [], 0
            if isinstance(fate, Skipped):
                accepted.add(record.sequence)
            else:
                assert isinstance(fate, Unfit), fate
                rejected[record.sequence] = fate.why
        if part:
            yield part

    async def _send(self, part: Sequence[tuple[Record, Fit]]) -> Outcome:
        records = [record for record, _ in part]
        request = part[0][1].request
        made = call([fit for _, fit in part])
        key = idempotency_key(records)
        headers = headers_of(self._settings, self._context, key, made.body, made.content_type)
        headers |= made.headers
        try:
            answer = await self._wire.send(made.method, made.path, made.body, headers, made.query)
        except UpstreamError as exc:
            self.why = self._tongue.masked(str(exc))
            self.gone.set()
            return Outcome(kept=self.why)
        return self._masked(judge_said(answer, records, request.answer))

    def _masked(self, outcome: Outcome) -> Outcome:
        """What a platform echoes of a request must not show its secrets."""
        masked = self._tongue.masked
        rejected = {sequence: masked(why) for sequence, why in outcome.rejected.items()}
        return replace(outcome, rejected=rejected, kept=masked(outcome.kept))

"""Asks platforms for vouchers over HTTP: beside the rigs, which never wait for it.

A question has its deadline (`within_s`) and its number of tries; whatever goes wrong is an answer,
and none of them is a yes.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from gatewayd.errors import StoreError, UpstreamError
from gatewayd.logs import logger
from gatewayd.mapping.fields import UnfitError
from gatewayd.mapping.mapping import Tongue
from gatewayd.rigs import evidence
from gatewayd.rigs.model import State
from gatewayd.rigs.vouched import Answer, Ask, Vouchers
from gatewayd.settings.model import UpstreamSettings
from gatewayd.upstreams.contract import UpstreamContext
from gatewayd.upstreams.http import tls_of
from gatewayd.upstreams.http_headers import headers_of
from gatewayd.upstreams.http_settings import HttpSettings
from gatewayd.vouchers.said import said

LOOK_S = 0.25
"""How soon an answer is forgotten after its cylinder has left."""
AGAIN_S = 0.3
"""Between two tries of one question."""

log = logger("vouchers")


class Wire(Protocol):
    """What a question needs of the way to a platform."""

    async def send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], query: str = ""
    ) -> Any:
        """Send one request; raises UpstreamError."""
        ...


class RigSeen(Protocol):
    """What is asked of a rig."""

    state: State
    people: Any


class Asker:
    """Asks for what `vouchers` waits for, one question a rig at a time."""

    def __init__(
        self,
        vouchers: Vouchers,
        rigs: Mapping[str, RigSeen],
        upstreams: Callable[[], Mapping[str, UpstreamSettings]],
        context: UpstreamContext,
    ) -> None:
        self._vouchers = vouchers
        self._rigs = rigs
        self._upstreams = upstreams
        self._context = context
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Ask until cancelled; raises nothing."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._vouchers.only({name: _code(rig.state) for name, rig in self._rigs.items()})
                for ask in list(self._vouchers.waiting()):
                    before = self._asking.get(ask.rig_id)
                    if before is not None:
                        before.cancel()
                    self._asking[ask.rig_id] = tasks.create_task(self._settle(ask))
                await self._news()

    async def _news(self) -> None:
        try:
            async with asyncio.timeout(LOOK_S):
                await self._vouchers.news.wait()
        except TimeoutError:
            return

    async def _settle(self, ask: Ask) -> None:
        """Ask, keep the answer, and have its rig judge again."""
        try:
            answer = await self._answer(ask)
        except Exception as exc:  # Whatever breaks in asking is no yes, and stops no other rig.
            log.exception("voucher.broken", rig=ask.rig_id, error=type(exc).__name__)
            answer = Answer(valid=False, reason=f"asking failed: {type(exc).__name__}")
        if not self._vouchers.answered(ask, answer, self._context.clock.wall()):
            return
        level = log.info if answer.valid else log.warning
        level("voucher.answered", rig=ask.rig_id, valid=answer.valid, reason=answer.reason)
        rig = self._rigs.get(ask.rig_id)
        if rig is not None:
            rig.people.changed()

    async def _answer(self, ask: Ask) -> Answer:
        upstream = self._upstreams().get(ask.settings.upstream)
        settings = None if upstream is None else upstream.settings
        if not isinstance(settings, HttpSettings) or settings.tongue is None:
            return Answer(valid=False, reason=f"upstream {ask.settings.upstream} cannot be asked")
        tongue, within_s = settings.tongue, ask.settings.within_s
        try:
            async with asyncio.timeout(within_s):
                answer = await self._tried(ask, settings, tongue)
        except TimeoutError:
            why = f"no answer within {within_s} s"
            return Answer(valid=False, reason=why, offline=True)
        except UpstreamError as exc:
            return Answer(valid=False, reason=tongue.masked(str(exc)), offline=True)
        except UnfitError as exc:
            return Answer(valid=False, reason=tongue.masked(str(exc)))
        return replace(answer, reason=tongue.masked(answer.reason))

    async def _tried(self, ask: Ask, settings: HttpSettings, tongue: Tongue) -> Answer:
        """The first whole answer; a question that got none is asked again with the same key."""
        # Imported here: a station without such an upstream does without aiohttp's memory.
        from gatewayd.upstreams.http_wire import opened  # noqa: PLC0415 - see above

        within = settings.model_copy(update={"answer_within_s": ask.settings.within_s})
        tls: ssl.SSLContext | None = await tls_of(settings, self._context.directory)
        for left in reversed(range(ask.settings.tries)):
            try:
                async with opened(within, tls, self._context.clock) as wire:
                    return await self._once(ask, settings, tongue, wire)
            except UpstreamError:
                if not left:
                    raise
                await asyncio.sleep(AGAIN_S)
        raise AssertionError(ask)

    async def _once(self, ask: Ask, settings: HttpSettings, tongue: Tongue, wire: Wire) -> Answer:
        made = tongue.question(self._event(ask))
        headers = headers_of(settings, self._context, ask.id, made.body, made.content_type)
        headers |= made.headers
        answer = await wire.send(made.method, made.path, made.body, headers, made.query)
        spec = tongue.mapping.file.voucher
        assert spec is not None, "a mapping that asks has a voucher"
        return said(answer, spec)

    def _event(self, ask: Ask) -> dict[str, Any]:
        """What is known before a fill, in the words of a record."""
        return {
            "type": "gatewayd.ask.v1",
            "id": ask.id,
            "time": ask.asked_at.isoformat(),
            "data": {
                "station_id": self._context.station_id,
                "rig_id": ask.rig_id,
                "cylinder": evidence.shown(ask.identity),
                "operator": self._operator(ask.rig_id),
            },
        }

    def _operator(self, rig_id: str) -> dict[str, Any] | None:
        try:
            session = self._context.store.session(rig_id)
        except StoreError:
            return None
        lives = session is not None and session.lives(self._context.clock.wall())
        return session.shown() if session is not None and lives else None


def _code(state: State) -> str | None:
    """The cylinder that stands at a rig."""
    cylinder = state.identity.cylinder
    return None if cylinder is None else cylinder.code

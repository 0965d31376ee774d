"""Takes requests, each once, in two lanes: orders that must not wait, and rows that may.

In a lane they are carried out in the order in which they came. What is refused before it counts
changes nothing and is not remembered: it may come again corrected, under the same id.
"""

import asyncio
import contextlib
from collections.abc import Awaitable
from dataclasses import dataclass
from functools import partial
from typing import Any

import apsw

from gatewayd.commands.office import Office
from gatewayd.commands.orders import platform
from gatewayd.commands.reading import Now, id_of, kept_until, parse, timely, understand
from gatewayd.commands.refusals import Refusals
from gatewayd.commands.schemas import Request
from gatewayd.commands.table import TABLE, Spec
from gatewayd.commands.terms import Case, Later, Refusal, Reply, encoded, refuse, reply_of
from gatewayd.desk.terms import By
from gatewayd.errors import StoreError
from gatewayd.ids import new_id
from gatewayd.logs import logger
from gatewayd.store import requests
from gatewayd.store.chain import Issuer
from gatewayd.store.requests import REQUESTS_KEPT_MAX
from gatewayd.upstreams.door import COMMANDS, Call

ORDERS_WAITING_MAX = 64
ROWS_WAITING_MAX = 16
"""Requests that may wait in a lane; at the limit a further one is refused with `busy`."""
TAKEN_WAITING_MAX = 1_024
"""Replies that the broker took and the store does not know yet; more are known until a restart."""
PARSED_IN_PLACE_BYTES_MAX = 65_536
"""A larger body is parsed in a thread."""

log = logger("commands")


@dataclass(frozen=True, slots=True)
class _Waiting:
    call: Call
    spec: Spec


class Clerk:
    """One a daemon; `take` is what stands behind the upstreams' door."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self._store = office.context.store
        self._clock = office.context.clock
        self._orders: asyncio.Queue[_Waiting] = asyncio.Queue(ORDERS_WAITING_MAX)
        self._rows: asyncio.Queue[_Waiting] = asyncio.Queue(ROWS_WAITING_MAX)
        self._refusals = Refusals(office)
        self._under_way: set[tuple[str, str]] = set()
        self._told: set[tuple[str, str]] = set()
        self._taken: asyncio.Queue[tuple[str, str]] = asyncio.Queue(TAKEN_WAITING_MAX)

    # --- on the loop, at once ---

    def take(self, call: Call) -> None:
        """Put a request into its lane, or refuse it; never waits, never raises."""
        spec = TABLE.get(call.name)
        refusal = self._unfit(call, spec)
        if refusal is not None or spec is None:
            self._refuse(call, refusal or refuse("unknown", known=", ".join(sorted(COMMANDS))))
            return
        lane = self._rows if spec.large else self._orders
        try:
            lane.put_nowait(_Waiting(call, spec))
        except asyncio.QueueFull:
            self._refuse(call, refuse("busy", most=lane.maxsize))

    def _unfit(self, call: Call, spec: Spec | None) -> Refusal | None:
        if call.retained:
            return refuse("retained")
        if spec is None:
            return None
        if not call.allowed:
            return refuse("not_allowed", command=call.name, upstream=call.upstream)
        if len(call.body) > spec.bytes_max:
            return refuse("too_large", bytes=len(call.body), most=spec.bytes_max)
        return None

    def _refuse(
        self, call: Call, refusal: Refusal, request_id: str | None = None, **more: Any
    ) -> None:
        """Answer, and record it when none was recorded just now."""
        if request_id is None and len(call.body) <= PARSED_IN_PLACE_BYTES_MAX:
            request_id = id_of(parse(call.body))
        call.answer(encoded({**reply_of(request_id, refusal), **more}), _nothing)
        log.warning(
            "command.refused", upstream=call.upstream, command=call.name, error=refusal.code
        )
        self._refusals.note(call, request_id, refusal)

    # --- in their turn ---

    async def run(self) -> None:
        """Carry out requests until cancelled; nothing that a request says ends it."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._serve(self._orders, group))
            group.create_task(self._serve(self._rows, group))
            group.create_task(self._refusals.run())
            group.create_task(self._keep_taken())

    async def _serve(self, lane: "asyncio.Queue[_Waiting]", group: asyncio.TaskGroup) -> None:
        while True:
            waiting = await lane.get()
            await self._one(waiting, group)

    async def _one(self, waiting: _Waiting, group: asyncio.TaskGroup) -> None:
        call, spec = waiting.call, waiting.spec
        found = await self._parsed(call.body)
        if isinstance(found, Refusal):
            self._refuse(call, found)
            return
        asked = understand(spec, found)
        if isinstance(asked, Refusal):
            self._refuse(call, asked, id_of(found))
            return
        try:
            await self._counted(call, spec, asked, group)
        except StoreError as exc:
            self._failed(call, asked, exc)
        except Exception as exc:
            # Our mistake, but a stranger's request must not end the daemon: its transaction is
            # undone, so nothing changed, and nothing of a rig goes through here.
            log.exception("command.broken", command=call.name, id=asked.id, error=str(exc))
            self._refuse(call, refuse("broken"), asked.id)

    async def _parsed(self, body: bytes) -> Any:
        if len(body) <= PARSED_IN_PLACE_BYTES_MAX:
            return parse(body)
        return await asyncio.to_thread(parse, body)

    async def _counted(
        self, call: Call, spec: Spec, asked: Request, group: asyncio.TaskGroup
    ) -> None:
        """Carry out a request that was understood, unless it does not count. Raises StoreError."""
        now = self._now()
        key = (call.upstream, asked.id)
        first = self._store.first_reply(*key, None if now.doubt else now.wall)
        if first is not None:
            self._again(call, asked, first)
            return
        refusal = timely(spec, asked, now)
        if key in self._under_way:
            refusal = refuse("under_way")
        elif refusal is None and self._store.requests_kept(now.wall) >= REQUESTS_KEPT_MAX:
            refusal = refuse("too_many_kept", most=REQUESTS_KEPT_MAX)
        if refusal is not None:
            self._refuse(call, refusal, asked.id)
            return
        said = await spec.run(self.office, asked, self._case(call, spec, asked, now))
        if isinstance(said, Later):
            self._under_way.add(key)
            group.create_task(self._later(call, asked, said.work()))
            return
        self._reply(call, asked, said)

    async def _later(self, call: Call, asked: Request, work: Awaitable[Reply]) -> None:
        try:
            self._reply(call, asked, await work)
        except StoreError as exc:
            self._failed(call, asked, exc)
        except Exception as exc:
            # As in `_one`: a snapshot is switched over whole or not at all.
            log.exception("command.broken", command=call.name, id=asked.id, error=str(exc))
            self._refuse(call, refuse("broken"), asked.id)
        finally:
            self._under_way.discard((call.upstream, asked.id))

    def _reply(self, call: Call, asked: Request, reply: Reply) -> None:
        error = None if reply["ok"] else reply["error"]["code"]
        names = {"upstream": call.upstream, "command": call.name, "id": asked.id}
        log.info("command.done", ok=reply["ok"], error=error, **names)
        self._hand_out(call, asked, reply)

    def _hand_out(self, call: Call, asked: Request, reply: Reply) -> None:
        key = (call.upstream, asked.id)
        self._told = set() if len(self._told) >= REQUESTS_KEPT_MAX else self._told
        self._told.add(key)
        call.answer(encoded(reply), partial(self._note_taken, key))

    def _again(self, call: Call, asked: Request, first: requests.First) -> None:
        """An id that was settled: refused with the first reply in it.

        One that a crash kept from being sent is sent now, as it is.
        """
        if first.answered or (call.upstream, asked.id) in self._told:
            self._refuse(call, refuse("repeated"), asked.id, first=dict(first.reply))
            return
        self._hand_out(call, asked, dict(first.reply))

    def _failed(self, call: Call, asked: Request, exc: StoreError) -> None:
        """Nothing was committed, so nothing is remembered: the same id may come again."""
        log.error(
            "command.not_committed", upstream=call.upstream, command=call.name, error=str(exc)
        )
        refusal = refuse("store_unavailable")
        call.answer(encoded(reply_of(asked.id, refusal)), _nothing)

    # --- what is kept ---

    def _case(self, call: Call, spec: Spec, asked: Request, now: Now) -> Case:
        settings = self.office.floor.settings
        rig = getattr(asked, "rig", "")
        who = platform(call.upstream)
        trusted = not now.doubt
        return Case(
            station_id=settings.station.id,
            upstream=call.upstream,
            command=call.name,
            id=asked.id,
            by=By(f"{who}: {asked.by}" if asked.by else who, "mqtt", asked.reason or ""),
            at=now.wall,
            kept_until=kept_until(asked, now),
            forget_before=now.wall if trusted else None,
            record_id=new_id(),
            asked=_asked(asked),
            recorded=spec.recorded,
            rig_id=rig if rig in settings.rigs else "",
        )

    def _now(self) -> Now:
        doubt = self.office.keeper.look().doubt
        said = "" if doubt is None else f"{doubt.kind} {doubt.against}"
        return Now(self._clock.wall(), said, self.office.floor.settings.clock.jump_s_max)

    def _note_taken(self, key: tuple[str, str]) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._taken.put_nowait(key)

    async def _keep_taken(self) -> None:
        """What the broker has taken is remembered, so that a repetition after a restart is one."""
        while True:
            key = await self._taken.get()
            try:
                await self._store.commit(partial(_answered, key))
            except StoreError as exc:
                log.warning("command.not_kept", error=str(exc))
                continue
            self._told.discard(key)


def _asked(asked: Request) -> dict[str, Any]:
    """What the record says of a request: its own fields, rows as their number."""
    fields = asked.model_dump(mode="json", exclude={"id", "by", "reason", "columns", "sha256"})
    return {name: len(v) if name == "rows" else v for name, v in fields.items()}


def _answered(key: tuple[str, str], connection: apsw.Connection, _issuer: Issuer) -> None:
    requests.answered(connection, *key)


def _nothing() -> None:
    """Whether a refusal arrived is not remembered."""

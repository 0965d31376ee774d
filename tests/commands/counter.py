"""A clerk behind a real desk and a real store; requests come in as bytes, replies as they leave."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jsonschema import Draft202012Validator

from gatewayd.alarms.alarms import Alarms
from gatewayd.board import Board
from gatewayd.clock import ManualClock
from gatewayd.commands.clerk import Clerk
from gatewayd.commands.office import Office
from gatewayd.commands.schemas import documents
from gatewayd.commands.shelf import Shelf
from gatewayd.ids import new_id
from gatewayd.store.store import Store
from gatewayd.timekeeping.keeper import Timekeeper
from gatewayd.upstreams.contract import UpstreamContext
from gatewayd.upstreams.door import COMMANDS, Call, Door
from tests.desk.front import Front, Told, at_front

STATION = "3701000042"
WAIT_S_MAX = 10.0
SCHEMAS = {name: Draft202012Validator(schema) for name, schema in documents().items()}
Reply = dict[str, Any]


@dataclass
class Counter:
    """Where requests are given. `taken` are what must be called once the platform has a reply."""

    front: Front
    clerk: Clerk
    context: UpstreamContext
    taken: list[Callable[[], None]] = field(default_factory=list)
    reached: bool = True

    @property
    def store(self) -> Store:
        return self.front.store

    @property
    def clock(self) -> ManualClock:
        return self.front.clock

    @property
    def rig(self) -> Told:
        return self.front.rig

    @property
    def alarms(self) -> Alarms:
        return self.clerk.office.alarms

    def soon(self, seconds: float = 60) -> str:
        """A time by which a request must have been carried out."""
        return (self.clock.wall() + timedelta(seconds=seconds)).isoformat()

    def fresh(self) -> str:
        """An id that was never used."""
        return new_id()

    async def ask(self, name: str, **fields: Any) -> Reply:
        """Give one good request, changed by `fields`, and wait for its reply."""
        body = {"id": self.fresh(), "expires": self.soon(), **fields}
        return await self.give(name, json.dumps(body).encode())

    async def ask_as(self, upstream: str, name: str, **fields: Any) -> Reply:
        """`ask` as another platform."""
        body = {"id": self.fresh(), "expires": self.soon(), **fields}
        return await self.give(name, json.dumps(body).encode(), upstream=upstream)

    async def give(
        self,
        name: str,
        body: bytes,
        *,
        upstream: str = "platform",
        retained: bool = False,
        allowed: bool = True,
    ) -> Reply:
        """Give bytes and wait for the reply."""
        return await self.put(name, body, upstream=upstream, retained=retained, allowed=allowed)

    def put(
        self,
        name: str,
        body: bytes,
        *,
        upstream: str = "platform",
        retained: bool = False,
        allowed: bool = True,
    ) -> "asyncio.Future[Reply]":
        """Give bytes; the reply comes."""
        replied: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

        def answer(reply: bytes, taken: Callable[[], None]) -> None:
            assert not replied.done(), "a request has one reply"
            said = json.loads(reply)
            _as_promised(name, body, said)
            replied.set_result(said)
            if self.reached:
                taken()

        call = Call(upstream, name, body, retained=retained, allowed=allowed, answer=answer)
        self.context.door.knock(call)
        return replied

    def records(self) -> list[dict[str, Any]]:
        """The `data` of every record of a command."""
        return self.front.records("gatewayd.command")


def _as_promised(name: str, body: bytes, reply: Reply) -> None:
    """Every reply, and every request that was understood, has the shape of its schema."""
    if name in COMMANDS:
        SCHEMAS[f"{name}/reply"].validate(reply)
    if reply["ok"]:
        SCHEMAS[f"{name}/request"].validate(json.loads(body))


def code(reply: Reply) -> str:
    """Why a request was refused."""
    assert reply["ok"] is False, reply
    assert reply["error"]["message"]["zh"], reply
    return str(reply["error"]["code"])


@asynccontextmanager
async def at_counter(
    folder: Path, *, running: bool = True, within_s: float = WAIT_S_MAX
) -> AsyncIterator[Counter]:
    """A counter that is open, on the store in `folder`."""
    async with at_front(folder) as front:
        door = Door()
        context = UpstreamContext(
            front.store, Board(), STATION, front.clock, "boot-1", "0.1.0", folder, door
        )
        settings = front.desk.settings
        keeper = Timekeeper(front.clock, settings.clock, front.store, ask_ntp=lambda: None)
        shelf = Shelf(front.store.path)
        alarms = Alarms(
            STATION,
            store=front.store,
            board=context.board,
            clock=front.clock,
            zone=ZoneInfo("Asia/Shanghai"),
        )
        clerk = Clerk(Office(front.desk, front.desk, keeper, context, shelf, alarms))
        door.open(clerk.take)
        async with asyncio.timeout(within_s), asyncio.TaskGroup() as group:
            serving = group.create_task(clerk.run()) if running else None
            yield Counter(front, clerk, context)
            if serving is not None:
                serving.cancel()

"""One rig's actor with real parts: store, board, packs; a scripted gate and a clock that we move."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from drivers.contract import DriverError, GateOrder, GateSample, TagRead
from gatewayd.alarms.alarms import Alarms
from gatewayd.board import Board
from gatewayd.clock import ManualClock
from gatewayd.rigs.assess import Bench
from gatewayd.rigs.means import Means
from gatewayd.rigs.rig import Rig
from gatewayd.store.store import Store
from tests.rigs.bench import LEGAL, OTHER, OVERDUE, QUIET, STATION, UID, bench
from tests.support.stores import ZONE

START = datetime(2026, 8, 1, 4, 0, tzinfo=UTC)
POLL_S = 0.1
LOOKS_MAX = 600
"""A minute of polls; everything a rig waits for by default is shorter."""
TURNS_A_LOOK = 3
REST_S = 0.002
DISK_S_MAX = 1.0
"""How long a look waits for a commit. A store that a test holds up is waited for once."""


@dataclass
class ScriptedGate:
    """A gate that obeys at once; `fails` names calls that raise, `on_open` watches the world."""

    sample: GateSample = QUIET
    orders: list[GateOrder] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)
    on_open: Callable[[GateOrder], None] = lambda _order: None
    echoes: bool = True

    async def open(self, order: GateOrder) -> None:
        self._call("open")
        self.on_open(order)
        self.orders.append(order)
        if self.echoes:
            self.sample = replace(self.sample, permit_echo=order.permit_no, permitted=True)

    async def renew(self) -> None:
        self._call("renew")

    async def lock(self) -> None:
        self._call("lock")
        if self.sample.filling:
            self.end(reason=3)
        self.sample = replace(self.sample, permit_echo=0, permitted=False)

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.fails:
            raise self.fails[name]

    # What happens at the gate.

    def stand(self, gross_g: int = 16_600) -> None:
        self.sample = replace(self.sample, cylinder_on=True, gross_g=gross_g, stable=True)

    def leave(self) -> None:
        self.sample = replace(
            self.sample, cylinder_on=False, gross_g=0, permit_echo=0, permitted=False
        )

    def start(self) -> None:
        assert self.sample.permit_echo, "nothing permits"
        self.sample = replace(self.sample, filling=True, valve_open=True, stable=False)

    def flow(self, grams: int) -> None:
        now = self.sample
        self.sample = replace(
            now,
            net_g=now.net_g + grams,
            gross_g=now.gross_g + grams,
            total_g=now.total_g + grams,
        )

    def end(self, reason: int = 1) -> None:
        now = self.sample
        self.sample = replace(
            now,
            filling=False,
            valve_open=False,
            stable=True,
            done=reason == 1,
            end_reason=reason,
            last_net_g=now.net_g,
            last_permit=now.permit_echo,
            permit_echo=0,
            permitted=False,
        )


class Desk:
    """The actor between its gate and its store; `look` is one poll."""

    def __init__(self, store: Store, clock: ManualClock, gate: ScriptedGate, rig: Rig) -> None:
        self.store, self.clock, self.gate, self.rig = store, clock, gate, rig
        self.board = Board()
        self.tags: list[str] = []
        self.silent = False
        self.ended = False
        self._held_up = False

    async def serve(self) -> None:
        """Run the actor; `ended` when it returned by itself."""
        await self.rig.run()
        self.ended = True

    async def look(self, seconds: float = POLL_S) -> None:
        """Time passes, the gate is polled and the reader reads; then the actor has its turns."""
        self.clock.advance(seconds=seconds)
        at_ns = self.clock.monotonic_ns()
        for uid in self.tags:
            self.rig.take(TagRead("gun-1", uid, 1, None, at_ns))
        if self.silent:
            self.rig.tick()
        else:
            self.rig.take(replace(self.gate.sample, at_ns=at_ns))
        for _ in range(TURNS_A_LOOK):
            await asyncio.sleep(REST_S)
            await self._disk()

    async def _disk(self) -> None:
        """A disk that is slow because the machine is busy takes no time of the test's clock."""
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + (0.0 if self._held_up else DISK_S_MAX)
        while self.store._writer._pending and loop.time() < ends_s:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(REST_S)
        self._held_up = bool(self.store._writer._pending)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Look until something holds."""
        for _ in range(LOOKS_MAX):
            if holds():
                return
            await self.look()
        raise AssertionError(self.rig.state)

    async def phase(self, name: str) -> None:
        """Return once the rig is in it and shows it: then what it led to is committed."""
        await self.until(
            lambda: self.rig.state.phase == name and self.picture().get("state") == name
        )

    async def bring(self, uid: str = UID) -> None:
        """An empty scale, then a cylinder with this tag."""
        self.gate.leave()
        self.tags = []
        await self.look()
        self.gate.stand()
        self.tags = [uid]

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(record.body) for record in self.store.records()]

    def kinds(self) -> list[str]:
        """Kinds of the records, a fill by its outcome, an alarm by its code."""
        return [
            r["data"].get("outcome") or r["data"].get("code") or r["type"].split(".")[1]
            for r in self.records()
        ]

    def picture(self) -> dict[str, Any]:
        return dict(self.board.get("rigs/rig-1/state") or {})


async def open_store(
    folder: Path, *, quota_mb: int = 64, busy_ms: int = 50
) -> tuple[Store, ManualClock]:
    """A real store with three cylinders in its archive, and the clock of everything."""
    clock = ManualClock(START)
    store = Store.open(
        folder / "gatewayd.db",
        station_id=STATION.id,
        zone=ZONE,
        clock=clock,
        quota_mb=quota_mb,
        busy_ms=busy_ms,
    )
    await store.import_cylinders((LEGAL, OTHER, OVERDUE), replace=False)
    return store, clock


def means_of(store: Store, clock: ManualClock, board: Board | None = None) -> Means:
    """What a rig works with; alarms as an earlier life left them."""
    board = board or Board()
    alarms = Alarms(STATION.id, store=store, board=board, clock=clock, zone=ZONE)
    alarms.restore({"rig-1"})
    return Means(store, board, alarms, clock)


@asynccontextmanager
async def living(
    store: Store,
    clock: ManualClock,
    gate: ScriptedGate,
    *,
    board: Board | None = None,
    at: Bench | None = None,
    **rig: Any,
) -> AsyncIterator[Desk]:
    """A rig that runs while the context is open; leaving is dying, without a goodbye."""
    board = board or Board()
    actor = Rig(at or bench(**rig), gate, means_of(store, clock, board))
    for name in ("gun-1", "qr-1", "gate-1"):
        actor.device(name, "up")
    desk = Desk(store, clock, gate, actor)
    desk.board = board
    async with asyncio.TaskGroup() as group:
        task = group.create_task(desk.serve())
        try:
            yield desk
        finally:
            task.cancel()


@asynccontextmanager
async def at_desk(
    folder: Path, *, quota_mb: int = 64, busy_ms: int = 50, **rig: Any
) -> AsyncIterator[Desk]:
    """Store, gate and actor, with its gate locked and nobody on the scale."""
    store, clock = await open_store(folder, quota_mb=quota_mb, busy_ms=busy_ms)
    try:
        async with living(store, clock, ScriptedGate(), **rig) as desk:
            await desk.until(lambda: store.last_total_g("rig-1") is not None)
            yield desk
    finally:
        await store.close()


LOST = DriverError("gate-1: no answer")

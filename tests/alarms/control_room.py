"""A station's alarms on a real store, and a second hand that can keep the store from writing."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import apsw

from gatewayd.alarms.alarms import Alarms
from gatewayd.alarms.words import topic
from gatewayd.board import Board
from gatewayd.clock import ManualClock
from gatewayd.store.store import Store
from tests.support.stores import NOON, STATION, ZONE

SUBJECTS = {"rig-1", "gate-1", "platform", "store"}


class ControlRoom:
    """Alarms, what people see of them, and what was recorded."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.store, self.clock, self.board = store, clock, Board()
        self.alarms = Alarms(STATION, store=store, board=self.board, clock=clock, zone=ZONE)
        self.alarms.restore(SUBJECTS)
        self._blocker = apsw.Connection(str(store.path))

    def block(self) -> None:
        self._blocker.execute("BEGIN IMMEDIATE")

    def free(self) -> None:
        self._blocker.execute("ROLLBACK")

    def close(self) -> None:
        self._blocker.close()

    async def pass_s(self, seconds: float) -> None:
        """Time passes, and what `run` does each second is done."""
        self.clock.advance(seconds=seconds)
        self.alarms.sweep()
        await self.alarms.flush()

    def shown(self, kind: str, subject: str = "rig-1") -> dict[str, Any] | None:
        seen = self.board.get(topic(kind, subject))
        return None if seen is None else dict(seen)

    def data(self) -> list[dict[str, Any]]:
        return [json.loads(record.body)["data"] for record in self.store.records(limit=10_000)]

    def told(self) -> list[tuple[str, str]]:
        return [(data["code"], data["action"]) for data in self.data() if "action" in data]


@asynccontextmanager
async def control_room(
    folder: Path, clock: ManualClock | None = None, *, quota_mb: int = 64
) -> AsyncIterator[ControlRoom]:
    """One life of the daemon, as far as alarms go."""
    clock = clock or ManualClock(NOON)
    store = Store.open(
        folder / "gatewayd.db",
        station_id=STATION,
        zone=ZONE,
        clock=clock,
        quota_mb=quota_mb,
        busy_ms=50,
    )
    room = ControlRoom(store, clock)
    try:
        yield room
    finally:
        room.close()
        await store.close()

"""A scan point with a real store and the shipped pack, for tests: a scan is one call."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers.contract import CodeRead, TagContents, TagRead
from drivers.readings import Unread
from gatewayd.board import Board
from gatewayd.clock import ManualClock
from gatewayd.points.point import Point
from gatewayd.points.scan import Desk
from gatewayd.rigs.history import History, RetiredCodes
from gatewayd.rigs.sightings import Sightings
from gatewayd.rigs.tag_memory import TagMemories
from gatewayd.settings.points import PointSettings
from gatewayd.store.store import Store
from tests.rigs.bench import STATION
from tests.rigs.desk import open_store
from tests.support import shapes, tag_layouts
from tests.support.rules import cn_lpg
from tests.support.waiting import until

LAYOUT = tag_layouts.layout()


def settings(kind: str, **more: Any) -> PointSettings:
    said = {"kind": kind, "identify": [{"device": "qr-9"}, {"device": "gun-9", "antenna": 2}]}
    return PointSettings.model_validate_json(json.dumps(said | more))


@dataclass
class Gate:
    """A point, its store and clock; a scan is one call."""

    point: Point
    store: Store
    clock: ManualClock
    board: Board
    sightings: Sightings

    def scan(self, text: str) -> None:
        self.point.take(CodeRead("qr-9", text, self.clock.monotonic_ns()))

    def garbled(self, device: str = "qr-9") -> None:
        raw, now_ns = b"NOREAD\r", self.clock.monotonic_ns()
        self.point.take(Unread(device, now_ns, "the scanner saw no code", raw))

    def tag(self, uid: str, antenna: int = 2, contents: TagContents | None = None) -> None:
        now_ns = self.clock.monotonic_ns()
        self.point.take(TagRead("gun-9", uid, antenna, None, now_ns, contents=contents))

    async def until(self, holds: Callable[[], bool]) -> None:
        await until(holds, instead=lambda: (self.picture(), self.store.last_sequence()))

    async def rests(self) -> None:
        """Wait until its actor has seen what it was told, and has done with it."""
        await self.until(lambda: not (self.point._wake.is_set() or self.point._waiting))

    async def recorded(self, count: int) -> list[dict[str, Any]]:
        await self.until(lambda: self.store.last_sequence() >= count)
        records = self.records()
        assert len(records) == count
        await self.until(lambda: self.picture()["record"] == records[-1]["id"])
        return records

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(record.body) for record in self.store.records()]

    def picture(self) -> dict[str, Any]:
        return dict(self.board.get("points/gate/state") or {})


@asynccontextmanager
async def standing(
    folder: Path, kind: str, *, asks: bool = False, **more: Any
) -> AsyncIterator[Gate]:
    """A point; `asks`: its gun is to read what tags hold."""
    store, clock = await open_store(folder)
    packs = (cn_lpg(),) if more.get("rules") else ()
    tags = TagMemories(lambda device: LAYOUT if asks and device == "gun-9" else None)
    sources = (RetiredCodes(store), History(store, gate_is_watched=True), tags)
    desk = Desk("gate", settings(kind, **more), STATION, packs, sources)
    sightings, board = Sightings(clock), Board()
    point = Point(desk, store=store, board=board, clock=clock, sightings=sightings)
    for device in ("qr-9", "gun-9"):
        point.device(device, "up")
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(point.run())
            try:
                yield Gate(point, store, clock, board, sightings)
                shapes.all_records_well(store, ("movement", "issue", "inspection", "repair"))
                shapes.board_well(board)
            finally:
                point.stop()
    finally:
        await store.close()


JUDGED: dict[str, Any] = {"rules": ["cn-lpg"], "medium": "LPG"}

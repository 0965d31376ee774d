"""A station's store and board with upstreams, in this process: no devices, no rigs."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from gatewayd.board import Board
from gatewayd.clock import SystemClock
from gatewayd.ids import new_id
from gatewayd.mapping.load import load
from gatewayd.mapping.mapping import Tongue
from gatewayd.settings.kinds import UpstreamType
from gatewayd.settings.mapped import MappedSettings
from gatewayd.shapes.kinds import RecordKind
from gatewayd.store.model import Record, RecordDraft
from gatewayd.store.store import Store
from gatewayd.upstreams.backoff import Pace
from gatewayd.upstreams.contract import Upstream, UpstreamContext
from gatewayd.upstreams.mqtt import MqttUpstream
from gatewayd.upstreams.mqtt_settings import MqttSettings
from tests.support.waiting import WITHIN_S

STATION = "3701000042"
ROOT = f"gatewayd/v1/{STATION}"
ZONE = ZoneInfo("Asia/Shanghai")
QUICK = Pace(first_s=0.02, max_s=0.1, stable_s=30.0, answer_s_max=5.0, look_s=0.05)
WAIT_S_MAX = WITHIN_S


class Outpost:
    """Real store, real board; `upstream` makes an MQTT upstream that is quick to try again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = SystemClock()
        self.board = Board()
        self.store = Store.open(
            directory / "gatewayd.db",
            station_id=STATION,
            zone=ZONE,
            clock=self.clock,
            busy_ms=50,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.store.close()

    def context(self) -> UpstreamContext:
        """What upstreams of this outpost get."""
        return UpstreamContext(
            self.store, self.board, STATION, self.clock, "boot-1", "0.1.0", self.directory
        )

    def upstream(
        self, url: str, *, name: str = "platform", pace: Pace = QUICK, **settings: Any
    ) -> MqttUpstream:
        """An MQTT upstream, not yet running."""
        made = MqttSettings.model_validate({"url": url, **settings})
        return MqttUpstream(name, made, self.context(), pace)

    def upstream_of(
        self,
        kind: UpstreamType,
        *,
        name: str = "platform",
        pace: Pace = QUICK,
        mapping: str = "",
        **settings: Any,
    ) -> Upstream:
        """An upstream of any kind, not yet running; `mapping` is the text of one that it speaks."""
        told = load(mapping, "mapping.yaml", ZONE.key) if mapping else None
        if told is not None:
            settings["mapping"] = told.id
        made = kind.settings.model_validate_json(json.dumps(settings))
        if told is not None:
            assert isinstance(made, MappedSettings)
            made = made.speaking(Tongue(told, manner=made.manner))
        upstream: Upstream = kind.make(name, made, self.context(), pace)
        return upstream

    async def commit(
        self, count: int, kind: RecordKind = "fill", *, note: str = ""
    ) -> list[Record]:
        """Commit that many records, in order."""
        return [await self._commit(kind, number, note) for number in range(count)]

    async def commit_data(self, kind: RecordKind, data: dict[str, Any]) -> Record:
        """Commit one record with this in it."""
        draft = RecordDraft(new_id(), kind, "rig-1", self.clock.wall(), data)
        return await self.store.append(draft)

    def draft(self, *, hours_ago: int) -> RecordDraft:
        """A record about to be committed, of a while ago."""
        at = self.clock.wall() - timedelta(hours=hours_ago)
        return RecordDraft(new_id(), "fill", "rig-1", at, {"number": 0})

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return once `holds()`, asked again after each change of the board."""
        watcher = self.board.watch()
        try:
            async with asyncio.timeout(WAIT_S_MAX):
                while not holds():
                    await watcher.wake.wait()
                    watcher.wake.clear()
        except TimeoutError:
            raise AssertionError(f"in vain; the board says {dict(self.board.items())}") from None
        finally:
            self.board.leave(watcher)

    async def until_state(self, state: str, *, name: str = "platform", error: str = "") -> None:
        """Return once the upstream says that state, with `error` in its text."""
        await self.until(
            lambda: self.state(name)["state"] == state and error in self.state(name)["error"]
        )

    def state(self, name: str = "platform") -> dict[str, Any]:
        """What the upstream last said of itself."""
        return dict(self.board.get(f"upstreams/{name}/status") or {"state": "", "error": ""})

    async def _commit(self, kind: RecordKind, number: int, note: str) -> Record:
        draft = RecordDraft(
            id=new_id(),
            kind=kind,
            rig_id="rig-1",
            time=self.clock.wall(),
            data={"number": number, "note": note, "地点": "济南"},
        )
        return await self.store.append(draft)


@asynccontextmanager
async def running(*upstreams: Upstream) -> AsyncIterator[None]:
    """Run upstreams, and stop them as the daemon does."""
    async with asyncio.TaskGroup() as tasks:
        started = [tasks.create_task(upstream.run()) for upstream in upstreams]
        try:
            yield
        finally:
            for task in started:
                task.cancel()


async def drained(upstream: Upstream) -> None:
    """Wait until everything committed is settled."""
    async with asyncio.timeout(WAIT_S_MAX):
        await upstream.drained()


def bodies(records: Sequence[Record]) -> list[bytes]:
    """The bytes that must arrive."""
    return [record.body.encode() for record in records]


def ids(payloads: Sequence[bytes]) -> list[str]:
    """Record ids out of payloads."""
    return [str(json.loads(payload)["id"]) for payload in payloads]


def first_arrivals(payloads: Sequence[bytes]) -> list[bytes]:
    """Payloads without repetitions, in order of first arrival."""
    return list(dict.fromkeys(payloads))

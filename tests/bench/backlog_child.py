"""The process that drains: `backlog_child.py DIR URL`; says `up`, waits for a line, drains.

While it drains it commits an alarm now and then, and when it has, records; it says `drained`, then
what is left and when each of them was committed, by id, in ns of the monotonic clock.
"""

import asyncio
import contextlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic_ns

sys.path.insert(0, str(Path(__file__).parents[2]))

from gatewayd import logs
from gatewayd.board import Board
from gatewayd.clock import SystemClock
from gatewayd.ids import new_id
from gatewayd.shapes.kinds import RecordKind
from gatewayd.store.model import RecordDraft
from gatewayd.store.store import Store
from gatewayd.upstreams.contract import UpstreamContext
from gatewayd.upstreams.mqtt import MqttUpstream
from gatewayd.upstreams.mqtt_settings import MqttSettings
from tests.bench import house

DATA = {"station_id": house.STATION, "rig_id": "rig-1"}
ALARM_EVERY_S = 0.25
FILL_EVERY_S = 0.02
FILLS_FOR_S = 4.0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def _commit(store: Store, kind: RecordKind, at_ns: dict[str, int], every_s: float) -> None:
    """Commit a record of this kind now and then, and note when each was."""
    while True:
        now = datetime.now(UTC)
        record = await store.append(RecordDraft(new_id(), kind, "rig-1", now, DATA))
        at_ns[record.id] = monotonic_ns()
        await asyncio.sleep(every_s)


async def main(directory: Path, url: str) -> None:
    logs.setup(format="json", level="warning")
    store = house.open_store(directory)
    context = UpstreamContext(
        store, Board(), house.STATION, SystemClock(), new_id(), "bench", directory
    )
    upstream = MqttUpstream("platform", MqttSettings(url=url), context)
    _say("up")
    await asyncio.to_thread(sys.stdin.readline)
    alarms: dict[str, int] = {}
    fills: dict[str, int] = {}
    async with asyncio.TaskGroup() as group:
        task = group.create_task(upstream.run())
        alarming = group.create_task(_commit(store, "alarm", alarms, ALARM_EVERY_S))
        await upstream.drained()
        alarming.cancel()
        _say("drained")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FILLS_FOR_S):
                await _commit(store, "fill", fills, FILL_EVERY_S)
        await upstream.drained()
        task.cancel()
    left = store.last_sequence() - store.cursor("platform")
    _say(json.dumps({"left": left, "alarm": alarms, "fill": fills}))
    await asyncio.to_thread(sys.stdin.readline)
    await store.close()


asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))

"""The process that drains: `backlog_child.py DIR URL`; says `up`, waits for a line, drains."""

import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from gatewayd import logs
from gatewayd.board import Board
from gatewayd.clock import SystemClock
from gatewayd.ids import new_id
from gatewayd.upstreams.contract import UpstreamContext
from gatewayd.upstreams.mqtt import MqttUpstream
from gatewayd.upstreams.mqtt_settings import MqttSettings
from tests.bench import house


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def main(directory: Path, url: str) -> None:
    logs.setup(format="json", level="warning")
    store = house.open_store(directory)
    context = UpstreamContext(
        store, Board(), house.STATION, SystemClock(), new_id(), "bench", directory
    )
    upstream = MqttUpstream("platform", MqttSettings(url=url), context)
    _say("up")
    await asyncio.to_thread(sys.stdin.readline)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(upstream.run())
        await upstream.drained()
        task.cancel()
    _say(json.dumps({"left": store.last_sequence() - store.cursor("platform")}))
    await asyncio.to_thread(sys.stdin.readline)
    await store.close()


asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))

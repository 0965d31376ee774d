"""Records a second: committed to the store, and drained from it to mosquitto.

With `ack: required` a subscriber in a process of its own confirms each; beside it the same subscriber
without a word. Beside the drain, a bare paho client publishes the same bodies at QoS 1 with the same number of
messages in flight, from memory: what the broker and the library allow, without a store.
"""

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from gatewayd.board import Board
from gatewayd.clock import SystemClock
from gatewayd.ids import new_id
from gatewayd.store.model import Record, RecordDraft
from gatewayd.store.store import Store
from gatewayd.upstreams.contract import UpstreamContext
from gatewayd.upstreams.mqtt import MqttUpstream
from gatewayd.upstreams.mqtt_settings import MqttSettings
from tests.bench import house
from tests.bench.figures import Figures
from tests.support.brokers import Mosquitto

DRAIN_S_MAX = 120.0
FILL = {
    "station_id": house.STATION,
    "rig_id": "rig-0",
    "cylinder": {"code": "3701000110100001", "serial_no": "204211", "owner": house.STATION},
    "verdict": {"decision": "allow", "findings": [], "packs": [{"id": "cn-lpg", "version": "1"}]},
    "gate": "plc-0",
    "tare_g": 16_480,
    "target_g": 14_900,
    "net_g": 14_893,
    "outcome": "filled",
    "end_reason": "target",
}


async def measure(directory: Path, records: int, figures: Figures) -> None:
    """One run: commits alone, commits together, then the drain of all of them."""
    store = house.open_store(directory)
    try:
        for waiters in (1, 10):
            rate = await _commits(store, records, waiters)
            name = f"records committed, {waiters} waiter{'s' * (waiters > 1)}"
            figures.add(name, rate, "1/s", digits=0)
        with Mosquitto(directory, extra=["log_type none"]) as broker:
            bodies = store.records(limit=2 * records)
            figures.add("records drained", await _drain(store, directory, broker), "1/s", digits=0)
            alone = await asyncio.to_thread(bare, broker.port, bodies)
            figures.add("the same by a bare paho client", alone, "1/s", digits=0)
            async with house.python("tests.bench.confirmer", str(broker.port)) as platform:
                assert await house.line(platform) == "up"
                for name, ack in (
                    ("a subscriber takes them", "none"),
                    ("it confirms them", "required"),
                ):
                    rate = await _drain(store, directory, broker, ack=ack)
                    figures.add(f"records drained, {name}", rate, "1/s", digits=0)
    finally:
        await store.close()


async def _commits(store: Store, records: int, waiters: int) -> float:
    async def wait_for_each(count: int) -> None:
        for _ in range(count):
            await store.append(RecordDraft(new_id(), "fill", "rig-0", datetime.now(UTC), FILL))

    began_s = perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(waiters):
            group.create_task(wait_for_each(records // waiters))
    return records / (perf_counter() - began_s)


async def _drain(
    store: Store, directory: Path, broker: Mosquitto, *, ack: str | None = None
) -> float:
    """From the start of the upstream, with its connect, until the last record is acknowledged."""
    context = UpstreamContext(
        store, Board(), house.STATION, SystemClock(), new_id(), "bench", directory
    )
    settings = MqttSettings.model_validate({"url": broker.url, "ack": ack or "none"})
    upstream = MqttUpstream(f"platform-{ack}", settings, context)
    began_s = perf_counter()
    async with asyncio.TaskGroup() as group, asyncio.timeout(DRAIN_S_MAX):
        task = group.create_task(upstream.run())
        await upstream.drained()
        took_s = perf_counter() - began_s
        task.cancel()
    return store.last_sequence() / took_s


def bare(port: int, records: Sequence[Record]) -> float:
    """Records a second by paho alone, from memory, with as many in flight as we have."""
    settings = MqttSettings(url=f"mqtt://127.0.0.1:{port}")
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.max_inflight_messages_set(settings.in_flight_max)
    left = len(records)
    done = threading.Event()

    def on_publish(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            done.set()

    client.on_publish = on_publish
    began_s = perf_counter()
    client.connect("127.0.0.1", port)
    client.loop_start()
    for record in records:
        client.publish(f"bench/{record.kind}", record.body, qos=1)
    assert done.wait(DRAIN_S_MAX), f"{left} were never acknowledged"
    took_s = perf_counter() - began_s
    client.disconnect()
    client.loop_stop()
    return len(records) / took_s

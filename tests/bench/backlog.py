"""A backlog of a million records: what it weighs while it waits, and how fast it goes out.

A process of its own holds the store and serves the upstream, as the daemon does; here are the
broker, a bare paho client with the same records, and the eyes on the process's memory.
"""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import psutil

from gatewayd.clock import MS
from gatewayd.ids import new_id
from gatewayd.store.model import RecordDraft
from gatewayd.store.store import Store
from tests.bench import house, traffic
from tests.bench.figures import Figures
from tests.support.brokers import Mosquitto
from tests.support.subscribers import Subscriber

CHILD = Path(__file__).parent / "backlog_child.py"
WAITERS = 200
SAMPLE_S = 0.5
MIB = 1 << 20
BARE_MAX = 60_000
"""The bare client queues all its records at once, and paho has 65,535 packet identifiers."""


async def measure(directory: Path, records: int, figures: Figures) -> None:
    """Commit `records`, then drain them to mosquitto from another process."""
    store = house.open_store(directory)
    await _commit(store, records)
    sample = store.records(limit=min(records, BARE_MAX))
    await store.close()
    with Mosquitto(directory, extra=["log_type none"]) as broker:
        with Subscriber(broker.port, f"gatewayd/v1/{house.STATION}/records/alarm") as alarms:
            waiting, most, took_s = await _drain(directory, broker, figures, alarms)
        rate = records / took_s
        bare = await asyncio.to_thread(traffic.bare, broker.port, sample)
    name = f"{records:,} records waiting"
    figures.add(f"{name}, memory", waiting, "MiB", aim="≤ 120", digits=0)
    figures.add(f"{name}, most while they drain", most, "MiB", aim="≤ 120", digits=0)
    figures.add("drained", rate, "1/s", digits=0)
    figures.add("a bare paho client", bare, "1/s", digits=0)
    figures.add("drained, of the bare client's rate", 100 * rate / bare, "%", aim="≥ 80", digits=0)


def _latency(name: str, committed_ns: dict[str, int], heard: Subscriber, figures: Figures) -> None:
    """How long after its commit the first copy of each record was there."""
    heard.wait(lambda: len(heard.messages()) >= len(committed_ns) // 2)
    times_ms: dict[str, float] = {}
    for seen in heard.messages():
        record_id = json.loads(seen.payload)["id"]
        if record_id in committed_ns:
            times_ms.setdefault(record_id, (seen.at_ns - committed_ns[record_id]) / MS)
    figures.add_times(name, list(times_ms.values()))


async def _commit(store: Store, records: int) -> None:
    async def wait_for_each(count: int) -> None:
        for _ in range(count):
            now = datetime.now(UTC)
            await store.append(RecordDraft(new_id(), "fill", "rig-0", now, traffic.FILL))

    async with asyncio.TaskGroup() as group:
        for number in range(WAITERS):
            count = records // WAITERS + (number < records % WAITERS)
            group.create_task(wait_for_each(count))


def _cpu_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


async def _drain(
    directory: Path, broker: Mosquitto, figures: Figures, alarms: Subscriber
) -> tuple[float, float, float]:
    """Memory with everything waiting and the most while it drains, in MiB; and seconds."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, str(CHILD), str(directory), broker.url),
        stdin=PIPE,
        stdout=PIPE,
        limit=MIB,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert await child.stdout.readline() == b"up\n"
    process = psutil.Process(child.pid)
    waiting = most = process.memory_info().rss / MIB
    began_s, cpu_s = perf_counter(), _cpu_s(process)
    child.stdin.write(b"go\n")
    done = asyncio.ensure_future(child.stdout.readline())
    while not done.done():
        await asyncio.wait([done], timeout=SAMPLE_S)
        most = max(most, process.memory_info().rss / MIB)
    took_s = perf_counter() - began_s
    busy = 100 * (_cpu_s(process) - cpu_s) / took_s
    figures.add("CPU of the process while they drain", busy, "% of a core", digits=0)
    assert done.result() == b"drained\n"
    with Subscriber(broker.port, f"gatewayd/v1/{house.STATION}/records/fill") as fills:
        said = json.loads(await child.stdout.readline())
        assert said["left"] == 0
        _latency(
            "alarm, committed to a subscriber, while they drain", said["alarm"], alarms, figures
        )
        _latency("record, committed to a subscriber, none waiting", said["fill"], fills, figures)
    child.stdin.close()
    assert await child.wait() == 0
    return waiting, most, took_s

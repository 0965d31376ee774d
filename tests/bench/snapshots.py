"""A million cylinders from a platform, in chunks, into the process that runs the station.

The clerk, its store and a ticker share one loop, as in the daemon; fills commit meanwhile. The
chunks are made beforehand, so that only taking them in is measured.
"""

import asyncio
import gc
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from gatewayd.alarms.alarms import Alarms
from gatewayd.board import Board
from gatewayd.clock import MS, SECOND, SystemClock
from gatewayd.commands.clerk import Clerk
from gatewayd.commands.office import Office
from gatewayd.commands.schemas import ROWS_A_CHUNK_MAX
from gatewayd.commands.shelf import Shelf
from gatewayd.desk.desk import Desk
from gatewayd.settings.load import load
from gatewayd.store.rows import CONTRACT_COLUMNS
from gatewayd.store.store import Store
from gatewayd.timekeeping.keeper import Timekeeper
from gatewayd.upstreams.contract import UpstreamContext
from gatewayd.upstreams.door import Call
from tests.bench import house, machine
from tests.bench.archive import CONFIG, cylinders
from tests.bench.figures import Figures
from tests.desk.front import Hall
from tests.support.stores import draft

SNAPSHOT_S_MAX = 1_800
COMMITS_HZ = 50
TICK_S = 0.005


async def measure(directory: Path, count: int, figures: Figures) -> None:
    """Take in a snapshot of `count` cylinders, then another one that changes each."""
    (directory / "gateway.yaml").write_text(CONFIG, encoding="utf-8")
    store = house.open_store(directory)
    clerk = _clerk(directory, store)
    async with asyncio.timeout(SNAPSHOT_S_MAX), asyncio.TaskGroup() as group:
        serving = group.create_task(clerk.run())
        for version, maker in ((1, "first"), (2, "second")):
            files = _chunks(directory / maker, count, maker=maker, version=version)
            await _one(clerk, files, f"snapshot {version} of {count:,} cylinders", figures)
        serving.cancel()
    assert store.cylinder_count() == count
    await store.close()


def _clerk(directory: Path, store: Store) -> Clerk:
    settings, clock = load(directory), SystemClock()
    context = UpstreamContext(store, Board(), house.STATION, clock, "b", "0", directory)
    hall = Hall(settings, {})
    keeper = Timekeeper(clock, settings.clock, store)
    alarms = Alarms(house.STATION, store=store, board=context.board, clock=clock, zone=house.ZONE)
    desk = Desk(hall, store, clock)
    return Clerk(Office(hall, desk, keeper, context, Shelf(store.path), alarms))


def _chunks(folder: Path, count: int, *, maker: str, version: int) -> list[Path]:
    folder.mkdir()
    made = cylinders(count, maker=maker)
    chunks = -(-count // ROWS_A_CHUNK_MAX)
    return [
        _chunk(folder, version, chunk, chunks, islice(made, ROWS_A_CHUNK_MAX))
        for chunk in range(1, chunks + 1)
    ]


def _chunk(folder: Path, version: int, chunk: int, chunks: int, entries: Iterator[Any]) -> Path:
    known = [entry.known() for entry in entries]
    rows = [[entry.get(name) for name in CONTRACT_COLUMNS] for entry in known]
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    head = {
        "id": f"{version}-{chunk}",
        "expires": (datetime.now(UTC) + timedelta(hours=2)).isoformat(),
        "snapshot_id": str(version),
        "chunk": chunk,
        "chunks": chunks,
        "columns": list(CONTRACT_COLUMNS),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "source_version": version,
    }
    path = folder / f"{chunk}.json"
    path.write_text(f'{json.dumps(head)[:-1]}, "rows": {text}}}', encoding="utf-8")
    return path


async def _one(clerk: Clerk, files: list[Path], name: str, figures: Figures) -> None:
    late_ms: list[float] = []
    commits_ms: list[float] = []
    rss_mb = [machine.rss_mb(os.getpid())]
    gc.freeze()  # as the daemon does
    async with asyncio.TaskGroup() as group:
        beside = [
            group.create_task(_tick(late_ms, rss_mb)),
            group.create_task(_commit(clerk.office.context.store, commits_ms)),
        ]
        began_ns = perf_counter_ns()
        for file in files[:-1]:
            assert (await _ask(clerk, file))["ok"]
        taken_ns = perf_counter_ns()
        reply = await _ask(clerk, files[-1])
        ended_ns = perf_counter_ns()
        for task in beside:
            task.cancel()
    assert reply["result"]["switched"], reply
    figures.add(f"{name}: chunks taken in", (taken_ns - began_ns) / SECOND, "s", digits=1)
    figures.add(f"{name}: switched over in", (ended_ns - taken_ns) / SECOND, "s", digits=1)
    figures.add(f"{name}: RSS more than before", max(rss_mb) - rss_mb[0], "MB", digits=0)
    figures.add_times(f"{name}: loop late by", late_ms)
    figures.add(f"{name}: loop late by at most", max(late_ms), "ms")
    figures.add_times(f"{name}: commits meanwhile", commits_ms)
    figures.add(f"{name}: commits meanwhile, latest", max(commits_ms), "ms", aim="< 5000")


async def _tick(late_ms: list[float], rss_mb: list[float]) -> None:
    while True:
        began_ns = perf_counter_ns()
        await asyncio.sleep(TICK_S)
        late_ms.append((perf_counter_ns() - began_ns) / MS - TICK_S * 1_000)
        if len(late_ms) % 100 == 0:
            rss_mb.append(machine.rss_mb(os.getpid()))


async def _commit(store: Store, commits_ms: list[float]) -> None:
    while True:
        began_ns = perf_counter_ns()
        await store.append(draft(counts_fill_of="3701000000000007"))
        commits_ms.append((perf_counter_ns() - began_ns) / MS)
        await asyncio.sleep(1 / COMMITS_HZ)


async def _ask(clerk: Clerk, file: Path) -> dict[str, Any]:
    body = await asyncio.to_thread(file.read_bytes)
    replied: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    def answer(reply: bytes, taken: Callable[[], None]) -> None:
        replied.set_result(json.loads(reply))
        taken()

    clerk.take(
        Call("platform", "cylinders.snapshot", body, retained=False, allowed=True, answer=answer)
    )
    return await replied

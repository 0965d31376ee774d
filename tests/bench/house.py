"""The house that benches measure: configuration, archive, store, and the real processes."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gatewayd.clock import SystemClock
from gatewayd.sim.cylinders import make_fleet
from gatewayd.store.model import Cylinder
from gatewayd.store.store import Store

ROOT = Path(__file__).parents[2]
STATION = "3701000042"
ZONE = ZoneInfo("Asia/Shanghai")
POLL_HZ = 10
UP_S_MAX = 60.0
STOP_S_MAX = 20.0
FLEET = 500


def archive(count: int) -> Iterator[Cylinder]:
    """Large legal cylinders: a fill of one outlasts a run."""
    today = datetime.now(UTC).astimezone().date()
    fleet = make_fleet(today=today, owner=STATION, legal=FLEET, illegal_each=0).legal
    for number in range(count):
        yield replace(
            fleet[number % FLEET].entry,
            code=f"37010001101{number:05d}",
            tag_uids=(f"E28068{number:018X}",),
            model="YSP118",
            water_capacity_ml=118_000,
            stamped_tare_g=45_000,
            allowed_net_g=49_500,
        )


def open_store(directory: Path) -> Store:
    """The store of the daemon that is configured in `directory`."""
    path = directory / "gatewayd.db"
    return Store.open(path, station_id=STATION, zone=ZONE, clock=SystemClock())


async def fill_archive(directory: Path, cylinders: Sequence[Cylinder]) -> None:
    """Import cylinders into the store of `directory`."""
    store = open_store(directory)
    await store.import_cylinders(cylinders, replace=True)
    await store.close()


@asynccontextmanager
async def python(module: str, *words: str, log: Path | None = None) -> AsyncIterator[Process]:
    """A Python module as a process; SIGTERM and wait at the end."""
    async with program(sys.executable, "-m", module, *words, log=log) as process:
        yield process


@asynccontextmanager
async def program(*words: str, log: Path | None = None) -> AsyncIterator[Process]:
    """A program as a process; SIGTERM and wait at the end."""
    with (log or Path(os.devnull)).open("ab") as err:
        process = await asyncio.create_subprocess_exec(
            *words,
            cwd=ROOT,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=err,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_S_MAX):
            await process.wait()


@asynccontextmanager
async def daemon(directory: Path) -> AsyncIterator[Process]:
    """`gatewayd run`; what it said is shown when anything fails."""
    log = directory / "daemon.log"
    words = ("-c", str(directory), "run", "--log", "json")
    try:
        async with python("gatewayd", *words, log=log) as process:
            yield process
    except Exception as exc:
        exc.add_note(f"the daemon said: {log.read_text()[-2000:]}")
        raise


@asynccontextmanager
async def plcs(
    directory: Path, scene: str, count: int, codes: Sequence[str]
) -> AsyncIterator[Process]:
    """The process of PLCs and scanners; what it saw is in `directory`/replied once it ended."""
    shown = directory / "codes"
    shown.write_text("\n".join(codes))
    words = (str(directory / "replied"), "--count", str(count), "--scene", scene)
    async with python(
        "tests.bench.plcs", *words, "--codes", str(shown), log=directory / "plcs.log"
    ) as process:
        yield process


async def line(process: Process) -> str:
    """The next line that a process prints."""
    assert process.stdout is not None
    async with asyncio.timeout(UP_S_MAX):
        return (await process.stdout.readline()).decode().strip()


# The configuration, as a technician would have written it


def write_config(directory: Path, ports: str, broker: str) -> None:
    """One rig for each PLC and scanner of `ports`, the line that `plcs` printed."""
    listening: dict[str, list[int]] = json.loads(ports)
    links = list(zip(listening["plcs"], listening["scanners"], strict=True))
    files: dict[str, Any] = {
        "gateway.yaml": {
            "station": {"id": STATION, "region": "370100", "media": ["LPG"]},
            "upstreams": {"platform": {"driver": "mqtt", "url": broker, "prefix": "gatewayd/v1"}},
            "log": {"level": "info"},
        },
        "devices/all.yaml": {
            "devices": {
                name: device
                for number, (plc, scanner) in enumerate(links)
                for name, device in _devices(number, plc, scanner).items()
            }
        },
        "rigs/all.yaml": {"rigs": {f"rig-{n}": _rig(n) for n in range(len(links))}},
    }
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))  # JSON is YAML


def _devices(number: int, plc_port: int, scanner_port: int) -> dict[str, Any]:
    return {
        f"plc-{number}": {
            "driver": "plc.modbus",
            "link": {"tcp": f"127.0.0.1:{plc_port}"},
            "profile": "reference-gate-v1",
            "poll_ms": 1000 // POLL_HZ,
        },
        f"qr-{number}": {"driver": "barcode.tcp", "link": {"tcp": f"127.0.0.1:{scanner_port}"}},
    }


def _rig(number: int) -> dict[str, Any]:
    return {
        "medium": "LPG",
        "identify": [{"device": f"qr-{number}"}],
        "scale": f"plc-{number}",
        "gate": f"plc-{number}",
        "rules": ["cn-lpg"],
    }

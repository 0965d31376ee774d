"""The real reader driver against both dialects of the simulated reader, on TCP and on a pty."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from drivers.contract import Context, DriverError, Reading, TagRead
from drivers.rfid.uhfreader import DRIVER
from gatewayd.clock import SystemClock
from gatewayd.sim.reader import Dialect, SimReader, WorkMode
from gatewayd.sim.wires import PtyWire, TcpWire
from tests.support.waiting import until

EPC = "E280689400005005B2210861"


@pytest.mark.parametrize(
    ("dialect", "mode", "wire_kind"),
    [
        ("18", "answer", "tcp"),
        ("18", "push", "pty"),
        ("288", "answer", "pty"),
        ("288", "push", "tcp"),
    ],
)
async def test_the_driver_finds_the_dialect_and_reads(
    dialect: Dialect, mode: WorkMode, wire_kind: str, tmp_path: Path
) -> None:
    reader = SimReader(dialect=dialect, mode=mode)
    wire = TcpWire(reader.device) if wire_kind == "tcp" else PtyWire(reader.device, tmp_path / "r")
    reader.wire = wire
    await wire.plug()
    link = {"tcp": wire.address} if wire_kind == "tcp" else {"serial": wire.address, "baud": 57_600}
    settings = DRIVER.settings.model_validate({"link": link, "dialect": "auto"})
    readings: list[Reading] = []
    ups: list[str] = []
    clock = SystemClock()
    context = Context(readings.append, ups.append, lambda *_: None, clock.monotonic_ns)
    reader.tag_in(EPC)

    async def serve() -> None:
        with suppress(DriverError):
            await DRIVER.make("gun", settings, {}).run(context)

    def seen() -> bool:
        reader.tick(clock.monotonic_ns() / 1e9)
        return bool(readings)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(serve())
        await until(seen, instead=lambda: ups)
        task.cancel()
    wire.unplug()
    read = readings[0]
    assert isinstance(read, TagRead)
    assert (read.uid, read.antenna) == (EPC, 1)

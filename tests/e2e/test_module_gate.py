"""A rig of a scale, an I/O module and a scanner: a real daemon, real bytes, a plant that keeps the truth.

The module's watchdog runs on its own clock. It is what closes the valve when the daemon is killed.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from gatewayd.sim.cylinders import YSP12, SimCylinder, make_fleet, write_csv
from gatewayd.sim.plant import Plant, PlantSpec
from gatewayd.sim.scanner import SimScanner
from gatewayd.sim.wires import Feed, Line, PtyWire, TcpWire, Wire
from gatewayd.store.reads import Reader
from protocols.scales import toledo
from tests.e2e.house import Daemon
from tests.support.devices.scales import SicsScale, ToledoScale, YaohuaScale
from tests.support.io_modules import COIL, START_INPUT, STOP_INPUT, WATCHDOG, IoModule
from tests.support.plcs import TcpServer
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

SPEED = 4
TICK_S = 0.01
FRAME_TICKS = 5
WATCHDOG_S = 1.0
LATE_S = 0.5
AGREE_G = 100
"""A scale that shows 10 g, asked every 50 ms, at four times the flow of life."""
STATION = "3701000042"


@dataclass(frozen=True)
class Weigher:
    """A kind of scale: its driver's words, and on what wire it is."""

    words: str
    make: Callable[[], YaohuaScale | ToledoScale | SicsScale]
    serial: bool

    def wire(self, plugged: YaohuaScale | ToledoScale | SicsScale, directory: Path) -> Wire:
        """Where it can be reached."""

        def device(line: Line) -> Feed:
            return plugged.plugged(line.send, lambda: None)

        return PtyWire(device, directory / "scale") if self.serial else TcpWire(device)

    def link(self, wire: Wire) -> str:
        return f'{{serial: "{wire.address}"}}' if self.serial else f'{{tcp: "{wire.address}"}}'


TOLEDO = Weigher("driver: scale.toledo", ToledoScale, serial=False)
SERIAL = {
    "yaohua": Weigher(
        "driver: scale.yaohua, variant: command, unit: kg, poll_ms: 50, stable_s: 0.5",
        YaohuaScale,
        serial=True,
    ),
    "mt_sics": Weigher("driver: scale.mt_sics, poll_ms: 50", SicsScale, serial=True),
}


class Hall:
    """One position: its plant, and the three devices on loopback, or the scale on a serial port."""

    def __init__(self, directory: Path, weigher: Weigher) -> None:
        self.weigher = weigher
        self.config = directory / "config"
        self.daemon = Daemon(self.config)
        self.plant = Plant(PlantSpec(noise_g=0.5), seed=3)
        self.module = IoModule(inputs={STOP_INPUT: True})
        self.server = TcpServer({1: self.module})
        self.indicator = weigher.make()
        self.scale_wire = weigher.wire(self.indicator, directory)
        self.scanner = SimScanner()
        self.scanner_wire = TcpWire(self.scanner.device)
        self.scanner.wire = self.scanner_wire
        today = datetime.now(UTC).astimezone().date()
        self.fleet = make_fleet(today=today, seed=7, owner=STATION, region="370100")
        self.small = [one for one in self.fleet.legal if one.entry.model == YSP12.model]

    async def run(self) -> None:
        """The physics, and an indicator that shows its weight all the time, or sends it, too."""
        ticks = 0
        while True:
            await asyncio.sleep(TICK_S)
            self.plant.step(TICK_S * SPEED, main=self.module.energised(), coarse=True)
            ticks += 1
            self.show()
            if isinstance(self.scale_wire, PtyWire):
                self.scale_wire.tend()
            if isinstance(self.indicator, ToledoScale) and ticks % FRAME_TICKS == 0:
                for line in self.scale_wire.lines:
                    line.send(self.indicator.frame())

    def show(self) -> None:
        """What the display of the scale says now."""
        scale, stable = self.indicator, self.plant.stable
        scale.value = Decimal(round(self.plant.gross_g / 10)).scaleb(-2)
        if isinstance(scale, ToledoScale):
            scale.b = toledo.KILOGRAMS | 0x20 | (0 if stable else toledo.MOTION)
        if isinstance(scale, SicsScale):
            scale.status = "S" if stable else "D"

    def write(self) -> None:
        """The config directory, as a technician would have written it."""
        for folder in ("devices", "rigs"):
            (self.config / folder).mkdir(parents=True)
        (self.config / "gateway.yaml").write_text(
            f'station: {{id: "{STATION}", region: "370100", media: [LPG]}}\n'
        )
        (self.config / "devices/all.yaml").write_text(
            "devices:\n"
            f'  qr-1: {{driver: barcode.tcp, link: {{tcp: "{self.scanner_wire.address}"}}}}\n'
            f"  scale-1: {{{self.weigher.words}, link: {self.weigher.link(self.scale_wire)}}}\n"
            f'  io-1: {{driver: output.modbus, link: {{tcp: "127.0.0.1:{self.server.port}"}},\n'
            f"    coil: {COIL}, poll_ms: 50, timeout_ms: 800, watchdog: {WATCHDOG},\n"
            f"    start: {{input: {START_INPUT}, active: true}},\n"
            f"    e_stop: {{input: {STOP_INPUT}, active: false}}}}\n"
        )
        (self.config / "rigs/all.yaml").write_text(
            "rigs:\n  rig-1: {medium: LPG, identify: [{device: qr-1}], scale: scale-1, gate: io-1,\n"
            "    rules: [cn-lpg], preact_g: 150, permit: {lease_ms: 1500}}\n"
        )
        write_csv(self.fleet.archive(), self.config / "cylinders.csv")

    def records(self) -> list[tuple[str, str, int]]:
        """Kind, outcome or reason, and grams of every record."""
        with Reader.open(self.config / "gatewayd.db") as store:
            bodies = [record.body for record in store.records(limit=100)]
        found = [(body["type"].split(".")[1], body["data"]) for body in map(json.loads, bodies)]
        return [(kind, data.get("outcome", ""), data.get("net_g", 0)) for kind, data in found]

    async def wait(self, holds: Callable[[], bool]) -> None:
        await self.daemon.until(holds)

    async def start(self) -> None:
        """Start the daemon and wait until its three devices are up."""
        before = len(self.daemon.events("device.up"))
        await self.daemon.start()
        await self.wait(lambda: len(self.daemon.events("device.up")) == before + 3)

    async def bring(self, cylinder: SimCylinder) -> None:
        """An empty scale that was seen empty, then a cylinder and its label."""
        self.plant.take_off()
        await asyncio.sleep(1.0)  # so long that it is seen to be empty
        self.plant.put_on(cylinder.load())
        await asyncio.sleep(0.3)  # a worker reaches for the scanner
        self.scanner.scan(cylinder.qr_text)

    async def press(self) -> None:
        """A worker presses start, long enough to be seen."""
        self.module.inputs[START_INPUT] = True
        await asyncio.sleep(0.2)  # a finger stays that long
        self.module.inputs[START_INPUT] = False
        await asyncio.sleep(0.2)  # and that long it rests

    async def start_fill(self) -> None:
        """Press start until gas flows."""
        for _ in range(30):
            if self.module.energised():
                return
            await self.press()
        raise AssertionError(self.daemon.last_words())


@asynccontextmanager
async def open_hall(directory: Path, weigher: Weigher = TOLEDO) -> AsyncIterator[Hall]:
    hall = Hall(directory, weigher)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        await stack.enter_async_context(hall.server.serving())
        for wire in (hall.scale_wire, hall.scanner_wire):
            await wire.plug()
        task = group.create_task(hall.run())
        try:
            hall.write()
            said = await hall.daemon.say("import", "cylinders", f"{hall.config}/cylinders.csv")
            assert said[0] == 0, said
            await hall.start()
            yield hall
        finally:
            await hall.daemon.bury()
            task.cancel()
            for wire in (hall.scale_wire, hall.scanner_wire):
                wire.unplug()


async def _fills_and_refuses(hall: Hall) -> None:
    """A legal cylinder gets its gas and a record, an overdue one gets none."""
    plant = hall.plant
    await hall.bring(hall.small[0])
    await hall.start_fill()
    await hall.wait(lambda: len(hall.records()) == 1)
    assert hall.records()[0][:2] == ("fill", "completed")
    assert hall.records()[0][2] == pytest.approx(plant.passed_g, abs=AGREE_G)
    assert not hall.module.energised()

    overdue = next(one for one in hall.fleet.illegal if one.reason == "OVERDUE")
    passed_g = plant.passed_g
    await hall.bring(overdue)
    await hall.wait(lambda: len(hall.records()) == 2)
    await hall.press()
    assert hall.records()[1][0] == "refusal"
    assert plant.passed_g == passed_g


@pytest.mark.parametrize("kind", SERIAL)
async def test_a_serial_scale_and_a_module_fill_and_refuse(kind: str, tmp_path: Path) -> None:
    async with open_hall(tmp_path, SERIAL[kind]) as hall:
        await _fills_and_refuses(hall)
        assert await hall.daemon.stop() == 0


async def test_a_scale_and_a_module_fill_refuse_and_close_without_the_daemon(
    tmp_path: Path,
) -> None:
    async with open_hall(tmp_path) as hall:
        await _fills_and_refuses(hall)
        plant, passed_g = hall.plant, hall.plant.passed_g

        await hall.bring(hall.small[1])
        await hall.start_fill()
        await hall.wait(lambda: plant.passed_g > passed_g + 1_000)
        await hall.daemon.kill()
        loop = asyncio.get_running_loop()
        killed_s = loop.time()
        await until(lambda: not hall.module.energised())
        assert loop.time() - killed_s <= WATCHDOG_S + LATE_S
        assert hall.module.fired, "its own watchdog, nobody else"
        flowed_g = plant.passed_g - passed_g

        await hall.start()
        await hall.wait(lambda: len(hall.records()) == 3)
        assert not hall.module.coils[COIL], "a new process switches off before anything else"
        assert hall.records()[2][:2] == ("fill", "interrupted")
        assert hall.records()[2][2] == pytest.approx(plant.passed_g - passed_g, abs=AGREE_G)
        assert plant.passed_g - passed_g == pytest.approx(flowed_g, abs=AGREE_G)
        assert await hall.daemon.stop() == 0

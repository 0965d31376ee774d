"""A whole simulated station on loopback: rigs whose devices speak the real protocols.

    async with SimStation(StationSpec(rigs=2, today=date.today())) as station:
        station.write_config(directory, broker_url="mqtt://127.0.0.1:1883")
        station.start_workers()

Odd rigs (rig-1, rig-3, …) have PLC and reader on TCP and a QR scanner on a pty; even rigs have the
PLC as Modbus RTU and the reader on ptys. No hardware, no root, no network.
"""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

from gatewayd.clock import Clock, SystemClock
from gatewayd.sim.config_files import write_config_files
from gatewayd.sim.cylinders import Fleet, make_fleet, write_csv
from gatewayd.sim.gate_map import GateSettings
from gatewayd.sim.plant import Plant, PlantSpec
from gatewayd.sim.plc import SCAN_MS, SimPlc
from gatewayd.sim.reader import SimReader
from gatewayd.sim.rig import SimRig
from gatewayd.sim.scanner import SimScanner
from gatewayd.sim.wires import PtyWire, TcpWire
from gatewayd.sim.worker import Habits, Visit, Worker, plan

RIGS_MAX = 64
TEND_EVERY_TICKS = 10


@dataclass(frozen=True, slots=True)
class StationSpec:
    """What to build. `speed` makes the plant that many times faster than life; leases stay real.

    `host` is where devices on TCP listen.
    """

    today: date
    rigs: int = 2
    seed: int = 0
    speed: float = 20.0
    station_id: str = "3701000042"
    name: str = "济南示范充装站"
    region: str = "370100"
    lease_ms: int = 2000
    start_within_s: int = 120
    host: str = "127.0.0.1"
    plant: PlantSpec = field(default_factory=PlantSpec)
    habits: Habits = field(default_factory=Habits)

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        assert 1 <= self.rigs <= RIGS_MAX, self
        assert self.speed > 0, self


class SimStation:
    """The station while its context is open. `rigs` are there at once, their wires once entered."""

    def __init__(self, spec: StationSpec, clock: Clock | None = None) -> None:
        self.spec = spec
        self.fleet: Fleet = make_fleet(
            today=spec.today, seed=spec.seed, owner=spec.station_id, region=spec.region
        )
        self.rigs: list[SimRig] = []
        self.workers: list[Worker] = []
        self._clock = clock or SystemClock()
        self._stack = AsyncExitStack()
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Plug everything in and start the physics."""
        ports = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="gatewayd-sim-"))
        await self._stack.enter_async_context(self._group)
        try:
            for number in range(1, self.spec.rigs + 1):
                await self._add_rig(number, Path(ports))
            self._tasks.append(self._group.create_task(self._tick()))
        except BaseException as exc:  # whatever stopped us half-way, unplug and pass it on
            self._unplug_all()
            await self._stack.__aexit__(type(exc), exc, exc.__traceback__)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop everything at once; what the body raised passes through as it is."""
        for task in self._tasks:
            task.cancel()
        self._unplug_all()
        if isinstance(exc, asyncio.CancelledError):
            await self._stack.__aexit__(kind, exc, traceback)
        else:
            await self._stack.aclose()

    # Configuration for the daemon.

    def write_config(self, directory: Path, broker_url: str | None) -> None:
        """Write gateway.yaml, devices/, rigs/ and `cylinders.csv`; the store will lie beside."""
        write_config_files(self, directory, broker_url)
        write_csv(self.fleet.archive(), directory / "cylinders.csv")

    # The people.

    def start_workers(self) -> None:
        """A worker goes to every rig and works by the plan of this seed."""
        come = plan(self.fleet, len(self.rigs), self.spec.seed)
        for rig, cylinders in zip(self.rigs, come, strict=True):
            worker = Worker(rig, cylinders, self.spec.habits, seed=self.spec.seed)
            self.workers.append(worker)
            self._tasks.append(self._group.create_task(worker.run()))

    async def finish(self) -> None:
        """Let every worker finish the cylinder at hand, then return."""
        for worker in self.workers:
            worker.stop()
        await asyncio.wait(self._tasks[1:]) if self.workers else None

    @property
    def visits(self) -> tuple[Visit, ...]:
        """Everything the workers did, rig by rig."""
        return tuple(visit for worker in self.workers for visit in worker.visits)

    # The truth.

    @property
    def passed_g(self) -> float:
        """All gas that really passed the valves."""
        return sum(rig.plant.passed_g for rig in self.rigs)

    @property
    def totaliser_g(self) -> int:
        """What the PLCs counted."""
        return sum(rig.plc.retained.total_g for rig in self.rigs)

    # Inside.

    async def _add_rig(self, number: int, ports: Path) -> None:
        on_tcp = number % 2 == 1
        name = f"rig-{number}"
        spec = self.spec
        plant = Plant(spec.plant, seed=spec.seed * RIGS_MAX + number)
        settings = GateSettings(settle_ms=max(SCAN_MS * 5, round(1000 / spec.speed)))
        plc = SimPlc(plant, self._clock.monotonic_ns, settings=settings, speed=spec.speed)
        reader, scanner = SimReader(), SimScanner() if on_tcp else None
        rig = SimRig(
            name,
            plant,
            plc,
            TcpWire(plc.slave.device_tcp, host=spec.host)
            if on_tcp
            else PtyWire(plc.slave.device_rtu, ports / f"{name}-plc"),
            reader,
            TcpWire(reader.device, host=spec.host)
            if on_tcp
            else PtyWire(reader.device, ports / f"{name}-reader"),
            scanner,
            PtyWire(scanner.device, ports / f"{name}-scanner") if scanner is not None else None,
        )
        reader.wire = rig.reader_wire
        if scanner is not None:
            scanner.wire = rig.scanner_wire
        self.rigs.append(rig)
        for wire in rig.wires:
            await wire.plug()

    async def _tick(self) -> None:
        """Drive all physics, programs and pushes; nothing here may raise."""
        ticks = 0
        while True:
            now_s = self._clock.monotonic_ns() / 1e9
            for rig in self.rigs:
                rig.plc.advance()
                rig.reader.tick(now_s)
            ticks += 1
            if ticks % TEND_EVERY_TICKS == 0:
                self._tend()
            await asyncio.sleep(SCAN_MS / 1000)

    def _tend(self) -> None:
        for rig in self.rigs:
            for wire in rig.wires:
                if isinstance(wire, PtyWire):
                    wire.tend()

    def _unplug_all(self) -> None:
        for rig in self.rigs:
            for wire in rig.wires:
                wire.unplug()

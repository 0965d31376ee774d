"""The smallest gateway that can run a simulated rig: the real drivers, and a verdict from a table."""

import asyncio
from contextlib import suppress

from drivers.contract import (
    Context,
    Driver,
    DriverError,
    FillGate,
    GateOrder,
    GateSample,
    Reading,
    TagRead,
)
from gatewayd.clock import SystemClock
from gatewayd.settings.model import Settings
from gatewayd.sim.cylinders import SimCylinder
from gatewayd.sim.rig import SimRig

THINK_S = 0.05
RETRY_S = 0.1


class StandInGateway:
    """Judges what one rig's devices say, as contract §5 but without a store."""

    def __init__(self, rig: SimRig, settings: Settings, known: dict[str, SimCylinder]) -> None:
        self.rig = rig
        self.known = known
        self.seen: set[str] = set()
        self.sample: GateSample | None = None
        self.judged = False
        self.open = False
        self.permit_no = 0
        self.ups: list[str] = []
        mine = {n: one for n, one in settings.devices.items() if n.startswith(f"{rig.name}-")}
        self.drivers: list[Driver] = [
            one.driver.make(name, one.settings, settings.profiles) for name, one in mine.items()
        ]
        gates = [driver for driver in self.drivers if isinstance(driver, FillGate)]
        assert len(gates) == 1, mine
        self.gate = gates[0]

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for driver in self.drivers:
                group.create_task(self._supervise(driver))
            group.create_task(self._think())

    async def _supervise(self, driver: Driver) -> None:
        clock = SystemClock()
        context = Context(self._on_reading, self.ups.append, _quiet, clock.monotonic_ns)
        while True:
            with suppress(DriverError):
                await driver.run(context)
            await asyncio.sleep(RETRY_S)

    def _on_reading(self, reading: Reading) -> None:
        if isinstance(reading, GateSample):
            self.sample = reading
        elif isinstance(reading, TagRead):
            self.seen.add(reading.uid)

    async def _think(self) -> None:
        while True:
            await asyncio.sleep(THINK_S)
            if self.sample is not None:
                with suppress(DriverError):
                    await self._step(self.sample)

    async def _step(self, sample: GateSample) -> None:
        if not sample.cylinder_on:
            self.seen.clear()
            self.judged = False
        elif self.seen and sample.stable and not self.judged:
            self.judged = True
            await self._judge(sample)
        if self.open and (sample.done or sample.aborted or not sample.cylinder_on):
            self.open = False
            await self.gate.lock()
        elif self.open:
            await self.gate.renew()

    async def _judge(self, sample: GateSample) -> None:
        cylinder = next((self.known[uid] for uid in self.seen if uid in self.known), None)
        if cylinder is None or cylinder.reason is not None:
            self.rig.tell_refused()
            return
        self.permit_no += 1
        allowed_g = cylinder.entry.allowed_net_g or 5000
        limit_g = sample.gross_g + allowed_g
        await self.gate.open(GateOrder(self.permit_no, allowed_g - 300, limit_g, 1000))
        self.sample = None
        self.open = True


def _quiet(reason: str, raw: bytes) -> None:
    del reason, raw

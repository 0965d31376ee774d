"""The driver fills a cylinder on the simulated PLC, whose Modbus is pymodbus's, on both wires."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.contract import Context, EndReason, GateOrder, GateSample, Reading
from drivers.links import Link, SerialLink, TcpLink
from drivers.plc.modbus import PlcModbus
from drivers.plc.settings import PlcModbusSettings
from gatewayd.sim.plant import Load, Plant
from gatewayd.sim.plc import SimPlc
from gatewayd.sim.wires import PtyWire, TcpWire
from tests.support.patient_loop import LoopClock
from tests.support.plcs import REFERENCE
from tests.support.waiting import WITHIN_S

ORDER = GateOrder(permit_no=7, target_g=2_000, limit_gross_g=20_000, lease_ms=1_000)


class Station:
    """One gate with its person: renews the lease on every sample while `renewing`."""

    def __init__(self, plc: SimPlc, gate: PlcModbus) -> None:
        self.plc = plc
        self.gate = gate
        self.renewing = False
        self.last: GateSample | None = None
        self._news = asyncio.Event()

    def emit(self, reading: Reading) -> None:
        assert isinstance(reading, GateSample)
        self.last = reading
        self._news.set()

    async def until(self, condition: Callable[[GateSample], bool]) -> GateSample:
        async with asyncio.timeout(WITHIN_S):
            while True:
                self._news.clear()
                await self._news.wait()
                assert self.last is not None
                if condition(self.last):
                    return self.last
                if self.renewing:
                    await self.gate.renew()


@asynccontextmanager
async def station(link: str, folder: Path) -> AsyncIterator[Station]:
    clock = LoopClock()
    plc = SimPlc(Plant(seed=1), clock.monotonic_ns, speed=50)
    wire: TcpWire | PtyWire
    if link == "tcp":
        wire = TcpWire(plc.slave.device_tcp)
    else:
        wire = PtyWire(plc.slave.device_rtu, folder / "plc")
    await wire.plug()
    where: Link = (
        TcpLink(tcp=wire.address)
        if isinstance(wire, TcpWire)
        else SerialLink(serial=wire.address, baud=115_200)
    )
    gate = PlcModbus("plc", PlcModbusSettings(link=where, profile="p", poll_ms=20), REFERENCE)
    here = Station(plc, gate)
    context = Context(here.emit, lambda _: None, lambda _reason, _raw: None, clock.monotonic_ns)
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_time(plc)), group.create_task(gate.run(context))]
            yield here
            for task in tasks:
                task.cancel()
    finally:
        wire.unplug()


async def _time(plc: SimPlc) -> None:
    while True:
        plc.advance()
        await asyncio.sleep(0.005)  # as often as the PLC goes round


@pytest.mark.parametrize("link", ["tcp", "pty"])
async def test_a_permitted_cylinder_fills_to_its_target(link: str, tmp_path: Path) -> None:
    async with station(link, tmp_path) as here:
        here.plc.plant.put_on(Load("A", 12_000))
        await here.until(lambda s: s.cylinder_on and s.stable)
        await here.gate.open(ORDER)
        here.renewing = True
        await here.until(lambda s: s.permitted and s.permit_echo == 7)
        here.plc.press_start()
        await here.until(lambda s: s.filling)
        await here.until(lambda s: s.done)
        done = await here.until(lambda s: s.stable)
        assert done.end_reason == EndReason.TARGET
        assert done.last_permit == 7
        assert 1_900 <= done.last_net_g <= 2_050
        await here.gate.lock()
        assert here.plc.command[0] == 0


async def test_a_fill_that_nobody_renews_is_closed_by_the_plc(tmp_path: Path) -> None:
    async with station("tcp", tmp_path) as here:
        here.plc.plant.put_on(Load("A", 12_000))
        await here.until(lambda s: s.cylinder_on and s.stable)
        await here.gate.open(GateOrder(8, target_g=50_000, limit_gross_g=90_000, lease_ms=400))
        opened_ms = here.plc.ran_ms
        here.plc.press_start()
        await here.until(lambda s: s.filling)
        ended = await here.until(lambda s: s.aborted)
        assert ended.end_reason == EndReason.LEASE_LOST
        assert here.plc.renewed_ms <= opened_ms
        assert 300 < here.plc.shut_ms - here.plc.renewed_ms <= 400
        await here.until(lambda s: not s.valve_open)  # the valve itself takes its time to close

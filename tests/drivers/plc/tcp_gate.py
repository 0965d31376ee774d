"""The PLC driver over real TCP, for tests: up at a healthy gate, or ended by one that lies."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from drivers.contract import DriverError, FillGate, GateOrder
from drivers.links import TcpLink
from drivers.plc.modbus import DRIVER, PlcModbus
from drivers.plc.settings import PlcModbusSettings
from tests.support.plcs import (
    READ_REPORT,
    REFERENCE,
    Asked,
    Plc,
    Script,
    Seen,
    Step,
    TcpServer,
    honest,
    running,
)
from tests.support.waiting import WITHIN_S, until

ORDER = GateOrder(permit_no=7, target_g=15_000, limit_gross_g=31_500, lease_ms=2_000)


def driver(port: int, *, unit: int = 1, timeout_ms: int = 100) -> PlcModbus:
    settings = PlcModbusSettings(
        link=TcpLink(tcp=f"127.0.0.1:{port}"),
        unit=unit,
        profile=REFERENCE.id,
        poll_ms=10,
        timeout_ms=timeout_ms,
    )
    made = DRIVER.make(f"plc-{unit}", settings, {REFERENCE.id: REFERENCE})
    assert isinstance(made, PlcModbus)
    assert isinstance(made, FillGate)
    return made


@asynccontextmanager
async def healthy(plc: Plc, *, timeout_ms: int = 100) -> AsyncIterator[tuple[PlcModbus, Seen]]:
    """A running driver that has seen the heartbeat of `plc` move."""
    async with TcpServer({1: plc}).serving() as server:
        plc_driver = driver(server.port, timeout_ms=timeout_ms)
        async with running(plc_driver) as [seen]:
            await until(lambda: bool(seen.ups))
            yield plc_driver, seen


async def failure(plc: Plc) -> tuple[str, Seen]:
    """How a driver ends that meets `plc`."""
    seen = Seen()
    async with TcpServer({1: plc}).serving() as server:
        with pytest.raises(DriverError) as caught:
            async with asyncio.timeout(WITHIN_S):
                await driver(server.port).run(seen.context())
    return str(caught.value), seen


def from_read(number: int, lie: Script) -> Script:
    """Honest but for report read `number` and all after it."""
    reads = 0

    def script(asked: Asked) -> Sequence[Step]:
        nonlocal reads
        reads += asked.pdu == READ_REPORT
        return lie(asked) if reads >= number else honest(asked)

    return script


def once(when: Callable[[Asked], bool], lie: Script) -> Script:
    """Honest but for the first request that `when` picks."""
    told = False

    def script(asked: Asked) -> Sequence[Step]:
        nonlocal told
        if told or not when(asked):
            return honest(asked)
        told = True
        return lie(asked)

    return script

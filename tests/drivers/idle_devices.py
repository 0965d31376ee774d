"""Every driver with its device at rest: nobody scans, nothing lies there, the gate is closed."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

from drivers.contract import Driver, DriverType
from drivers.filler import modbus as filler
from drivers.meter import modbus as meter
from drivers.output import modbus as output
from drivers.plc import modbus as plc
from drivers.scale import modbus as scale
from drivers.scale import mt_sics, toledo, yaohua
from drivers.suite import Kit, on_tcp
from drivers.suite.stage import on_stage
from gatewayd.sim.meter import SimMeter
from gatewayd.sim.wires import TcpWire
from protocols.documents import parse, validate
from tests.drivers.filler.test_filler_modbus import WORDS as FILLER
from tests.drivers.kits import KITS
from tests.drivers.kits_in_part import KITS_IN_PART
from tests.drivers.output.test_output_modbus import WORDS as OUTPUT
from tests.drivers.scale.bench import of_sics, of_toledo, of_yaohua, sending
from tests.drivers.scale.test_modbus_scale import PROFILES, laumas
from tests.support.devices.scales import SicsScale, ToledoScale, YaohuaScale
from tests.support.fillers import FillerDevice
from tests.support.fillers import profile as filler_profile
from tests.support.io_modules import IoModule
from tests.support.plcs import REFERENCE, Plc, TcpServer

GATES = {"reference-gate-v1": REFERENCE}
FILLERS = {"test-filler": filler_profile()}

Idle: TypeAlias = Callable[[], AbstractAsyncContextManager[Driver]]

ELSEWHERE: Mapping[str, str] = {
    "rfid.pcsc": "needs a pcscd: test_pcsc_driver has a real one, with a thread that really hangs",
}
"""Drivers whose idling and hanging is tried in a test of their own."""


def _of_kit(kit: Kit) -> Idle:
    @asynccontextmanager
    async def idle() -> AsyncIterator[Driver]:
        async with on_stage(kit, kit.wires[0]) as stage:
            yield kit.make(stage.link)

    return idle


def _of_unit(kind: DriverType, unit: Callable[[], Any], words: str, profiles: Any) -> Idle:
    @asynccontextmanager
    async def idle() -> AsyncIterator[Driver]:
        async with TcpServer({1: unit()}).serving() as server:
            text = f'{{link: {{tcp: "127.0.0.1:{server.port}"}}, {words}}}'
            settings: Any = validate(parse(text, "test"), kind.settings)
            yield kind.make("device-1", settings, profiles)

    return idle


@asynccontextmanager
async def _weighing() -> AsyncIterator[Driver]:
    device = laumas()
    wire = TcpWire(device.device)
    await wire.plug()
    told = {"link": {"tcp": wire.address}, "profile": device.profile.id}
    settings = scale.ScaleModbusSettings.model_validate({**told, "mass_unit": "kg", "decimals": 2})
    try:
        yield scale.DRIVER.make("device-1", settings, PROFILES)
    finally:
        wire.unplug()


@asynccontextmanager
async def _counting() -> AsyncIterator[Driver]:
    device = SimMeter(PROFILES["reference-meter-v1"]).device
    wire = TcpWire(device.device)
    await wire.plug()
    told = {"link": {"tcp": wire.address}, "profile": device.profile.id}
    try:
        yield meter.DRIVER.make(
            "device-1", meter.MeterModbusSettings.model_validate(told), PROFILES
        )
    finally:
        wire.unplug()


@asynccontextmanager
async def _sics() -> AsyncIterator[Driver]:
    async with on_tcp(SicsScale().plugged) as link:
        yield of_sics(link)


@asynccontextmanager
async def _yaohua() -> AsyncIterator[Driver]:
    async with on_tcp(YaohuaScale().plugged) as link:
        yield of_yaohua(link)


@asynccontextmanager
async def _toledo() -> AsyncIterator[Driver]:
    sends = ToledoScale()
    async with on_tcp(sends.plugged) as link, sending(sends, every_s=0.2):
        yield of_toledo(link)


IDLE: tuple[tuple[str, DriverType, Idle], ...] = (
    *((kit.name, kit.driver, _of_kit(kit)) for kit in (*KITS, *KITS_IN_PART)),
    ("plc", plc.DRIVER, _of_unit(plc.DRIVER, Plc, "profile: reference-gate-v1", GATES)),
    ("output", output.DRIVER, _of_unit(output.DRIVER, IoModule, OUTPUT, {})),
    ("filler", filler.DRIVER, _of_unit(filler.DRIVER, FillerDevice, FILLER, FILLERS)),
    ("scale", scale.DRIVER, _weighing),
    ("meter", meter.DRIVER, _counting),
    ("mt-sics", mt_sics.DRIVER, _sics),
    ("yaohua", yaohua.DRIVER, _yaohua),
    ("toledo", toledo.DRIVER, _toledo),
)
"""Name, type, and the driver with its device, one row a way of use."""

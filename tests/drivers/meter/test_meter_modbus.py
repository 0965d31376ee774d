"""Flow meters on Modbus: read on TCP and RTU, unknown with a reason, reset by name, never written."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.contract import Context, Direction, DriverError, Reading, Trouble
from drivers.meter.modbus import DRIVER, JITTER_G, MeterModbusSettings
from drivers.readings import MeterSample, WeightSample
from drivers.scale.modbus import DRIVER as SCALE
from gatewayd.sim.meter import OVERFLOWS_AT, SimMeter
from gatewayd.sim.wires import Feed, Line, PtyWire, TcpWire
from protocols import registers
from protocols.masses import GRAMS
from protocols.modbus import MBAP, tcp_frame
from protocols.register_weights import Site
from tests.drivers.scale.test_modbus_scale import PROFILES, laumas
from tests.drivers.scale.test_modbus_scale import settings as scale_settings
from tests.support.patient_loop import now_ns
from tests.support.waiting import until

KG = Site("kg")
TONNE_G = 1_000_000


@dataclass
class Bench:
    """A driver that runs, and what it told."""

    samples: list[MeterSample] = field(default_factory=list)
    ups: list[str] = field(default_factory=list)
    noises: list[str] = field(default_factory=list)
    frames: list[tuple[str, bytes]] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    error: DriverError | None = None

    def context(self) -> Context:
        return Context(
            self._emit,
            self.ups.append,
            lambda reason, _raw: self.noises.append(reason),
            now_ns,
            self.troubles.append,
            frame=self._frame,
        )

    def _emit(self, reading: Reading) -> None:
        assert isinstance(reading, MeterSample)
        self.samples.append(reading)

    def _frame(self, direction: Direction, raw: bytes) -> None:
        self.frames.append((direction, raw))

    async def counts(self, total_g: int | None) -> MeterSample:
        await until(lambda: self.samples and self.samples[-1].total_g == total_g)
        return self.samples[-1]

    async def lost(self) -> str:
        await until(lambda: self.error is not None)
        return str(self.error)


def settings(profile: str, link: Mapping[str, Any], **changed: Any) -> MeterModbusSettings:
    told = {"link": link, "profile": profile, "poll_ms": 20, "timeout_ms": 200, **changed}
    return MeterModbusSettings.model_validate(told)


@asynccontextmanager
async def reading(
    meter: SimMeter, port: Path | None = None, **changed: Any
) -> AsyncIterator[Bench]:
    device = meter.device
    wire = PtyWire(device.device_rtu, port) if port is not None else TcpWire(device.device)
    await wire.plug()
    serial = {"serial": wire.address, "baud": 115_200}
    made = settings(device.profile.id, {"tcp": wire.address} if port is None else serial, **changed)
    profiles = {**PROFILES, device.profile.id: device.profile}
    assert DRIVER.objections(made, profiles) == ()
    driver, bench = DRIVER.make("meter-1", made, profiles), Bench()

    async def run() -> None:
        try:
            await driver.run(bench.context())
        except DriverError as exc:
            bench.error = exc

    async with asyncio.TaskGroup() as group:
        running = group.create_task(run())
        try:
            yield bench
        finally:
            running.cancel()
            wire.unplug()


def siemens(total_g: int = 1_234_567_500) -> SimMeter:
    return SimMeter(PROFILES["siemens-mass6000"], total_g)


@pytest.mark.parametrize("rtu", [False, True])
async def test_what_flows_is_counted_and_nothing_is_written(*, rtu: bool, tmp_path: Path) -> None:
    meter = siemens()
    async with reading(meter, tmp_path / "port" if rtu else None) as bench:
        sample = await bench.counts(1_234_567_500)
        assert sample == MeterSample("meter-1", sample.at_ns, 1_234_567_500, 1)
        meter.flow(14_500)
        await bench.counts(1_234_582_000)
        assert bench.error is None
    (up,) = bench.ups
    assert up.startswith("siemens-mass6000, unit 1, requests a poll: 4; this map was never seen")
    assert up.endswith("; total 1234567500 g in steps of 1 g")
    assert {pdu[0] for pdu in meter.device.heard} == {3}
    assert set(meter.device.heard) == {
        bytes.fromhex(pdu) for pdu in ("03025a0001", "0308340002", "030bc60004", "030c800001")
    }
    assert (bool(bench.frames), bench.troubles) == (rtu, [])


DOCUMENTED = """
id: documented
title: {zh: 甲, en: a}
source: SFIDK.PS.023.D2.02, appendix H, whose example reads a float at 3000
serves: [meter]
mass: {unit: kg, decimals: 0}
meter: {total: value}
points:
  value: {address: 3000, type: float32, mass: true, doc: as in the example}
"""


async def test_the_example_of_the_manual_is_what_travels(tmp_path: Path) -> None:
    """Siemens prints the bytes of a request and of its answer: ours and the meter's are the same.

    The check of the printed answer, 62 C8, is not that of its bytes, which is 62 C2: a misprint.
    """
    meter = SimMeter(registers.load(DOCUMENTED, "documented"))
    meter.device.put(meter.device.profile.points["value"], (0x40C3, 0x5293))
    async with reading(meter, tmp_path / "port") as bench:
        await bench.counts(6_104)  # 6.10383 kg
        assert bench.frames[:2] == [
            ("host>device", bytes.fromhex("01030BB80002460A")),
            ("device>host", bytes.fromhex("01030440C3529362C2")),
        ]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        (
            "error_pending",
            1,
            "the converter reports an error: system_status.error_pending at holding 3200 = 0x0002",
        ),
        ("totalizer_1_hold", 1, "totalizer 1 is held: "),
        ("totalizer_1_selection", 4, "totalizer 1 does not count mass: "),
        ("product_code", 24, "no MASS 6000: product_code at holding 602 = 0x0018"),
    ],
)
async def test_a_meter_that_is_not_well_is_unknown_by_register_and_believed_again(
    name: str, value: int, why: str
) -> None:
    meter = siemens()
    well = meter.device.meaning(meter.device.profile.owner(name))[name]
    async with reading(meter) as bench:
        await bench.counts(1_234_567_500)
        meter.device.set(name, value)
        sample = await bench.counts(None)
        assert sample.why.startswith(f"meter-1: {why}")
        assert {each.kind for each in bench.troubles} == {"total_unknown"}
        meter.flow(500)
        meter.device.set(name, well)
        await bench.counts(1_234_568_000)


async def test_a_status_bit_without_a_name_is_not_believed() -> None:
    meter = siemens()
    status = meter.device.profile.points["system_status"]
    async with reading(meter) as bench:
        meter.device.set_raw(status, 1 << 12)
        assert "has bits that the map does not know" in (await bench.counts(None)).why


async def test_a_float_tells_its_step_and_its_overflow_is_added() -> None:
    meter = SimMeter(PROFILES["endress-promass83"], 9_999_990_000, KG)
    assert OVERFLOWS_AT * GRAMS["kg"] == 10**10
    async with reading(meter, unit=247, mass_unit="kg") as bench:
        sample = await bench.counts(9_999_990_000)
        assert (sample.step_g, sample.wraps_g) == (1_000, None)
        meter.flow(20_000)
        sample = await bench.counts(10_000_010_000)
        assert (sample.step_g, bench.troubles) == (1, [])
    assert meter.device.heard[0] == bytes.fromhex("030a310004")


@pytest.mark.parametrize(
    ("now_g", "told"),
    [(0, True), (5 * TONNE_G - JITTER_G - 2, True), (5 * TONNE_G - JITTER_G - 1, False)],
)
async def test_a_reset_is_told_at_once_and_shown_as_it_is(now_g: int, *, told: bool) -> None:
    meter = siemens(5 * TONNE_G)
    async with reading(meter) as bench:
        await bench.counts(5 * TONNE_G)
        meter.set(now_g)
        await bench.counts(now_g)
    assert [each.kind for each in bench.troubles] == (["total_backwards"] if told else [])
    for each in bench.troubles:
        assert "5000000 g" in each.en
        assert "totalizer_1 at holding 3014-3017" in each.zh


WRAPPING = """
id: wrapping
title: {zh: 甲, en: a}
source: made for a test
serves: [meter]
mass: {unit: {from: unit, codes: {1: kg, 2: t}}, decimals: 1}
meter: {total: total}
points:
  total: {address: 0, type: uint32, mass: true, wraps_at: 1000000, doc: d}
  unit: {address: 2, type: uint16, doc: d}
"""


async def test_a_wrap_is_no_reset_and_a_unit_that_changes_is_unknown() -> None:
    meter = SimMeter(registers.load(WRAPPING, "wrapping"), 99_990_000)
    async with reading(meter) as bench:
        sample = await bench.counts(99_990_000)
        assert (sample.step_g, sample.wraps_g) == (100, 100_000_000)
        meter.flow(20_000)
        await bench.counts(10_000)
        assert bench.troubles == []
        meter.device.set("unit", 2)
        assert "unit changed while running, kg to t" in (await bench.counts(None)).why
        meter.device.set("unit", 1)
        await bench.counts(10_000)
        meter.device.set("unit", 9)
        assert "unit 9 is not known: unit at holding 2 = 0x0009" in (await bench.counts(None)).why


@pytest.mark.parametrize(
    ("fault", "why"), [("silent", "no answer"), ("exception", "refused with exception")]
)
async def test_a_meter_that_does_not_answer_is_lost(fault: str, why: str) -> None:
    meter = siemens()
    async with reading(meter, timeout_ms=50) as bench:
        await bench.counts(1_234_567_500)
        setattr(meter.device.faults, fault, 4)
        assert why in await bench.lost()


def _shared(units: Mapping[int, Callable[[bytes], bytes]]) -> Callable[[Line], Feed]:
    """A Modbus gateway: each unit of one TCP connection is a device of its own."""

    def device(line: Line) -> Feed:
        def feed(data: bytes) -> None:
            transaction, _, _, unit = MBAP.unpack_from(data)
            line.send(tcp_frame(transaction, unit, units[unit](data[MBAP.size :])))

        return feed

    return device


async def test_it_shares_its_wire_with_a_scale() -> None:
    meter, scale = siemens(), laumas()
    wire = TcpWire(_shared({1: meter.device.answer, 2: scale.answer}))
    await wire.plug()
    link, told = {"tcp": wire.address}, list[Reading]()
    context = Context(told.append, lambda _: None, lambda _reason, _raw: None, now_ns)
    drivers = (
        DRIVER.make("meter-1", settings("siemens-mass6000", link), PROFILES),
        SCALE.make("scale-1", scale_settings("laumas-tlu", link, unit=2), PROFILES),
    )
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(driver.run(context)) for driver in drivers]
        await until(lambda: {type(each) for each in told} == {MeterSample, WeightSample})
        for task in running:
            task.cancel()
    wire.unplug()


@pytest.mark.parametrize(
    ("profile", "changed", "expected"),
    [
        ("laumas-tlu", {}, "has no meter section; it serves as: scale"),
        ("precise-dat400", {}, "is not usable"),
        ("endress-promass83", {}, "set it as the display shows it"),
        ("siemens-mass6000", {"mass_unit": "kg"}, "mass_unit comes from the map"),
    ],
)
def test_a_map_that_cannot_count_is_objected_to(
    profile: str, changed: dict[str, Any], expected: str
) -> None:
    made = settings(profile, {"tcp": "10.0.0.4:502"}, **changed)
    assert expected in " ".join(DRIVER.objections(made, PROFILES))


def test_an_answer_that_takes_longer_than_its_timeout_is_objected_to() -> None:
    link = {"serial": "/dev/ttyS0", "baud": 1_200}
    (objection,) = DRIVER.objections(settings("siemens-mass6000", link, timeout_ms=20), PROFILES)
    assert "timeout_ms 20 is shorter than one reply at 1200 baud" in objection


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"unit": 0, "link": {"serial": "/dev/ttyS0", "baud": 9_600}}, "not on a serial line"),
        ({"poll_ms": 5_001}, "less than or equal to 5000"),
        ({"poll_ms": 19}, "greater than or equal to 20"),
        ({"profile": ""}, "at least 1 character"),
    ],
)
def test_settings_that_cannot_be_are_refused(changed: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        settings(**{"profile": "siemens-mass6000", "link": {"tcp": "10.0.0.4:502"}, **changed})

"""Scales on Modbus: weighed on TCP and RTU, fast and slow, unknown with a reason, lost by name."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.contract import Context, Direction, DriverError, Reading
from drivers.readings import WeightSample
from drivers.rfid.modbus_head import DRIVER as HEAD
from drivers.scale.modbus import DRIVER, ScaleModbusSettings
from drivers.scale.pace import REPEAT_S, DeadBand, Pace
from drivers.scale.stability import MOVES_MAX, Constancy, Standstill
from gatewayd.sim.map_device import MapDevice
from gatewayd.sim.wires import PtyWire, TcpWire
from protocols import registers
from protocols.register_weights import Scaling
from protocols.registers import Profile
from tests.support.patient_loop import now_ns
from tests.support.waiting import until

CONFIG = Path(__file__).parents[3] / "config"
PROFILES: Mapping[str, Profile] = {
    profile.id: profile
    for path in sorted((CONFIG / "profiles").glob("*.yaml"))
    for profile in [registers.load(path.read_text("utf-8"), path.name)]
}
SITE = {"mass_unit": "kg", "decimals": 2}
TCP = {"tcp": "10.0.0.4:502"}
S = 1_000_000_000


@dataclass
class Bench:
    """A driver that runs, and what it told."""

    samples: list[WeightSample] = field(default_factory=list)
    ups: list[str] = field(default_factory=list)
    noises: list[str] = field(default_factory=list)
    frames: list[tuple[str, bytes]] = field(default_factory=list)
    error: DriverError | None = None

    def context(self) -> Context:
        return Context(
            self._emit,
            self.ups.append,
            lambda reason, _raw: self.noises.append(reason),
            now_ns,
            frame=self._frame,
        )

    def _emit(self, reading: Reading) -> None:
        assert isinstance(reading, WeightSample)
        self.samples.append(reading)

    def _frame(self, direction: Direction, raw: bytes) -> None:
        self.frames.append((direction, raw))

    def last(self) -> WeightSample | None:
        return self.samples[-1] if self.samples else None

    async def weighs(self, gross_g: int | None) -> WeightSample:
        await until(lambda: self.samples and self.samples[-1].gross_g == gross_g)
        return self.samples[-1]


def settings(profile: str, link: Mapping[str, Any], **changed: Any) -> ScaleModbusSettings:
    told = {"link": link, "profile": profile, "poll_ms": 20, "timeout_ms": 100, **SITE, **changed}
    return ScaleModbusSettings.model_validate(told)


@asynccontextmanager
async def weighing(
    device: MapDevice, port: Path | None = None, **changed: Any
) -> AsyncIterator[Bench]:
    rtu = port is not None
    wire = PtyWire(device.device_rtu, port) if port is not None else TcpWire(device.device)
    await wire.plug()
    link = {"serial": wire.address, "baud": 115_200} if rtu else {"tcp": wire.address}
    made = settings(device.profile.id, link, **changed)
    assert DRIVER.objections(made, PROFILES) == ()
    scale, bench = DRIVER.make("scale-1", made, PROFILES), Bench()

    async def run() -> None:
        try:
            await scale.run(bench.context())
        except DriverError as exc:
            bench.error = exc

    async with asyncio.TaskGroup() as group:
        running = group.create_task(run())
        try:
            yield bench
        finally:
            running.cancel()
            wire.unplug()


def laumas(gross: int = 1450) -> MapDevice:
    device = MapDevice(PROFILES["laumas-tlu"])
    device.set("gross", gross)
    device.set("stable", value=True)
    return device


@pytest.mark.parametrize("rtu", [False, True])
async def test_a_scale_is_weighed_in_one_request_a_poll(*, rtu: bool, tmp_path: Path) -> None:
    device = laumas()
    device.set("net", 5)
    device.set("net_negative", value=True)
    async with weighing(device, tmp_path / "port" if rtu else None) as bench:
        sample = await bench.weighs(14_500)
        assert (sample.device, sample.net_g, sample.stable, sample.why) == (
            "scale-1",
            -50,
            True,
            "",
        )
        device.set("stable", value=False)
        device.set("gross_negative", value=True)
        sample = await bench.weighs(-14_500)
        assert not sample.stable
    assert set(device.heard) == {bytes.fromhex("0300060008")}
    assert bench.ups == [
        "laumas-tlu, unit 1, requests a poll: 1; this map was never seen on a device"
    ]
    assert bool(bench.frames) is rtu
    assert bench.error is None


async def test_overload_is_unknown_and_names_device_register_and_raw_value() -> None:
    device = laumas()
    async with weighing(device) as bench:
        await bench.weighs(14_500)
        device.set("over_range", value=True)
        sample = await bench.weighs(None)
        assert sample.why == (
            "scale-1: more than 9 divisions above the maximum: "
            "status.over_range at holding 7 = 0x0804"
        )
        assert (sample.net_g, sample.stable) == (None, False)
        device.set("over_range", value=False)
        await bench.weighs(14_500)


async def test_a_bit_that_the_map_does_not_know_is_unknown() -> None:
    device = laumas()
    async with weighing(device) as bench:
        await bench.weighs(14_500)
        device.set_raw(device.profile.points["status"], 0x8800)
        sample = await bench.weighs(None)
    assert sample.why.startswith("scale-1: status at holding 7 = 0x8800 has bits that the map")


async def test_a_scale_beyond_its_capacity_is_unknown() -> None:
    device = laumas(5000)
    async with weighing(device, capacity_g=50_000) as bench:
        await bench.weighs(50_000)
        device.set("gross", 5001)
        sample = await bench.weighs(None)
        assert (
            "50010 g is beyond capacity_g 50000: gross at holding 8-9 = 0x0000 1389" in sample.why
        )
        device.set("gross_negative", value=True)
        await until(lambda: "-50010 g" in bench.samples[-1].why)


async def test_decimals_that_change_are_unknown_until_they_are_as_before() -> None:
    device = MapDevice(PROFILES["hbm-wtx110-filler"])
    for name, value in (("application_mode", 2), ("decimals", 3), ("gross", 14_500)):
        device.set(name, value)
    async with weighing(device, mass_unit=None, decimals=None) as bench:
        await bench.weighs(14_500)
        device.set("decimals", 2)
        sample = await bench.weighs(None)
        assert "decimals changed while running, 3 to 2" in sample.why
        assert "configuration at holding 5 = 0x0022" in sample.why
        device.set("decimals", 3)
        await bench.weighs(14_500)


async def test_an_exception_is_a_lost_scale_and_busy_is_not() -> None:
    device = laumas()
    async with weighing(device) as bench:
        await bench.weighs(14_500)
        device.faults.exception = 6
        await until(lambda: bench.noises)
        device.faults.exception = 0
        told = len(bench.samples)
        await until(lambda: len(bench.samples) > told)
        device.faults.exception = 2
        await until(lambda: bench.error)
    assert "illegal data address" in str(bench.error)


async def test_a_silent_scale_is_lost_and_a_dead_one_at_once() -> None:
    device = laumas()
    async with weighing(device) as bench:
        await bench.weighs(14_500)
        told = len(bench.samples)
        device.faults.silent = True
        await until(lambda: bench.error)
        assert len(bench.samples) <= told + 1
    assert bench.noises
    async with weighing(device) as bench:
        await until(lambda: bench.error)
    assert not bench.ups


async def test_a_scale_and_a_head_take_turns_on_one_connection() -> None:
    device = laumas()
    wire = TcpWire(device.device)
    await wire.plug()
    link = {"tcp": wire.address}
    head = {"link": link, "unit": 2, "profile": "technotrade-vrd-485", "poll_ms": 20}
    scale = DRIVER.make("scale-1", settings("laumas-tlu", link), PROFILES)
    other = HEAD.make("gun-1", HEAD.settings.model_validate(head), PROFILES)
    bench, heads = Bench(), Bench()
    async with asyncio.TaskGroup() as group:
        running = [
            group.create_task(scale.run(bench.context())),
            group.create_task(other.run(heads.context())),
        ]
        await until(lambda: len(bench.samples) > 5 and heads.ups)
        assert len(wire.lines) == 1
        for task in running:
            task.cancel()
    wire.unplug()
    assert {sample.gross_g for sample in bench.samples} == {14_500}


async def test_an_empty_scale_is_asked_slowly_and_a_loaded_one_fast() -> None:
    adaptive = {"idle_poll_ms": 400, "loaded_above_g": 1000, "idle_after_s": 0}
    empty, loaded = laumas(0), laumas()
    async with weighing(empty, adaptive=adaptive), weighing(loaded, adaptive=adaptive) as bench:
        await bench.weighs(14_500)
        await until(lambda: len(loaded.heard) >= 25)
    assert len(empty.heard) <= len(loaded.heard) / 3


def sample(gross_g: int | None, at_s: float = 0, *, stable: bool = True) -> WeightSample:
    stable = stable and gross_g is not None
    why = "" if gross_g is not None else "overload"
    return WeightSample("s", round(at_s * S), gross_g, None, stable=stable, why=why)


def test_only_a_light_steady_known_weight_is_idle() -> None:
    pace = Pace(fast_s=0.1, idle_s=0.4, loaded_above_g=1000, idle_after_s=5)
    assert pace.after(sample(0, 0)) == 0.1
    assert pace.after(sample(999, 4.9)) == 0.1
    assert pace.after(sample(-999, 5)) == 0.4
    for busy in (sample(1000, 6), sample(None, 6), sample(0, 6, stable=False)):
        assert pace.after(busy) == 0.1
        assert pace.after(sample(0, 10.9)) == 0.1
        assert pace.after(sample(0, 11)) == 0.4


def test_what_is_within_the_dead_band_is_told_seldom_and_never_drifts_away() -> None:
    band = DeadBand(10)
    assert band.worth(sample(100, 0))
    assert not band.worth(sample(110, 0.1))
    assert not band.worth(sample(90, 0.2))
    assert band.worth(sample(111, 0.21))
    assert band.worth(sample(111, 0.22, stable=False))
    assert band.worth(sample(None, 0.23))
    assert not band.worth(sample(None, 0.24))
    assert band.worth(sample(0, 0.25))
    assert band.worth(sample(0, 0.25 + REPEAT_S))
    assert all(DeadBand(0).worth(sample(0, 0)) for _ in range(3))


def test_a_stable_that_is_set_while_the_weight_moves_is_not_believed() -> None:
    still = Standstill(noise_g=10)
    doubts = [still.doubt(100 * n, n * S // 10, stable=True) for n in range(MOVES_MAX + 2)]
    assert doubts == [*[""] * (MOVES_MAX + 1), "stable is set while the weight moves, 300 to 400 g"]
    assert still.doubt(400, S // 2, stable=True), "not yet at rest"
    assert not still.doubt(400, S // 2, stable=False)
    assert not still.doubt(400, S // 2, stable=True)


@pytest.mark.parametrize(
    "step", [lambda n: (n * 10, n), lambda n: (n * 5000, n * S), lambda n: (n // 9 * 500, n)]
)
def test_noise_slow_steps_and_single_jumps_are_honest(
    step: Callable[[int], tuple[int, int]],
) -> None:
    still = Standstill(noise_g=10)
    for n in range(27):
        gross_g, at_ns = step(n)
        assert not still.doubt(gross_g, at_ns, stable=True)


def test_scaling_must_stay_as_it_was() -> None:
    constancy = Constancy()
    first = Scaling("kg", 2, (4,)).told
    assert not constancy.doubt(first)
    assert constancy.doubt(Scaling("lb", 2, (4,)).told) == "unit changed while running, kg to lb"
    assert "decimals changed while running, 2 to 3" in constancy.doubt(Scaling("kg", 3, (4,)).told)
    assert "scale of the device changed" in constancy.doubt(Scaling("kg", 2, (5,)).told)
    assert not constancy.doubt(first)


@pytest.mark.parametrize(
    ("profile", "changed", "expected"),
    [
        ("precise-dat400", {}, "is not usable: the addresses of status, gross and net"),
        ("reference-gate-v1", {}, "has no scale section; it serves as: gate, scale"),
        ("technotrade-vrd-485", {}, "has no scale section; it serves as: identify"),
        ("laumas-tlu", {"decimals": None}, "do not tell decimals; set it as the display shows"),
        ("laumas-tlu", {"mass_unit": None}, "do not tell mass_unit; set it as the display shows"),
        ("hbm-wtx110-filler", {"decimals": None}, "mass_unit comes from the map or the device"),
        ("siemens-wp251", {}, "decimals comes from the map or the device; remove it"),
        (
            "laumas-tlu",
            {"link": {"serial": "/dev/ttyS0", "baud": 2400}, "timeout_ms": 87},
            "timeout_ms 87 is shorter than one reply at 2400 baud, 88 ms",
        ),
    ],
)
def test_what_cannot_work_is_refused_before_it_runs(
    profile: str, changed: dict[str, Any], expected: str
) -> None:
    told = {"profile": profile, "link": TCP, **changed}
    objections = DRIVER.objections(settings(**told), PROFILES)
    assert len(objections) == 1
    assert expected in objections[0]


def test_a_device_that_needs_pauses_is_not_polled_faster_than_they_last() -> None:
    text = (CONFIG / "profiles/supmeter-bst106.yaml").read_text("utf-8")
    slow = registers.load(text.replace("gap_max: 6}", "gap_max: 6, pause_ms: 30}"), "slow")
    objections = DRIVER.objections(settings(slow.id, TCP), {slow.id: slow})
    assert objections == ("poll_ms 20 is shorter than the pauses of a poll, 30 ms",)
    assert DRIVER.objections(settings(slow.id, TCP, poll_ms=50), {slow.id: slow}) == ()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"link": {"serial": "/dev/ttyS0", "baud": 9600}, "unit": 0}, "not on a serial line"),
        ({"link": {"serial": "/dev/ttyS0", "baud": 9600}, "unit": 248}, "not on a serial line"),
        ({"unit": 256}, "less than or equal to 255"),
        ({"poll_ms": 500}, "idle_poll_ms is faster than poll_ms 500"),
        ({"mass_unit": "N"}, "'g', 'kg', 't' or 'lb'"),
        ({"decimals": 7}, "less than or equal to 6"),
        ({"dead_band_g": -1}, "greater than or equal to 0"),
        ({"capacity_g": 0}, "greater than or equal to 1"),
    ],
)
def test_settings_out_of_range_are_refused(changed: dict[str, Any], expected: str) -> None:
    told = {"profile": "laumas-tlu", "link": TCP, **changed}
    with pytest.raises(ValidationError, match=expected):
        settings(**told)


@pytest.mark.parametrize("unit", [0, 255])
def test_units_that_devices_on_tcp_want_are_taken(unit: int) -> None:
    assert settings("laumas-tlu", TCP, unit=unit).unit == unit

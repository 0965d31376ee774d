"""A meter's register map on trial: the real driver reads a simulated meter, and then it lies.

Every fault must end in an unknown total that names the register, or in a lost device. A reset must be
told as what it is: the smaller number, at once.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from drivers.contract import Context, DriverError, Reading
from drivers.meter.modbus import MeterModbusSettings, ModbusMeter
from drivers.readings import MeterSample
from gatewayd.clock import SystemClock
from gatewayd.sim.map_health import ill
from gatewayd.sim.meter import SimMeter
from gatewayd.sim.wires import TcpWire
from protocols.masses import TOTAL_G_MAX
from protocols.register_file import UnknownFile
from protocols.register_proof import Finding
from protocols.register_totals import is_float, needed, wraps_g
from protocols.register_values import limits_of, whole_of
from protocols.register_weights import scale_names
from protocols.registers import Profile

POLL_MS, TIMEOUT_MS, LATE_S = 20, 80, 0.2
SETTLE_S_MAX, WATCH_S = 3.0, 1.5
"""How long a loaded machine may take to connect; how long a lie is watched at the most."""
BEGIN_G, FLOWS_G = 1_000_000_000, (14_500_000, 200_000_000, 5_000_000)


@dataclass(slots=True)
class _Seen:
    """What the driver told, and how it ended."""

    samples: list[MeterSample] = field(default_factory=list)
    error: str = ""
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def context(self) -> Context:
        return Context(self._emit, _nothing, _no_noise, SystemClock().monotonic_ns)

    def _emit(self, reading: Reading) -> None:
        assert isinstance(reading, MeterSample), reading
        self.samples.append(reading)
        self.news.set()

    async def until(self, true: Callable[[], bool], within_s: float) -> bool:
        """Whether it came true in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not true():
                    self.news.clear()
                    await self.news.wait()
        return true()

    def told(self, total_g: int | None) -> bool:
        return bool(self.samples) and self.samples[-1].total_g == total_g


@dataclass(frozen=True, slots=True)
class _Lie:
    """One thing that goes wrong. It ends in an unknown total; `lost`: in a lost device."""

    name: str
    tell: Callable[[SimMeter], object]
    lost: bool = False


async def meter_trial(profile: Profile) -> tuple[Finding, ...]:
    """Everything a meter of this map can say, true and untrue."""
    try:
        lies = tuple(_lies(profile))
        SimMeter(profile, BEGIN_G)
    except (ValueError, AssertionError) as exc:
        return (Finding("counts", ok=False, detail=str(exc)),)
    async with asyncio.TaskGroup() as group:
        tried = [group.create_task(_honest(profile)), group.create_task(_reset(profile))]
        tried += [group.create_task(_lied(profile, lie)) for lie in lies]
    return tuple(task.result() for task in tried)


@contextlib.asynccontextmanager
async def _reading(meter: SimMeter, profile: Profile) -> AsyncIterator[_Seen]:
    """The driver, reading the meter over loopback."""
    seen, wire = _Seen(), TcpWire(meter.device.device)
    await wire.plug()
    settings = MeterModbusSettings.model_validate(
        {
            "link": {"tcp": wire.address},
            "profile": profile.id,
            "poll_ms": POLL_MS,
            "timeout_ms": TIMEOUT_MS,
            "mass_unit": meter.site.unit,
            "decimals": meter.site.decimals,
        }
    )
    driver = ModbusMeter("trial", settings, profile)
    try:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(_run(driver, seen))
            yield seen
            running.cancel()
    finally:
        wire.unplug()


async def _run(driver: ModbusMeter, seen: _Seen) -> None:
    try:
        await driver.run(seen.context())
    except DriverError as exc:
        seen.error = str(exc)
        seen.news.set()


async def _honest(profile: Profile) -> Finding:
    """What flows is read as the meter shows it, up to its step, and over its wrap."""
    meter = SimMeter(profile, BEGIN_G)
    wraps = wraps_g(profile, meter.scaling)
    async with _reading(meter, profile) as seen:
        for flow_g in (0, *FLOWS_G, *(() if wraps is None else (wraps,))):
            meter.flow(flow_g)
            shown_g = meter.shown_g
            if shown_g is None or not await seen.until(partial(seen.told, shown_g), SETTLE_S_MAX):
                return Finding("counts", ok=False, detail=f"{shown_g} g: {_last(seen)}")
        detail = f"{_last(seen)}, steps of {seen.samples[-1].step_g} g"
        return Finding("counts", ok=True, detail=detail)


async def _reset(profile: Profile) -> Finding:
    meter = SimMeter(profile, BEGIN_G)
    async with _reading(meter, profile) as seen:
        await seen.until(partial(seen.told, meter.shown_g), SETTLE_S_MAX)
        meter.set(0)
        ok = await seen.until(partial(seen.told, 0), SETTLE_S_MAX)
        return Finding("reset", ok=ok, detail=_last(seen))


async def _lied(profile: Profile, lie: _Lie) -> Finding:
    meter = SimMeter(profile, BEGIN_G)
    async with _reading(meter, profile) as seen:
        if not await seen.until(partial(seen.told, meter.shown_g), SETTLE_S_MAX):
            return Finding(lie.name, ok=False, detail=f"was never read before: {_last(seen)}")
        true_g, before = meter.shown_g, len(seen.samples)
        lie.tell(meter)
        found = await seen.until(
            lambda: bool(seen.error) or (not lie.lost and seen.told(None)), WATCH_S
        )
        wrong = [s for s in seen.samples[before:] if s.total_g not in {None, true_g}]
        if wrong:
            return Finding(lie.name, ok=False, detail=f"told as a total: {wrong[0].total_g} g")
        return Finding(lie.name, ok=found, detail=_last(seen) if found else "nobody noticed")


def _last(seen: _Seen) -> str:
    if seen.error or not seen.samples:
        return seen.error or "no reading"
    return seen.samples[-1].why or f"{seen.samples[-1].total_g} g"


def _lies(profile: Profile) -> Iterator[_Lie]:
    """Every lie that a meter of this map can tell."""
    yield _Lie("exception", partial(_fault, exception=4), lost=True)
    yield _Lie("late", partial(_fault, late_s=LATE_S), lost=True)
    yield _Lie("silent", partial(_fault, silent=True), lost=True)
    yield _Lie("wrong length", partial(_fault, cut_bytes=1), lost=True)
    for unknown in profile.unknown_when:
        yield from _conditions(profile, unknown)
    for name in scale_names(profile):
        yield _Lie(f"{name} changes", partial(_change, name))
    yield from _numbers(profile)
    yield from _spares(profile)


def _conditions(profile: Profile, unknown: UnknownFile) -> Iterator[_Lie]:
    assert profile.meter is not None, profile.id
    if unknown.of and profile.meter.total not in unknown.of:
        return
    for value in ill(profile, unknown):
        name = f"{unknown.says} ({unknown.when} = {value})"
        yield _Lie(name, partial(_set, unknown.when, value))


def _numbers(profile: Profile) -> Iterator[_Lie]:
    """No number, and one beyond everything that ever flowed."""
    assert profile.meter is not None, profile.id
    point = profile.points[profile.meter.total]
    if is_float(point):
        exponent = {2: 0x7F80_0000, 4: 0x7FF0_0000_0000_0000}[point.size]
        yield _Lie("not a number", partial(_raw, exponent | 1))
        yield _Lie("infinite", partial(_raw, exponent))
        yield _Lie("out of range", partial(_raw, exponent - 1))
    elif limits_of(point).stop > TOTAL_G_MAX * 1_000:
        yield _Lie("out of range", partial(_raw, limits_of(point).stop - 1))


def _spares(profile: Profile) -> Iterator[_Lie]:
    """A bit that the map does not know, where it refuses such."""
    for name in needed(profile):
        point = profile.owner(name)
        if point.type == "bits" and point.undefined and not point.spare_ignored:
            yield _Lie(f"{point.name} has a bit without a name", partial(_raise, point.name))
            return


def _fault(meter: SimMeter, **faults: object) -> None:
    for name, value in faults.items():
        setattr(meter.device.faults, name, value)


def _set(name: str, value: int, meter: SimMeter) -> None:
    meter.device.set(name, value)


def _raw(number: int, meter: SimMeter) -> None:
    profile = meter.device.profile
    assert profile.meter is not None, profile.id
    meter.device.set_raw(profile.points[profile.meter.total], number)


def _change(name: str, meter: SimMeter) -> None:
    """Another number than the one that stands there."""
    now = int(meter.device.meaning(meter.device.profile.owner(name))[name])
    meter.device.set(name, now - 1 if now else 1)


def _raise(name: str, meter: SimMeter) -> None:
    point = meter.device.profile.points[name]
    bit = point.undefined & -point.undefined
    meter.device.set_raw(point, whole_of(point, meter.device.meaning(point)) | bit)


def _nothing(_text: str) -> None:
    """Nobody listens to `up`."""


def _no_noise(_reason: str, _raw: bytes) -> None:
    """Nobody counts noise."""

"""A register map on trial: a device made from it is weighed by the real driver, and then it lies.

Every fault must end in an unknown weight that names the register, or in a lost device; a weight that
is neither unknown nor true fails the map, and so does 0.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial

from drivers.contract import Context, DriverError, Reading
from drivers.links import TcpLink
from drivers.plc.wire import Wire
from drivers.readings import WeightSample
from drivers.scale.modbus import ModbusScale, ScaleModbusSettings
from gatewayd.clock import SystemClock
from gatewayd.sim.map_device import MapDevice, MapFaults
from gatewayd.sim.map_lies import Lie, Stage, lies
from gatewayd.sim.meter_trial import meter_trial
from gatewayd.sim.wires import TcpWire
from protocols.register_block import RegisterError
from protocols.register_proof import Finding, distinct, prove
from protocols.register_values import Reading as Values
from protocols.register_values import read
from protocols.registers import Profile

POLL_MS = 20
TIMEOUT_MS = 80
SETTLE_S_MAX = 3.0
"""How long a loaded machine may take to connect and weigh a healthy device."""
WATCH_S = 0.5
"""How long a lie is watched; the first sample that tells it ends the watch."""
TRUE_G = (14_500, 15_000, 70)
_FAULTS = (None, MapFaults(exception=2), MapFaults(cut_bytes=1), MapFaults(late_s=0.2))


@dataclass(slots=True)
class _Seen:
    """What the driver told, and how it ended."""

    samples: list[WeightSample] = field(default_factory=list)
    error: str = ""
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def context(self) -> Context:
        return Context(self._emit, _nothing, _no_noise, SystemClock().monotonic_ns)

    def _emit(self, reading: Reading) -> None:
        assert isinstance(reading, WeightSample), reading
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


async def trial(profile: Profile) -> tuple[Finding, ...]:
    """Everything a map can be tried for: what can be proven, then every lie its device can tell."""
    findings = (*prove(profile), *[await _asked(profile, fault) for fault in _FAULTS])
    if profile.meter is not None and not profile.incomplete:
        return (*findings, *await meter_trial(profile))
    if profile.scale is None or profile.incomplete:
        return findings
    try:
        told = tuple(lies(profile))
        for mass_g in TRUE_G:
            Stage.of(profile).load(mass_g)
    except (ValueError, RegisterError) as exc:
        return (*findings, Finding("weighs", ok=False, detail=str(exc)))
    async with asyncio.TaskGroup() as group:
        tried = [group.create_task(_honest(profile))]
        tried += [group.create_task(_lied(profile, lie)) for lie in told]
    return (*findings, *(task.result() for task in tried))


async def _asked(profile: Profile, fault: MapFaults | None) -> Finding:
    """Every point is asked over a real wire: planted numbers come back, a fault is never a value."""
    name = "answers" if fault is None else f"asked, {fault}"
    planted, device = distinct(profile), MapDevice(profile, fault or MapFaults())
    for point, number in planted.items():
        device.set_raw(profile.points[point], number)
    wire = TcpWire(device.device)
    await wire.plug()
    try:
        told = await _answers(profile, wire.address)
    except DriverError as exc:
        return Finding(name, ok=fault is not None, detail=str(exc))
    finally:
        wire.unplug()
    wrong = [
        n for n, p in profile.points.items() if n in planted and told[n] != device.meaning(p)[n]
    ]
    if fault is not None or wrong:
        return Finding(name, ok=False, detail=f"believed: {', '.join(wrong) or 'all'}")
    return Finding(name, ok=True, detail=f"{len(planted)} points over the wire")


async def _answers(profile: Profile, address: str) -> Values:
    """Raises DriverError when a request has no usable answer."""
    spans = profile.plan()
    async with Wire.join(TcpLink(tcp=address)) as wire:
        answers = [
            await wire.ask(1, span.request(), within_s=TIMEOUT_MS / 1000, noise=_no_noise)
            for span in spans
        ]
    try:
        return read(spans, answers)
    except RegisterError as exc:
        raise DriverError(str(exc)) from exc


@contextlib.asynccontextmanager
async def _weighing(stage: Stage) -> AsyncIterator[_Seen]:
    """The driver, weighing the device on a stage over loopback."""
    seen, wire = _Seen(), TcpWire(stage.device.device)
    await wire.plug()
    settings = ScaleModbusSettings.model_validate(
        {
            "link": {"tcp": wire.address},
            "unit": 1,
            "profile": stage.profile.id,
            "poll_ms": POLL_MS,
            "timeout_ms": TIMEOUT_MS,
            "adaptive": None,
            "mass_unit": stage.site.unit,
            "decimals": stage.site.decimals,
        }
    )
    scale = ModbusScale("trial", settings, stage.profile)
    try:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(_run(scale, seen))
            yield seen
            running.cancel()
    finally:
        wire.unplug()


async def _run(scale: ModbusScale, seen: _Seen) -> None:
    try:
        await scale.run(seen.context())
    except DriverError as exc:
        seen.error = str(exc)
        seen.news.set()


async def _honest(profile: Profile) -> Finding:
    """Masses that are put into the registers are weighed as they are."""
    stage = Stage.of(profile)
    async with _weighing(stage) as seen:
        for mass_g in TRUE_G:
            true_g = stage.load(mass_g)
            if not await seen.until(partial(_weighs, seen, true_g), SETTLE_S_MAX):
                told = seen.error or (repr(seen.samples[-1]) if seen.samples else "no sample")
                return Finding("weighs", ok=False, detail=f"{true_g} g on the scale: {told}")
    return Finding("weighs", ok=True, detail=", ".join(f"{mass_g} g" for mass_g in TRUE_G))


async def _lied(profile: Profile, lie: Lie) -> Finding:
    stage = Stage.of(profile)
    async with _weighing(stage) as seen:
        true_g = stage.load(TRUE_G[0])
        if not await seen.until(partial(_weighs, seen, true_g), SETTLE_S_MAX):
            return Finding(lie.name, ok=False, detail=seen.error or "was never weighed before")
        told = len(seen.samples)
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(lie.tell(stage))
            await seen.until(lambda: bool(_outcome(lie, seen, told)), WATCH_S)
            telling.cancel()
        return _judged(lie, seen, told, true_g)


def _outcome(lie: Lie, seen: _Seen, told: int) -> str:
    """What the lie led to, empty while nothing did: a lost device, or the sample it must lead to."""
    if seen.error:
        return seen.error
    return next((_shown(s) for s in seen.samples[told:] if lie.found(s)), "")


def _judged(lie: Lie, seen: _Seen, told: int, true_g: int) -> Finding:
    wrong = [s for s in seen.samples[told:] if s.gross_g not in {None, true_g, *lie.allowed_g}]
    if wrong and not lie.moves:
        return Finding(lie.name, ok=False, detail=f"told as a weight: {_shown(wrong[0])}")
    outcome = _outcome(lie, seen, told)
    if outcome:
        return Finding(lie.name, ok=True, detail=outcome)
    if lie.silent and len(seen.samples) - told <= 1:
        return Finding(lie.name, ok=True, detail="no sample any more")
    return Finding(lie.name, ok=False, detail="nobody noticed")


def _weighs(seen: _Seen, true_g: int) -> bool:
    return bool(seen.samples) and seen.samples[-1].gross_g == true_g


def _shown(sample: WeightSample) -> str:
    return sample.why or f"{sample.gross_g} g"


def _nothing(_text: str) -> None:
    """Nobody listens to `up`."""


def _no_noise(_reason: str, _raw: bytes) -> None:
    """Nobody counts noise."""

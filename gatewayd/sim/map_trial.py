"""A register map on trial: a device made from it is read by the real driver, and then it lies.

Every fault must end in an unknown mass that names the register, or in a lost device; a mass that is
neither unknown nor true fails the map, and so does 0.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from drivers.contract import Driver, DriverError
from drivers.links import TcpLink
from drivers.plc.wire import Wire
from drivers.readings import MeterSample
from gatewayd.sim import map_meter, map_scale
from gatewayd.sim.map_device import MapDevice, MapFaults
from gatewayd.sim.map_heard import TIMEOUT_MS, Heard, heard, no_noise, shown
from gatewayd.sim.map_lies import Lie, Subject, grams_of
from gatewayd.sim.wires import TcpWire
from protocols.register_block import RegisterError
from protocols.register_proof import Finding, distinct, prove
from protocols.register_values import Reading as Values
from protocols.register_values import read
from protocols.registers import Profile

SETTLE_S_MAX = 3.0
"""How long a loaded machine may take to connect and read a healthy device."""
_FAULTS = (None, MapFaults(exception=2), MapFaults(cut_bytes=1), MapFaults(late_s=0.2))


@dataclass(frozen=True, slots=True)
class _Kind:
    """What devices of one section are tried with.

    `truths` are grams they show one after the other. `watch_s` is how long a lie is watched; the
    first sample that tells it ends the watch.
    """

    check: str
    subject: Callable[[Profile], Subject]
    driver: Callable[[Subject, dict[str, object]], Driver]
    truths: Callable[[Profile], tuple[int, ...]]
    lies: Callable[[Profile], Iterable[Lie]]
    watch_s: float


_SCALE = _Kind(
    "weighs", map_scale.Stage.of, map_scale.driver, map_scale.truths, map_scale.lies, watch_s=0.5
)
_METER = _Kind(
    "counts", map_meter.subject, map_meter.driver, map_meter.truths, map_meter.lies, watch_s=1.5
)


async def trial(profile: Profile) -> tuple[Finding, ...]:
    """Everything a map can be tried for: what can be proven, then every lie its device can tell."""
    findings = (*prove(profile), *[await _asked(profile, fault) for fault in _FAULTS])
    if profile.incomplete or (profile.meter is None and profile.scale is None):
        return findings
    kind = _SCALE if profile.meter is None else _METER
    try:
        told = tuple(kind.lies(profile))
        for mass_g in kind.truths(profile):
            kind.subject(profile).show(mass_g)
    except (ValueError, AssertionError, RegisterError) as exc:
        return (*findings, Finding(kind.check, ok=False, detail=str(exc)))
    async with asyncio.TaskGroup() as group:
        tried = [group.create_task(_honest(profile, kind))]
        tried += [group.create_task(_lied(profile, kind, lie)) for lie in told]
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
            await wire.ask(1, span.request(), within_s=TIMEOUT_MS / 1000, noise=no_noise)
            for span in spans
        ]
    try:
        return read(spans, answers)
    except RegisterError as exc:
        raise DriverError(str(exc)) from exc


async def _honest(profile: Profile, kind: _Kind) -> Finding:
    """Masses that are put into the registers are read as they are."""
    subject, read_g = kind.subject(profile), list[int | None]()
    async with heard(subject, kind.driver) as told:
        for mass_g in kind.truths(profile):
            true_g = subject.show(mass_g)
            if not await told.told(true_g, SETTLE_S_MAX):
                return Finding(kind.check, ok=False, detail=f"{true_g} g shown: {told.last}")
            read_g.append(true_g)
        detail = ", ".join(f"{mass_g} g" for mass_g in read_g)
        return Finding(kind.check, ok=True, detail=f"{detail}{_steps(told)}")


def _steps(told: Heard) -> str:
    """How finely a meter counts."""
    last = told.samples[-1]
    return f", steps of {last.step_g} g" if isinstance(last, MeterSample) else ""


async def _lied(profile: Profile, kind: _Kind, lie: Lie) -> Finding:
    subject = kind.subject(profile)
    async with heard(subject, kind.driver) as told:
        true_g = subject.show(kind.truths(profile)[0])
        if not await told.told(true_g, SETTLE_S_MAX):
            return Finding(lie.name, ok=False, detail=f"was never read before: {told.last}")
        before = len(told.samples)
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(lie.tell(subject))
            await told.until(lambda: bool(_outcome(lie, told, before)), kind.watch_s)
            telling.cancel()
        return _judged(lie, told, before, true_g)


def _outcome(lie: Lie, told: Heard, before: int) -> str:
    """What the lie led to, empty while nothing did: a lost device, or the sample it must lead to."""
    if told.error:
        return told.error
    return next((shown(s) for s in told.samples[before:] if lie.found(s)), "")


def _judged(lie: Lie, told: Heard, before: int, true_g: int | None) -> Finding:
    since = told.samples[before:]
    wrong = [s for s in since if grams_of(s) not in {None, true_g, *lie.allowed_g}]
    if wrong and not lie.moves:
        return Finding(lie.name, ok=False, detail=f"told as true: {shown(wrong[0])}")
    if told.error and not lie.lost:
        return Finding(lie.name, ok=False, detail=told.error)
    outcome = _outcome(lie, told, before)
    if outcome:
        return Finding(lie.name, ok=True, detail=outcome)
    if lie.silent and len(since) <= 1:
        return Finding(lie.name, ok=True, detail="no sample any more")
    return Finding(lie.name, ok=False, detail="nobody noticed")

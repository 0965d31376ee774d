"""One exchange: old parts stopped, new ones in their place, started. The rigs in it are at rest."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from drivers.contract import Driver
from gatewayd.devices import make_driver
from gatewayd.house import House
from gatewayd.parts import Parts
from gatewayd.reload.jobs import Job, layouts_of
from gatewayd.reload.keeper import Keeper
from gatewayd.rigs.soft_memory import spelled
from gatewayd.settings.model import Settings

V = TypeVar("V")


def drivers_of(target: Settings, job: Job) -> list[Driver]:
    """The drivers of a job, new. Made before anything is stopped: one that breaks stops nothing."""
    return [make_driver(target, name) for name in sorted(job.devices & target.devices.keys())]


async def exchange(
    house: House, keeper: Keeper, target: Settings, job: Job, drivers: Sequence[Driver]
) -> None:
    """Carry out one job with its new drivers. Raises StoreError when the store cannot be used.

    A gate that keeps its totaliser here has it kept before its successor is made; what it kept is
    read then. When that cannot be read the old ones are gone: the job is still to be done.
    """
    parts = house.parts
    for name in job.rigs & parts.composites.keys():
        await house.store.keep(name, spelled(parts.composites[name].soft.memory))
    refused = {n: parts.rigs[n].state.refused for n in job.rigs if n in parts.rigs}
    layouts = layouts_of(job, parts.settings, target)
    _forget(house, job, target)
    for kind, names in (("gates", job.rigs), ("rigs", job.rigs), ("devices", job.devices)):
        await keeper.stop(f"{kind}/{name}" for name in names)
    parts.settings = replace(
        parts.settings,
        devices=merged(parts.settings.devices, target.devices, job.devices),
        rigs=merged(parts.settings.rigs, target.rigs, job.rigs),
        layouts=merged(parts.settings.layouts, target.layouts, layouts),
    )
    new = sorted(job.rigs & target.rigs.keys())
    try:
        _make(parts, drivers, new)
    except Exception:  # Whatever it was is told above: half of a job must not look like all of it.
        _forget(house, job, target)
        raise
    for name in new:
        rig = parts.rigs[name]
        rig.state = replace(rig.state, refused=refused.get(name, ()))
    parts.connect()
    for driver in drivers:
        keeper.start_device(driver.name)
    for name in new:
        parts.tell_states(name)
        keeper.start_rig(name)


def _make(parts: Parts, drivers: Sequence[Driver], rigs: Sequence[str]) -> None:
    for driver in drivers:
        parts.add_device(driver)
    for name in rigs:
        parts.add_rig(name)


def _forget(house: House, job: Job, target: Settings) -> None:
    """Drop what was stopped; of what does not come back, also what people see of it."""
    parts = house.parts
    for name in job.rigs:
        parts.drop_rig(name)
    for name in job.devices:
        parts.drop_device(name)
    for name in job.rigs - target.rigs.keys():
        house.board.remove(f"rigs/{name}/state")
    for name in job.devices - target.devices.keys():
        house.board.remove(f"devices/{name}/status")
    gone = (job.rigs - target.rigs.keys()) | (job.devices - target.devices.keys())
    for alarm in house.alarms.standing:
        if alarm.subject in gone:
            house.alarms.clear(alarm.kind, alarm.subject)


def upstreams_that_differ(running: Settings, target: Settings) -> set[str]:
    """Upstreams that come, go or change."""
    names = running.upstreams.keys() | target.upstreams.keys()
    return {n for n in names if running.upstreams.get(n) != target.upstreams.get(n)}


async def exchange_upstreams(parts: Parts, keeper: Keeper, target: Settings) -> None:
    """Exchange upstreams; records, cursors and dead letters stay as they are.

    Raises StoreError when one cannot read its cursor: it is made when this is called again.
    """
    missing = target.upstreams.keys() - parts.upstreams.keys()
    for name in sorted(upstreams_that_differ(parts.settings, target) | missing):
        await keeper.stop([f"upstreams/{name}"])
        parts.upstreams.pop(name, None)
        one = frozenset({name})
        upstreams = merged(parts.settings.upstreams, target.upstreams, one)
        parts.settings = replace(parts.settings, upstreams=upstreams)
        if name in upstreams:
            parts.add_upstream(name)
            keeper.start_upstream(name)
        else:
            parts.context.board.remove(f"upstreams/{name}/status")


def merged(old: Mapping[str, V], new: Mapping[str, V], names: frozenset[str]) -> dict[str, V]:
    """`new` where it is about these names, else `old`; in the order of `new`."""
    found = {n: new[n] if n in names else old[n] for n in new if n in names or n in old}
    return found | {n: v for n, v in old.items() if n not in names and n not in found}

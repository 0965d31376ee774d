"""What must be exchanged together, pure: settings that run and settings that should, in; jobs out.

A job is a set of devices and rigs that depend on each other. A rig is exchanged when its settings,
a device of it or the station's particulars change; devices that stay the same are not in any job
and keep their connection. Jobs do not touch each other: each waits for its own rigs only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from gatewayd.parts import devices_of, profile_of
from gatewayd.settings.layouts import layout_named
from gatewayd.settings.model import Settings

STATION_LIVE = ("name", "region", "media", "associated_owners")
"""What of the station a reload changes; the rest is in the store and in every topic."""


@dataclass(frozen=True, slots=True)
class Job:
    """Devices and rigs that are stopped, changed and started as one; some only stop or start."""

    devices: frozenset[str]
    rigs: frozenset[str]


def adopted(running: Settings, new: Settings) -> Settings:
    """`new` as far as a reload goes: what needs a restart stays as it runs.

    Parts that this function does not name need one, so that a section which comes later is safe.
    """
    station = {key: getattr(new.station, key) for key in STATION_LIVE}
    return replace(
        running,
        station=running.station.model_copy(update=station),
        reload=new.reload,
        checks=new.checks,
        devices=new.devices,
        rigs=new.rigs,
        upstreams=new.upstreams,
        packs=new.packs,
        profiles=new.profiles,
        layouts=new.layouts,
    )


def jobs(old: Settings, new: Settings, made_with: Mapping[str, object]) -> tuple[Job, ...]:
    """The jobs that lead from `old`, made with what is in `made_with`, to `new`."""
    devices = {
        name
        for name in old.devices.keys() | new.devices.keys()
        if _device_differs(name, old, new, made_with)
    }
    rigs = {
        name
        for name in old.rigs.keys() | new.rigs.keys()
        if _rig_differs(name, old, new, made_with, devices)
    }
    moved = devices | _moved(old, new)
    groups = [{f"rigs/{name}", *_ties(name, old, new, moved)} for name in sorted(rigs)]
    groups += [{f"devices/{name}", *_shared(name, old, new)} for name in sorted(devices)]
    return tuple(_job(group, devices, rigs) for group in _merged(groups))


def _device_differs(
    name: str, old: Settings, new: Settings, made_with: Mapping[str, object]
) -> bool:
    before, after = old.devices.get(name), new.devices.get(name)
    if before is None or after is None or before != after:
        return True
    return _missing_or_other(made_with, f"devices/{name}", profile_of(new, name))


def _rig_differs(
    name: str, old: Settings, new: Settings, made_with: Mapping[str, object], devices: set[str]
) -> bool:
    before, after = old.rigs.get(name), new.rigs.get(name)
    if before is None or after is None or before != after:
        return True
    other = _missing_or_other(made_with, f"rigs/{name}", new.station)
    return other or not devices.isdisjoint(devices_of(after))


def _missing_or_other(made_with: Mapping[str, object], part: str, wanted: object) -> bool:
    """Missing: an exchange that could not be ended left it out; it is to be made."""
    return part not in made_with or made_with[part] != wanted


def _moved(old: Settings, new: Settings) -> set[str]:
    """Devices that serve other rigs, or others of their antennas: no two rigs may hear one read."""
    before, after = _users(old), _users(new)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _users(settings: Settings) -> dict[str, set[tuple[str, str, int | None]]]:
    users: dict[str, set[tuple[str, str, int | None]]] = {}
    for name, rig in settings.rigs.items():
        users.setdefault(rig.gate, set()).add((name, "gate", None))
        users.setdefault(rig.scale, set()).add((name, "scale", None))
        for item in rig.identify:
            users.setdefault(item.device, set()).add((name, "identify", item.antenna))
    return users


def _ties(rig: str, old: Settings, new: Settings, moved: set[str]) -> set[str]:
    """A rig is tied to those of its devices that change or move, old and new."""
    found = (settings.rigs.get(rig) for settings in (old, new))
    named = {name for each in found if each is not None for name in devices_of(each)}
    return {f"devices/{name}" for name in named & moved}


def _shared(device: str, old: Settings, new: Settings) -> Iterator[str]:
    """A device is tied to its wires: what takes a wire over waits until it is free.

    And to its tag layout: a name is of one layout, the old one or the new, for all who read by it.
    """
    for settings in (old, new):
        found = settings.devices.get(device)
        if found is not None:
            yield f"wires/{found.driver.wire(found.settings)}"
            yield f"tags/{layout_named(settings, device) or device}"


def layouts_of(job: Job, old: Settings, new: Settings) -> frozenset[str]:
    """The names of tag layouts that a job's devices read by, or are to; those that change are its own."""
    named = (layout_named(each, name) for each in (old, new) for name in job.devices)
    return frozenset(name for name in named if name)


def _merged(groups: list[set[str]]) -> list[set[str]]:
    """Groups that share a node become one."""
    merged: list[set[str]] = []
    for group in groups:
        touching = [other for other in merged if other & group]
        merged = [other for other in merged if not other & group]
        merged.append(group.union(*touching))
    return merged


def _job(group: set[str], devices: set[str], rigs: set[str]) -> Job:
    return Job(
        devices=frozenset(name for name in devices if f"devices/{name}" in group),
        rigs=frozenset(name for name in rigs if f"rigs/{name}" in group),
    )

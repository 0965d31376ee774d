"""Checks across files: references, gates, readers and wires. Each speaks at the place to mend.

References are read from the raw text, so that a rig with another mistake still reports them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from drivers.contract import DriverType
from drivers.links import TcpLink
from gatewayd.settings.checks import FormSettings
from gatewayd.settings.gates import GATES, check_gate
from gatewayd.settings.library import Library
from gatewayd.settings.model import DeviceSettings, RigSettings
from gatewayd.settings.people_check import check_people
from gatewayd.settings.points_check import check_names
from gatewayd.settings.pressure import check_pressure
from gatewayd.settings.references import Reference, references
from gatewayd.settings.report import Report
from gatewayd.settings.sections import Entry
from gatewayd.settings.wires import Device, check_wires
from protocols.documents import Mark, nearest_hint
from protocols.tags.layout import Layout
from rules_engine.facts import MEDIA

POLLS_A_LEASE_MIN = 3  # Contract §4: the lease moves at least every third of its length.


@dataclass(frozen=True, slots=True)
class Rig:
    """One declared rig; `settings` None when they are wrong. A scan point has only its `entry`."""

    entry: Entry
    settings: RigSettings | None


@dataclass(frozen=True, slots=True)
class World:
    """Everything declared; `witnesses` are devices of shifts, `media` is empty when nobody said it.

    `devices_complete` is False when a file of devices could not be read at all.
    """

    devices: Mapping[str, Device]
    devices_complete: bool
    rigs: Sequence[Rig]
    packs: Library
    profiles: Library
    media: tuple[str, ...]
    forms: Mapping[str, FormSettings] = field(default_factory=dict)
    points: Sequence[Rig] = ()
    witnesses: frozenset[str] = frozenset()
    layouts: Mapping[str, Layout] = field(default_factory=dict)


def check(world: World, report: Report) -> None:
    """Run every check across files."""
    for rig in world.rigs:
        _references(rig, world, report)
        _gate(rig, world, report)
        _packs(rig, world, report)
        _medium(rig, world, report)
        _pace(rig, world, report)
        _antennas(rig, world, report)
        check_people(rig.entry, rig.settings, world.forms, report)
        check_pressure(rig.entry, rig.settings, world.packs.values, report)
    for point in world.points:
        _references(point, world, report)
        _packs(point, world, report)
        _medium(point, world, report)
        _antennas(point, world, report)
    rigs = [rig.entry.name for rig in world.rigs]
    check_names([point.entry for point in world.points], rigs, report)
    _gates(world, report)
    _outputs(world, report)
    _readers(world, report)
    _profiles(world, report)
    check_wires(world.devices, report)
    _unused(world, report)


def _references(rig: Rig, world: World, report: Report) -> None:
    for reference in references(rig.entry.raw):
        mark = rig.entry.mark(*reference.keys)
        device = world.devices.get(reference.device)
        if device is None:
            if world.devices_complete:
                what = f"{rig.entry.name}: device {reference.device!r} does not exist"
                report.problem(mark, what, *_known(reference.device, world.devices))
            continue
        if device.settings is None:
            continue
        driver = device.settings.driver
        if not _suits(reference.capability, driver):
            can = ", ".join(sorted(driver.capabilities & _VERB.keys())) or "nothing"
            why = driver.lacks.get(reference.capability, "")
            report.problem(
                mark,
                f"{rig.entry.name}: device {reference.device!r} cannot {_VERB[reference.capability]}"
                + (f": {why}" if why else ""),
                f"driver {driver.name} can: {can}",
                _capable(reference.capability, world),
            )


def _suits(capability: str, driver: DriverType) -> bool:
    """A gate may be one by itself, or a device that one is made of."""
    wanted = {"gate": GATES, "cards": {"identify"}}.get(capability, {capability})
    return bool(wanted & driver.capabilities)


_VERB = {
    "identify": "identify a cylinder",
    "gate": "be a gate",
    "scale": "weigh",
    "cards": "read cards or codes",
}


def _capable(capability: str, world: World) -> str:
    names = sorted(
        name
        for name, device in world.devices.items()
        if device.settings and _suits(capability, device.settings.driver)
    )
    return f"devices that can: {', '.join(names)}" if names else ""


def _known(wrong: str, known: Iterable[str]) -> tuple[str, str]:
    return f"known: {', '.join(sorted(known)) or 'none'}", nearest_hint(wrong, known)


def _gate(rig: Rig, world: World, report: Report) -> None:
    gate, scale = (_named(rig.entry.raw.get(key), world) for key in ("gate", "scale"))
    check_gate(rig.entry, rig.settings, gate, scale, report)


def _named(name: object, world: World) -> DeviceSettings | None:
    device = world.devices.get(name) if isinstance(name, str) else None
    return device.settings if device is not None else None


def _packs(rig: Rig, world: World, report: Report) -> None:
    raw = rig.entry.raw.get("rules")
    seen: set[str] = set()
    for i, pack in enumerate(raw if isinstance(raw, list) else ()):
        if not isinstance(pack, str):
            continue
        mark = rig.entry.mark("rules", i)
        if pack in seen:
            report.problem(mark, f"{rig.entry.name}: rule pack {pack!r} is named twice")
        elif pack not in world.packs.names:
            what = f"{rig.entry.name}: rule pack {pack!r} does not exist"
            report.problem(mark, what, *_known(pack, world.packs.names))
        seen.add(pack)


def _medium(rig: Rig, world: World, report: Report) -> None:
    medium = rig.entry.raw.get("medium")
    if medium in MEDIA and world.media and medium not in world.media:
        report.problem(
            rig.entry.mark("medium"),
            f"{rig.entry.name}: medium {medium} is not filled at this station",
            f"station.media: {', '.join(world.media)}",
            "correct the rig, or add the medium if the licence covers it",
        )


def _pace(rig: Rig, world: World, report: Report) -> None:
    """The lease is renewed by fresh samples, so gate and scale must be polled often enough."""
    if rig.settings is None:
        return
    for name in dict.fromkeys((rig.settings.gate, rig.settings.scale)):
        device = _named(name, world)
        poll_ms = getattr(device.settings, "poll_ms", None) if device is not None else None
        if isinstance(poll_ms, int):
            _paced(rig.entry, rig.settings, name, poll_ms, report)


def _paced(entry: Entry, rig: RigSettings, name: str, poll_ms: int, report: Report) -> None:
    lease_ms_min = POLLS_A_LEASE_MIN * poll_ms
    what = "gate" if name == rig.gate else "scale"
    if rig.permit.lease_ms < lease_ms_min:
        report.problem(
            entry.mark("permit", "lease_ms"),
            f"{entry.name}: lease_ms {rig.permit.lease_ms} is too short",
            f"at least {lease_ms_min}, three polls of {what} {name!r}",
            "lengthen lease_ms or shorten poll_ms",
        )
    if rig.stale_after_ms <= poll_ms:
        report.problem(
            entry.mark("stale_after_ms"),
            f"{entry.name}: stale_after_ms {rig.stale_after_ms} is too short",
            f"more than poll_ms {poll_ms} of {what} {name!r}",
        )


def _antennas(rig: Rig, world: World, report: Report) -> None:
    """A rig that waits for an antenna which its reader does not use would wait for ever."""
    for reference in references(rig.entry.raw):
        device = world.devices.get(reference.device)
        settings = device.settings.settings if device and device.settings else None
        antennas = getattr(settings, "antennas", ())
        if antennas and reference.antenna is not None and reference.antenna not in antennas:
            used = ", ".join(str(antenna) for antenna in antennas)
            report.problem(
                rig.entry.mark(*reference.keys[:-1], "antenna"),
                f"{rig.entry.name}: {reference.device!r} does not use antenna {reference.antenna}",
                f"antennas of the reader: {used}",
            )


def _gates(world: World, report: Report) -> None:
    """Every rig has a gate of its own, and a scale of its own where that is another device."""
    first: dict[tuple[str, str], tuple[str, Mark]] = {}
    for rig in world.rigs:
        gate, scale = rig.entry.raw.get("gate"), rig.entry.raw.get("scale")
        for key, name in (("gate", gate), ("scale", scale if scale != gate else None)):
            if not isinstance(name, str):
                continue
            mark = rig.entry.mark(key)
            other, place = first.setdefault((key, name), (rig.entry.name, mark))
            if place != mark:
                what = f"{rig.entry.name}: {key} {name!r} is already the {key} of rig {other!r}"
                report.problem(mark, what, f"see {place}", f"every rig needs a {key} of its own")


def _outputs(world: World, report: Report) -> None:
    """Warn where two devices may be one valve: a module on TCP often ignores its unit number."""
    first: dict[tuple[object, ...], str] = {}
    for name, device in world.devices.items():
        found = device.settings
        if found is None or "output" not in found.driver.capabilities:
            continue
        points = (getattr(found.settings, key, None) for key in ("coil", "register_", "bit"))
        other = first.setdefault((found.driver.wire(found.settings), *points), name)
        if other != name and isinstance(getattr(found.settings, "link", None), TcpLink):
            what = f"{name} and {other} may be one output: they differ only in their unit"
            report.warn(
                device.entry.mark("unit"), what, "", "close one and see the other stay open"
            )


def _readers(world: World, report: Report) -> None:
    """A read must belong to exactly one place: one antenna of one reader, one rig or point."""
    first: dict[str, list[tuple[int | None, str, Mark]]] = {}
    for rig in (*world.rigs, *world.points):
        for reference in references(rig.entry.raw):
            if reference.capability != "identify":
                continue
            mark = rig.entry.mark(*reference.keys)
            users = first.setdefault(reference.device, [])
            clash = next((u for u in users if _same_antenna(u[0], reference.antenna)), None)
            if clash:
                report.problem(
                    mark,
                    f"{rig.entry.name}: {_reader(reference)} already identifies at {clash[1]}",
                    f"see {clash[2]}",
                    "give each rig an antenna of its own, or a reader of its own",
                )
            users.append(
                (reference.antenna, f"{str(rig.entry.keys[0])[:-1]} {rig.entry.name!r}", mark)
            )


def _same_antenna(one: int | None, other: int | None) -> bool:
    """No antenna means every antenna."""
    return one is None or other is None or one == other


def _reader(reference: Reference) -> str:
    antenna = "" if reference.antenna is None else f" antenna {reference.antenna}"
    return f"{reference.device!r}{antenna}"


def _profiles(world: World, report: Report) -> None:
    known = world.profiles.names
    for name, device in world.devices.items():
        if device.settings is None:
            continue
        settings, mark = device.settings.settings, device.entry.mark("profile")
        profile = getattr(settings, "profile", None)
        if isinstance(profile, str) and profile not in known:
            what = f"{name}: profile {profile!r} does not exist"
            report.problem(mark, what, *_known(profile, known))
        elif profile is None or profile in world.profiles.values:
            for objection in device.settings.driver.objections(settings, world.profiles.values):
                report.problem(mark, f"{name}: {objection}")
            if profile is not None and not world.profiles.values[profile].verified:
                what = f"{name}: profile {profile!r} has parts that nobody has seen on a device"
                hint = f"gatewayd profiles {profile} lists them; weigh or read one known cylinder"
                report.warn(mark, what, "", hint)


def _unused(world: World, report: Report) -> None:
    places = (*world.rigs, *world.points)
    used = {ref.device for place in places for ref in references(place.entry.raw)}
    for name, device in world.devices.items():
        if name not in used | world.witnesses:
            report.warn(device.entry.mark(), f"device {name!r} serves no rig")

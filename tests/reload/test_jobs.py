"""Which parts are exchanged together: enough of them, and none that could stay."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from drivers.links import TcpLink
from gatewayd.parts import devices_of, profile_of
from gatewayd.reload.exchange import merged
from gatewayd.reload.jobs import Job, jobs, layouts_of
from gatewayd.settings.load import load
from gatewayd.settings.model import DeviceSettings, IdentifySettings, RigSettings, Settings
from tests.support import tag_layouts
from tests.support.configs import write_config

RIGS = ("rig-1", "rig-2", "rig-3")
READERS = ("gun-1", "gun-2", "gun-3")
GATES = ("gate-1", "gate-2", "gate-3")


@cache
def base() -> Settings:
    with TemporaryDirectory() as folder:
        return load(write_config(Path(folder)))


def reader(name: str, port: int) -> DeviceSettings:
    """One socket a reader: the wire is its port."""
    like = base().devices["gun-1"]
    link = TcpLink(tcp=f"127.0.0.1:{port}")
    return DeviceSettings(name, like.driver, like.settings.model_copy(update={"link": link}))


def gate(name: str, unit: int) -> DeviceSettings:
    """All on one wire; the unit tells them apart."""
    like = base().devices["scale-1"]
    return DeviceSettings(name, like.driver, like.settings.model_copy(update={"unit": unit}))


@st.composite
def stations(draw: st.DrawFn) -> Settings:
    """Valid ones: each gate at one rig, each reader and antenna at one rig."""
    names = draw(st.lists(st.sampled_from(RIGS), unique=True))
    gates = draw(st.permutations(GATES))
    antennas = draw(st.permutations([(name, n) for name in READERS for n in (1, 2)]))
    rigs: dict[str, RigSettings] = {}
    for index, name in enumerate(names):
        taken = antennas[2 * index : 2 * index + draw(st.integers(1, 2))]
        items = tuple(IdentifySettings(device=d, antenna=n) for d, n in taken)
        like = base().rigs["rig-1"]
        changed = {"gate": gates[index], "scale": gates[index], "identify": items}
        rigs[name] = like.model_copy(
            update=changed | {"tolerance_g": draw(st.sampled_from([200, 300]))}
        )
    ports = draw(st.permutations([6001, 6002, 6003]))
    devices = {n: reader(n, port) for n, port in zip(READERS, ports, strict=True)}
    devices |= {n: gate(n, draw(st.sampled_from([i, i + 10]))) for i, n in enumerate(GATES, 1)}
    dropped = draw(st.sets(st.sampled_from(READERS + GATES)))
    used = {d for rig in rigs.values() for d in devices_of(rig)}
    kept = {n: d for n, d in devices.items() if n in used or n not in dropped}
    return replace(base(), rigs=rigs, devices=kept)


def made_with(running: Settings) -> dict[str, object]:
    found: dict[str, object] = {f"rigs/{name}": running.station for name in running.rigs}
    profiles = running.profiles
    for name, device in running.devices.items():
        named = getattr(device.settings, "profile", None)
        found[f"devices/{name}"] = profiles.get(named) if named else None
    return found


def done(running: Settings, target: Settings, job: Job) -> Settings:
    return replace(
        running,
        devices=merged(running.devices, target.devices, job.devices),
        rigs=merged(running.rigs, target.rigs, job.rigs),
    )


@given(stations())
def test_a_station_that_stays_has_no_job(one: Settings) -> None:
    assert jobs(one, one, made_with(one)) == ()


@given(stations(), stations(), st.randoms())
def test_the_jobs_in_any_order_lead_to_the_target_and_no_two_rigs_share_on_the_way(
    old: Settings, new: Settings, rng: Any
) -> None:
    todo = list(jobs(old, new, made_with(old)))
    rng.shuffle(todo)
    now = old
    for job in todo:
        now = done(now, new, job)
        claimed: set[tuple[str, int | None]] = set()
        for rig in now.rigs.values():
            claims = {(rig.gate, None), *((i.device, i.antenna) for i in rig.identify)}
            assert not claims & claimed
            claimed |= claims
            assert set(devices_of(rig)) <= now.devices.keys()
    assert (now.devices, now.rigs) == (new.devices, new.rigs)


@given(stations(), stations())
def test_jobs_are_apart_and_leave_alone_what_stays(old: Settings, new: Settings) -> None:
    todo = jobs(old, new, made_with(old))
    for kind in ("devices", "rigs"):
        named = [name for job in todo for name in getattr(job, kind)]
        assert len(named) == len(set(named))
    exchanged = {name for job in todo for name in job.devices}
    same = {n for n, d in old.devices.items() if new.devices.get(n) == d}
    assert not exchanged & same


@given(stations(), stations())
def test_a_rig_goes_with_every_device_of_it_that_changes(old: Settings, new: Settings) -> None:
    for job in jobs(old, new, made_with(old)):
        for world in (old, new):
            users: Mapping[str, RigSettings] = world.rigs
            for name, rig in users.items():
                if job.devices & set(devices_of(rig)):
                    assert name in job.rigs


def test_rigs_that_share_nothing_do_not_wait_for_each_other() -> None:
    old = replace(
        base(),
        devices={n: reader(n, 6000 + i) for i, n in enumerate(READERS)}
        | {n: gate(n, i) for i, n in enumerate(GATES, 1)},
        rigs={
            name: base()
            .rigs["rig-1"]
            .model_copy(
                update={
                    "gate": g,
                    "scale": g,
                    "identify": (IdentifySettings(device=r, antenna=1),),
                }
            )
            for name, g, r in zip(RIGS, GATES, READERS, strict=True)
        },
    )
    rigs = {n: r.model_copy(update={"tolerance_g": 300}) for n, r in old.rigs.items()}
    todo = jobs(old, replace(old, rigs=rigs), made_with(old))
    assert [(set(job.rigs), job.devices) for job in todo] == [({n}, frozenset()) for n in RIGS]


def test_readers_of_one_layout_change_together() -> None:
    """A rig that goes on reading by the old layout must not decode by the new one of that name."""

    def station(blank: str) -> Settings:
        devices = {name: reader(name, 6_001 + at) for at, name in enumerate(READERS[:2])}
        for name, found in devices.items():
            asked = found.settings.model_copy(update={"memory": tag_layouts.NAME})
            devices[name] = DeviceSettings(name, found.driver, asked)
        layouts = {tag_layouts.NAME: tag_layouts.layout(blank=blank)}
        return replace(base(), devices=devices, rigs={}, layouts=layouts)

    old, new = station("refuse"), station("nothing")
    made_with: dict[str, object] = {f"devices/{n}": profile_of(old, n) for n in old.devices}
    (job,) = jobs(old, new, made_with)
    assert job.devices == {"gun-1", "gun-2"}
    assert layouts_of(job, old, new) == {tag_layouts.NAME}

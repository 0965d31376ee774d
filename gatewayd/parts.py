"""The parts of a house that can be exchanged while it runs: devices, rigs, upstreams.

Nothing here starts or stops anything. Who holds `rigs` or `settings` through the house sees what
is there now: a reload changes them in place, between two turns of the loop.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeAlias

from drivers.contract import Driver, Trouble
from gatewayd.bugs import Bugs
from gatewayd.devices import Device, make_driver, supervised
from gatewayd.points.point import Point
from gatewayd.rigs.assess import Bench
from gatewayd.rigs.composite import Composite
from gatewayd.rigs.front import Front
from gatewayd.rigs.gates import Hands, gate_for
from gatewayd.rigs.means import Means
from gatewayd.rigs.rig import Rig
from gatewayd.rigs.timings import Timings
from gatewayd.settings.layouts import layout_of
from gatewayd.settings.model import RigSettings, Settings
from gatewayd.settings.upstreams import upstream_table
from gatewayd.upstreams.contract import Upstream, UpstreamContext, make_upstream

BenchOf: TypeAlias = Callable[[Settings, str], Bench]
"""What a rig judges with, by the settings in force and its name."""


class Parts:
    """What runs, by name. `settings` are those in force; `bugs` contains what breaks.

    `made_with` is what a part took from beyond its own settings: the register map of a device, the
    station's particulars of a rig. `ears` hear every device, beside the rigs.
    """

    def __init__(
        self,
        settings: Settings,
        means: Means,
        context: UpstreamContext,
        bench_of: BenchOf,
        points: Iterable[Point] = (),
    ) -> None:
        self.settings = settings
        self.bugs = Bugs(means.alarms, means.clock)
        self.devices: dict[str, Device] = {}
        self.rigs: dict[str, Rig] = {}
        self.composites: dict[str, Composite] = {}
        self.upstreams: dict[str, Upstream] = {}
        self.points = {point.id: point for point in points}
        self.made_with: dict[str, object] = {}
        self.ears: tuple[Front, ...] = ()
        self.context = context
        self._means = means
        self._bench_of = bench_of

    @property
    def timings(self) -> Timings:
        """How long permits and leases of the rigs took."""
        return self._means.timings

    def build(self) -> None:
        """Everything that the settings name; raises whatever a foreign driver raises."""
        for name in self.settings.devices:
            self.add_device(make_driver(self.settings, name))
        for name in self.settings.rigs:
            self.add_rig(name)
        self.connect()
        for name in self.settings.upstreams:
            self.add_upstream(name)

    def add_device(self, driver: Driver) -> None:
        """A device with this driver, by the settings in force."""
        name = driver.name
        self.devices[name] = supervised(driver, self.settings, self.context, self.bugs)
        self.devices[name].audience.ears = self.ears
        self.made_with[f"devices/{name}"] = profile_of(self.settings, name)

    def drop_device(self, name: str) -> None:
        """Forget a device that was stopped."""
        self.devices.pop(name, None)
        self.made_with.pop(f"devices/{name}", None)

    def add_rig(self, name: str) -> None:
        """A rig by the settings in force; its devices are there already."""
        means, settings = self._means, self.settings
        drivers = {each: device.driver for each, device in self.devices.items()}
        hands = Hands(drivers, settings.devices, means.store, means.clock, self.tell)
        bench = self._bench_of(settings, name)
        gate = gate_for(bench, hands)
        self.rigs[name] = Rig(bench, gate, means)
        self.made_with[f"rigs/{name}"] = settings.station
        if isinstance(gate, Composite):
            gate.stand_before(self.rigs[name])
            self.composites[name] = gate

    def drop_rig(self, name: str) -> None:
        """Forget a rig that has ended."""
        self.rigs.pop(name, None)
        self.composites.pop(name, None)
        self.made_with.pop(f"rigs/{name}", None)

    def add_upstream(self, name: str) -> None:
        """An upstream by the settings in force; it goes on from its own cursor."""
        upstream = self.settings.upstreams[name]
        kind = upstream_table().get(upstream.driver)
        self.upstreams[name] = make_upstream(kind, name, upstream.settings, self.context)

    def connect(self) -> None:
        """Let every device be heard by the rigs that name it now."""
        for name, device in self.devices.items():
            rigs = (
                self.front(rig)
                for rig, settings in self.settings.rigs.items()
                if rig in self.rigs and name in devices_of(settings)
            )
            points = (point for point in self.points.values() if name in point.devices)
            device.audience.fronts = (*rigs, *points)

    def tell_states(self, rig: str) -> None:
        """Tell a new rig how its devices are: those that stayed have nothing new to say."""
        for name in devices_of(self.settings.rigs[rig]):
            self.front(rig).device(name, self.devices[name].supervisor.status.state)

    def front(self, rig: str) -> Front:
        """Who hears the devices of a rig: itself, or the gate that stands before it."""
        return self.composites.get(rig) or self.rigs[rig]

    def renew_packs(self, settings: Settings) -> tuple[str, ...]:
        """Put the packs of `settings` in force at the rigs that stay; returns those that changed."""
        known = {**self.settings.packs, **settings.packs}
        changed = [n for n, p in self.settings.packs.items() if known[n].ref != p.ref]
        self.settings = replace(self.settings, packs=known)
        for name, rig in self.rigs.items():
            rules = self.settings.rigs[name].rules
            if not set(changed).isdisjoint(rules):
                rig.renew(tuple(known[pack] for pack in rules))
        for point in self.points.values():
            point.renew(known)
        return tuple(changed)

    def tell(self, device: str, trouble: Trouble) -> None:
        """What others found wrong with a device, beside what its driver says."""
        if device in self.devices:
            self.devices[device].supervisor.troubles.add(trouble)


def devices_of(rig: RigSettings) -> Iterator[str]:
    """Every device that a rig names, once."""
    named = (rig.gate, rig.scale, *(item.device for item in rig.identify))
    return iter(dict.fromkeys(named))


def profile_of(settings: Settings, device: str) -> object:
    """The register map or the tag layout that a device is made with; None where it needs none."""
    made = settings.devices[device].settings
    layout = layout_of(settings, device)
    if layout is not None:
        return layout.settings
    named = getattr(made, "profile", None)
    return settings.profiles.get(named) if isinstance(named, str) else None

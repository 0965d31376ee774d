"""A device with a register map: where it is asked, what its registers mean, how masses are scaled.

Gates, scales, fillers and RFID heads name a profile. The map of an output module is made from its
settings, which say where its coil, its inputs and its watchdog are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from drivers.links import SerialLink, TcpLink
from drivers.output.settings import Contact, OutputModbusSettings
from gatewayd.commission.device import Device
from protocols.register_block import Block, Point
from protocols.register_file import Bilingual, Bounds, LimitsFile, Table, UnknownFile
from protocols.register_plan import Span, plan
from protocols.register_weights import Site
from protocols.registers import Profile

WITHIN_S = 0.3
"""How long an answer may take where the settings do not say."""
NOISE_G = 50
MODBUS = "modbus"

NO_SITE = Site()
ONE_BY_ONE = LimitsFile(registers_max=1, bits_max=1, gap_max=0)
"""Modules differ in which neighbours they let one read along."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """One unit on a Modbus wire and its map. `own_map` is False when the map is made of settings."""

    name: str
    driver: str
    link: TcpLink | SerialLink
    unit: int
    within_s: float
    profile: Profile
    site: Site = NO_SITE
    capacity_g: int | None = None
    noise_g: int = NOISE_G
    own_map: bool = True

    @property
    def pause_s(self) -> float:
        """The silence that the device needs between two requests."""
        return self.profile.limits.pause_ms / 1000

    @property
    def spans(self) -> tuple[Span, ...]:
        """The requests that read every point; what is told and what is reported apart, as a gate needs."""
        profile = self.profile
        if not profile.reads.points:
            return profile.plan()
        blocks = (profile.writes.points, profile.reads.points)
        return tuple(
            span for each in blocks for span in plan(each, profile.limits, base=profile.base)
        )


def mapped(device: Device) -> Mapped | None:
    """The map of a device, None for one that has none."""
    settings: Any = device.settings.settings
    driver = device.settings.driver
    output = isinstance(settings, OutputModbusSettings)
    if driver.wire_protocol != MODBUS or not (output or hasattr(settings, "profile")):
        return None
    profile = output_map(settings) if output else device.profiles[settings.profile]
    assert isinstance(profile, Profile), profile
    return Mapped(
        device.name,
        driver.name,
        settings.link,
        settings.unit,
        getattr(settings, "timeout_ms", WITHIN_S * 1000) / 1000,
        profile,
        Site(getattr(settings, "mass_unit", None), getattr(settings, "decimals", None)),
        getattr(settings, "capacity_g", None),
        getattr(settings, "noise_g", NOISE_G),
        own_map=not output,
    )


def output_map(settings: OutputModbusSettings) -> Profile:
    """The points of an output module as its settings name them, each read by a request of its own."""
    return Profile(
        id="output.modbus",
        title=Bilingual(zh="输出模块", en="Output module"),
        source="the settings of the device",
        caveats=(),
        reads=Block([]),
        writes=Block([]),
        points={point.name: point for point in _points(settings)},
        serves=("output",),
        limits=ONE_BY_ONE,
        unknown_when=tuple(_known(settings)),
    )


def _known(settings: OutputModbusSettings) -> Iterator[UnknownFile]:
    """What must stand in the registers of a module whose watchdog is set."""
    watchdog = settings.watchdog
    if watchdog is not None:
        bounds = Bounds(low=watchdog.value, high=watchdog.value)
        yield UnknownFile(when="watchdog", outside=bounds, says="the watchdog is not set")


def _points(settings: OutputModbusSettings) -> Iterator[Point]:
    if settings.coil is not None:
        yield _point("output", settings.coil, "bit", "the coil that holds the valve open")
    if settings.register_ is not None:
        assert settings.bit is not None, settings
        yield Point(
            "outputs",
            settings.register_,
            "bits",
            (("output", 1 << settings.bit),),
            "holding",
            low_first=False,
            doc="the register whose bit holds the valve open",
            number=settings.register_,
            spare_ignored=True,
        )
    yield from _contact("readback", settings.readback, "shows the valve open")
    yield from _contact("e_stop", settings.e_stop, "says stop")
    yield from _contact("start", settings.start, "the start button")
    watchdog = settings.watchdog
    if watchdog is not None:
        doc = f"time of the watchdog, {watchdog.value} is {watchdog.ms} ms"
        yield _point("watchdog", watchdog.register_, "uint16", doc)
        if watchdog.running is not None:
            expected = watchdog.running
            yield Point(
                "watchdog_state",
                expected.register_,
                "uint16",
                (),
                expected.table,
                low_first=False,
                doc=f"it runs when {expected.value} under mask 0x{expected.mask:04X}",
                number=expected.register_,
            )


def _contact(name: str, contact: Contact | None, doc: str) -> Iterator[Point]:
    if contact is not None:
        inverted = frozenset() if contact.active else frozenset({name})
        yield Point(
            name,
            contact.input,
            "bit",
            (),
            "discrete",
            low_first=False,
            doc=doc,
            number=contact.input,
            inverted=inverted,
        )


def _point(name: str, address: int, type_: str, doc: str) -> Point:
    table: Table = "coil" if type_ == "bit" else "holding"
    return Point(name, address, type_, (), table, low_first=False, doc=doc, number=address)

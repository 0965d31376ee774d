"""Scales on Modbus RTU or TCP: any register map with a scale section becomes weight samples.

The wire, its turns and its rules are those of plc.modbus, so that several scales share one bus. A
weight that is not known is told as unknown with device, register and raw value, never as zero.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from drivers.contract import Context, Driver, DriverType, Strict
from drivers.links import Link
from drivers.liveness import LIVELY_S
from drivers.plc.polled import Polled, objections
from drivers.plc.serial_fit import unit_gap
from drivers.plc.wire import Wire
from drivers.readings import WeightSample
from drivers.scale import about_modbus as about
from drivers.scale.pace import DeadBand, Pace
from drivers.scale.stability import Constancy, Standstill
from protocols.masses import DECIMALS_MAX, Unit
from protocols.register_block import RegisterError
from protocols.register_values import Reading
from protocols.register_weights import Site, Weighing, needed, scale_names, weigh
from protocols.registers import Profile


class Adaptive(Strict):
    """Slower polling of an empty scale.

    Below `loaded_above_g`, known and stable for `idle_after_s`, it is asked every `idle_poll_ms`.
    """

    idle_poll_ms: int = Field(default=400, ge=20, le=10_000)
    loaded_above_g: int = Field(default=1_000, ge=1, le=1_000_000)
    idle_after_s: float = Field(default=5.0, ge=0, le=3600)


class ScaleModbusSettings(Strict):
    """Settings of `driver: scale.modbus`.

    `mass_unit` and `decimals` are needed when the map says `site`, and refused when it does not.
    `adaptive: null` polls an empty scale as fast as a loaded one.
    """

    link: Link
    unit: int = Field(default=1, ge=0, le=255)
    profile: str = Field(min_length=1, max_length=64, description="a register map of a scale")
    mass_unit: Unit | None = Field(default=None, description="as the display shows it")
    decimals: Annotated[int, Field(ge=0, le=DECIMALS_MAX)] | None = Field(
        default=None, description="digits behind the point on the display"
    )
    poll_ms: int = Field(default=100, ge=20, le=10_000, description="time between two weighings")
    timeout_ms: int = Field(default=300, ge=20, le=5_000, description="longest wait for an answer")
    adaptive: Adaptive | None = Adaptive()
    dead_band_g: int = Field(
        default=0, ge=0, le=10_000, description="smaller changes are told every 0.3 s only"
    )
    noise_g: int = Field(
        default=50,
        ge=1,
        le=100_000,
        description="a larger step between two stable samples is a move",
    )
    capacity_g: int | None = Field(
        default=None, ge=1, description="a gross weight beyond it, either way, is unknown"
    )

    @model_validator(mode="after")
    def _fits(self) -> "ScaleModbusSettings":
        if gap := unit_gap(self.link, self.unit):
            raise ValueError(gap)
        if self.adaptive is not None and self.adaptive.idle_poll_ms < self.poll_ms:
            raise ValueError(f"idle_poll_ms is faster than poll_ms {self.poll_ms}")
        return self

    def site(self) -> Site:
        """What the site knows of its scale."""
        return Site(self.mass_unit, self.decimals)

    def pace(self) -> Pace:
        """How often to ask."""
        fast_s = self.poll_ms / 1000
        idle = self.adaptive
        if idle is None:
            return Pace(fast_s, fast_s, 1, 0)
        return Pace(fast_s, idle.idle_poll_ms / 1000, idle.loaded_above_g, idle.idle_after_s)


class ModbusScale:
    """One configured scale."""

    def __init__(self, name: str, settings: ScaleModbusSettings, profile: Profile) -> None:
        self.name = name
        self._settings = settings
        self._profile = profile
        self.polled = Polled(
            settings.link,
            settings.unit,
            profile,
            needed(profile),
            timeout_ms=settings.timeout_ms,
        )
        self._site = settings.site()

    async def run(self, context: Context) -> None:
        """Weigh again and again until the link fails or the scale is lost; raises DriverError."""
        async with Wire.join(self._settings.link) as wire:
            await wire.admitted(self._settings.unit)
            poll_s = self._settings.poll_ms / 1000
            await self.polled.watch(wire, context, poll_s, _Watch(self, context).take)

    @property
    def settings(self) -> ScaleModbusSettings:
        """As configured."""
        return self._settings

    def weighing(self, reading: Reading) -> Weighing:
        """The weighing in a reading."""
        return weigh(self._profile, reading, self._site)

    def gross_shown(self, reading: Reading) -> str:
        """Register and raw value of the gross weight, and of what scales it and calls it stable."""
        profile = self._profile
        assert profile.scale is not None, profile.id
        names = (profile.scale.gross, profile.scale.stable, *scale_names(profile))
        points = dict.fromkeys(profile.owner(name).name for name in names)
        return ", ".join(reading.shown(name) for name in points)


class _Watch:
    """One run over one open wire: what was seen so far, and what of it is believed."""

    def __init__(self, scale: ModbusScale, context: Context) -> None:
        self._scale = scale
        self._context = context
        self._up = False
        self._pace = scale.settings.pace()
        self._band = DeadBand(scale.settings.dead_band_g)
        self._constancy = Constancy()
        self._standstill = Standstill(scale.settings.noise_g)

    def take(self, answers: list[bytes]) -> float:
        """Tell one weighing; returns in how many seconds the next one is due."""
        sample = self._sample(answers)
        if not self._up:
            self._up = True
            self._context.up(self._scale.polled.text)
        if self._band.worth(sample):
            self._context.emit(sample)
        return self._pace.after(sample)

    def _sample(self, answers: list[bytes]) -> WeightSample:
        at_ns = self._context.monotonic_ns()
        try:
            reading = self._scale.polled.reading(answers)
        except RegisterError as exc:
            return self._unknown(at_ns, str(exc))
        found = self._scale.weighing(reading)
        why = found.why or self._doubt(found, reading, at_ns)
        if why or found.gross_g is None:
            return self._unknown(at_ns, why)
        return WeightSample(
            self._scale.name, at_ns, gross_g=found.gross_g, net_g=found.net_g, stable=found.stable
        )

    def _doubt(self, found: Weighing, reading: Reading, at_ns: int) -> str:
        """What makes a weight that was read not to be believed, with its registers."""
        assert found.gross_g is not None, found
        assert found.scaling is not None, found
        capacity_g = self._scale.settings.capacity_g
        doubts = [
            self._constancy.doubt(found.scaling.told),
            self._standstill.doubt(found.gross_g, at_ns, stable=found.stable),
        ]
        if capacity_g is not None and abs(found.gross_g) > capacity_g:
            doubts.append(f"{found.gross_g} g is beyond capacity_g {capacity_g}")
        told = "; ".join(doubt for doubt in doubts if doubt)
        return f"{told}: {self._scale.gross_shown(reading)}" if told else ""

    def _unknown(self, at_ns: int, why: str) -> WeightSample:
        name = self._scale.name
        return WeightSample(name, at_ns, None, None, stable=False, why=f"{name}: {why}")


def _make(name: str, settings: ScaleModbusSettings, profiles: Mapping[str, Any]) -> Driver:
    assert not _objections(settings, profiles), settings
    return ModbusScale(name, settings, profiles[settings.profile])


def _objections(settings: ScaleModbusSettings, profiles: Mapping[str, Any]) -> tuple[str, ...]:
    return objections(settings, profiles[settings.profile], "scale", needed)


DRIVER = DriverType(
    name="scale.modbus",
    settings=ScaleModbusSettings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary=about.SUMMARY,
    capabilities=frozenset({"scale"}),
    shares_wire=True,
    wire_protocol="modbus",
    objections=_objections,
    summary_zh=about.SUMMARY_ZH,
    models=about.MODELS,
    caveats=about.CAVEATS,
    example=about.EXAMPLE,
    tcp_ports=(502,),
    lively_s=LIVELY_S,
)

"""Mass flow meters on Modbus RTU or TCP: a register map with a meter section becomes totals in grams.

Nothing is ever written. The wire, its turns and its rules are those of plc.modbus, so that a meter
shares a bus with anything. A total that is not known is told as unknown, never as zero; what a
total that went back or jumped means is for whoever compares it.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from drivers.contract import Context, Driver, DriverType, Strict
from drivers.links import Link
from drivers.liveness import LIVELY_S
from drivers.meter import about
from drivers.meter.meter_troubles import total_backwards, total_unknown
from drivers.plc.polled import Polled, objections
from drivers.plc.serial_fit import unit_gap
from drivers.plc.wire import Wire
from drivers.readings import MeterSample
from drivers.scale.stability import Constancy
from protocols.masses import DECIMALS_MAX, Unit
from protocols.register_block import RegisterError
from protocols.register_totals import needed, total
from protocols.register_values import Reading
from protocols.register_weights import Site
from protocols.registers import Profile

JITTER_G = 20
"""A total that trembles by so much, beyond its own step, did not go back."""


class MeterModbusSettings(Strict):
    """Settings of `driver: meter.modbus`.

    `mass_unit` and `decimals` are needed when the map says `site`, and refused when it does not.
    """

    link: Link
    unit: int = Field(default=1, ge=0, le=255)
    profile: str = Field(min_length=1, max_length=64, description="a register map of a meter")
    mass_unit: Unit | None = Field(default=None, description="as the totaliser is set to count")
    decimals: Annotated[int, Field(ge=0, le=DECIMALS_MAX)] | None = Field(
        default=None, description="digits behind the point of an integer totaliser"
    )
    poll_ms: int = Field(default=1_000, ge=20, le=5_000, description="time between two readings")
    timeout_ms: int = Field(default=500, ge=20, le=5_000, description="longest wait for an answer")

    @model_validator(mode="after")
    def _on_its_line(self) -> "MeterModbusSettings":
        if gap := unit_gap(self.link, self.unit):
            raise ValueError(gap)
        return self

    def site(self) -> Site:
        """What the site knows of its meter."""
        return Site(self.mass_unit, self.decimals)


class ModbusMeter:
    """One configured meter."""

    def __init__(self, name: str, settings: MeterModbusSettings, profile: Profile) -> None:
        self.name = name
        self._settings = settings
        self._profile = profile
        self._polled = Polled(
            settings.link,
            settings.unit,
            profile,
            needed(profile),
            timeout_ms=settings.timeout_ms,
        )

    async def run(self, context: Context) -> None:
        """Read again and again until the link fails or the meter is lost; raises DriverError."""
        async with Wire.join(self._settings.link) as wire:
            await wire.admitted(self._settings.unit)
            poll_s, up = self._settings.poll_ms / 1000, False
            judge = _Judge(self.name, self._profile, self._settings.site())

            def take(answers: list[bytes]) -> float:
                nonlocal up
                sample = judge.sample(self._polled, answers, context)
                if not up:
                    up = True
                    context.up(f"{self._polled.text}; {_counts(sample)}")
                context.emit(sample)
                return poll_s

            await self._polled.watch(wire, context, poll_s, take)


def _counts(sample: MeterSample) -> str:
    """How finely it counts, which a float tells only by what stands in it."""
    if sample.total_g is None:
        return f"total unknown: {sample.why}"
    wraps = "" if sample.wraps_g is None else f", from 0 again at {sample.wraps_g} g"
    return f"total {sample.total_g} g in steps of {sample.step_g} g{wraps}"


class _Judge:
    """What was told over one open wire, and what of it is believed."""

    def __init__(self, name: str, profile: Profile, site: Site) -> None:
        self._name = name
        self._profile = profile
        self._site = site
        self._constancy = Constancy()
        self._last_g: int | None = None

    def sample(self, polled: Polled, answers: list[bytes], context: Context) -> MeterSample:
        """One reading; whatever is wrong with it is told to a person, too."""
        at_ns = context.monotonic_ns()
        try:
            reading = polled.reading(answers)
        except RegisterError as exc:
            return self._unknown(at_ns, str(exc), context)
        found = total(self._profile, reading, self._site)
        why = found.why
        if found.scaling is not None:
            changed = self._constancy.doubt(found.scaling.told)
            why = changed and f"{changed}: {self._shown(reading)}"
        if why or found.total_g is None:
            return self._unknown(at_ns, why, context)
        sample = MeterSample(self._name, at_ns, found.total_g, found.step_g, found.wraps_g)
        self._follow(sample, reading, context)
        return sample

    def _follow(self, sample: MeterSample, reading: Reading, context: Context) -> None:
        """Say at once what only the end of a shift would: the total went back."""
        last_g, self._last_g = self._last_g, sample.total_g
        assert sample.total_g is not None, sample
        if last_g is None or last_g - sample.total_g <= JITTER_G + sample.step_g:
            return
        if sample.wraps_g is None or last_g - sample.total_g <= sample.wraps_g // 2:
            shown = self._shown(reading)
            context.trouble(total_backwards(self._name, last_g, sample.total_g, shown))

    def _shown(self, reading: Reading) -> str:
        """Register and raw value of the total."""
        assert self._profile.meter is not None, self._profile.id
        return reading.shown(self._profile.meter.total)

    def _unknown(self, at_ns: int, why: str, context: Context) -> MeterSample:
        why = f"{self._name}: {why}"
        context.trouble(total_unknown(why))
        return MeterSample(self._name, at_ns, None, why=why)


def _make(name: str, settings: MeterModbusSettings, profiles: Mapping[str, Any]) -> Driver:
    assert not _objections(settings, profiles), settings
    return ModbusMeter(name, settings, profiles[settings.profile])


def _objections(settings: MeterModbusSettings, profiles: Mapping[str, Any]) -> tuple[str, ...]:
    return objections(settings, profiles[settings.profile], "meter", needed)


DRIVER = DriverType(
    name="meter.modbus",
    settings=MeterModbusSettings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary=about.SUMMARY,
    capabilities=frozenset({"meter"}),
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

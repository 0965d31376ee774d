"""A mass flow meter: gas goes through it, its electronics count, its registers tell what was counted.

It answers real Modbus, as its register map says. What it has counted is kept in grams, apart from what
a coarse float, an integer of whole kilograms or a wrap lets it show.
"""

from gatewayd.sim.map_device import MapDevice
from gatewayd.sim.map_health import well
from protocols.masses import GRAMS, total_pattern
from protocols.register_block import Point
from protocols.register_totals import is_float, needed, total, wraps_g
from protocols.register_values import read, words_of
from protocols.register_weights import Scaling, Site, scaling_of
from protocols.registers import Profile

OVERFLOWS_AT = 10_000_000
"""Units of the first totaliser, after which the second takes them (Promass: seven digits)."""


class SimMeter:
    """One meter of a map with a meter section, well and at `total_g`."""

    def __init__(self, profile: Profile, total_g: int = 0, site: Site | None = None) -> None:
        assert profile.meter is not None, profile.id
        self.device: MapDevice
        self.device, given = well(profile)
        self.site = given if site is None else site
        self._profile = profile
        self._meter = profile.meter
        self._counted_g = total_g
        self._show()

    def flow(self, grams: int) -> None:
        """Gas goes through, and is counted."""
        self.set(self._counted_g + grams)

    def set(self, total_g: int) -> None:
        """Somebody resets or sets the totaliser, or it counts what never flowed."""
        self._counted_g = total_g
        self._show()

    def show(self, mass_g: int) -> int | None:
        """Set the totaliser; returns what of it the registers say."""
        self.set(mass_g)
        return self.shown_g

    @property
    def point(self) -> Point:
        """The point of the total."""
        return self._profile.points[self._meter.total]

    @property
    def shown_g(self) -> int | None:
        """What its registers say, in grams, after the steps and wraps of its numbers."""
        spans = self._profile.plan(needed(self._profile))
        answers = [self.device.answer(span.request().pdu)[2:] for span in spans]
        return total(self._profile, read(spans, answers), self.site).total_g

    @property
    def scaling(self) -> Scaling:
        """How its numbers are scaled."""
        spans = self._profile.plan(needed(self._profile))
        answers = [self.device.answer(span.request().pdu)[2:] for span in spans]
        return scaling_of(self._profile, read(spans, answers), self.site)

    def _show(self) -> None:
        scaling, parts = self.scaling, {self._meter.total: self._counted_g}
        wraps = wraps_g(self._profile, scaling)
        if wraps is not None:
            parts[self._meter.total] %= wraps
        if self._meter.overflow is not None:
            span_g = round(OVERFLOWS_AT * GRAMS[scaling.unit])
            whole, rest_g = divmod(self._counted_g, span_g)
            parts = {self._meter.total: rest_g, self._meter.overflow: whole * span_g}
        for name, grams in parts.items():
            point = self._profile.points[name]
            self.device.put(point, words_of(point, _raw(point, grams, scaling)))


def _raw(point: Point, grams: int, scaling: Scaling) -> int:
    """The number in the registers; what is less than a step is not counted yet."""
    if is_float(point):
        return total_pattern(grams, 16 * point.size, scaling.unit)
    return int(grams * 10**scaling.decimals // GRAMS[scaling.unit])

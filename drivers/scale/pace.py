"""How often a scale is asked and how much of it is told: fast while it is loaded, slow when idle."""

from dataclasses import dataclass

from drivers.readings import WeightSample

SECOND_NS = 1_000_000_000
REPEAT_S = 0.3
"""A weight within the dead-band is told again after this long, so that it stays fresh."""


@dataclass(slots=True)
class Pace:
    """When to ask next. Idle is a known, steady weight below `loaded_above_g` for `idle_after_s`."""

    fast_s: float
    idle_s: float
    loaded_above_g: int
    idle_after_s: float
    _busy_ns: int | None = None

    def after(self, sample: WeightSample) -> float:
        """How long to wait after this sample; an unknown or moving weight is never idle."""
        light = sample.gross_g is not None and abs(sample.gross_g) < self.loaded_above_g
        if not (light and sample.stable):
            self._busy_ns = sample.at_ns
            return self.fast_s
        if self._busy_ns is None:
            self._busy_ns = sample.at_ns
        idle = sample.at_ns - self._busy_ns >= self.idle_after_s * SECOND_NS
        return self.idle_s if idle else self.fast_s


@dataclass(slots=True)
class DeadBand:
    """Which samples say something new: another state, a change beyond the band, or long silence."""

    band_g: int
    _told: WeightSample | None = None

    def worth(self, sample: WeightSample) -> bool:
        """Whether to tell this sample; it is then what later ones are compared with."""
        told = self._told
        if told is not None and not self._differs(told, sample):
            return False
        self._told = sample
        return True

    def _differs(self, told: WeightSample, sample: WeightSample) -> bool:
        if self.band_g == 0 or sample.at_ns - told.at_ns >= REPEAT_S * SECOND_NS:
            return True
        if (told.stable, told.why) != (sample.stable, sample.why):
            return True
        return any(
            (one is None) != (other is None)
            or (one is not None and other is not None and abs(one - other) > self.band_g)
            for one, other in ((told.gross_g, sample.gross_g), (told.net_g, sample.net_g))
        )

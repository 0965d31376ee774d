"""Which weights of a rig are worth a message: a dead-band, so that a trembling scale costs little. Pure."""

from drivers.contract import GateSample
from gatewayd.clock import SECOND

TELL_AGAIN_NS = SECOND
"""A change within the band is told after this long all the same, so that nothing drifts away."""


class WeightBand:
    """Compares each weight with the one told last. `band_g` 0 tells every change."""

    def __init__(self, band_g: int) -> None:
        self._band_g = band_g
        self._told: GateSample | None = None

    def worth(self, sample: GateSample) -> bool:
        """Whether to tell this one; later ones are compared with it then."""
        told = self._told
        if told is not None and self._near(told, sample):
            return False
        self._told = sample
        return True

    def _near(self, told: GateSample, sample: GateSample) -> bool:
        if told.stable != sample.stable:
            return False
        change_g = max(abs(told.gross_g - sample.gross_g), abs(told.net_g - sample.net_g))
        if change_g > self._band_g:
            return False
        return change_g == 0 or sample.at_ns - told.at_ns < TELL_AGAIN_NS

"""Gas that no totaliser counts: a cylinder that grows heavier by itself while no permit lets gas flow.

A PLC without a meter counts by its scale, and only while it fills. What a valve lets through that
does not close tight is then seen by the weight alone: a slope as steep as gas, as a gate of several
devices counts it. A scale that drifts as fast looks the same, and is no better news.
"""

from drivers.contract import GateSample
from gatewayd.rigs.ending import AGREE_G
from gatewayd.rigs.soft_total import Creep

LEAK_G_MIN = 100
"""So much is told, at once; less than a hand on the cylinder does."""
LEAK_AGAIN_G = 1_000
"""Told again whenever it has become so much more, and when it has ended."""


class Leak:
    """Follows what stands at one gate. `told_g`: grams that leaked into it, as far as is to be told."""

    def __init__(self) -> None:
        self.told_g = 0
        self._creep = Creep()
        self._risen_g = 0
        self._total_g: int | None = None

    def feed(self, sample: GateSample) -> None:
        """Take one sample; nobody else may count what rises: no fill, and no totaliser that moves."""
        before_g, self._total_g = self._total_g, sample.total_g
        counted = sample.permit_echo or sample.filling or sample.valve_open
        if counted or not sample.cylinder_on or sample.total_g != before_g:
            self._creep.forget()
            self.told_g = self._risen_g = 0
            return
        self._risen_g += self._creep.feed(
            sample.at_ns, sample.gross_g, stable=sample.stable, valve_open=False
        )
        more_g = self._risen_g - self.told_g
        if self._risen_g < LEAK_G_MIN:
            return
        again_g = AGREE_G if sample.stable else LEAK_AGAIN_G
        if not self.told_g or more_g > again_g:
            self.told_g = self._risen_g

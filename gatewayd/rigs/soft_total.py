"""The totaliser of a gate without one of its own: every gram that the scale saw arrive.

While a fill of ours runs that is its net weight. Without one it is a weight that keeps rising at
the pace of gas: a gun that is hung on, a hand or a second cylinder are steps, gas is a slope. A
slope of less than SLICE_G_MIN a slice is not told from a scale that drifts.
"""

from gatewayd.clock import MS
from gatewayd.rigs.soft_fill import Fill
from gatewayd.rigs.soft_model import Memory, Valve

SLICE_MS = 500
SLICE_G_MIN = 10
SLICE_G_MAX = 500
"""What gas adds to a weight in one slice: 20 to 1000 g/s."""
CREEP_MS = 2_000
"""A slope that lasts this long is gas; what it rose since the weight last stood still counts."""


class Creep:
    """Follows the weight of one standing cylinder while no permit of ours lets gas flow."""

    def __init__(self) -> None:
        self._rest_g: int | None = None
        self._counted_g = 0
        self._slice_ns = 0
        self._slice_g = 0
        self._slope_ms = 0

    def forget(self) -> None:
        """Nobody stands there, or gas flows that is counted elsewhere."""
        self._rest_g = None
        self._slope_ms = self._counted_g = 0

    def feed(self, at_ns: int, gross_g: int, *, stable: bool, valve_open: bool) -> int:
        """Grams to add to the totaliser; with an open valve every gram more is gas."""
        if self._rest_g is None:
            if stable or valve_open:
                self._rest(at_ns, gross_g)
            return 0
        self._slope(at_ns, gross_g)
        flowing = valve_open or self._slope_ms >= CREEP_MS
        if not flowing and not self._counted_g:
            more_g = 0
        else:
            more_g = max(0, gross_g - self._rest_g - self._counted_g)
            self._counted_g += more_g
        if stable and not valve_open and not self._slope_ms:
            self._rest(at_ns, gross_g)
        return more_g

    def _rest(self, at_ns: int, gross_g: int) -> None:
        """The weight stands still here; what came before is settled."""
        if self._rest_g is None:
            self._slice_ns, self._slice_g = at_ns, gross_g
        self._rest_g, self._counted_g = gross_g, 0

    def _slope(self, at_ns: int, gross_g: int) -> None:
        passed_ms = (at_ns - self._slice_ns) // MS
        if passed_ms < SLICE_MS:
            return
        rise_g = (gross_g - self._slice_g) * SLICE_MS // passed_ms
        seen = passed_ms <= CREEP_MS  # Two weights with nothing between them are no slope.
        gas = seen and SLICE_G_MIN <= rise_g <= SLICE_G_MAX
        self._slope_ms = self._slope_ms + passed_ms if gas else 0
        self._slice_ns, self._slice_g = at_ns, gross_g


class Totaliser:
    """Grams that ever flowed, never less. The device's own count takes its place where it has one."""

    def __init__(self, memory: Memory) -> None:
        self.total_g = memory.total_g
        self.gross_g = memory.gross_g
        self._resume_g = memory.gross_g if memory.flowing else None
        self._creep = Creep()

    def resume(self, gross_g: int, *, standing: bool, most_g: int) -> None:
        """At the first stable weight: what the scale shows more than when this process died.

        It flowed while nobody looked; more than `most_g` is another cylinder.
        """
        before_g, self._resume_g = self._resume_g, None
        if before_g is None or not standing:
            return
        if 0 < gross_g - before_g <= most_g:
            self.total_g += gross_g - before_g

    def count(
        self,
        at_ns: int,
        gross_g: int,
        valve: Valve,
        fill: Fill | None,
        *,
        stable: bool,
        standing: bool,
    ) -> None:
        """Take one known weight; `fill` is the one that runs or settles."""
        self.gross_g = gross_g
        if valve.total_g is not None:
            self.total_g = valve.total_g
        elif fill is not None:
            self._creep.forget()
            self.total_g += fill.more_g() if fill.begun else 0
        elif not standing:
            self._creep.forget()
        else:
            self.total_g += self._creep.feed(
                at_ns, gross_g, stable=stable, valve_open=valve.shows_open
            )

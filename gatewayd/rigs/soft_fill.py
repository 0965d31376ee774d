"""One opening of the valve under a permit: told, confirmed, flowing, closed, settled."""

from drivers.contract import EndReason
from gatewayd.clock import MS, SECOND
from gatewayd.rigs.soft_model import (
    FLOW_G_MIN,
    LEFT_BELOW_G,
    NO_FLOW_G,
    OPEN_WITHIN_MS,
    SETTLE_MS,
    UNSEEN_G_MAX,
    SoftSettings,
    Valve,
)

NOTHING = (EndReason.NONE, "")
"""Nothing speaks against an open valve."""


class Fill:
    """Masses in grams. `begun`: gas flows, so that the permit's number is used up by a fill.

    With a start button that is when it was pressed; with `start: permit` when the net weight, or
    the device that doses, says so.
    """

    def __init__(self, permit_no: int, tare_g: int, now_ns: int, *, begun: bool) -> None:
        self.permit_no = permit_no
        self.tare_g = tare_g
        self.net_g = 0
        self.begun = begun
        self._confirmed = False
        self._highest_g = self._risen_g = self._counted_g = 0
        self._told_ns = self._begun_ns = self._risen_ns = now_ns
        self._closed_ns: int | None = None
        self._following = True

    @property
    def closing(self) -> bool:
        """Whether the valve was told to close; it settles from then on."""
        return self._closed_ns is not None

    @property
    def running(self) -> bool:
        """Whether gas flows as this permit lets it."""
        return self.begun and self._confirmed and not self.closing

    @property
    def waiting(self) -> bool:
        """Open for a person who has yet to let gas flow."""
        return not self.begun and not self.closing

    def follow(self, gross_g: int, valve: Valve, now_ns: int, *, doses: bool) -> None:
        """Take the weight of an open valve; note that it opened, and that gas flows.

        What rises by more than gas can between two fresh weights is another cylinder.
        """
        self._confirmed = self._confirmed or (valve.running and valve.at_ns > self._told_ns)
        if gross_g - self.tare_g > self._highest_g + UNSEEN_G_MAX:
            self._following = False
            return
        self._weigh(gross_g)
        if self.net_g >= self._risen_g + NO_FLOW_G:
            self._risen_g, self._risen_ns = self.net_g, now_ns
        flows = valve.running if doses else self.net_g >= FLOW_G_MIN
        if self._confirmed and flows and not self.begun:
            self.begun = True
            self._begun_ns = self._risen_ns = now_ns

    def objection(
        self, valve: Valve, target_g: int, settings: SoftSettings, now_ns: int
    ) -> tuple[EndReason, str]:
        """What speaks against the valve staying open, and in words; NOTHING = it may."""
        if not self._following:
            return EndReason.CYLINDER_LEFT, f"more than {UNSEEN_G_MAX} g at once"
        if self.net_g < self._highest_g - LEFT_BELOW_G:
            return EndReason.CYLINDER_LEFT, f"net {self.net_g} g after {self._highest_g} g"
        if not self._confirmed:
            late = now_ns - self._told_ns > OPEN_WITHIN_MS * MS
            return (EndReason.LEASE_LOST, f"{valve.device}: does not open") if late else NOTHING
        if not valve.running:
            return _fell(valve, doses=settings.doses)
        if self.begun and now_ns - self._begun_ns > settings.fill_s_max * SECOND:
            return EndReason.TIMEOUT, f"open for {settings.fill_s_max} s"
        if self.begun and now_ns - self._risen_ns > settings.no_flow_s * SECOND:
            return EndReason.TIMEOUT, f"no rise for {settings.no_flow_s} s"
        if self.net_g >= settings.stop_at_g(target_g):
            return EndReason.TARGET, f"net {self.net_g} g"
        return NOTHING

    def close(self, now_ns: int) -> None:
        """The valve is told to close; gas in flight still arrives."""
        assert not self.closing, self.permit_no
        self._closed_ns = now_ns

    def settle(
        self, gross_g: int | None, *, stable: bool, settings: SoftSettings, now_ns: int
    ) -> bool:
        """Follow the weight until it stands still; whether it does. `gross_g` None = unknown.

        A weight that is back after it was unknown counts while it can be the same cylinder's.
        """
        assert self._closed_ns is not None, self.permit_no
        if gross_g is None:
            return False
        net_g = gross_g - self.tare_g
        here = self._highest_g - LEFT_BELOW_G <= net_g <= self._highest_g + settings.unseen_g_max
        self._following = self._following and here and gross_g >= settings.cylinder_on_g
        if self._following:
            self._weigh(gross_g)
            self.begun = self.begun or self.net_g >= FLOW_G_MIN
        waited = now_ns - self._closed_ns >= SETTLE_MS * MS
        return waited and (stable or not self._following)

    def more_g(self) -> int:
        """Grams that arrived since this was asked last."""
        more_g = max(0, self.net_g - self._counted_g)
        self._counted_g += more_g
        return more_g

    def _weigh(self, gross_g: int) -> None:
        self.net_g = gross_g - self.tare_g
        self._highest_g = max(self._highest_g, self.net_g)


def _fell(valve: Valve, *, doses: bool) -> tuple[EndReason, str]:
    """The device closed and nobody here told it to: a filler at its target, or something is wrong."""
    if not doses:
        return EndReason.LEASE_LOST, f"{valve.device}: the output fell by itself"
    ended = EndReason.TARGET if valve.done else EndReason.OPERATOR_STOP
    return ended, f"{valve.device}: ended by itself"

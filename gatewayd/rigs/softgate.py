"""A gate made of devices that are none: what they say becomes what `reference-gate-v1` says.

Pure: samples, orders and the time go in; `wants_open` says what the valve's device is to be told,
`sample` what the rig sees. The logic is that of the PLC program (`sim/gate_plc.py`), with a lease
kept here. What is not known never becomes a number: then there is no sample, and nothing is open.
"""

from dataclasses import replace

from drivers.contract import EndReason, GateOrder, GateSample, WeightSample
from gatewayd.clock import MS
from gatewayd.rigs.soft_fill import NOTHING, Fill
from gatewayd.rigs.soft_model import (
    AIM_UNDER_G,
    UINT16,
    UINT32,
    Memory,
    SoftSettings,
    Valve,
    no_weight,
    swapped,
)
from gatewayd.rigs.soft_total import Totaliser


class SoftGate:
    """One rig's gate. Feed it, `look`, and `wants_open`, `sample` and `why` it closed last hold."""

    def __init__(self, settings: SoftSettings, memory: Memory) -> None:
        self.settings = settings
        self.why = ""
        self._weight: WeightSample | None = None
        self._valve: Valve | None = None
        self._metered = False
        self._pressed = False
        self._held: GateOrder | None = None
        self._renewed_ns = 0
        self._spent_no = 0
        self._fill: Fill | None = None
        self._tare_g = self._net_g = self._last_net_g = self._last_no = self._permitted_g = 0
        self._reason = self._ended = EndReason.NONE
        self._fills = memory.fills
        self._totaliser = Totaliser(memory)
        self._beats = 0

    # --- what the devices say ---

    def weigh(self, sample: WeightSample) -> None:
        """One weighing, known or not; one older than the last says nothing any more."""
        if self._weight is not None and sample.at_ns < self._weight.at_ns:
            return
        self._weight = sample
        self._beats += 1

    def hear(self, valve: Valve) -> None:
        """One reading back, not older than the last; a start button counts when it rises."""
        before = self._valve
        if before is not None and valve.at_ns < before.at_ns:
            return
        self._valve = valve
        if valve.start and before is not None and before.start is False:
            self._pressed = True
        self._metered = self._metered or valve.total_g is not None
        self._beats += 1

    def lose_scale(self) -> None:
        """The scale is gone: its last word proves nothing."""
        self._weight = None

    def lose_valve(self) -> None:
        """The module or filler is gone."""
        self._valve = None
        self._pressed = False

    # --- what the rig asks for ---

    def order(self, order: GateOrder, now_ns: int) -> str:
        """Hold this permit; returns why not, empty when it is in force."""
        self.look(now_ns)
        if self._held is not None:
            self._close(self._held, EndReason.PERMIT_WITHDRAWN, "another permit", now_ns)
        if self._fill is not None:
            return "the fill before it has not settled"
        if order.permit_no in (self._spent_no, self._last_no):
            return f"permit {order.permit_no} is over"
        self._held, self._renewed_ns = order, now_ns
        self._permitted_g = self._weighed_g(now_ns) or 0
        self._net_g, self._reason, self._ended = 0, EndReason.NONE, EndReason.NONE
        self.look(now_ns)
        return "" if self.holding else self.why

    def renew(self, now_ns: int) -> bool:
        """Move the lease; False when no permit is in force any more."""
        self.look(now_ns)
        if self._held is None:
            return False
        self._renewed_ns = now_ns
        return True

    def lock(self, now_ns: int) -> None:
        """Nothing is permitted from here on."""
        if self._held is not None:
            self._close(self._held, EndReason.PERMIT_WITHDRAWN, "told to lock", now_ns)

    def failed(self, why: str, now_ns: int) -> None:
        """The device did not do as told: whatever permit there is, it is over."""
        if self._held is not None:
            self._close(self._held, EndReason.LEASE_LOST, why, now_ns)

    @property
    def holding(self) -> bool:
        """Whether a permit is in force."""
        return self._held is not None

    @property
    def wants_open(self) -> GateOrder | None:
        """The order under which the device is to hold the valve open; None = closed.

        A device that doses by itself is given what we aim at, so that its end is not our limit.
        """
        if self._fill is None or self._held is None:
            return None
        if not self.settings.doses:
            return self._held
        aim_g = self._held.target_g - AIM_UNDER_G - self.settings.preact_g
        return replace(self._held, target_g=max(1, aim_g))

    @property
    def memory(self) -> Memory:
        """What to keep; `flowing` from before the valve is told to open until it has settled."""
        return Memory(
            total_g=self._totaliser.total_g & UINT32,
            fills=self._fills & UINT16,
            gross_g=self._totaliser.gross_g,
            flowing=self._fill is not None,
        )

    # --- one look ---

    def look(self, now_ns: int) -> None:
        """Everything that follows from what is known at this moment; repeat it as time passes."""
        asked, self._pressed = self._pressed or self.settings.start == "permit", False
        gross_g = self._weighed_g(now_ns)
        if gross_g is not None and self._stable:
            self._totaliser.resume(
                gross_g,
                standing=gross_g >= self.settings.cylinder_on_g,
                most_g=self.settings.unseen_g_max,
            )
        held = self._held
        if held is not None:
            reason, why = self._objection(held, gross_g, now_ns)
            if reason is not EndReason.NONE:
                self._close(held, reason, why, now_ns)
            elif asked and self._fill is None and self._stable:
                self._open(held, gross_g, now_ns)
        self._settle(gross_g, now_ns)
        self._count(gross_g)

    def _weighed_g(self, now_ns: int) -> int | None:
        """The gross weight where it is known and fresh."""
        weight = self._weight
        if weight is None or now_ns - weight.at_ns > self.settings.fresh_ms * MS:
            return None
        return weight.gross_g

    def _heard(self, now_ns: int) -> Valve | None:
        """What holds the valve, where its last word is fresh and whole."""
        valve = self._valve
        if valve is None or now_ns - valve.at_ns > self.settings.fresh_ms * MS:
            return None
        return None if self._metered and valve.total_g is None else valve

    @property
    def _stable(self) -> bool:
        return self._weight is not None and self._weight.stable

    def _objection(
        self, order: GateOrder, gross_g: int | None, now_ns: int
    ) -> tuple[EndReason, str]:
        """Everything that speaks against this permit, in the order of the PLC program."""
        valve, settings = self._heard(now_ns), self.settings
        if gross_g is None:
            return EndReason.SCALE_FAULT, no_weight(self._weight, settings.fresh_ms)
        if valve is None:
            return EndReason.LEASE_LOST, f"{settings.device}: no reading back"
        if valve.e_stop:
            return EndReason.E_STOP, f"{valve.device}: e-stop"
        if valve.alarm:
            return EndReason.SCALE_FAULT, f"{valve.device}: {valve.alarm}"
        if gross_g < settings.cylinder_on_g:
            return EndReason.CYLINDER_LEFT, f"{gross_g} g on the scale"
        if not (valve.guarded or settings.accepted):
            return EndReason.LEASE_LOST, f"{valve.device}: its watchdog is not proven"
        if now_ns - self._renewed_ns > order.lease_ms * MS:
            return EndReason.LEASE_LOST, f"lease not renewed for {order.lease_ms} ms"
        if gross_g >= order.limit_gross_g:
            return EndReason.OVER_LIMIT, f"{gross_g} g of {order.limit_gross_g} g"
        if self._fill is not None:
            self._follow(self._fill, gross_g, valve, now_ns)
            return self._fill.objection(valve, order.target_g, settings, now_ns)
        if valve.shows_open:
            return EndReason.LEASE_LOST, f"{valve.device}: open although nobody opened it"
        return NOTHING

    # --- a fill ---

    def _open(self, order: GateOrder, gross_g: int | None, now_ns: int) -> None:
        """Latch the tare and have the device told to open, for the cylinder of this permit only."""
        assert gross_g is not None, order
        if why := swapped(self._permitted_g, gross_g):
            self._close(order, EndReason.CYLINDER_LEFT, why, now_ns)
            return
        begun = self.settings.start == "input"
        self._fill = Fill(order.permit_no, gross_g, now_ns, begun=begun)
        self._fills += begun
        self._tare_g, self._net_g = gross_g, 0

    def _follow(self, fill: Fill, gross_g: int, valve: Valve, now_ns: int) -> None:
        begun = fill.begun
        fill.follow(gross_g, valve, now_ns, doses=self.settings.doses)
        self._fills += fill.begun and not begun
        self._net_g = fill.net_g

    def _close(self, order: GateOrder, reason: EndReason, why: str, now_ns: int) -> None:
        """Nothing holds the valve open any more, and this number never will again."""
        self.why, self._ended = why, reason
        self._spent_no, self._held = order.permit_no, None
        if self._fill is not None:
            self._fill.close(now_ns)
            self._name(self._fill)

    def _settle(self, gross_g: int | None, now_ns: int) -> None:
        fill = self._fill
        if fill is None or not fill.closing:
            return
        begun = fill.begun
        settled = fill.settle(gross_g, stable=self._stable, settings=self.settings, now_ns=now_ns)
        self._fills += fill.begun and not begun
        self._net_g = fill.net_g
        self._name(fill)
        self._count(gross_g)
        if settled:
            self._fill = None

    def _name(self, fill: Fill) -> None:
        """A fill in which gas flowed has a number and a mass; final when the weight is stable."""
        if fill.begun:
            self._last_no, self._last_net_g = fill.permit_no, fill.net_g
            self._reason = self._ended

    def _count(self, gross_g: int | None) -> None:
        if gross_g is None or self._weight is None or self._valve is None:
            return
        self._totaliser.count(
            self._weight.at_ns,
            gross_g,
            self._valve,
            self._fill,
            stable=self._stable,
            standing=gross_g >= self.settings.cylinder_on_g,
        )

    # --- what the rig sees ---

    def sample(self, now_ns: int) -> GateSample | None:
        """The gate as it is; None while weight or reading back is unknown or old."""
        valve, weight, gross_g = self._heard(now_ns), self._weight, self._weighed_g(now_ns)
        if valve is None or weight is None or gross_g is None:
            return None
        fill, reason = self._fill, self._reason
        echo = 0 if self._held is None else self._held.permit_no
        return GateSample(
            device=self.settings.device,
            at_ns=min(weight.at_ns, valve.at_ns),
            ready=fill is None and not valve.e_stop and not valve.alarm,
            cylinder_on=gross_g >= self.settings.cylinder_on_g,
            permitted=echo != 0,
            filling=fill is not None and fill.running,
            fine_flow=False,
            stable=weight.stable and (fill is None or fill.waiting),
            done=reason is EndReason.TARGET,
            aborted=reason not in (EndReason.NONE, EndReason.TARGET),
            over_limit=reason is EndReason.OVER_LIMIT,
            e_stop=valve.e_stop,
            lease_lost=self._ended is EndReason.LEASE_LOST,
            scale_fault=False,
            # A valve behind which a person has yet to open the gun lets no gas flow.
            valve_open=valve.shows_open and not (fill is not None and fill.waiting),
            permit_echo=echo,
            gross_g=gross_g,
            net_g=self._net_g,
            tare_g=self._tare_g,
            total_g=self._totaliser.total_g & UINT32,
            fills=self._fills & UINT16,
            end_reason=int(reason),
            last_net_g=self._last_net_g,
            last_permit=self._last_no,
            heartbeat=self._beats & UINT16,
        )

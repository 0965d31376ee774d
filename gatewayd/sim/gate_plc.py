"""The PLC program of a filling gate (contract §4), as a scan cycle that touches nothing.

The same logic as `config/plc/fill_gate.st`, statement by statement; a test runs both side by side.
Inputs and the milliseconds since the last scan go in, registers and valve commands come out.
"""

from dataclasses import dataclass, field

from gatewayd.sim.gate_map import (
    COMMAND_REGISTERS,
    MASS_G_MAX,
    PREACT_G_MAX,
    REPORT_REGISTERS,
    UINT16,
    UINT32,
    End,
    GateSettings,
    Inputs,
    Outputs,
    Retained,
    State,
    Status,
)


class OnDelay:
    """The standard TON: true once its input has been true for `preset_ms`."""

    def __init__(self) -> None:
        self._elapsed_ms: float | None = None

    def scan(self, *, on: bool, preset_ms: int, dt_ms: float) -> bool:
        """Count while `on`; the scan in which it rises counts as 0."""
        if not on:
            self._elapsed_ms = None
            return False
        self._elapsed_ms = 0 if self._elapsed_ms is None else self._elapsed_ms + dt_ms
        return self._elapsed_ms >= preset_ms


@dataclass(slots=True)
class _Order:
    """What the command registers ask for in this scan."""

    permit_no: int = 0
    target_g: int = 0
    limit_gross_g: int = 0
    lease_alive: bool = False
    holds: bool = False


@dataclass(slots=True)
class _Timers:
    lease: OnDelay = field(default_factory=OnDelay)
    fill: OnDelay = field(default_factory=OnDelay)
    settle: OnDelay = field(default_factory=OnDelay)


class FillGate:
    """One rig's gate program. A new one with the old `retained` is a PLC after power loss."""

    def __init__(
        self, settings: GateSettings | None = None, retained: Retained | None = None
    ) -> None:
        self.settings = settings or GateSettings()
        self.retained = retained or Retained()
        self._running = False
        self._heartbeat = 0
        self._lease_last = 0
        self._lease_seen = False
        self._start_was = False
        self._following = False
        self._timers = _Timers()

    def scan(self, inputs: Inputs, dt_ms: float) -> Outputs:
        """One cycle of the program, `dt_ms` after the one before."""
        assert len(inputs.command) == COMMAND_REGISTERS, inputs
        self._heartbeat = (self._heartbeat + 1) & UINT16
        self._count_flow(inputs)
        cylinder_on = inputs.scale_ok and inputs.gross_g >= self.settings.cylinder_on_g
        order = self._order(inputs, dt_ms, cylinder_on=cylinder_on)
        pressed = inputs.start_button and not self._start_was
        self._start_was = inputs.start_button
        timed_out = self._timers.fill.scan(
            on=self.retained.state is State.FILLING,
            preset_ms=self.settings.fill_ms_max,
            dt_ms=dt_ms,
        )
        self._after_power_up()
        if self.retained.state is State.IDLE:
            self._idle(inputs, order, pressed=pressed, cylinder_on=cylinder_on)
        elif self.retained.state is State.FILLING:
            self._filling(inputs, order, cylinder_on=cylinder_on, timed_out=timed_out)
        self._tail(inputs, dt_ms, cylinder_on=cylinder_on)
        self._count_by_scale(inputs)
        self._running = True
        return self._outputs(inputs, cylinder_on=cylinder_on)

    def _count_flow(self, inputs: Inputs) -> None:
        kept = self.retained
        if kept.meter_last_g is None:
            kept.meter_last_g = inputs.meter_g
        passed_g = (inputs.meter_g - kept.meter_last_g) & UINT32
        kept.meter_last_g = inputs.meter_g
        if inputs.meter_fitted:
            kept.total_g = (kept.total_g + passed_g) & UINT32
            if kept.state is not State.IDLE:
                kept.flowed_g += passed_g
        if kept.preact_g is None:
            kept.preact_g = self.settings.preact_first_g

    def _order(self, inputs: Inputs, dt_ms: float, *, cylinder_on: bool) -> _Order:
        permit_no, lease, *rest = inputs.command
        order = _Order(permit_no, rest[0] << 16 | rest[1], rest[2] << 16 | rest[3])
        moved = self._running and lease != self._lease_last
        self._lease_last = lease
        self._lease_seen = self._lease_seen or moved
        wait_ms = max(0, rest[4] - self.settings.lease_margin_ms)
        silent = self._timers.lease.scan(on=not moved, preset_ms=wait_ms, dt_ms=dt_ms)
        order.lease_alive = self._lease_seen and wait_ms > 0 and not silent
        order.holds = (
            permit_no not in (0, self.retained.spent_permit, self.retained.last_permit)
            and order.lease_alive
            and cylinder_on
            and inputs.e_stop_ok
            and 0 < order.target_g <= MASS_G_MAX
            and 0 < order.limit_gross_g <= MASS_G_MAX
        )
        return order

    def _after_power_up(self) -> None:
        """What was in force is over; a fill that ran is closed in this scan and settles."""
        kept = self.retained
        if not self._running and kept.held_permit:
            kept.spent_permit = kept.held_permit
            if kept.state is State.IDLE:
                kept.held_permit = 0

    def _idle(self, inputs: Inputs, order: _Order, *, pressed: bool, cylinder_on: bool) -> None:
        kept = self.retained
        if kept.held_permit:
            if order.permit_no != kept.held_permit or not order.holds:
                kept.lease_lost = order.permit_no == kept.held_permit and not order.lease_alive
                kept.spent_permit = kept.held_permit
                kept.held_permit = 0
        elif order.holds:
            kept.held_permit = order.permit_no
            kept.target_g = order.target_g
            kept.limit_gross_g = order.limit_gross_g
            kept.net_g = 0
            kept.end_reason = End.NONE
            kept.lease_lost = False
        elif order.permit_no and not cylinder_on:
            kept.spent_permit = order.permit_no  # Who comes next is not whom it was given for.
        if kept.held_permit and pressed and inputs.scale_stable and inputs.stop_ok:
            kept.tare_g = inputs.gross_g
            kept.net_g = kept.highest_net_g = kept.flowed_g = 0
            kept.fills = (kept.fills + 1) & UINT16
            kept.state = State.FILLING

    def _filling(
        self, inputs: Inputs, order: _Order, *, cylinder_on: bool, timed_out: bool
    ) -> None:
        kept = self.retained
        if cylinder_on:
            kept.net_g = inputs.gross_g - kept.tare_g
            kept.highest_net_g = max(kept.highest_net_g, kept.net_g)
        reason = self._reason_to_close(inputs, order, cylinder_on=cylinder_on, timed_out=timed_out)
        if reason is End.NONE:
            return
        kept.end_reason = reason
        kept.lease_lost = reason is End.LEASE_LOST
        kept.last_permit = kept.spent_permit = kept.held_permit
        kept.held_permit = 0
        kept.state = State.SETTLING
        self._following = True

    def _reason_to_close(
        self, inputs: Inputs, order: _Order, *, cylinder_on: bool, timed_out: bool
    ) -> End:
        kept, settings = self.retained, self.settings
        left = not cylinder_on or kept.net_g < kept.highest_net_g - settings.left_below_g
        aim_g = kept.target_g - settings.aim_under_g - (kept.preact_g or 0)
        reasons = (
            (not inputs.scale_ok, End.SCALE_FAULT),
            (not inputs.e_stop_ok, End.E_STOP),
            (left, End.CYLINDER_LEFT),
            (not self._running, End.LEASE_LOST),
            (order.permit_no != kept.held_permit, End.PERMIT_WITHDRAWN),
            (not order.lease_alive, End.LEASE_LOST),
            (inputs.gross_g >= kept.limit_gross_g, End.OVER_LIMIT),
            (not inputs.stop_ok, End.OPERATOR_STOP),
            (timed_out, End.TIMEOUT),
            (kept.net_g >= aim_g, End.TARGET),
        )
        return next((reason for holds, reason in reasons if holds), End.NONE)

    def _tail(self, inputs: Inputs, dt_ms: float, *, cylinder_on: bool) -> None:
        """The gas in flight still arrives: follow the weight until it stands still."""
        kept = self.retained
        settling = kept.state is State.SETTLING
        waited = self._timers.settle.scan(
            on=settling, preset_ms=self.settings.settle_ms, dt_ms=dt_ms
        )
        if not settling:
            return
        net_g = inputs.gross_g - kept.tare_g
        here = cylinder_on and net_g >= kept.highest_net_g - self.settings.left_below_g
        self._following = here and (self._following or not self._running)
        if self._following:
            kept.net_g = net_g
            kept.highest_net_g = max(kept.highest_net_g, net_g)
        else:
            kept.net_g = kept.flowed_g
        kept.last_net_g = kept.net_g
        if waited and (inputs.scale_stable or not self._following):
            self._learn_preact()
            kept.state = State.IDLE

    def _learn_preact(self) -> None:
        kept = self.retained
        if kept.end_reason is End.TARGET and self._following:
            missed_g = kept.net_g - kept.target_g + self.settings.aim_under_g
            learned_g = (kept.preact_g or 0) + int(missed_g / 4)
            kept.preact_g = max(0, min(PREACT_G_MAX, learned_g))

    def _count_by_scale(self, inputs: Inputs) -> None:
        """Without a meter the highest net of a fill is what flowed."""
        kept = self.retained
        counting = not inputs.meter_fitted and kept.state is not State.IDLE
        if counting and kept.net_g > kept.flowed_g:
            kept.total_g = (kept.total_g + kept.net_g - kept.flowed_g) & UINT32
            kept.flowed_g = kept.net_g

    def _outputs(self, inputs: Inputs, *, cylinder_on: bool) -> Outputs:
        kept = self.retained
        filling = kept.state is State.FILLING
        coarse = filling and kept.net_g < kept.target_g - self.settings.coarse_before_g
        status = self._status(inputs, cylinder_on=cylinder_on, coarse=coarse)
        report = (
            status,
            kept.held_permit,
            *_words(inputs.gross_g),
            *_words(kept.net_g),
            *_words(kept.tare_g),
            *_words(kept.total_g),
            kept.fills,
            int(kept.end_reason),
            *_words(kept.last_net_g),
            kept.last_permit,
            self._heartbeat,
        )
        assert len(report) == REPORT_REGISTERS, report
        return Outputs(report, valve_main=filling, valve_coarse=coarse)

    def _status(self, inputs: Inputs, *, cylinder_on: bool, coarse: bool) -> int:
        kept = self.retained
        filling, idle = kept.state is State.FILLING, kept.state is State.IDLE
        bits = (
            (inputs.scale_ok and inputs.e_stop_ok and idle, Status.READY),
            (cylinder_on, Status.CYLINDER_ON),
            (kept.held_permit != 0, Status.PERMITTED),
            (filling, Status.FILLING),
            (filling and not coarse, Status.FINE_FLOW),
            (inputs.scale_stable and inputs.scale_ok and idle, Status.STABLE),
            (kept.end_reason is End.TARGET, Status.DONE),
            (kept.end_reason not in (End.NONE, End.TARGET), Status.ABORTED),
            (kept.end_reason is End.OVER_LIMIT, Status.OVER_LIMIT),
            (not inputs.e_stop_ok, Status.E_STOP),
            (kept.lease_lost, Status.LEASE_LOST),
            (not inputs.scale_ok, Status.SCALE_FAULT),
            (filling or inputs.valve_is_open, Status.VALVE_OPEN),
        )
        return sum(bit for on, bit in bits if on)


def _words(value: int) -> tuple[int, int]:
    """A 32-bit value as two registers, high word first."""
    return value >> 16 & UINT16, value & UINT16

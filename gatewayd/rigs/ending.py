"""How a permit ended, from what the PLC remembers: its last permit, its reason, its totaliser.

The PLC's own word on the fill (`last_permit`, `last_net_g`, `end_reason`) counts first; without
it the totaliser says what flowed, and without that the scale. Net and totaliser are compared, and
a difference is named (contract §5.2).
"""

from typing import Literal

from drivers.contract import EndReason, GateSample
from gatewayd.clock import SECOND
from gatewayd.rigs.model import Ending, State, View, Withdrawal
from gatewayd.store.model import Permit

UINT32 = 2**32
FORWARD_G_MAX = 100_000_000
"""More than a rig fills in weeks. A totaliser that seems to have moved further was reset: modulo
2^32, a reset from a high reading looks like a long way forward."""
AGREE_G = 20
"""Grams by which net and totaliser may differ on one fill (contract §10)."""

FILLS = 2**16
BEGUN_MAX = 1_000
"""More fills than a rig begins while nobody watches it: its counter started anew."""

OUR_DEATH = frozenset(
    {Withdrawal.RESTART, Withdrawal.GATE_LOST, Withdrawal.STALLED, Withdrawal.GATE_FAULT}
)
"""Withdrawals that cut a fill short without anybody deciding so."""


def moved_g(before_g: int, after_g: int) -> int:
    """Grams between two readings of the 32-bit totaliser; negative = it went backwards."""
    delta = (after_g - before_g) % UINT32
    return delta if delta <= FORWARD_G_MAX else delta - UINT32


def finish(state: State, view: View, tolerance_g: int) -> Ending:
    """The ending of the permit in `state`, whose gate is closed and whose scale has settled."""
    permit, sample = state.permit, view.sample
    assert permit is not None, state
    assert sample is not None, state
    flowed_g = moved_g(permit.total_before_g, sample.total_g)
    ours = sample.last_permit == permit.permit_no
    if ours:
        # A cylinder that is lifted at once weighs less than at the start: no gas flows back.
        net_g = max(0, sample.last_net_g)
        outcome = _outcome(permit, sample, state.withdrawn, tolerance_g)
    else:
        net_g = min(_unnamed_g(state, view, permit, sample), _most_g(state, sample, tolerance_g))
        outcome = "interrupted" if net_g > 0 else "not_started"
    stray_g = _stray_g(state, sample, flowed_g - net_g, ours=ours)
    flowed_g -= stray_g
    return Ending(
        outcome=outcome,
        resolution=_resolution(outcome, state.withdrawn),
        end_reason=_reason(sample, state.withdrawn, ours=ours),
        net_g=net_g,
        gross_end_g=permit.tare_g + net_g,
        total_after_g=(sample.total_g - stray_g) % UINT32,
        stray_g=stray_g,
        mismatch_g=flowed_g - net_g if abs(flowed_g - net_g) > AGREE_G else 0,
        started_at=state.started_at,
        ended_at=state.ended_at or view.wall,
        seconds=_seconds(state),
    )


def _begun(permit: Permit, sample: GateSample) -> int | None:
    """Fills that the gate has begun since the permit was issued; None = its counter was lost."""
    begun = (sample.fills - permit.fills_before) % FILLS
    lost = begun > BEGUN_MAX or moved_g(permit.total_before_g, sample.total_g) < 0
    return None if lost else begun


def _most_g(state: State, sample: GateSample, tolerance_g: int) -> int:
    """What at most can be this permit's of a flow that nobody watched and no gate names.

    Nothing, when the gate has begun no fill since; never more than it lets into the cylinder.
    """
    permit = state.permit
    assert permit is not None, state
    begun = _begun(permit, sample)
    if state.withdrawn not in OUR_DEATH or state.flowed or begun is None:
        return FORWARD_G_MAX
    if begun == 0:
        return 0
    return permit.limit_gross_g - permit.tare_g + tolerance_g


def _stray_g(state: State, sample: GateSample, more_g: int, *, ours: bool) -> int:
    """How much of what flowed beyond the fill is gas without a permit, and not a difference.

    Behind a fill that the gate names there is another one when it has begun more than one.
    """
    permit = state.permit
    assert permit is not None, state
    if more_g <= AGREE_G or state.withdrawn not in OUR_DEATH:
        return 0
    begun = _begun(permit, sample)
    if ours:
        return more_g if begun is not None and begun > 1 else 0
    return more_g if not state.flowed else 0


def _seconds(state: State) -> float | None:
    if state.started_at is None:
        return None
    return round((state.ended_ns - state.started_ns) / SECOND, 3)


def _unnamed_g(state: State, view: View, permit: Permit, sample: GateSample) -> int:
    """Grams of a fill that the PLC does not name: what its totaliser says.

    Where that was lost, the scale says it while the same cylinder stands there, else what was last
    seen flowing must do.
    """
    flowed_g = moved_g(permit.total_before_g, sample.total_g)
    seen_g = max(0, state.seen_net_g) if state.flowed else 0
    if flowed_g >= max(0, seen_g - AGREE_G):
        return flowed_g
    here = view.identity.cylinder
    same = here is not None and here.code == permit.cylinder_code
    on_scale_g = sample.gross_g - permit.tare_g
    trusted = same and sample.stable and on_scale_g > max(AGREE_G, seen_g)
    return on_scale_g if trusted else seen_g


def _outcome(permit: Permit, sample: GateSample, cause: Withdrawal | None, tolerance_g: int) -> str:
    net_g, reason = sample.last_net_g, sample.end_reason
    tripped = reason == EndReason.OVER_LIMIT or cause is Withdrawal.OVER_LIMIT
    most_g, least_g = bounds_g(permit, tolerance_g)
    if tripped or net_g > most_g:
        return "overfilled"
    if reason == EndReason.TARGET:
        return "completed" if net_g >= least_g else "underfilled"
    if reason in (EndReason.LEASE_LOST, EndReason.NONE):
        return "interrupted"
    if reason == EndReason.PERMIT_WITHDRAWN and cause in OUR_DEATH:
        return "interrupted"
    return "aborted"


def bounds_g(permit: Permit, tolerance_g: int) -> tuple[int, int]:
    """More net than the first is overfilled, less than the second underfilled, as judged.

    A permit of an older version keeps neither: then its target and the tolerance of today say it.
    """
    most_g = permit.judged.get("overfilled_above_g", permit.target_g + tolerance_g)
    least_g = permit.judged.get("underfilled_below_g", permit.target_g - tolerance_g)
    return int(most_g), int(least_g)


def _resolution(outcome: str, cause: Withdrawal | None) -> Literal["posted", "voided", "expired"]:
    if outcome != "not_started":
        return "posted"
    return "expired" if cause is Withdrawal.EXPIRED else "voided"


def _reason(sample: GateSample, cause: Withdrawal | None, *, ours: bool) -> str:
    """The PLC's reason in words; ours when the PLC never began or only did as we told it."""
    told = not ours or sample.end_reason == EndReason.PERMIT_WITHDRAWN
    if told and cause is not None and cause is not Withdrawal.ENDED:
        return cause.value
    try:
        return EndReason(sample.end_reason).name.lower()
    except ValueError:
        return f"plc_reason_{sample.end_reason}"


def proven_over(state: State, sample: GateSample | None) -> tuple[str, ...]:
    """Alarms of a gate whose cause is over: it speaks, was locked since, and shows closed."""
    if sample is None or not state.gate_known or sample.valve_open or sample.filling:
        return ()
    held = state.permit is not None and state.withdrawn is None
    return () if sample.permit_echo and not held else ("gate_not_closed", "open_without_permit")

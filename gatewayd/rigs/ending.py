"""How a permit ended, from what the PLC remembers: its last permit, its reason, its totaliser.

The PLC's own word on the fill (`last_permit`, `last_net_g`, `end_reason`) counts first; without
it the totaliser says what flowed. Both are compared, and a difference is named (contract §5.2).
"""

from typing import Literal

from drivers.contract import EndReason, GateSample
from gatewayd.rigs.model import Ending, State, View, Withdrawal
from gatewayd.store.model import Permit

UINT32 = 2**32
AGREE_G = 20
"""Grams by which net and totaliser may differ on one fill (contract §10)."""

OUR_DEATH = frozenset(
    {Withdrawal.RESTART, Withdrawal.GATE_LOST, Withdrawal.STALLED, Withdrawal.GATE_FAULT}
)
"""Withdrawals that cut a fill short without anybody deciding so."""


def moved_g(before_g: int, after_g: int) -> int:
    """Grams between two readings of the 32-bit totaliser; negative = it went backwards."""
    delta = (after_g - before_g) % UINT32
    return delta if delta < UINT32 // 2 else delta - UINT32


def finish(state: State, view: View, tolerance_g: int) -> Ending:
    """The ending of the permit in `state`, whose gate is closed and whose scale has settled."""
    permit, sample = state.permit, view.sample
    assert permit is not None, state
    assert sample is not None, state
    flowed_g = moved_g(permit.total_before_g, sample.total_g)
    ours = sample.last_permit == permit.permit_no
    if ours:
        net_g, outcome = sample.last_net_g, _outcome(permit, sample, state.withdrawn, tolerance_g)
    elif flowed_g > 0:
        net_g, outcome = flowed_g, "interrupted"
    elif flowed_g < 0 and state.flowed:
        net_g, outcome = state.seen_net_g, "interrupted"
    else:
        net_g, outcome = 0, "not_started"
    return Ending(
        outcome=outcome,
        resolution=_resolution(outcome, state.withdrawn),
        end_reason=_reason(sample, state.withdrawn, ours=ours),
        net_g=net_g,
        gross_end_g=permit.tare_g + net_g,
        total_after_g=sample.total_g,
        mismatch_g=flowed_g - net_g if abs(flowed_g - net_g) > AGREE_G else 0,
        started_at=state.started_at,
        ended_at=state.ended_at or view.wall,
    )


def _outcome(permit: Permit, sample: GateSample, cause: Withdrawal | None, tolerance_g: int) -> str:
    net_g, reason = sample.last_net_g, sample.end_reason
    if reason == EndReason.OVER_LIMIT or net_g > permit.target_g + tolerance_g:
        return "overfilled"
    if reason == EndReason.TARGET:
        return "completed" if net_g >= permit.target_g - tolerance_g else "underfilled"
    if reason in (EndReason.LEASE_LOST, EndReason.NONE):
        return "interrupted"
    if reason == EndReason.PERMIT_WITHDRAWN and cause in OUR_DEATH:
        return "interrupted"
    return "aborted"


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

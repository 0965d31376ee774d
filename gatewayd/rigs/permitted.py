"""A permit's life in the machine: held while nothing speaks against it, then closed and settled."""

from dataclasses import replace

from drivers.contract import GateOrder, GateSample
from gatewayd.clock import MS, SECOND
from gatewayd.rigs.ending import finish, moved_g
from gatewayd.rigs.model import JUDGED_ANEW, STORE_ILL, Phase, State, View, Withdrawal
from gatewayd.rigs.moves import (
    Alarm,
    Effect,
    Issued,
    Lock,
    Open,
    RefuseFor,
    Renew,
    Renewed,
    Resolve,
    Resolved,
)
from gatewayd.rigs.objections import cause_at_cylinder
from gatewayd.rigs.steps import RELOCK_MS, Step, enter, forget
from gatewayd.settings.model import RigSettings
from gatewayd.store.model import Permit

RENEWALS_PER_LEASE = 5
"""The lease moves at least every `lease_ms`/3 (contract §4); one late poll must not matter."""

RENEW_ON_MS_MAX = 100
"""The lease moves upon a sample this fresh, not upon a memory: a gate that can still be written but
no longer read must close within its lease."""

ECHO_WITHIN_MS = 1_000
"""A PLC that has not echoed the permit by then does not hold it."""

SETTLE_MS_MIN = 300
"""No weight is final sooner than this after the gate showed closed."""

RETRY_MS = 1_000
"""How often a failed commit is tried again."""

CLOSE_WITHIN_MS = 3_000
"""A gate that does not show closed this long after permit 0 is stuck: people must come."""

STUCK = "gate_not_closed"

NAMES_ANEW = frozenset({Withdrawal.SECOND_TAG, Withdrawal.DUPLICATE})
"""What ends a permit for who stands there; shown is then who was seen, not who was permitted."""


def issued(state: State, event: Issued, rig: RigSettings) -> Step:
    """The intent is durable; if it still holds after the commit, and only then, open the gate."""
    permit, view, sample = event.permit, event.view, event.view.sample
    now_ns = view.now_ns
    state = replace(state, permit=permit, withdrawn=None, opened_ns=now_ns, renewed_ns=now_ns)
    if sample is None:
        return withdraw(state, view, Withdrawal.GATE_LOST), (Lock(),)
    cause = _objection(state, view, sample, permit, rig)
    if cause is not None:
        return _closing(withdraw(state, view, cause), view), (Lock(),)
    order = GateOrder(permit.permit_no, permit.target_g, permit.limit_gross_g, permit.lease_ms)
    return state, (Open(order, seen_ns=sample.at_ns),)


def hold(state: State, view: View, sample: GateSample, rig: RigSettings) -> Step:
    """Keep the gate open for as long as nothing speaks against it."""
    permit = state.permit
    assert permit is not None, state
    state = _follow(state, view, sample, permit)
    cause = _objection(state, view, sample, permit, rig)
    if cause is not None:
        return _closing(withdraw(state, view, cause), view), (Lock(),)
    if state.echoed:
        state = enter(state, Phase.FILLING if state.flowed else Phase.PERMITTED)
    due = view.now_ns - state.renewed_ns >= permit.lease_ms * MS // RENEWALS_PER_LEASE
    if due and view.now_ns - sample.at_ns <= RENEW_ON_MS_MAX * MS:
        return state, (Renew(seen_ns=sample.at_ns),)
    return state, ()


def _objection(
    state: State, view: View, sample: GateSample, permit: Permit, rig: RigSettings
) -> Withdrawal | None:
    """Everything that speaks against an open gate; None = nothing does."""
    return (
        _cause(state, view, sample, permit)
        or _too_much(sample, permit, rig.tolerance_g)
        or view.objected
        or cause_at_cylinder(state, view, permit, rig)
    )


def _follow(state: State, view: View, sample: GateSample, permit: Permit) -> State:
    """Note the echo, the start of flow, and the last net weight seen."""
    if not state.echoed and sample.permit_echo == permit.permit_no:
        state = replace(state, echoed=True)
    if not (sample.filling or sample.valve_open):
        return state
    if not state.flowed:
        state = replace(state, flowed=True, started_at=view.wall, started_ns=view.now_ns)
    same = state.seen_net_g == sample.net_g
    return state if same else replace(state, seen_net_g=sample.net_g)


def _cause(state: State, view: View, sample: GateSample, permit: Permit) -> Withdrawal | None:
    """Why the gate must close now, whatever the rig's settings say; None = hold."""
    if sample.last_permit == permit.permit_no or _stopped(state, sample):
        return Withdrawal.ENDED
    if view.now_ns - state.renewed_ns > permit.lease_ms * MS:
        return Withdrawal.STALLED
    if view.stopping:
        return Withdrawal.STOPPING
    if view.locked:
        return Withdrawal.REGULATOR_LOCK
    if view.ill:
        return Withdrawal.STORE_LOST if view.ill == STORE_ILL else Withdrawal.DEVICE_LOST
    if view.presence != state.presence:
        return Withdrawal.CYLINDER_LEFT
    if sample.e_stop or sample.scale_fault:
        return Withdrawal.GATE_FAULT
    return Withdrawal.NO_ECHO if _echo_wrong(state, view, sample, permit) else None


def _stopped(state: State, sample: GateSample) -> bool:
    return state.flowed and not sample.filling and not sample.valve_open


def _echo_wrong(state: State, view: View, sample: GateSample, permit: Permit) -> bool:
    if sample.permit_echo == permit.permit_no:
        return False
    late = view.now_ns - state.opened_ns > ECHO_WITHIN_MS * MS
    return state.echoed or late or (sample.permit_echo != 0 and sample.at_ns > state.opened_ns)


def _too_much(sample: GateSample, permit: Permit, tolerance_g: int) -> Withdrawal | None:
    """More gas than the cylinder may hold, by totaliser or scale: one of them may stand still.

    The PLC trips at the limit itself; this is for the one whose scale or program does not.
    """
    flowed_g = moved_g(permit.total_before_g, sample.total_g)
    most_g = max(flowed_g, sample.gross_g - permit.tare_g)
    too_much = most_g > permit.limit_gross_g - permit.tare_g + tolerance_g
    return Withdrawal.OVER_LIMIT if too_much else None


def renewed(state: State, event: Renewed) -> Step:
    """A renewal that ended later than the lease came too late: the gate was closed meanwhile."""
    permit = state.permit
    if permit is None or state.withdrawn is not None:
        return state, (Lock(),)
    if event.finished_ns - state.renewed_ns > permit.lease_ms * MS:
        late = replace(state, withdrawn=Withdrawal.STALLED, withdrawn_ns=event.finished_ns)
        return enter(late, Phase.SETTLING), (Lock(),)
    return replace(state, renewed_ns=event.started_ns), ()


def withdraw(state: State, view: View, cause: Withdrawal) -> State:
    """The permit no longer holds the gate open; when that was, and why."""
    now_ns = view.now_ns
    return replace(
        state,
        withdrawn=cause,
        withdrawn_ns=now_ns,
        locked_ns=now_ns,
        unclosed_ns=0,
        ended_at=view.wall,
        ended_ns=now_ns,
        identity=view.identity if cause in NAMES_ANEW else state.identity,
    )


def _closing(state: State, view: View) -> State:
    """SETTLING, or FAULT while something is wrong: a device, or a gate that does not obey."""
    if view.ill:
        return enter(state, Phase.FAULT, view.ill)
    if state.withdrawn in (Withdrawal.NO_ECHO, Withdrawal.GATE_FAULT):
        return enter(state, Phase.FAULT, state.withdrawn.value)
    return enter(state, Phase.SETTLING)


def settle(state: State, view: View, sample: GateSample, rig: RigSettings) -> Step:
    """Closed first, weighed second, recorded third; each step is repeated until it is true."""
    permit = state.permit
    assert permit is not None, state
    if state.ended_at is None:
        state = replace(state, ended_at=view.wall, ended_ns=view.now_ns)
    stuck = bool(state.unclosed_ns) and _since_ms(view, state.unclosed_ns) >= CLOSE_WITHIN_MS
    if sample.valve_open or sample.filling or (sample.permit_echo and not stuck):
        return _close_again(state, view, permit, stuck=stuck)
    state = _closing(state, view)
    if not sample.permit_echo:
        state = replace(state, unclosed_ns=0)
    if not _settled(state, view, sample, permit, rig) or view.now_ns < state.retry_ns:
        return state, ()
    state = replace(state, retry_ns=view.now_ns + RETRY_MS * MS)
    return state, (Resolve(permit, finish(state, view, rig.tolerance_g)),)


def _since_ms(view: View, then_ns: int) -> int:
    return (view.now_ns - then_ns) // MS


def _close_again(state: State, view: View, permit: Permit, *, stuck: bool) -> Step:
    """The gate does not show closed: say 0 again; the settling clock starts when it does.

    An echo that stays although nothing is open holds the record up only until it counts as stuck;
    the rig is then without a permit and says `open_without_permit`.
    """
    effects: tuple[Effect, ...] = ()
    if stuck and state.fault != STUCK:
        effects = (Alarm(STUCK, f"permit {permit.permit_no}"),)
    state = enter(state, Phase.FAULT, STUCK) if stuck else _closing(state, view)
    state = replace(state, withdrawn_ns=view.now_ns, unclosed_ns=state.unclosed_ns or view.now_ns)
    if _since_ms(view, state.locked_ns) < RELOCK_MS:
        return state, effects
    return replace(state, locked_ns=view.now_ns), (Lock(), *effects)


def _settled(
    state: State, view: View, sample: GateSample, permit: Permit, rig: RigSettings
) -> bool:
    """Whether the weight is final: stable, and the PLC has named the fill if there was one."""
    waited_ns = view.now_ns - state.withdrawn_ns
    if waited_ns >= rig.settle_within_s * SECOND:
        return True
    named = sample.last_permit == permit.permit_no
    flowed = state.flowed or moved_g(permit.total_before_g, sample.total_g) != 0
    return sample.stable and waited_ns >= SETTLE_MS_MIN * MS and (named or not flowed)


def _doubt(state: State) -> str:
    """The reason to refuse a cylinder whose permit ended because it may be another one."""
    if state.withdrawn is Withdrawal.SECOND_TAG:
        return state.identity.objection
    return "CODE_DUPLICATE" if state.withdrawn is Withdrawal.DUPLICATE else ""


def resolved(state: State, event: Resolved) -> Step:
    """The permit is history; the cylinder that stands there was served.

    One whose permit was taken back by new rules before gas flowed is judged anew, as if it had come.
    """
    doubt = _doubt(state)
    anew = state.withdrawn in JUDGED_ANEW and not event.flowed
    effects: tuple[Effect, ...] = ()
    if doubt and not event.flowed:
        effects = (RefuseFor(doubt, state.identity),)
    cleared = replace(
        state,
        permit=None,
        withdrawn=None,
        echoed=False,
        flowed=False,
        seen_net_g=0,
        retry_ns=0,
        started_at=None,
        ended_at=None,
        unclosed_ns=0,
        served=state.presence,
        verdict=None if doubt else state.verdict,
        findings=(doubt,) if doubt else (),
        total_g=event.total_g,
        last_filled=event.code if event.flowed else state.last_filled,
    )
    return forget(replace(cleared, served=0)) if anew else cleared, effects

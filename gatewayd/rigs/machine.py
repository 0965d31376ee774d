"""The rig's state machine (contract §5), pure: a state and an event in, a state and effects out.

The order of one look is the order of safety: is the gate there, and locked since it came up; is a
permit alive (`permitted.py` holds or settles it); did gas flow that nobody permitted; and only
then who stands here and may it be filled (`vacant.py`). What is not proven ends in `Lock`.
"""

from dataclasses import replace

from gatewayd.rigs.model import Phase, State, View, Withdrawal
from gatewayd.rigs.moves import (
    Effect,
    Event,
    GateFailed,
    Issued,
    Judged,
    Lock,
    NotIssued,
    NotResolved,
    Opened,
    Renewed,
    Resolved,
)
from gatewayd.rigs.permitted import hold, issued, renewed, resolved, settle, withdraw
from gatewayd.rigs.steps import Step, enter, forget
from gatewayd.rigs.vacant import idle, judged, refuse_for
from gatewayd.settings.model import RigSettings
from gatewayd.store.model import Permit


def resume(
    now_ns: int, *, permit: Permit | None, total_g: int | None, last_filled: str | None
) -> State:
    """The state after a start: locked; what was pending is to be settled, never resumed."""
    state = State(total_g=total_g, last_filled=last_filled, away=total_g is not None)
    return state if permit is None else adopt(state, permit, now_ns)


def adopt(state: State, permit: Permit, now_ns: int) -> State:
    """Settle a pending permit that this state did not open: lock its gate, then read it."""
    return replace(
        state,
        permit=permit,
        withdrawn=Withdrawal.RESTART,
        withdrawn_ns=now_ns,
        gate_known=False,
    )


def step(state: State, event: Event, rig: RigSettings) -> Step:
    """One step; total over everything the world may do."""
    match event:
        case View():
            return _look(state, event, rig)
        case Judged():
            return judged(state, event, rig)
        case Issued():
            return issued(state, event, rig)
        case NotIssued():
            return refuse_for(state, "STORE_UNAVAILABLE")
        case Opened():
            return replace(state, opened_ns=event.finished_ns, renewed_ns=event.started_ns), ()
        case Renewed():
            return renewed(state, event)
        case GateFailed():
            return _gate_failed(state, event.at_ns)
        case Resolved():
            return resolved(state, event)
        case NotResolved():
            return state, ()


def _look(state: State, view: View, rig: RigSettings) -> Step:
    if view.sample is None:
        return _gate_lost(state, view)
    if not state.gate_known:
        return _gate_back(state, view), (Lock(),)
    if state.permit is None:
        return idle(state, view, view.sample, rig)
    if state.withdrawn is None:
        return hold(state, view, view.sample, rig)
    return settle(state, view, view.sample, rig)


def _gate_lost(state: State, view: View) -> Step:
    """Nothing can be known: try to lock once, and treat a live permit as withdrawn."""
    effects: tuple[Effect, ...] = (Lock(),) if state.gate_known else ()
    if state.permit is not None and state.withdrawn is None:
        state = withdraw(state, view, Withdrawal.GATE_LOST)
    if state.permit is None:
        state = forget(state)
    return enter(replace(state, gate_known=False), Phase.FAULT, view.ill or "gate"), effects


def _gate_back(state: State, view: View) -> State:
    """The gate speaks and is locked now; what is open settles from here, not from the loss."""
    known = replace(state, gate_known=True, locked_ns=view.now_ns)
    return known if state.withdrawn is None else replace(known, withdrawn_ns=view.now_ns)


def _gate_failed(state: State, at_ns: int) -> Step:
    """A write failed or read back wrong: whatever permit there is, it holds nothing open.

    Lock at once; when that fails too, the next look tries again.
    """
    effects: tuple[Effect, ...] = (Lock(),) if state.gate_known else ()
    state = replace(state, gate_known=False)
    if state.permit is None or state.withdrawn is not None:
        return state, effects
    return replace(state, withdrawn=Withdrawal.GATE_FAULT, withdrawn_ns=at_ns), effects

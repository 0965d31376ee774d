"""The machine without a permit: watch the totaliser, then ask who stands here and may it be filled."""

from dataclasses import replace

from drivers.contract import GateSample
from gatewayd.clock import MS, SECOND
from gatewayd.rigs.attended import await_people, lacking, patient, served, still_waiting
from gatewayd.rigs.ending import AGREE_G, moved_g
from gatewayd.rigs.model import STORE_ILL, Identity, Phase, State, Stray, View, Withdrawal
from gatewayd.rigs.moves import (
    Alarm,
    Baseline,
    Effect,
    Issue,
    Judge,
    Judged,
    Lock,
    Refuse,
    RefuseFor,
    Unauthorised,
)
from gatewayd.rigs.overfull import ALARM as OVERFILLED
from gatewayd.rigs.soft_model import swapped
from gatewayd.rigs.steps import RELOCK_MS, Step, enter, forget
from gatewayd.settings.model import RigSettings
from gatewayd.texts import text

STRAY_QUIET_MS = 1_000
"""A flow without a permit has ended when the totaliser stood still this long; one that goes on is
booked every `settle_within_s`."""


def idle(state: State, view: View, sample: GateSample, rig: RigSettings) -> Step:
    """No permit: anything open is a fault, any gram that flowed is recorded, then the cylinder."""
    if sample.permit_echo or sample.valve_open or sample.filling:
        state, counted = _counted(state, sample)
        state, effects = _open_without_permit(state, view)
        return state, (*effects, *counted)
    if state.total_g is None or moved_g(state.total_g, sample.total_g):
        balanced, effects, waiting = _balance(state, view, sample, rig)
        if effects or waiting:
            return replace(balanced, mendable=False), effects
        state = balanced
    elif state.away:
        state = replace(state, away=False)
    leaked = view.leaked_g > state.leaked_g
    if view.leaked_g != state.leaked_g:
        state = replace(state, leaked_g=view.leaked_g, mendable=state.mendable and not leaked)
    if leaked:
        return state, (*_beyond(state, view, view.identity, view.leaked_g), _leaked(view.leaked_g))
    resting = _nobody(state, view, sample)
    if resting is not None:
        return resting, ()
    if view.presence != state.presence:
        state = replace(
            forget(state),
            presence=view.presence,
            presence_since_ns=view.now_ns,
            found=view.found,
            waiting=(),
            waiting_ns=0,
        )
    if state.served == view.presence:
        state = served(state, view)
        if state.served == view.presence:
            return state, ()
    return _who(replace(state, identity=view.identity), view, sample, rig)


def _leaked(leaked_g: int) -> Alarm:
    """No record of a fill: how much is gas, and how much the scale's drift, nobody can tell."""
    zh, en = (text("rig.leaked", language, leaked_g=leaked_g) for language in ("zh", "en"))
    return Alarm("unauthorised_flow", f"{zh} / {en}")


def _beyond(state: State, view: View, who: Identity, gas_g: int) -> tuple[Alarm, ...]:
    """Gas without a permit into the cylinder that was filled here last: it may not leave.

    Told before the gas itself is recorded. A stranger's alarm would be nobody's; who is found at a
    start stood there all the time, and is read only afterwards.
    """
    code = state.last_filled
    who = view.identity if view.found and who.cylinder is None else who
    unnamed = who.cylinder is None and state.served == view.presence != 0 and not state.findings
    if code is None or not (unnamed or (who.cylinder is not None and who.cylinder.code == code)):
        return ()
    zh, en = (text("rig.beyond", language, gas_g=gas_g) for language in ("zh", "en"))
    return (Alarm(OVERFILLED, f"{zh} / {en}", code),)


def _open_without_permit(state: State, view: View) -> Step:
    """Something holds the gate open and it is not us: lock, and say so once."""
    alarm: tuple[Effect, ...] = ()
    if state.fault != "open_without_permit":
        alarm = (Alarm("open_without_permit", ""),)
    state = enter(replace(state, mendable=False), Phase.FAULT, "open_without_permit")
    if view.now_ns - state.locked_ns < RELOCK_MS * MS:
        return state, alarm
    return replace(state, locked_ns=view.now_ns), (Lock(), *alarm)


def _balance(
    state: State, view: View, sample: GateSample, rig: RigSettings
) -> tuple[State, tuple[Effect, ...], bool]:
    """Compare the totaliser with what was last recorded; a stray flow is booked once it ended.

    A totaliser that differs must stand still before it is believed, also when it went back: a PLC
    that answers with other registers is found out by its heartbeat first. The third value says
    that it is not: nothing else may happen at the rig.
    """
    if state.total_g is None:
        return *_counted(state, sample), False
    before_g = state.total_g
    stray_g = moved_g(before_g, sample.total_g)
    if abs(stray_g) <= AGREE_G:
        return replace(state, stray=None, away=False), (), False
    stray = _follow(state, view, sample)
    if view.ill == STORE_ILL or not _stray_ended(stray, sample, rig):
        return enter(replace(state, stray=stray), Phase.FAULT, "stray_flow"), (), True
    settled = replace(state, total_g=sample.total_g, stray=None, away=False)
    if stray_g < 0:
        return settled, (Baseline(sample.total_g, went_back_from_g=before_g),), False
    gas = Unauthorised(stray.identity, stray_g, before_g, sample, away=state.away)
    return settled, (*_beyond(state, view, stray.identity, stray_g), gas), False


def _counted(state: State, sample: GateSample) -> Step:
    """The first totaliser ever seen is what all that follows is compared with."""
    if state.total_g is not None:
        return state, ()
    return replace(state, total_g=sample.total_g), (Baseline(sample.total_g),)


def _follow(state: State, view: View, sample: GateSample) -> Stray:
    """Who stood there when it began to flow, and when the totaliser last moved."""
    if state.stray is None:
        who = view.identity if view.presence else state.identity
        return Stray(sample.at_ns, who, sample.total_g, sample.at_ns)
    if state.stray.total_g == sample.total_g:
        return state.stray
    return replace(state.stray, total_g=sample.total_g, moved_ns=sample.at_ns)


def _stray_ended(stray: Stray, sample: GateSample, rig: RigSettings) -> bool:
    """By the times of samples: a PLC whose heartbeat stands still gives none that is old enough."""
    quiet = sample.at_ns - stray.moved_ns >= STRAY_QUIET_MS * MS
    return quiet or sample.at_ns - stray.since_ns >= rig.settle_within_s * SECOND


def _nobody(state: State, view: View, sample: GateSample) -> State | None:
    """The state when there is nobody to judge, or nothing to judge with; None = somebody."""
    if view.stopping or view.recalled is Withdrawal.CONFIG_CHANGED:
        return enter(forget(state), Phase.LOCKED)
    trouble = view.ill or _gate_trouble(sample)
    if trouble:
        served = view.presence != 0 and view.presence == state.presence == state.served
        return enter(state if served else forget(state), Phase.FAULT, trouble)
    if view.presence == 0:
        return enter(forget(state), Phase.LOCKED)
    return None


def _gate_trouble(sample: GateSample) -> str:
    if sample.e_stop:
        return "e_stop"
    return "scale_fault" if sample.scale_fault else ""


def _who(state: State, view: View, sample: GateSample, rig: RigSettings) -> Step:
    """Identify, then judge; what cannot be identified or weighed in time is refused.

    So is what weighs otherwise at its judgement than when it was known first: while people were
    waited for another cylinder may have been put on before the first was taken off.
    """
    waited_ns = view.now_ns - state.presence_since_ns
    if view.identity.status == "many":
        return refuse_for(enter(state, Phase.REFUSED), view.identity.objection)
    if view.identity.status == "waiting":
        if waited_ns >= rig.identify_within_s * SECOND:
            return refuse_for(enter(state, Phase.REFUSED), view.identity.untold)
        return enter(state, Phase.IDENTIFYING), ()
    if view.found and _just_filled(state, view):
        return enter(replace(state, served=view.presence), Phase.LOCKED), ()
    if not view.identity.told and waited_ns < rig.identify_within_s * SECOND:
        return enter(state, Phase.IDENTIFYING), ()
    if view.steady and state.stood[0] != view.presence:
        state = replace(state, stood=(view.presence, sample.gross_g))
    if state.waiting:
        if still_waiting(state, view, rig):
            return enter(state, Phase.IDENTIFYING), ()
        state, waited_ns = replace(state, presence_since_ns=view.now_ns), 0
    if view.steady and swapped(state.stood[1], sample.gross_g):
        return refuse_for(enter(state, Phase.REFUSED), "TARE_UNKNOWN")
    state = replace(state, people=view.people, looked_ns=view.now_ns, judged=view.identity)
    weighed = sample if view.steady else replace(sample, stable=False)
    if state.verdict is None or weighed.stable:
        return enter(state, Phase.JUDGING), (Judge(view.identity, weighed),)
    if waited_ns >= rig.stable_within_s * SECOND:
        return refuse_for(enter(state, Phase.REFUSED), "TARE_UNKNOWN")
    return enter(state, Phase.JUDGING), ()


def _just_filled(state: State, view: View) -> bool:
    """Whether what we found standing here is what was filled here last: it stayed on."""
    cylinder = view.identity.cylinder
    return cylinder is not None and cylinder.code == state.last_filled


def refuse_for(state: State, code: str) -> Step:
    """Refuse for a reason that no rule pack judges."""
    return _refuse(replace(state, verdict=None), (code,), RefuseFor(code, state.identity))


def _refuse(
    state: State, codes: tuple[str, ...], record: Effect, *, mendable: bool = False
) -> Step:
    """Refused until it leaves, and recorded once: not again when a lost gate finds it here."""
    who = state.identity
    what = (who.cylinder.code if who.cylinder else None, who.uid, who.code, *codes)
    refused = replace(
        state,
        phase=Phase.REFUSED,
        fault="",
        served=state.presence,
        findings=codes,
        refused=what,
        waiting=(),
        waiting_ns=0,
        mendable=mendable,
    )
    again = state.found or state.mended == state.presence
    return refused, () if again and state.refused == what else (record,)


def judged(state: State, event: Judged, rig: RigSettings) -> Step:
    """Deny: refused, or waiting for people. Allow: issue, or wait for the scale without masses."""
    state = replace(state, verdict=event.verdict)
    if not event.verdict.allowed:
        kinds = lacking(event.verdict)
        if patient(state, kinds, rig):
            return await_people(state, kinds), ()
        codes = tuple(f.code for f in event.verdict.findings if f.severity == "deny")
        record = Refuse(state.identity, event.verdict)
        return _refuse(state, codes, record, mendable=bool(kinds))
    state = replace(state, waiting=(), waiting_ns=0)
    if event.plan is None:
        return state, ()
    return state, (Issue(state.identity, event.verdict, event.plan, event.sample),)

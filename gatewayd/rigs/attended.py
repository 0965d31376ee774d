"""People in the machine: what a refusal lacks, how long to wait for it, when to judge again. Pure.

Only a refusal that lacks people alone may be mended while the cylinder stands there, and only as
long as nothing flowed: for any other reason a person must lift the cylinder off.
"""

from dataclasses import replace

from gatewayd.clock import SECOND
from gatewayd.rigs.findings import POSTCHECK_OPEN
from gatewayd.rigs.model import Phase, State, View
from gatewayd.rigs.steps import enter
from gatewayd.rigs.vouched import PENDING
from gatewayd.settings.model import RigSettings
from rules_engine.verdict import Finding, Verdict

KINDS = {"NO_OPERATOR": "operator", "OPERATOR_CERT": "operator", "NO_PRECHECK": "precheck"}
"""Reasons that people can mend at the rig, and what is waited for. A failed check is none of them:
its cylinder is set aside."""


def lacking(verdict: Verdict) -> tuple[str, ...]:
    """What people still have to do when that is all that speaks against it; else nothing."""
    kinds = {_kind(found) for found in verdict.findings if found.severity == "deny"}
    return () if "" in kinds else tuple(sorted(kinds))


def _kind(found: Finding) -> str:
    named = {POSTCHECK_OPEN: "postcheck", PENDING: "voucher"}
    return named.get(found.rule) or KINDS.get(found.code, "")


def patient(state: State, kinds: tuple[str, ...], rig: RigSettings) -> bool:
    """Whether the rig still waits for all of this; what may wait least decides.

    A cylinder that was refused once in this presence is waited for no more.
    """
    if state.mended == state.presence:
        return False
    waited_ns = state.looked_ns - (state.waiting_ns or state.looked_ns)
    return bool(kinds) and waited_ns < min(_wait_s(kind, rig) for kind in kinds) * SECOND


def _wait_s(kind: str, rig: RigSettings) -> int:
    asked = {
        "operator": rig.operator,
        "precheck": rig.precheck,
        "postcheck": rig.postcheck,
        "voucher": rig.voucher,
    }[kind]
    return 0 if asked is None else asked.wait_s


def await_people(state: State, kinds: tuple[str, ...]) -> State:
    """Identified, and waiting: nothing is refused and nothing permitted yet."""
    since_ns = state.waiting_ns or state.looked_ns
    waiting = replace(state, verdict=None, waiting=kinds, waiting_ns=since_ns)
    return enter(waiting, Phase.IDENTIFYING)


def still_waiting(state: State, view: View, rig: RigSettings) -> bool:
    """Whether there is no reason yet to judge again: nothing changed, and time is left.

    What stands here is asked about once more when the archive, or another place, says other things
    of it: nobody should answer a check of a cylinder that is refused anyway.
    """
    later = replace(state, looked_ns=view.now_ns)
    same = view.identity == state.judged and view.recalled is None
    return same and view.people == state.people and patient(later, state.waiting, rig)


def served(state: State, view: View) -> State:
    """A cylinder that was served and still stands here: refused, seen by somebody, or locked.

    One that lacked nothing but people is as new when people did something, unless somebody has
    acknowledged its refusal: then it waits to be lifted off like any other.
    """
    if state.findings and view.acknowledged == view.presence:
        state = replace(state, findings=(), verdict=None, mendable=False)
    if state.mendable and view.people != state.people:
        again = replace(state, served=0, mended=view.presence, findings=(), verdict=None)
        return replace(again, mendable=False, presence_since_ns=view.now_ns)
    return enter(state, Phase.REFUSED if state.findings else Phase.LOCKED)

"""States and events of the rig machine: which met in a history, and which never can.

A state is a phase, with `/live` while a permit holds the gate and `/ending` while one is settled.
A look is told by the gravest thing it shows; every other event by its name.
"""

from collections.abc import Mapping
from typing import Protocol, TypeAlias

from gatewayd.rigs.model import STORE_ILL, Phase, State, View
from gatewayd.rigs.moves import Event
from gatewayd.rigs.steps import Step
from gatewayd.settings.model import RigSettings

Pair: TypeAlias = tuple[str, str]


class Machine(Protocol):
    """`gatewayd.rigs.machine.step`."""

    def __call__(self, state: State, event: Event, rig: RigSettings) -> Step:
        """One step."""
        ...


LOOKS = (
    "gate lost",
    "stopping",
    "store ill",
    "device ill",
    "e-stop or scale fault",
    "gas flows",
    "permit echoed",
    "nobody there",
    "somebody, nothing read",
    "several candidates",
    "one, scale moving",
    "one, scale steady",
)
ANSWERS = (
    "Judged",
    "Issued",
    "NotIssued",
    "Opened",
    "Renewed",
    "GateFailed",
    "Resolved",
    "NotResolved",
)
EVENTS = (*LOOKS, *ANSWERS)


def state_of(state: State) -> str:
    """A phase, and whether a permit is live or ending."""
    if state.permit is None:
        return str(state.phase)
    return f"{state.phase}/{'live' if state.withdrawn is None else 'ending'}"


def event_of(event: Event) -> str:
    """The name of an answer, or the gravest thing that a look shows."""
    if isinstance(event, View):
        return _gravest(event)
    return type(event).__name__


def _gravest(view: View) -> str:
    sample, who = view.sample, view.identity.status
    if sample is None:
        return "gate lost"
    told = (
        view.stopping,
        view.ill == STORE_ILL,
        bool(view.ill),
        sample.e_stop or sample.scale_fault,
        sample.valve_open or sample.filling,
        sample.permit_echo != 0,
        view.presence == 0,
        who == "waiting",
        who == "many",
        not view.steady,
        True,
    )
    return LOOKS[1 + told.index(True)]


def listening(machine: Machine, pairs: set[Pair]) -> Machine:
    """The same machine, every pair noted."""

    def step(state: State, event: Event, rig: RigSettings) -> Step:
        pairs.add((state_of(state), event_of(event)))
        return machine(state, event, rig)

    return step


NOBODYS = tuple(f"{phase}" for phase in Phase if phase not in {Phase.PERMITTED, Phase.FILLING})
LIVE = ("judging/live", "permitted/live", "filling/live")
ENDING = (
    *("judging/ending", "locked/ending", "settling/ending", "fault/ending"),
    "refused/ending",
)
STATES = (*NOBODYS, *LIVE, *ENDING)
ANSWERED_IN = {
    "Judged": ("judging",),
    "Issued": ("judging",),
    "NotIssued": ("judging",),
    "Opened": ("judging/live",),
    "Renewed": LIVE,
    "Resolved": ("settling/ending", "fault/ending"),
    "NotResolved": ("settling/ending", "fault/ending"),
    "GateFailed": ("locked", "fault", "judging/live", *ENDING),
}
"""An answer comes in the same turn as the effect it answers: the machine is in the state of that."""


def impossible(state: str, event: str) -> str:
    """Why they never meet; empty where they can. `walk.py` meets all others, in a test."""
    if state not in STATES:
        return "no such state is in the table"
    if event in ANSWERED_IN and state not in ANSWERED_IN[event]:
        return f"{event} answers an effect of {', '.join(ANSWERED_IN[event])} alone"
    return ""


def table(pairs: Mapping[Pair, int]) -> str:
    """How often each pair met, what cannot, and what is still to be seen."""
    lines = []
    missing = []
    for state in STATES:
        seen = [f"{event} {pairs[state, event]}" for event in EVENTS if pairs.get((state, event))]
        lines.append(f"  {state}: {', '.join(seen) or 'never'}")
        missing += [
            f"{state} x {event}"
            for event in EVENTS
            if not pairs.get((state, event)) and not impossible(state, event)
        ]
    whole = len(STATES) * len(EVENTS)
    cannot = sum(bool(impossible(state, event)) for state in STATES for event in EVENTS)
    head = f"state x event: {whole} pairs, {cannot} impossible, {len(missing)} met by walk.py alone"
    return "\n".join([head, *lines, f"  by walk.py alone: {', '.join(missing) or 'none'}"])

"""Every state of the rig machine, and then everything that may happen: pairs for the table.

Histories visit what does happen. Here a naive world (`tests/rigs/world.py`, which answers as the actor
does) is brought into each state, and then each thing happens, also while writes or commits fail. Its
PLC lies: it holds the valve, echoes late or what nobody wrote, swings.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from drivers.contract import GateSample
from gatewayd.clock import MS
from gatewayd.rigs.machine import adopt, step
from gatewayd.rigs.model import NOBODY, STORE_ILL, Identity, State
from gatewayd.rigs.moves import (
    Event,
    GateFailed,
    Issue,
    Issued,
    Lock,
    NotIssued,
    Open,
    Renew,
)
from gatewayd.rigs.steps import Step
from gatewayd.settings.model import RigSettings
from tests.histories.pairs import Pair, event_of, state_of
from tests.rigs.world import ILLEGAL, LEGAL, Plc, World

TICKS_MAX = 400
"""A scene is reached within 40 s."""


@dataclass
class LyingPlc(Plc):
    """What it says is not always so."""

    forced: bool = False
    foreign: int = 0
    echo_after_ms: int = 0
    swings: bool = False
    scale_broken: bool = False

    def report(self, now_ms: int) -> GateSample:
        """What it says."""
        told = super().report(now_ms)
        late = now_ms - self.lease_moved_ms < self.echo_after_ms and not self.valve
        return replace(
            told,
            valve_open=told.valve_open or self.forced,
            permit_echo=self.foreign or (0 if late else told.permit_echo),
            stable=told.stable and not self.swings,
            scale_fault=self.scale_broken,
        )


class Stage(World):
    """A rig in its world, whose machine notes every pair."""

    def __init__(self) -> None:
        self.lies = LyingPlc()
        super().__init__(self.lies)
        self.pairs: set[Pair] = set()
        self.machine = self.noted
        self.writes_fail = False
        self.happens_unsure = False

    def noted(self, state: State, event: Event, rig: RigSettings) -> Step:
        """The machine itself."""
        self.pairs.add((state_of(state), event_of(event)))
        return step(state, event, rig)

    def issue(self, effect: Issue) -> Event:
        """A commit may fail and have happened all the same."""
        made = super().issue(effect)
        if not (self.happens_unsure and isinstance(made, Issued)):
            return made
        self.happens_unsure = False
        return NotIssued("the disk did not answer")

    def touch(self, effect: Open | Renew | Lock) -> Event | None:
        """A write may fail although the gate is read; a renewal that failed is none."""
        if not self.writes_fail and self.linked:
            return super().touch(effect)
        return None if isinstance(effect, Renew) else GateFailed("no answer", self.now_ms * MS)

    def at(self) -> str:
        """The state as the table names it."""
        return state_of(self.state)

    def until_at(self, name: str) -> None:
        """Let time pass until the rig is there."""
        for _ in range(TICKS_MAX):
            if self.at() == name:
                return
            self.tick(50)
        raise AssertionError((name, self.state))


Doing: TypeAlias = Callable[[Stage], object]


def _locked(stage: Stage) -> None:
    stage.until_at("locked")
    stage.tick()


def _judging(stage: Stage) -> None:
    stage.lies.swings = True
    stage.put_on(LEGAL)


def _live(stage: Stage) -> None:
    stage.put_on(LEGAL)


def _filling(stage: Stage) -> None:
    stage.put_on(LEGAL)
    stage.until_at("permitted/live")
    stage.press_start()


def _ends(stage: Stage) -> None:
    _filling(stage)
    stage.until_at("filling/live")
    stage.take_off()


def _lost(stage: Stage) -> None:
    _filling(stage)
    stage.until_at("filling/live")
    stage.unplug()


def _dies(stage: Stage) -> None:
    _filling(stage)
    stage.until_at("filling/live")
    stage.crash()


def _not_opened(stage: Stage) -> None:
    stage.during_commit = lambda: setattr(stage, "writes_fail", True)
    stage.put_on(LEGAL)


def _unsure(stage: Stage) -> None:
    """The actor adopts what it finds in the store once that is well again."""
    stage.happens_unsure = True
    stage.put_on(LEGAL)
    stage.until_at("refused")
    assert stage.pending is not None
    stage.state = adopt(stage.state, stage.pending, stage.now_ms * MS)


SCENES: dict[str, Doing] = {
    "locked": lambda _stage: None,
    "identifying": lambda stage: stage.put_on(NOBODY),
    "judging": _judging,
    "settling": _ends,
    "refused": lambda stage: stage.put_on(ILLEGAL),
    "fault": lambda stage: setattr(stage, "ill", "gun-1"),
    "judging/live": _live,
    "permitted/live": _live,
    "filling/live": _filling,
    "judging/ending": _not_opened,
    "locked/ending": _dies,
    "settling/ending": _ends,
    "fault/ending": _lost,
    "refused/ending": _unsure,
}
"""How a rig comes into each state."""


def _mended(stage: Stage) -> None:
    stage.plug()
    stage.ill = ""
    stage.writes_fail = False


def _as_new(stage: Stage, who: Identity) -> None:
    """Another presence: the gate has seen it leave and come, or was lost meanwhile."""
    _mended(stage)
    stage.plc.on = True
    stage.arrivals += 1
    stage.presence, stage.identity = stage.arrivals, who


def _set(owner: str, name: str, value: object) -> Doing:
    def do(stage: Stage) -> None:
        _mended(stage)
        setattr(stage.lies if owner == "plc" else stage, name, value)

    return do


def _whole(then: Doing) -> Doing:
    """Nothing else is wrong."""

    def do(stage: Stage) -> None:
        _mended(stage)
        then(stage)

    return do


def _forgets(then: Doing) -> Doing:
    """The PLC loses power, and with it the permit; then something else happens."""

    def do(stage: Stage) -> None:
        _mended(stage)
        stage.plc.power_cycle()
        then(stage)

    return do


def _swings(stage: Stage) -> None:
    """It is read while the scale moves, and nothing is echoed."""
    _mended(stage)
    if not stage.plc.on:
        _as_new(stage, LEGAL)
    stage.identity, stage.lies.swings, stage.lies.echo_after_ms = LEGAL, True, 800


def _echoed_on(stage: Stage) -> None:
    """The PLC ends a fill, and forgets to take its echo back."""
    _mended(stage)
    stage.plc.sticky = True
    stage.plc.end(1, stage.now_ms)


def _steady(stage: Stage) -> None:
    _as_new(stage, LEGAL)
    stage.lies.swings = False
    stage.tick(600)


HAPPENINGS: dict[str, Doing] = {
    "nothing": lambda _stage: None,
    "it is mended": _mended,
    "the gate is lost": lambda stage: stage.unplug(),
    "the daemon stops": _set("rig", "stopping", value=True),
    "a reader is lost": _set("rig", "ill", value="gun-1"),
    "the store is ill": _set("rig", "ill", value=STORE_ILL),
    "the e-stop is pressed": _set("plc", "e_stop", value=True),
    "the valve is held": _set("plc", "forced", value=True),
    "a foreign echo": _set("plc", "foreign", value=77),
    "the echo is late": _set("plc", "echo_after_ms", value=800),
    "the scale swings": _swings,
    "it leaves": _whole(lambda stage: stage.take_off()),
    "another comes, unread": lambda stage: _as_new(stage, NOBODY),
    "another comes": lambda stage: _as_new(stage, LEGAL),
    "it stands still": _steady,
    "a second tag": _whole(lambda stage: stage.second_tag()),
    "start is pressed": _whole(lambda stage: stage.press_start()),
    "the PLC forgets": _forgets(lambda _stage: None),
    "it forgets, a second tag": _forgets(lambda stage: stage.second_tag()),
    "it forgets, another comes": _forgets(lambda stage: _as_new(stage, NOBODY)),
    "it ends, and echoes on": _echoed_on,
    "the process dies": lambda stage: stage.crash(),
}
"""What may happen then."""

HANDICAPS: dict[str, Doing] = {
    "": lambda _stage: None,
    "writes fail": _set("rig", "writes_fail", value=True),
    "commits fail": lambda stage: setattr(stage, "store_ok", False),
}
LOOKS_MS = (10, 50, 400, 100, 1_500, 100)
"""How long it takes until each of the next looks."""


def stages() -> Iterator[Stage]:
    """A rig in each of its states; the pairs on the way are noted, too."""
    for name, scene in SCENES.items():
        stage = Stage()
        _locked(stage)
        scene(stage)
        stage.until_at(name)
        yield stage


def walk() -> set[Pair]:
    """Every pair that was met."""
    pairs: set[Pair] = set()
    for stage in stages():
        pairs |= stage.pairs
        for handicap in HANDICAPS.values():
            for happening in HAPPENINGS.values():
                other = copy.deepcopy(stage)
                other.machine = other.noted
                happening(other)
                handicap(other)
                for ms in LOOKS_MS:
                    other.tick(ms)
                pairs |= other.pairs
    return pairs

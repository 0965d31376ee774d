"""The people at a rig: they bring cylinders by a plan, press start, take them away, and err."""

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gatewayd.sim.cylinders import Fleet, SimCylinder
from tests.histories.ground import Ground
from tests.histories.rigs import Rig

SWAP_S_MIN = 1.2
"""Nobody changes a cylinder faster: above `stale_after_ms`, below which no gateway could see it."""
OVERLAP_S_MIN = 0.7
"""Two cylinders do not stand on one scale for less: one is put down, the other one lifted."""
LOOK_S = 0.03
EAGER_PRESSES = 80
PATIENCE_S = 6.0
"""How long somebody waits for the lamp; longer than a rig needs to say no."""

Quirk: TypeAlias = Literal[
    "",
    "eager",
    "carried_past",
    "swap",
    "overlap",
    "leave",
    "second_tag",
    "no_tag",
    "early_start",
    "stop_button",
    "stays",
    "late_start",
]
QUIRKS: tuple[Quirk, ...] = (
    "eager",
    "eager",
    "carried_past",
    "swap",
    "swap",
    "overlap",
    "overlap",
    "leave",
    "second_tag",
    "no_tag",
    "early_start",
    "stop_button",
    "stays",
    "late_start",
)
Script: TypeAlias = Generator[float, None, None]


@dataclass(frozen=True, slots=True)
class Visit:
    """One cylinder's time at a rig, with at most one thing that goes otherwise."""

    rig: str
    cylinder: int
    legal: bool
    quirk: Quirk
    seed: int

    def told(self) -> str:
        """In plain words."""
        what = "a legal cylinder" if self.legal else "a cylinder that must be refused"
        return f"{self.rig}: {what} comes" + (f" ({self.quirk})" if self.quirk else "")


def run(ground: Ground, script: Script) -> None:
    """Let a script go on; it yields how many seconds it waits."""
    try:
        wait_s = next(script)
    except StopIteration:
        return
    ground.after(wait_s, run, ground, script)


def until(
    ground: Ground, holds: Callable[[], bool], within_s: float
) -> Generator[float, None, bool]:
    """Look until it holds; False when it did not in time."""
    end_s = ground.time() + within_s
    while not holds():
        if ground.time() >= end_s:
            return False
        yield LOOK_S
    return True


class Person:
    """Serves one rig, visit after visit, until the plan or the time is over."""

    def __init__(
        self, rig: Rig, fleet: Fleet, visits: list[Visit], moment: Callable[[str, str], None]
    ) -> None:
        self.moment = moment
        self.rig = rig
        self.filled = 0
        self.stopping = False
        self.done = False
        self._ground = rig.ground
        self._fleet = fleet
        self._visits = visits

    def work(self) -> Script:
        """All visits."""
        yield 1.5
        for visit in self._visits:
            if self.stopping:
                break
            yield from self.serve(visit)
        self.done = True

    def cylinder(self, visit: Visit, offset: int = 0) -> SimCylinder:
        """Who comes."""
        pool = self._fleet.legal if visit.legal else self._fleet.illegal
        return pool[(visit.cylinder + offset) % len(pool)]

    def serve(self, visit: Visit) -> Script:
        """One cylinder from putting on to taking away."""
        rig, rng = self.rig, random.Random(visit.seed)
        self._say(visit.told())
        cylinder = self.cylinder(visit)
        fills = rig.plc.retained.fills
        if visit.quirk == "carried_past":
            yield from self._carry_past(cylinder, rng)
            cylinder = self._bad(visit)
        rig.bring(cylinder, tag=visit.quirk not in ("no_tag", "carried_past"))
        self.moment("arrives", rig.name)
        yield rng.uniform(0.1, 0.6)
        if visit.quirk != "carried_past":
            rig.scan(cylinder)
        yield from self._quirk_before(visit, rng)
        if rig.cylinder is not None:
            yield from self._fill(visit, rng, fills)
        yield rng.uniform(0.2, 1.0)
        if visit.quirk == "stays":
            yield rng.uniform(3, 6)
        self._say("the cylinder is taken away")
        rig.take_away()
        self.moment("leaves", rig.name)
        rig.reader.clear()
        yield rng.uniform(SWAP_S_MIN, 2.5)

    def _carry_past(self, cylinder: SimCylinder, rng: random.Random) -> Script:
        """Another cylinder's tag passes while nobody stands there."""
        self._say("the tag of a legal cylinder is carried past")
        self.rig.reader.tag_in(cylinder.epc)
        yield rng.uniform(0.2, 0.8)
        self.rig.reader.clear()
        yield rng.uniform(0.05, 0.4)

    def _press_on(self) -> Script:
        """Start is pressed again and again."""
        for _ in range(EAGER_PRESSES):
            self.rig.plc.press_start()
            yield 0.06

    def _bad(self, visit: Visit) -> SimCylinder:
        return self._fleet.illegal[visit.cylinder % len(self._fleet.illegal)]

    def _quirk_before(self, visit: Visit, rng: random.Random) -> Script:
        rig = self.rig
        if visit.quirk in ("eager", "carried_past") or (
            visit.quirk == "swap" and rng.random() < 0.5
        ):
            run(self._ground, self._press_on())
        if visit.quirk == "early_start":
            rig.plc.press_start()
            yield 0.3
            rig.plc.press_start()
        elif visit.quirk == "swap":
            yield rng.uniform(0.2, 1.5)
            yield from self._swap(visit, rng)
        elif visit.quirk == "overlap":
            yield rng.uniform(0.2, 3)
            yield from self._overlap(visit, rng)
        elif visit.quirk == "second_tag":
            yield rng.uniform(0.1, 4)
            rig.reader.tag_in(self.cylinder(visit, 7).epc)
            self._say("a second tag comes near")

    def _swap(self, visit: Visit, rng: random.Random) -> Script:
        """Another cylinder, as quickly as a person can."""
        rig = self.rig
        rig.take_away()
        self._say("the cylinder is changed")
        yield rng.uniform(SWAP_S_MIN, 2.0)
        rig.bring(self._bad(visit), tag=rng.random() < 0.7)

    def _overlap(self, visit: Visit, rng: random.Random) -> Script:
        """Another cylinder is put on before this one is taken off: no scale is empty then."""
        rig, other = self.rig, self._bad(visit)
        if rig.cylinder is None or rig.cylinder is other:
            return
        rig.overlap(other, tag=rng.random() < 0.5)
        self._say("another cylinder is put on beside it")
        yield rng.uniform(OVERLAP_S_MIN, 3.0)
        self._say("the first one is taken off")
        rig.change_over(other)
        yield rng.uniform(SWAP_S_MIN, 2.0)  # The hose goes to the other one, then start is pressed.

    def _fill(self, visit: Visit, rng: random.Random, fills: int) -> Script:
        rig = self.rig
        permitted = yield from until(
            self._ground, lambda: rig.permitted or rig.plc.retained.fills != fills, PATIENCE_S
        )
        if not permitted:
            return
        yield rng.uniform(0.05, 0.8) if visit.quirk != "late_start" else 9.0

        def begun() -> bool:
            if rig.plc.retained.fills == fills:
                rig.plc.press_start()
            return rig.plc.retained.fills != fills

        started = yield from until(self._ground, begun, 1.5)
        if not started:
            return
        self._say(f"start is pressed, permit {rig.plc.retained.held_permit}")
        if visit.quirk in ("leave", "stop_button"):
            yield rng.uniform(0.2, 2.0)
            if visit.quirk == "leave":
                self._say("the cylinder is taken away while it is filled")
                rig.take_away()
            else:
                rig.plc.press_stop()
        if (yield from until(self._ground, lambda: rig.settled, 15.0)):
            self.filled += 1

    def _say(self, text: str) -> None:
        self._ground.note(self.rig.name, text)


def visits(rng: random.Random, rig: str, count: int, quirk_share: float) -> list[Visit]:
    """A plan drawn from a seed."""
    return [
        Visit(
            rig,
            rng.randrange(1_000),
            legal=rng.random() < 0.8,
            quirk=rng.choice(QUIRKS) if rng.random() < quirk_share else "",
            seed=rng.getrandbits(32),
        )
        for _ in range(count)
    ]

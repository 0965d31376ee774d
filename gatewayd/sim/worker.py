"""The worker at a rig: brings cylinders by a plan, presses start when permitted, takes them away."""

import asyncio
import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gatewayd.sim.cylinders import YSP118, Fleet, SimCylinder
from gatewayd.sim.gate_map import Status
from gatewayd.sim.rig import SimRig, look_until

Outcome: TypeAlias = Literal["done", "aborted", "refused", "no_permit", "not_started", "stuck"]

ENDED = Status.DONE | Status.ABORTED
LEGAL_AFTER = 2
"""At the start one legal cylinder follows every second illegal one, so all reasons come early."""
ILLEGAL_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Habits:
    """How a worker works, seconds. `patience_s` is how long one waits for a permit."""

    patience_s: float = 3.0
    reach_s: float = 0.2
    start_within_s: float = 5.0
    fill_within_s: float = 60.0
    linger_s: float = 0.4
    gap_s: float = 0.9
    scan_share: float = 0.5


@dataclass(frozen=True, slots=True)
class Visit:
    """One cylinder's time on a rig. `filled_g` is what really went into it."""

    rig: str
    cylinder: SimCylinder
    outcome: Outcome
    filled_g: float


def plan(fleet: Fleet, rigs: int, seed: int = 0) -> tuple[Iterator[SimCylinder], ...]:
    """Who comes to which rig, endlessly: every reason once first, then three legal in four.

    No cylinder comes to two rigs, and none comes again before its whole pool was there.
    """
    assert len(fleet.legal) >= rigs, f"{rigs} rigs need that many legal cylinders"
    return tuple(_come(fleet, rig, rigs, seed) for rig in range(rigs))


def _come(fleet: Fleet, rig: int, rigs: int, seed: int) -> Iterator[SimCylinder]:
    rng = random.Random(f"{seed}/{rig}")
    reasons = len({one.reason for one in fleet.illegal})
    early = len(range(rig, reasons, rigs))
    legal = itertools.cycle(_light_first(fleet.legal[rig::rigs], early // LEGAL_AFTER))
    illegal = itertools.cycle(fleet.illegal[rig::rigs])
    for index in range(1, early + 1):
        yield next(illegal)
        if index % LEGAL_AFTER == 0:
            yield next(legal)
    share = ILLEGAL_SHARE if fleet.illegal[rig::rigs] else 0
    while True:
        yield next(illegal if rng.random() < share else legal)


def _light_first(cylinders: Sequence[SimCylinder], count: int) -> list[SimCylinder]:
    """Small ones fill quickly, so `count` of them come first; the others keep their order."""
    light = [one for one in cylinders if one.entry.model != YSP118.model][:count]
    return light + [one for one in cylinders if one not in light]


class Worker:
    """Serves one rig until told to stop; `visits` is what happened."""

    def __init__(
        self, rig: SimRig, come: Iterator[SimCylinder], habits: Habits | None = None, *, seed: int
    ) -> None:
        self.rig = rig
        self.habits = habits or Habits()
        self.visits: list[Visit] = []
        self._come = come
        self._random = random.Random(f"{seed}/{rig.name}")
        self._stopping = False

    def stop(self) -> None:
        """Finish the cylinder on the scale, bring no other."""
        self._stopping = True

    async def run(self) -> None:
        """Wait for the gateway to speak to the rig, then work."""
        await look_until(self._may_begin, math.inf)
        while not self._stopping:
            self.visits.append(await self.serve(next(self._come)))
            await asyncio.sleep(self.habits.gap_s)

    def _may_begin(self) -> bool:
        spoken_to = self.rig.plc.slave.requests and self.rig.reader.requests
        return self._stopping or bool(spoken_to)

    async def serve(self, cylinder: SimCylinder) -> Visit:
        """One cylinder from putting on to taking away."""
        rig = self.rig
        rig.bring(cylinder, scan=self._random.random() < self.habits.scan_share)
        load = rig.plant.load
        assert load is not None
        try:
            outcome = await self._fill()
            await asyncio.sleep(self.habits.linger_s)
        finally:
            rig.take_away()
        return Visit(rig.name, cylinder, outcome, load.content_g - cylinder.residue_g)

    async def _fill(self) -> Outcome:
        rig, habits = self.rig, self.habits
        answered = await rig.wait_for(self._is_answered, habits.patience_s)
        if not answered or Status.PERMITTED not in rig.plc.status:
            return "refused" if rig.refused.is_set() else "no_permit"
        await asyncio.sleep(habits.reach_s)
        if not await rig.start_fill(habits.start_within_s, habits.reach_s):
            return "not_started"
        if not await rig.wait_for(_has_settled, habits.fill_within_s):
            return "stuck"
        return "done" if Status.DONE in rig.plc.status else "aborted"

    def _is_answered(self, status: Status) -> bool:
        return Status.PERMITTED in status or self.rig.refused.is_set()


def _has_settled(status: Status) -> bool:
    return bool(status & ENDED) and Status.STABLE in status and Status.FILLING not in status

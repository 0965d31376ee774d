"""One short story, and death in it everywhere: at each disk operation and each piece on a wire.

A fill from its cylinder's coming to its record at the platform, without any other fault. It is lived
once to count, then once for every operation and every piece, and judged each time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.histories.faults import Fault
from tests.histories.history import Result, live
from tests.histories.people import Visit
from tests.histories.plan import Plan

SECONDS = 6.5
RIG = "rig-1"
KINDS = ("process.kill_at_disk", "power.cut_at_disk", "process.kill_at_wire")


@dataclass(frozen=True, slots=True)
class Places:
    """How many places there are to die at."""

    disk_ops: int
    pieces: int

    def of(self, kind: str) -> int:
        """For one kind of death."""
        return self.pieces if kind == "process.kill_at_wire" else self.disk_ops


def story(*faults: Fault) -> Plan:
    """The short story with these faults in it."""
    visit = Visit(RIG, 3, legal=True, quirk="", seed=1)
    return Plan(0, (RIG,), SECONDS, 0.3, 20.0, (visit,), faults)


def places() -> Places:
    """Live it in peace, and count up to its healing."""
    plan = story()
    result = live(plan)
    assert not result.wrong, result.wrong
    return Places(plan.hooks.disk_ops, plan.hooks.pieces)


def deaths(places: Places) -> Iterator[Plan]:
    """The story with one death in it, at each place."""
    for kind in KINDS:
        for number in range(1, places.of(kind) + 1):
            yield story(Fault(0.0, kind, RIG, 0.0, number, number=number))


def died(result: Result) -> bool:
    """Whether it really struck."""
    return result.lives > 1

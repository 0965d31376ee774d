"""What every rig works with, beside its own bench and gate."""

from dataclasses import dataclass, field

from gatewayd.alarms.alarms import Alarms
from gatewayd.board import Board
from gatewayd.clock import Clock
from gatewayd.rigs.sightings import Sightings
from gatewayd.rigs.timings import Timings
from gatewayd.store.store import Store


@dataclass(frozen=True, slots=True)
class Means:
    """One station's, shared by its rigs; all on one event loop. Without `sightings` nobody compares."""

    store: Store
    board: Board
    alarms: Alarms
    clock: Clock
    sightings: Sightings | None = None
    timings: Timings = field(default_factory=Timings)

"""What happens in one history, drawn from its seed, as a list that can be shortened."""

import random
from dataclasses import dataclass, field, replace

from tests.histories import faults_config, faults_devices, faults_plant, faults_process
from tests.histories.faults import Fault, Hooks, draw, kinds_of
from tests.histories.people import Visit, visits

KINDS = (faults_config, faults_devices, faults_plant, faults_process)
"""What fills the table of faults."""
SECONDS = 26.0
FAULTS_MAX = 12
SPEEDS = (6.0, 12.0, 20.0)
"""How much faster than life plants are; PLC, leases and devices run in real milliseconds."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One history before it is lived. `hooks` carry the faults out and are made anew each time."""

    seed: int
    rigs: tuple[str, ...]
    seconds: float
    restart_s: float
    speed: float
    visits: tuple[Visit, ...]
    faults: tuple[Fault, ...]
    hooks: Hooks = field(default_factory=Hooks, compare=False)

    @classmethod
    def of(cls, seed: int, *, seconds: float = SECONDS) -> "Plan":
        """The history of a seed."""
        rng = random.Random(seed)
        rigs = rng.choice((("rig-1",), ("rig-1",), ("rig-2",), ("rig-1", "rig-2")))
        quirks = rng.choice((0.0, 0.3, 0.6))
        count = rng.randint(0, FAULTS_MAX)
        kinds = kinds_of(rng)
        return cls(
            seed,
            rigs,
            seconds,
            rng.choice((0.1, 0.3, 1.0, 4.0)),
            rng.choice(SPEEDS),
            tuple(v for name in rigs for v in visits(rng, name, 12, quirks)),
            tuple(sorted(draw(rng, kinds, rigs, seconds) for _ in range(count))),
        )

    def last_visit(self, rig: str) -> Visit:
        """The good end: a legal cylinder and nobody errs."""
        return Visit(rig, 3, legal=True, quirk="", seed=1)

    def shorter(self, visits: tuple[Visit, ...], faults: tuple[Fault, ...]) -> "Plan":
        """The same history with less in it."""
        return replace(self, visits=visits, faults=faults, hooks=Hooks())

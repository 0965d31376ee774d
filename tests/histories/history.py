"""Live one history and say what became of it."""

import tempfile
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from tests.histories import disk
from tests.histories.ground import BEGIN_NS
from tests.histories.judge import Wrong
from tests.histories.plan import Plan
from tests.histories.world import World

MEMORY = Path("/dev/shm")  # noqa: S108 - a disk without a disk, where there is one


@dataclass(frozen=True, slots=True)
class Result:
    """What one history came to. `took_s` is real time, `lasted_s` virtual."""

    plan: Plan
    wrong: tuple[Wrong, ...]
    story: tuple[str, ...]
    fingerprint: str
    took_s: float
    lasted_s: float
    lives: int
    records: int
    openings: int
    faults: dict[str, int]
    transitions: frozenset[tuple[str, str]]
    pairs: frozenset[tuple[str, str]]


def live(plan: Plan) -> Result:
    """Live a plan once; the same plan, the same history, to the last byte."""
    began_s = time.perf_counter()
    where = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="history-", dir=where) as name, disk.simulated():
        world = World(plan, Path(name))
        with _listening(world):
            world.live()
    ground = world.ground
    faults = dict(plan.hooks.counted)
    for wire in world.network.values():
        for kind in wire.happened:
            faults[f"piece.{kind}"] = faults.get(f"piece.{kind}", 0) + 1
    return Result(
        plan,
        tuple(world.judge.wrong),
        tuple(
            f"{(at_ns - BEGIN_NS) / 1e9:9.3f} s  {who:7} {text}"
            for at_ns, who, text in ground.story
        ),
        ground.fingerprint,
        time.perf_counter() - began_s,
        ground.at_s,
        world.lives,
        len(world.ledger.records),
        world.judge.openings,
        faults,
        frozenset(world.transitions),
        frozenset(world.pairs),
    )


@contextmanager
def _listening(world: World) -> Iterator[None]:
    """What the daemon logs goes into the story."""
    before = structlog.get_config()

    def hear(_logger: Any, method: str, event: MutableMapping[str, Any]) -> Any:
        world.log(method, dict(event))
        raise structlog.DropEvent

    structlog.configure(
        processors=[hear],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)

"""What watching many PLCs costs: the real daemon as a process, light PLCs, a real broker.

Four processes: PLCs and scanners (`plcs.py`), mosquitto, the daemon, a subscriber (`ear.py`).
"""

import asyncio
from array import array
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic_ns

from gatewayd.clock import MS, SECOND
from tests.bench import house, machine
from tests.bench.figures import Figures
from tests.bench.house import POLL_HZ
from tests.support.brokers import Mosquitto

PLCS_MAX = 64
SETTLE_S = 3.0
"""From everything being up to the first sample that counts, and from the last to the end."""


@dataclass(frozen=True, slots=True)
class Load:
    """One scene: how many PLCs, and whether every rig fills a cylinder or stands empty."""

    plcs: int
    filling: bool

    @property
    def name(self) -> str:
        """As it is written in the table."""
        each = "" if self.plcs == 1 else "s"
        return f"{self.plcs} PLC{each}, {'filling' if self.filling else 'no cylinder'}"


async def measure(
    load: Load, directory: Path, seconds: float, figures: Figures, settle_s: float = SETTLE_S
) -> None:
    """One run of one scene, added to `figures`."""
    cylinders = list(house.archive(load.plcs))
    await house.fill_archive(directory, cylinders)
    scene, codes = "filling" if load.filling else "empty", [one.code for one in cylinders]
    async with AsyncExitStack() as stack:
        plcs = await stack.enter_async_context(house.plcs(directory, scene, load.plcs, codes))
        broker = stack.enter_context(Mosquitto(directory, extra=["log_type none"]))
        house.write_config(directory, await house.line(plcs), broker.url)
        words = (str(directory / "heard"), str(broker.port))
        topic = f"gatewayd/v1/{house.STATION}/rigs/+/weight"
        ear = await stack.enter_async_context(house.python("tests.bench.ear", *words, topic))
        assert await house.line(ear) == "listening"
        daemon = await stack.enter_async_context(house.daemon(directory))
        assert await house.line(plcs) == scene
        await asyncio.sleep(settle_s)
        began_ns = monotonic_ns()
        who = {"daemon": daemon.pid, "broker": broker.pid, "subscriber": ear.pid, "PLCs": plcs.pid}
        cost = await machine.watch(who, seconds)
        ended_ns = monotonic_ns()
        await asyncio.sleep(settle_s)
    _report(load, directory, range(began_ns, ended_ns), cost, figures)


@dataclass(frozen=True, slots=True)
class Reply:
    """One poll answered, as a PLC noted it."""

    plc: int
    gross_g: int
    changed_ns: int
    sent_ns: int


def _report(
    load: Load, directory: Path, window: range, cost: machine.Cost, figures: Figures
) -> None:
    replies = [Reply(*each) for each in records(directory / "replied", 4)]
    first = {(reply.plc, reply.gross_g): reply for reply in reversed(replies)}
    replies = [reply for reply in replies if reply.sent_ns in window]
    changes = {key: reply for key, reply in first.items() if reply.sent_ns in window}
    heard: dict[tuple[int, int], int] = {}
    for rig, gross_g, at_ns in records(directory / "heard", 3):
        heard.setdefault((rig, gross_g), at_ns)
    seen = {key: reply for key, reply in changes.items() if key in heard}
    sent = [(heard[key] - reply.sent_ns) / MS for key, reply in seen.items()]
    changed = [(heard[key] - reply.changed_ns) / MS for key, reply in seen.items()]
    name, big = load.name, load.plcs == PLCS_MAX
    seconds = len(window) / SECOND
    figures.add(f"{name}: polls a second", len(replies) / seconds, "1/s", digits=1)
    figures.add(f"{name}: polls missed", _missed(replies), "", aim="0", digits=0)
    figures.add(f"{name}: changes not seen", len(changes) - len(seen), "", aim="0", digits=0)
    figures.add_times(f"{name}: poll reply to subscriber", sent, aim_p99="< 2" * big)
    figures.add_times(f"{name}: register change to subscriber", changed)
    for who, cpu_s in cost.cpu_s.items():
        aim = "<= 20" if big and who == "daemon" else ""
        figures.add(f"{name}: CPU of {who}", 100 * cpu_s / cost.seconds, "% of a core", aim=aim)
    others = 100 * cost.others_s / cost.seconds
    figures.add(f"{name}: CPU of everything else meanwhile", others, "% of a core")
    figures.add(f"{name}: memory of daemon", cost.rss_mb, "MB", aim="<= 80" * big, digits=1)


def _missed(replies: Sequence[Reply]) -> int:
    """Polls that should have been between two that were, over all PLCs."""
    last: dict[int, int] = {}
    missed = 0
    for reply in replies:
        if reply.plc in last:
            missed += round((reply.sent_ns - last[reply.plc]) * POLL_HZ / SECOND) - 1
        last[reply.plc] = reply.sent_ns
    return missed


def records(path: Path, width: int) -> Iterator[tuple[int, ...]]:
    """Fixed-width int64 records."""
    numbers = array("q", path.read_bytes())
    return zip(*[iter(numbers)] * width, strict=True)

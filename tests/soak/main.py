"""`make soak`: real faults on real parts, until everything that was promised has been held against them.

    make soak                                        # everything; 1,000 kills take about half an hour
    make soak ARGS="--only kills --kills 100"
    make soak ARGS="--only memory --minutes 60 --json numbers.json"

The seed draws the order of the faults and their instants; a run prints it, `--seed` takes it again.
What happens in between is real time on a real machine and never twice the same. Ends with 1 when any
promise was broken.
"""

import argparse
import asyncio
import json
import logging
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

import structlog

from tests.bench import machine
from tests.soak import brokers, cables, faults, kills, memory
from tests.soak.ear import PROGRAM
from tests.soak.site import SiteSpec
from tests.soak.tally import Tally, table
from tests.support.brokers import MOSQUITTO

GROUPS = ("kills", "stop", "disk", "readonly", "broker", "ack", "cable", "memory")
LEASES_MS = (1_000, 3_000)
"""Of the stations that are killed side by side, a start being mostly one core's work. Valves of the
first are closed by their leases, of the second often by the next life before."""
KILLS_FOR_TWO = 20


class Progress:
    """One line that says how far it is; on a terminal it is overwritten."""

    def __init__(self, name: str, total: int) -> None:
        self._name, self._total = name, total
        self._done, self._began_s, self._said_s = 0, monotonic(), 0.0
        self._live = sys.stderr.isatty()

    def __call__(self) -> None:
        """One more is done."""
        self._done += 1
        now_s = monotonic()
        last = self._done == self._total
        if not last and now_s - self._said_s < (0.5 if self._live else 30):
            return
        self._said_s = now_s
        rate = self._done / max(0.001, now_s - self._began_s)
        left_s = (self._total - self._done) / rate
        text = f"{self._name}: {self._done} of {self._total}, {left_s / 60:.1f} min left"
        sys.stderr.write(f"\r{text}\x1b[K" if self._live and not last else f"{text}\n")
        sys.stderr.flush()


async def _kills(asked: argparse.Namespace, top: Path, seed: int) -> Tally:
    tally, told = Tally("kills"), Progress("kills", asked.kills)
    stations = len(LEASES_MS) if asked.kills >= KILLS_FOR_TWO else 1
    shares = [asked.kills // stations + (n < asked.kills % stations) for n in range(stations)]
    tallies = [Tally("kills") for _ in shares]
    async with asyncio.TaskGroup() as group:
        for number, share in enumerate(shares):
            folder = top / f"kills-{number}"
            folder.mkdir()
            spec = SiteSpec(seed + number, rigs=asked.rigs, lease_ms=LEASES_MS[number])
            group.create_task(kills.soak(folder, spec, share, tallies[number], told))
    for each in tallies:
        tally.join(each)
    return tally


async def _fault(group: str, asked: argparse.Namespace, top: Path, seed: int) -> Tally:
    """One station through `--faults` of one kind."""
    spec, told = SiteSpec(seed, rigs=asked.rigs), Progress(group, asked.faults)
    folder = top / group
    folder.mkdir()
    match group:
        case "cable":
            return await cables.soak(folder, spec, asked.faults, told)
        case "broker" | "ack":
            return await brokers.soak(folder, spec, asked.faults, ack=group == "ack", told=told)
        case _:
            return await faults.soak(group, folder, spec, asked.faults, told)


async def _memory(asked: argparse.Namespace, top: Path, seed: int) -> Tally:
    folder = top / "memory"
    folder.mkdir()
    spec = SiteSpec(seed, rigs=2 * asked.rigs, lease_ms=2_000, speed=memory.SPEED)
    told = Progress("memory", memory.SAMPLES)
    return await memory.soak(folder, spec, asked.minutes, told)


async def _group(group: str, asked: argparse.Namespace, top: Path, seed: int) -> Tally:
    match group:
        case "kills":
            return await _kills(asked, top, seed)
        case "memory":
            return await _memory(asked, top, seed)
        case _:
            return await _fault(group, asked, top, seed)


async def _run(asked: argparse.Namespace, top: Path, seed: int) -> list[Tally]:
    groups = asked.only or GROUPS
    if not asked.at_once:
        return [await _group(group, asked, top, seed) for group in groups]
    async with asyncio.TaskGroup() as side_by_side:
        tasks = [side_by_side.create_task(_group(each, asked, top, seed)) for each in groups]
    return [task.result() for task in tasks]


def _groups(text: str) -> list[str]:
    chosen = text.split(",")
    if unknown := set(chosen) - set(GROUPS):
        raise argparse.ArgumentTypeError(f"no such group: {', '.join(sorted(unknown))}")
    return chosen


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="make soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, help="draw the same faults again")
    parser.add_argument("--kills", type=int, default=1_000, help="kills of the daemon (1000)")
    parser.add_argument("--faults", type=int, default=25, help="of each other kind (25)")
    parser.add_argument("--minutes", type=float, default=60, help="how long memory is watched (60)")
    parser.add_argument("--rigs", type=int, default=4, help="rigs of a station (4)")
    parser.add_argument("--only", type=_groups, help=f"some of {','.join(GROUPS)}")
    parser.add_argument("--at-once", action="store_true", help="all groups side by side")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Soak, show, and say by the exit code whether every promise held."""
    asked = arguments(words)
    if MOSQUITTO is None or PROGRAM is None:
        sys.stderr.write("needs mosquitto and mosquitto_sub (mosquitto, mosquitto-clients)\n")
        return 3
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1_000_000)
    sys.stderr.write(f"seed {seed}\n")
    top = Path(tempfile.mkdtemp(prefix="gatewayd-soak-"))
    described = machine.describe(top)
    tallies = asyncio.run(_run(asked, top, seed))
    broken = any(tally.wrong for tally in tallies)
    if broken:
        sys.stdout.write(f"stores and logs are kept in {top}\n")
    else:
        shutil.rmtree(top)
    described["load after"] = "/".join(f"{value:.1f}" for value in os.getloadavg())
    for key, value in {"seed": str(seed), **described}.items():
        sys.stdout.write(f"{key}: {value}\n")
    sys.stdout.write(table(tallies, colour=sys.stdout.isatty()) + "\n")
    if asked.json:
        numbers = [tally.as_json() for tally in tallies]
        everything = {"seed": seed, "machine": described, "groups": numbers}
        asked.json.write_text(json.dumps(everything, indent=2, ensure_ascii=False) + "\n")
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())

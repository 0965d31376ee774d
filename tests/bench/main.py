"""`make bench`: measure, and print numbers with the machine they are from. Never fails for slow.

    make bench                          # about eight minutes
    make bench ARGS="--quick"           # about one
    make bench ARGS="--only polling --runs 5 --json numbers.json"

Every number is the median of the runs, with the smallest and the largest as its spread. Numbers of
a busy machine are of that machine: see the CPU of everything else in the table.
"""

import argparse
import asyncio
import json
import logging
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import structlog

from tests.bench import (
    archive,
    backlog,
    house,
    machine,
    polling,
    readers,
    rules,
    scans,
    scrapes,
    snapshots,
    traffic,
    verdicts,
    wire,
)
from tests.bench.figures import Figures
from tests.bench.polling import Load

GROUPS = (
    "verdicts",
    "scans",
    "polling",
    "traffic",
    "readers",
    "wire",
    "archive",
    "rules",
    "backlog",
    "snapshots",
    "scrapes",
)
CYLINDERS = 100_000
SCANNED = 2_000
"""Cylinders that come to rigs, spread over the archive."""
LOADS = (*(Load(plcs, filling=False) for plcs in (1, 8, 32, 64)), Load(64, filling=True))
QUICK_LOADS = (Load(8, filling=False), Load(64, filling=True))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, prog="make bench")
    parser.add_argument("--quick", action="store_true", help="one short run of each")
    parser.add_argument("--runs", type=int, help="runs of each number (3)")
    parser.add_argument("--seconds", type=float, help="how long one run watches (20)")
    parser.add_argument("--only", choices=GROUPS, action="append", help="a group; repeatable")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    return parser.parse_args()


async def _run(asked: argparse.Namespace, top: Path, figures: Figures) -> None:
    runs = asked.runs or (1 if asked.quick else 3)
    seconds = asked.seconds or (5.0 if asked.quick else 20.0)
    groups = asked.only or GROUPS
    if {"verdicts", "scans"} & set(groups):
        await _with_archive(asked, top, figures, runs=runs, seconds=seconds)
    for load in (QUICK_LOADS if asked.quick else LOADS) if "polling" in groups else ():
        for run in _progress(load.name, runs):
            await polling.measure(load, _folder(top, f"{load.name}-{run}"), seconds, figures)
    if "traffic" in groups:
        records = 1_000 if asked.quick else 5_000
        for run in _progress("traffic", runs):
            await traffic.measure(_folder(top, f"traffic-{run}"), records, figures)
    if "readers" in groups:
        for run in _progress("readers", runs):
            await readers.measure(_folder(top, f"readers-{run}"), seconds, figures)
            readers.codecs(figures)
    await _millions(asked, top, figures, groups=groups, runs=runs)
    if "wire" in groups:
        for run in _progress("wire", runs):
            await wire.measure(_folder(top, f"wire-{run}"), seconds, figures)
    if "rules" in groups:
        _rules(figures, runs)
    if "scrapes" in groups:
        for run in _progress("scrapes", runs):
            await scrapes.measure(_folder(top, f"scrapes-{run}"), figures)


def _rules(figures: Figures, runs: int) -> None:
    for _ in _progress("rules", runs):
        rules.measure(figures)


async def _millions(
    asked: argparse.Namespace, top: Path, figures: Figures, *, groups: Sequence[str], runs: int
) -> None:
    """A million cylinders, and a million records that wait."""
    if "archive" in groups:
        for run in _progress("archive", runs):
            count = 100_000 if asked.quick else 1_000_000
            await archive.measure(_folder(top, f"archive-{run}"), count, figures)
    if "snapshots" in groups:
        for _ in _progress("snapshots", 1):
            count = 50_000 if asked.quick else 1_000_000
            await snapshots.measure(_folder(top, "snapshots"), count, figures)
    if "backlog" in groups:
        for _ in _progress("backlog", 1):
            count = 20_000 if asked.quick else 1_000_000
            await backlog.measure(_folder(top, "backlog"), count, figures)


async def _with_archive(
    asked: argparse.Namespace, top: Path, figures: Figures, *, runs: int, seconds: float
) -> None:
    """What needs a store with every cylinder of a city."""
    directory = _folder(top, "archive")
    cylinders = list(house.archive(CYLINDERS))
    await house.fill_archive(directory, cylinders)
    shown = cylinders[:: CYLINDERS // SCANNED]
    groups = asked.only or GROUPS
    if "scans" in groups:
        codes = [one.code for one in shown]
        for run in _progress("scans", runs):
            store = directory / "gatewayd.db"
            await scans.measure(_folder(top, f"scans-{run}"), store, codes, seconds, figures)
    if "verdicts" in groups:
        for run in _progress("verdicts", runs):
            # Its records are of days to come: each run begins with a station that has none.
            own = shutil.copytree(directory, top / f"verdicts-{run}")
            await verdicts.measure(own, shown[:200] if asked.quick else shown, figures)


def _folder(top: Path, name: str) -> Path:
    folder = top / name
    folder.mkdir()
    return folder


def _progress(name: str, runs: int) -> Iterator[int]:
    """Say on stderr what is being measured."""
    for run in range(runs):
        sys.stderr.write(f"{name}: run {run + 1} of {runs}\n")
        yield run


def _show(described: dict[str, str], figures: Figures) -> None:
    for name, value in described.items():
        sys.stdout.write(f"{name}: {value}\n")
    sys.stdout.write(f"\n{figures.table()}\n")


def main() -> None:
    """Measure what was asked for."""
    asked = _arguments()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="gatewayd-bench-") as name:
        described = machine.describe(Path(name))
        asyncio.run(_run(asked, Path(name), figures))
    _show(described, figures)
    if asked.json:
        everything = {"machine": described, "figures": figures.as_json()}
        asked.json.write_text(json.dumps(everything, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

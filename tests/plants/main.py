"""`make plants`: plant small faults in the safety path, one by one, and show who catches each.

    make plants                                    # all of them; see README.md for how long that takes
    make plants ARGS="--only post-twice"           # one, or several
    make plants ARGS="--no-histories"              # tests only
    make plants ARGS="--json"

The tree is copied as it is. First every catcher is run without any plant: one that fails then says
nothing. Then each plant is put into a private copy, its tests are run until one fails, and the fixed
seeds of the simulation are lived until one breaks a promise; either may take LIMIT_S. Exit 1 when a
plant was caught by neither, does not fit the code any more, or a catcher fails without it.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.plants import catchers
from tests.plants.catalogue import PLANTS
from tests.plants.catchers import LIMIT_S, Answer
from tests.plants.copies import copied, planting
from tests.plants.plant import Plant, UnfitError, by_name

ROOT = Path(__file__).parents[2]
SAID_MAX = 100
"""How much of what a catcher said is shown in the table."""
NOT_ASKED = Answer("passed", "", "", 0.0)


@dataclass(frozen=True, slots=True)
class Options:
    """`histories`: ask the simulation, too. `limit_s`: for each catcher."""

    histories: bool = True
    limit_s: float = LIMIT_S


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one plant: what its tests said, and what the simulation said."""

    plant: Plant
    tests: Answer
    histories: Answer

    @property
    def caught(self) -> bool:
        """Whether anybody noticed it in time, and everybody could be asked."""
        answers = (self.tests, self.histories)
        broken = any(each.result == "broken" for each in answers)
        return not broken and any(each.caught for each in answers)


async def without_a_plant(clean: Path, plants: Sequence[Plant], options: Options) -> str:
    """Run every catcher in a clean copy; why they prove nothing, empty = all is well."""
    wanted = tuple(dict.fromkeys(test for each in plants for test in each.tests))
    tests = await catchers.ask_tests(clean, wanted, limit_s=options.limit_s * len(plants))
    if tests.result != "passed":
        return f"tests: {tests.by} {tests.said}"
    if options.histories and any(each.simulated for each in plants):
        histories = await catchers.ask_histories(clean, limit_s=options.limit_s)
        if histories.result not in ("passed", "late"):
            return f"simulation: {histories.by} {histories.said}"
    return ""


async def tried(clean: Path, plant: Plant, options: Options) -> Verdict:
    """Plant one fault in a copy of its own and ask everybody. Raises UnfitError."""
    with planting(clean) as tree:
        plant.put(tree)
        tests = await catchers.ask_tests(tree, plant.tests, limit_s=options.limit_s)
        histories = NOT_ASKED
        if options.histories and plant.simulated:
            histories = await catchers.ask_histories(tree, limit_s=options.limit_s)
    return Verdict(plant, tests, histories)


async def many(tree: Path, plants: Sequence[Plant], options: Options) -> list[Verdict]:
    """Try plants one by one and tell of each. Raises UnfitError, SystemExit for unsound catchers."""
    with copied(tree) as clean:
        for plant in plants:
            plant.grown(clean)
        say(f"{len(plants)} plants; first every catcher without any of them")
        if why := await without_a_plant(clean, plants, options):
            raise SystemExit(f"without any plant: {why}")
        verdicts = []
        for number, plant in enumerate(plants, start=1):
            verdicts.append(await tried(clean, plant, options))
            say(f"{number:3}/{len(plants)} {line(verdicts[-1])}")
    return verdicts


def line(verdict: Verdict) -> str:
    """One plant in the table."""
    head = f"{'caught' if verdict.caught else 'NOT CAUGHT':10} {verdict.plant.name}"
    parts = [f"{head}\n      {verdict.plant.harm}", f"      test: {_told(verdict.tests)}"]
    if verdict.histories is not NOT_ASKED:
        parts.append(f"      simulation: {_told(verdict.histories)}")
    return "\n".join(parts)


def _told(answer: Answer) -> str:
    said = answer.said if len(answer.said) <= SAID_MAX else f"{answer.said[:SAID_MAX]}..."
    if not answer.caught:
        return f"{answer.result}: {said} ({answer.took_s:.0f} s)"
    return f"{answer.by} ({answer.took_s:.0f} s)" + (f": {said}" if said else "")


def table(verdicts: Iterable[Verdict]) -> str:
    """Who caught what, one line a plant."""
    rows = [("plant", "test", "s", "simulation", "s")]
    for each in verdicts:
        seconds = [
            f"{one.took_s:.0f}" if one.caught else "" for one in (each.tests, each.histories)
        ]
        rows.append(
            (each.plant.name, _short(each.tests), seconds[0], _short(each.histories), seconds[1])
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _short(answer: Answer) -> str:
    if answer is NOT_ASKED:
        return "-"
    return answer.by.removeprefix("tests/") if answer.caught else answer.result


def as_json(verdicts: Sequence[Verdict]) -> str:
    """The same for programs."""
    shown = [
        {
            "plant": each.plant.name,
            "harm": each.plant.harm,
            "file": each.plant.file,
            "caught": each.caught,
            "tests": asdict(each.tests),
            "histories": None if each.histories is NOT_ASKED else asdict(each.histories),
        }
        for each in verdicts
    ]
    return json.dumps({"plants": shown, "ok": all(each.caught for each in verdicts)}, indent=1)


def say(text: str) -> None:
    """Progress, at once, beside the result."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


async def until_stopped(tree: Path, plants: Sequence[Plant], options: Options) -> list[Verdict]:
    """`many`, which ends what it began and tidies up when this process is told to end."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await many(tree, plants, options)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="make plants",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = by_name(PLANTS)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=known, help="just these")
    parser.add_argument("--no-histories", action="store_true", help="do not ask the simulation")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="seconds for each catcher")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    asked = parser.parse_args()
    options = Options(histories=not asked.no_histories, limit_s=asked.limit)
    plants = tuple(known[name] for name in asked.only) if asked.only else PLANTS
    try:
        verdicts = asyncio.run(until_stopped(ROOT, plants, options))
    except UnfitError as exc:
        say(str(exc))
        return 1
    except asyncio.CancelledError:
        say("stopped; the copies are gone")
        return 1
    missed = [each.plant.name for each in verdicts if not each.caught]
    sys.stdout.write(f"{as_json(verdicts) if asked.json else table(verdicts)}\n")
    if not asked.json:
        say(f"not caught: {', '.join(missed)}" if missed else f"all {len(verdicts)} caught")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())

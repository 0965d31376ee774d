"""Who may catch a plant: the tests of its part, and the simulated histories."""

import asyncio
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.plants.programs import Ran, run

LIMIT_S = 60.0
"""A plant must be caught in this."""
ONE_TEST_S = 45
"""A test that a plant makes wait is stopped after this, and that is a catch."""
TESTS_FAILED = 1
"""How pytest ends when a test failed; any other way but 0 says nothing about the plant."""
_FAILED = re.compile(r"^FAILED (\S+::.*?)(?: - (.*))?$", re.MULTILINE)
_ERROR = re.compile(_FAILED.pattern.replace("FAILED", "ERROR"), re.MULTILINE)
_SEED = re.compile(r"^(seed \d+): (.*)$", re.MULTILINE)
_LIVED = re.compile(r"^lived (\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one catcher said. `by` is a test or a seed, `said` its words or why it caught nothing.

    `late`: it was not done in time; `broken`: it could not be run, or its end says nothing.
    """

    result: Literal["caught", "passed", "late", "broken"]
    by: str
    said: str
    took_s: float

    @property
    def caught(self) -> bool:
        """Whether it noticed the plant."""
        return self.result == "caught"


async def ask_tests(tree: Path, wanted: Sequence[str], *, limit_s: float = LIMIT_S) -> Answer:
    """Run tests in a tree until the first one fails."""
    words = (sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider")
    ran = await run(tree, (*words, f"--timeout={ONE_TEST_S}", *wanted), limit_s=limit_s)
    failed = _FAILED.search(ran.said) or _ERROR.search(ran.said)
    if ran.code is None:
        return Answer("late", "", f"not in {limit_s:.0f} s", ran.took_s)
    if ran.code == TESTS_FAILED and failed is not None:
        return Answer("caught", failed[1], failed[2] or "", ran.took_s)
    if ran.code == 0:
        return Answer("passed", "", "every test passes", ran.took_s)
    return _broken(ran)


async def ask_histories(tree: Path, *, limit_s: float = LIMIT_S) -> Answer:
    """Live the fixed seeds in a tree, a share on each processor, until one fails."""
    shares = os.cpu_count() or 1
    async with asyncio.TaskGroup() as group:
        living = [
            group.create_task(
                run(
                    tree,
                    (sys.executable, "-m", "tests.plants.sim", str(share), str(shares)),
                    limit_s=limit_s,
                    name=f"sim-{share}",
                )
            )
            for share in range(shares)
        ]
        ended: list[Ran] = []
        for each in asyncio.as_completed(living):
            ended.append(await each)
            if ended[-1].code not in (0, None):
                for other in living:
                    other.cancel()
                return _of_seed(ended[-1])
    lived = sum(int(match[1]) for one in ended if (match := _LIVED.search(one.said)))
    took_s = max(one.took_s for one in ended)
    late = any(one.code is None for one in ended)
    return Answer("late" if late else "passed", "", f"not in {lived} histories", took_s)


def _of_seed(ran: Ran) -> Answer:
    found = _SEED.search(ran.said)
    return Answer("caught", found[1], found[2], ran.took_s) if found else _broken(ran)


def _broken(ran: Ran) -> Answer:
    lines = ran.said.strip().splitlines() or ["it said nothing"]
    told = next((each for each in lines if each.startswith("ERROR ")), lines[-1])
    return Answer("broken", "", f"exit {ran.code}: {told}", ran.took_s)

"""Run one program in a copy of the tree, with everything it starts, for so long at the most."""

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

END_S = 15.0
"""What is told to end has so long to tidy up."""


@dataclass(frozen=True, slots=True)
class Ran:
    """`code` None: it was not done in time and was ended. `said` is everything it printed."""

    code: int | None
    said: str
    took_s: float


async def run(tree: Path, words: Sequence[str], *, limit_s: float, name: str = "run") -> Ran:
    """Run `words` in `tree`, which comes first on Python's path; nothing of it is left running."""
    began_s = time.perf_counter()
    heard = tree.parent / f"{name}.out"
    scratch = tree.parent / "w"
    scratch.mkdir(exist_ok=True)
    with heard.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *words,
            cwd=tree,
            env=_environment(tree, scratch),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(limit_s):
                code: int | None = await process.wait()
        except TimeoutError:
            code = None
        finally:
            await _end(process)
    said = heard.read_text(encoding="utf-8", errors="replace")
    return Ran(code, said, time.perf_counter() - began_s)


def _environment(tree: Path, scratch: Path) -> dict[str, str]:
    """`COLUMNS`: pytest cuts what it says of a failure to the width of the terminal."""
    ours = {"PYTHONPATH": str(tree), "TMPDIR": str(scratch), "COLUMNS": "400", "TERM": "dumb"}
    return {**os.environ, **ours}


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the program and the whole session that it began; what has ended is left alone."""
    if process.returncode is None:
        _signal(process.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await process.wait()
    _signal(process.pid, signal.SIGKILL)
    await process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)

"""What a person sees while a command takes long: a bar on a terminal, now and then a line elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from gatewayd.clock import SECOND, Clock, SystemClock

LINE_EVERY_S = 5
"""Where nobody sees a bar, in a log or a pipe."""

Report = Callable[[str, int, int], None]
"""What is being done, how far it is, and of how much; 0 when that is not known."""


@contextmanager
def shown(names: dict[str, str]) -> Iterator[Report]:
    """Show on stderr how far a long command is; `names` are what its steps are called."""
    if not sys.stderr.isatty():
        yield lines(names, SystemClock())
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True
    ) as progress:
        tasks = {}

        def report(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(names[step], total=total or None)
            progress.update(tasks[step], completed=done, total=total or None)

        yield report


def lines(names: dict[str, str], clock: Clock) -> Report:
    """One line on stderr every LINE_EVERY_S: a short command says nothing."""
    last_ns = clock.monotonic_ns()

    def report(step: str, done: int, total: int) -> None:
        nonlocal last_ns
        now_ns = clock.monotonic_ns()
        if now_ns - last_ns < LINE_EVERY_S * SECOND:
            return
        last_ns = now_ns
        click.echo(f"{names[step]}: {_share(done, total)}", err=True)

    return report


def _share(done: int, total: int) -> str:
    return f"{100 * done // total} %" if total else f"{done}"

"""The part of `gatewayd probe` for devices with a register map: their points, once or live."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import click
from rich.console import Console
from rich.live import Live as Screen

from drivers.contract import DriverError, Trouble
from gatewayd.cli import points_screen
from gatewayd.clock import SystemClock
from gatewayd.commission import live, point_report
from gatewayd.commission.asking import Ears
from gatewayd.commission.device import Device
from gatewayd.commission.machine import Machine
from gatewayd.commission.maps import Mapped, mapped
from gatewayd.commission.points import Look
from gatewayd.commission.ports import daemons
from gatewayd.commission.probe import Seen
from gatewayd.texts import Language
from gatewayd.texts import text as say

Shown = Callable[[Look, tuple[Trouble, ...]], None]
WIDE_CHARS = 160
PASSING = "not_read"
"""A single answer may be lost on any line: only the last look tells what is not read."""


def mapped_for(chosen: Device, options: Mapping[str, object], lang: Language) -> Mapped | None:
    """The map of a device; raises UsageError when an option needs one and there is none."""
    device = mapped(chosen)
    wanted = next((option for option, given in options.items() if given), "")
    if device is None and wanted:
        driver = chosen.settings.driver.name
        raise click.UsageError(say("points.no_map", lang, driver=driver, option=wanted))
    return device


def daemons_told(lang: Language) -> tuple[int, ...]:
    """The processes of `gatewayd run`, said on stderr: two masters disturb each other."""
    running = daemons(Machine())
    if running:
        pids = ", ".join(str(pid) for pid in running)
        click.echo(say("probe.beside", lang, pids=pids), err=True)
    return running


def look_at(device: Mapped, seen: Seen, lang: Language, *, live: bool) -> None:
    """Read every point into `seen.points`, with what is wrong; live on a terminal until Ctrl-C.

    A wire that cannot be opened was told by the driver already.
    """
    console = _console()
    last: dict[str, Trouble] = {}

    def keep(found: Look, troubles: tuple[Trouble, ...]) -> None:
        seen.points = found
        last.pop(PASSING, None)
        last.update({each.kind: each for each in troubles})

    with suppress(DriverError, KeyboardInterrupt):
        if live and console.is_terminal:
            _watch(device, seen, keep, console, lang)
        else:
            asyncio.run(_look(device, seen, keep))
    for each in last.values():
        seen.trouble(each)


def as_json(device: Mapped | None, seen: Seen) -> dict[str, Any] | None:
    """The `points` of `probe --json`, null for a device without a map."""
    if device is None or seen.points is None:
        return None
    return point_report.as_json(device, seen.points)


def show(device: Mapped | None, seen: Seen, lang: Language) -> None:
    """Print the table of the last look."""
    if device is not None and seen.points is not None:
        _console().print(points_screen.table(device, seen.points, lang))


def _console() -> Console:
    """As wide as the terminal; a file or a pipe takes lines that are not folded so soon."""
    terminal = Console(highlight=False)
    return terminal if terminal.is_terminal else Console(highlight=False, width=WIDE_CHARS)


async def _look(device: Mapped, seen: Seen, shown: Shown, looks: int | None = live.LOOKS) -> None:
    clock = SystemClock()
    context = seen.context(clock)
    ears = Ears(context.frame, context.noise)
    await live.watch(device, clock, shown, ears=ears, looks=looks)


def _watch(device: Mapped, seen: Seen, keep: Shown, console: Console, lang: Language) -> None:
    """A table that refreshes with every look."""
    with Screen(console=console, auto_refresh=False, transient=True) as screen:

        def shown(found: Look, troubles: tuple[Trouble, ...]) -> None:
            keep(found, troubles)
            screen.update(points_screen.watched(device, found, troubles, lang), refresh=True)

        asyncio.run(_look(device, seen, shown, None))

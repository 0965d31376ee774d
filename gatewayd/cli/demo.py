"""`gatewayd demo`: a whole station on this machine, and a summary that proves it."""

import asyncio
import random
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gatewayd.cli.common import (
    COULD_NOT_RUN,
    NO,
    OK,
    config_option,
    given_directory,
    json_option,
    lang_option,
    language,
    print_json,
    stop,
)
from gatewayd.cli.demo_screen import Screen
from gatewayd.clock import SystemClock
from gatewayd.errors import GatewayError
from gatewayd.sim.demo import Demo, Summary
from gatewayd.sim.station import RIGS_MAX, StationSpec
from gatewayd.texts import Language

LOOK_EVERY_S = 0.25
SEED_MAX = 10_000
ZONE = ZoneInfo("Asia/Shanghai")


@click.command()
@click.option("--rigs", default=2, show_default=True, type=click.IntRange(1, RIGS_MAX))
@click.option("--minutes", default=1.0, show_default=True, type=click.FloatRange(min=0))
@click.option("--seed", type=int, help="The same seed brings the same cylinders.")
@click.option("--broker", metavar="URL", help="Your broker, mqtt://HOST:PORT, instead of ours.")
@lang_option
@click.option(
    "--picture", type=click.Path(dir_okay=False, path_type=Path), help="Save a screen as SVG."
)
@config_option
@json_option
def demo(
    *,
    rigs: int,
    minutes: float,
    seed: int | None,
    broker: str | None,
    lang: Language | None,
    picture: Path | None,
    as_json: bool,
) -> None:
    """A station on loopback: cylinders arrive, legal ones fill, illegal ones are refused.

    Simulated devices speak the real protocols over TCP and ptys; the daemon is the real one; an
    independent subscriber counts what reaches MQTT. --minutes 0 runs until Ctrl-C. Exit 0 when
    fills + refusals = records received, without a gap, and net masses = totaliser. With -c DIR
    configuration, store and log are written there and kept; DIR must be empty or new.

    \b
    gatewayd demo --rigs 4 --minutes 2 --lang en
    gatewayd demo --json | jq .ok
    """  # noqa: D301 - click wants the backspace character itself
    today = SystemClock().wall().astimezone(ZONE).date()
    chosen = random.SystemRandom().randrange(SEED_MAX) if seed is None else seed
    spec = StationSpec(today=today, rigs=rigs, seed=chosen)
    screen = Screen(language(lang), quiet=as_json, picture=picture)
    try:
        summary = asyncio.run(_run(Demo(spec, broker, given_directory()), minutes, screen))
    except* GatewayError as group:
        stop(COULD_NOT_RUN, "\n".join(str(exc) for exc in group.exceptions))
    screen.save_picture()
    if as_json:
        print_json(summary.as_json())
    else:
        screen.summary(summary)
    stop(OK if summary.ok else NO)


async def _run(demo_run: Demo, minutes: float, screen: Screen) -> Summary:
    """Run for so long, or until Ctrl-C, then add up."""
    async with demo_run.running():
        screen.begin(demo_run)
        demo_run.audience.on_record = screen.record
        with screen.live():
            await _watch(demo_run, minutes, screen)
            summary = await demo_run.finish()
            screen.look(demo_run)
    return summary


async def _watch(demo_run: Demo, minutes: float, screen: Screen) -> None:
    loop = asyncio.get_running_loop()
    ends = loop.time() + minutes * 60 if minutes else float("inf")
    interrupted = asyncio.Event()
    screen.on_interrupt(loop, interrupted.set)
    while loop.time() < ends and not interrupted.is_set():
        if not demo_run.alive():
            raise GatewayError(f"the daemon ended; its log:\n{_tail(demo_run)}")
        screen.look(demo_run)
        await asyncio.sleep(LOOK_EVERY_S)


def _tail(demo_run: Demo) -> str:
    return "\n".join(demo_run.log_path.read_text(errors="replace").splitlines()[-20:])

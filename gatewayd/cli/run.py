"""`gatewayd run`: the daemon in the foreground, what systemd starts."""

import asyncio
from collections.abc import Callable
from functools import partial

import click

from gatewayd import app, logs
from gatewayd.cli.common import A_BUG, config_option, directory, reports_errors, stop
from gatewayd.clock import SystemClock
from gatewayd.errors import GatewayError, StoreError
from gatewayd.reload.reading import Taken, last_good_packs, take
from gatewayd.status_line import told_when_it_ends


@click.command()
@config_option
@click.option("--log", "log_format", type=click.Choice(["console", "json"]), help="Log format.")
@reports_errors
def run(log_format: logs.Format | None) -> None:
    """Run the daemon until SIGTERM or Ctrl-C; every gate is closed before it ends.

    \b
    gatewayd run -c config --log json
    """  # noqa: D301 - click wants the backspace character itself
    with told_when_it_ends():
        taken = take(directory(), last_good=last_good_packs)
        settings = taken.settings()
        logs.setup(format=log_format or settings.log.format, level=settings.log.level)
        to_its_end(partial(_serve, taken))


def _serve(taken: Taken) -> None:
    try:
        asyncio.run(app.run(taken, SystemClock()))
    except* StoreError as group:
        raise StoreError("; ".join(str(exc) for exc in group.exceptions)) from group


def to_its_end(serve: Callable[[], None]) -> None:
    """Run the daemon; a bug ends the process with A_BUG. Raises GatewayError.

    Python's own exit code for a bug is that of a wrong configuration, which nobody starts again.
    """
    try:
        serve()
    except GatewayError:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, it is told and the daemon is started again
        logs.logger("app").exception("gatewayd.fell")
        stop(A_BUG)

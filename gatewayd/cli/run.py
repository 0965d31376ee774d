"""`gatewayd run`: the daemon in the foreground, what systemd starts."""

import asyncio

import click

from gatewayd import app, logs
from gatewayd.cli.common import config_option, directory, reports_errors
from gatewayd.clock import SystemClock
from gatewayd.errors import StoreError
from gatewayd.reload.reading import last_good_packs, take


@click.command()
@config_option
@click.option("--log", "log_format", type=click.Choice(["console", "json"]), help="Log format.")
@reports_errors
def run(log_format: logs.Format | None) -> None:
    """Run the daemon until SIGTERM or Ctrl-C; every gate is closed before it ends.

    \b
    gatewayd run -c config --log json
    """  # noqa: D301 - click wants the backspace character itself
    taken = take(directory(), last_good=last_good_packs)
    settings = taken.settings()
    logs.setup(format=log_format or settings.log.format, level=settings.log.level)
    try:
        asyncio.run(app.run(taken, SystemClock()))
    except* StoreError as group:
        raise StoreError("; ".join(str(exc) for exc in group.exceptions)) from group

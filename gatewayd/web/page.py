"""The station's page, as the daemon runs it: it listens, tries again, and never ends the daemon."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gatewayd.alarms.alarms import Alarms
from gatewayd.board import Board
from gatewayd.clock import Clock
from gatewayd.desk.desk import Desk
from gatewayd.errors import GatewayError
from gatewayd.logs import logger
from gatewayd.rigs.evidence import stamp
from gatewayd.settings.web import WebSettings
from gatewayd.store.store import Store
from gatewayd.web.actions import Actions
from gatewayd.web.api import routes
from gatewayd.web.doors import Doors
from gatewayd.web.feed import Feed
from gatewayd.web.looks import Looks
from gatewayd.web.scrapes import Scrape, Scrapes

AGAIN_S = 10.0
"""How soon a page that could not listen, or broke, is tried again."""
TOPIC = "web/status"

log = logger("web")


@dataclass(frozen=True, slots=True)
class Means:
    """What the page may look at and ask: no rig, no device, no gate."""

    desk: Desk
    alarms: Alarms
    store: Store
    board: Board
    clock: Clock
    scrape: Scrape


async def run(settings: WebSettings | None, directory: Path, means: Means) -> None:
    """Serve the page until cancelled; without settings there is none. Raises nothing.

    `web/status` on the board says whether it listens, and why not.
    """
    if settings is None:
        return
    while True:
        try:
            await _serve(settings, directory, means)
        except GatewayError as exc:
            _fail(means, settings, str(exc))
        except Exception as exc:  # A bug in the page must not stop the rigs: gone, and tried again.
            log.exception("web.broken", error=str(exc))
            _fail(means, settings, f"{type(exc).__name__}: {exc}")
        await asyncio.sleep(AGAIN_S)


async def _serve(settings: WebSettings, directory: Path, means: Means) -> None:
    zone = ZoneInfo(means.desk.settings.station.timezone)

    def now() -> str:
        return stamp(means.clock.wall(), zone)

    doors = Doors(settings, means.clock)
    looks = Looks(means.desk, means.store)
    feed = Feed(means.board, means.clock, stamp=now, more=looks.more)
    looks.everything = feed.everything
    table = routes(looks, Actions(means.desk, means.alarms, doors, feed.full))
    make: Callable[..., Any] = await asyncio.to_thread(_server)
    scrapes = Scrapes(settings.metrics, doors, means.scrape) if settings.metrics.serve else None
    server = make(settings, table, doors, feed, scrapes)
    try:
        await server.start(directory)
        log.info("web.listening", listen=settings.listen, users=len(settings.users))
        _say(means, settings, "listening", "")
        await feed.run()
    finally:
        await server.stop()


def _server() -> Callable[..., Any]:
    """Aiohttp costs 0.2 s and 15 MB: only who has a page loads it, and not on the loop."""
    made: Callable[..., Any] = import_module("gatewayd.web.server").Server
    return made


def _fail(means: Means, settings: WebSettings, error: str) -> None:
    log.error("web.not_listening", error=error, again_s=AGAIN_S)
    _say(means, settings, "failed", error)


def _say(means: Means, settings: WebSettings, state: str, error: str) -> None:
    before = means.board.get(TOPIC) or {}
    told = {"state": state, "listen": settings.listen, "error": error}
    if {**told, "since": before.get("since")} != before:
        zone = ZoneInfo(means.desk.settings.station.timezone)
        means.board.post(TOPIC, {**told, "since": stamp(means.clock.wall(), zone)})

"""Alarms that an earlier life left at the broker: what the board does not know is taken away.

A store that was put aside may take its alarms along; a platform would show them for ever.
"""

from functools import partial
from typing import Final

from gatewayd.board import Board, Watcher
from gatewayd.logs import logger
from gatewayd.upstreams.mqtt_connection import Connection
from gatewayd.upstreams.mqtt_terms import Heard

ALARMS: Final = "alarms"
WAITING_MAX: Final = 4_096
"""Topics that wait to be shown or taken away; strangers beyond go with the next connection."""
log = logger("upstreams")


def look(upstream: str, root: str, connection: Connection, board: Board, watcher: Watcher) -> None:
    """Ask the broker for the alarms it keeps, once the board is shown; `watcher` hears of strangers.

    Raises UpstreamError when the connection is lost. A broker that does not let us read keeps them.
    """
    topic = f"{root}/{ALARMS}/+"
    deaf = partial(_deaf, upstream, topic)
    connection.listen(topic, partial(_heard, root, board, watcher), deaf, as_published=False)


def _heard(root: str, board: Board, watcher: Watcher, heard: Heard) -> None:
    """Have `watcher` post what the board then says of it: nothing, unless it came meanwhile."""
    topic = heard.topic.removeprefix(f"{root}/")
    room = len(watcher.changed) < WAITING_MAX
    if heard.retained and heard.payload and room and not board.knows(topic):
        watcher.changed[topic] = None
        watcher.wake.set()


def _deaf(upstream: str, topic: str, why: str) -> None:
    log.info("upstream.leftovers_not_seen", upstream=upstream, topic=topic, error=why)

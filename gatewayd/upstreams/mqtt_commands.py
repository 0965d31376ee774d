"""Requests over MQTT: `{p}/cmd/{name}` in, the reply to the response topic or `{p}/cmd/{name}/reply`.

Replies outlive the connection on which their request came, and go ahead of a backlog of records.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from gatewayd.errors import UpstreamError
from gatewayd.logs import logger
from gatewayd.upstreams.door import COMMANDS, Call, Door
from gatewayd.upstreams.mqtt_connection import Connection
from gatewayd.upstreams.mqtt_settings import MqttSettings
from gatewayd.upstreams.mqtt_terms import Heard

REPLIES_WAITING_MAX = 256
"""Replies kept for a broker that is away; at the limit the oldest goes, and its request may be
repeated."""
TOPIC_BYTES_MAX = 1_024
"""A longer response topic is not used."""
NAME_CHARACTERS_MAX = 64
log = logger("upstreams")


@dataclass(frozen=True, slots=True)
class _Reply:
    topic: str
    payload: bytes
    correlation: bytes | None
    taken: Callable[[], None]


class Downlink:
    """The requests of one upstream, for the life of the daemon."""

    def __init__(self, upstream: str, root: str, settings: MqttSettings, door: Door) -> None:
        self._upstream = upstream
        self._root = root
        self._allowed = allowed(settings)
        self._door = door
        self._replies: deque[_Reply] = deque()
        self._wake = asyncio.Event()

    def listen(self, connection: Connection) -> None:
        """Ask the broker for requests, unless none is allowed or nobody is there to answer."""
        if self._allowed and self._door.is_open:
            connection.listen(f"{self._root}/cmd/+", self._heard, self._deaf)

    async def serve(self, connection: Connection) -> None:
        """Send replies until the connection is lost; what was not taken waits for the next one."""
        while True:
            while not self._replies:
                self._wake.clear()
                await self._wake.wait()
            reply = self._replies.popleft()
            try:
                await self._send(connection, reply)
            except UpstreamError:
                self._replies.appendleft(reply)
                return
            except asyncio.CancelledError:
                self._replies.appendleft(reply)
                raise

    async def _send(self, connection: Connection, reply: _Reply) -> None:
        sent = await connection.reply(reply.topic, reply.payload, reply.correlation)
        answer = await sent
        if answer.accepted:
            reply.taken()
            return
        log.warning(
            "upstream.reply_refused", upstream=self._upstream, topic=reply.topic, error=str(answer)
        )

    def _heard(self, heard: Heard) -> None:
        name = heard.topic.removeprefix(f"{self._root}/cmd/")
        topic = reply_topic(self._root, name, heard.response_topic)
        if name == heard.topic or len(name) > NAME_CHARACTERS_MAX:
            return  # nothing that we asked for
        self._door.knock(
            Call(
                self._upstream,
                name,
                heard.payload,
                retained=heard.retained,
                allowed=name in self._allowed,
                answer=partial(self._answer, topic, heard.correlation),
            )
        )

    def _answer(
        self, topic: str, correlation: bytes | None, payload: bytes, taken: Callable[[], None]
    ) -> None:
        if len(self._replies) >= REPLIES_WAITING_MAX:
            dropped = self._replies.popleft()
            log.warning("upstream.reply_dropped", upstream=self._upstream, topic=dropped.topic)
        self._replies.append(_Reply(topic, payload, correlation, taken))
        self._wake.set()

    def _deaf(self, why: str) -> None:
        topic = f"{self._root}/cmd/+"
        log.warning("upstream.commands_refused", upstream=self._upstream, topic=topic, error=why)


def allowed(settings: MqttSettings) -> frozenset[str]:
    """The commands that this upstream may give."""
    if settings.commands == "all":
        return COMMANDS
    return frozenset() if settings.commands == "none" else frozenset(settings.commands)


def reply_topic(root: str, name: str, wanted: str | None) -> str:
    """Where a reply goes: where the request says, but never where something else is published.

    A request must not make us speak on a topic of ours (a record, a state, a command) or of the
    broker's own.
    """
    usual = f"{root}/cmd/{name}/reply"
    if not wanted or wanted.startswith("$") or len(wanted.encode()) > TOPIC_BYTES_MAX:
        return usual
    ours = wanted == root or wanted.startswith(f"{root}/")
    if any(mark in wanted for mark in "+#\0") or (ours and wanted != usual):
        return usual
    return wanted

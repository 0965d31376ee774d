"""What a Sparkplug host says to an edge node: whether it is there, and whom it wants born again.

STATE is JSON since Eclipse Sparkplug 3.0.0 (`spBv1.0/STATE/{host}`, 6.4.24); the older `STATE/{host}`
with plain text is not heard.
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, Final

from gatewayd.errors import UpstreamError
from gatewayd.logs import logger
from gatewayd.upstreams.mqtt_terms import Heard
from gatewayd.upstreams.sparkplug_metrics import DEVICE_REBIRTH, NODE, REBIRTH
from gatewayd.upstreams.sparkplug_wire import NoPayloadError, asks_for

STATE_BYTES_MAX: Final = 1_024
"""A larger STATE is none."""
OFFLINE: Final = "the primary host {} is offline; records wait for it"

log = logger("upstreams")


class PrimaryHost:
    """What one connection knows of the host without which nothing is published."""

    def __init__(self, upstream: str, name: str) -> None:
        self.name = name
        self.topic = f"spBv1.0/STATE/{name}"
        self.why = OFFLINE.format(name)
        self._upstream = upstream
        self.online = self._deaf = False
        self._at_ms = 0
        self._news = asyncio.Event()

    def hear(self, heard: Heard) -> None:
        """A STATE; one that is older than the last does not count, and neither does garbage."""
        said = _state(heard.payload)
        if said is None:
            shown = heard.payload[:80].decode(errors="replace")
            log.warning("upstream.foreign_state", upstream=self._upstream, state=shown)
            return
        online, at_ms = said
        if at_ms < self._at_ms:
            return
        self.online, self._at_ms = online, at_ms
        self._news.set()

    def deaf(self, why: str) -> None:
        """The broker does not let us hear it: nobody knows whether it is there."""
        self.why = f"the broker does not let us hear {self.topic}: {why}"
        self._deaf = True
        self._news.set()

    async def until(self, *, online: bool, gone: asyncio.Event, within_s: float | None) -> None:
        """Return once it is so, or the connection is gone; raises UpstreamError when nobody can tell."""
        async with asyncio.TaskGroup() as tasks:
            bell = tasks.create_task(_ring(gone, self._news))
            try:
                async with asyncio.timeout(within_s):
                    while self.online is not online and not (gone.is_set() or self._deaf):
                        self._news.clear()
                        await self._news.wait()
            except TimeoutError:
                self._deaf = True
            bell.cancel()
        if self._deaf:
            raise UpstreamError(self.why)


@dataclass(slots=True)
class Wanted:
    """Who is to be born again: NODE, or names of devices. `wake` is set with each."""

    upstream: str
    wake: asyncio.Event
    births: set[str] = field(default_factory=set)

    def hear(self, heard: Heard) -> None:
        """A command to the node, or to one of its devices; of all it may ask, we know one."""
        kind, _node, *device = heard.topic.split("/")[2:]
        whom = device[0] if device else NODE
        name = DEVICE_REBIRTH if kind == "DCMD" else REBIRTH
        try:
            asked = not heard.retained and asks_for(heard.payload, name)
        except NoPayloadError as exc:
            log.warning("upstream.foreign_command", upstream=self.upstream, error=str(exc))
            return
        if asked:
            self.births.add(whom)
            self.wake.set()

    def deaf(self, why: str) -> None:
        """The broker does not let us hear commands: the platform can read all the same."""
        log.warning("upstream.commands_refused", upstream=self.upstream, error=why)


def _state(payload: bytes) -> tuple[bool, int] | None:
    """Whether the host is there, and when that was said, ms since 1970; None for anything else."""
    try:
        said: Any = json.loads(payload) if len(payload) <= STATE_BYTES_MAX else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    online, at_ms = said.get("online"), said.get("timestamp")
    if not isinstance(online, bool) or not isinstance(at_ms, int) or isinstance(at_ms, bool):
        return None
    return online, at_ms


async def _ring(gone: asyncio.Event, news: asyncio.Event) -> None:
    await gone.wait()
    news.set()

"""The live page: one look at the board five times a second, told to every open page.

The board is looked at once, whoever watches; each page has a short queue of finished messages. A
page that does not take them is cut off and counted: it asks again and gets everything anew.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gatewayd.board import Board
from gatewayd.clock import MS, Clock
from gatewayd.logs import logger

LOOK_EVERY_MS = 200
"""So weights come at most five times a second."""
BEAT_EVERY_MS = 1_000
"""A page that hears nothing for `SILENT_MS` of app.js says so: what it shows is old."""
MORE_EVERY_MS = 2_000
PAGES_MAX = 32
"""Pages that are live at once; one more is told so and asks again later."""
WAITING_MAX = 25
"""Messages that wait for one page, five seconds of them; then it is cut off."""

log = logger("web")


@dataclass(slots=True)
class Client:
    """One live page. `cut` ends its connection at once."""

    cut: Callable[[], None]
    waiting: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(WAITING_MAX))

    def end(self) -> None:
        """Let go of it, also when its connection stands still; an empty message is the last."""
        while not self.waiting.empty():
            self.waiting.get_nowait()
        self.waiting.put_nowait(b"")
        self.cut()


class Feed:
    """Create, `run`, let pages `join` and `leave`. Use it on one loop."""

    def __init__(
        self, board: Board, clock: Clock, *, stamp: Callable[[], str], more: Callable[[], Any]
    ) -> None:
        self._board = board
        self._clock = clock
        self._stamp = stamp
        self._more = more
        self._told_more: Any = None
        self._weights: dict[str, Mapping[str, Any]] = {}
        self._clients: list[Client] = []
        self.dropped = 0

    @property
    def pages(self) -> int:
        """How many pages are live."""
        return len(self._clients)

    def full(self) -> bool:
        """Whether no more pages can be live."""
        return self.pages >= PAGES_MAX

    def join(self, cut: Callable[[], None]) -> Client | None:
        """A page that gets everything first; None: `PAGES_MAX` are live already."""
        if self.full():
            log.warning("web.too_many_pages", most=PAGES_MAX)
            return None
        client = Client(cut)
        client.waiting.put_nowait(_event("all", self.everything()))
        self._clients.append(client)
        return client

    def leave(self, client: Client) -> None:
        """A page was closed."""
        if client in self._clients:
            self._clients.remove(client)

    def everything(self) -> dict[str, Any]:
        """All that is true now."""
        topics = dict(self._board.items())
        return {
            "at": self._stamp(),
            "topics": topics,
            "weights": dict(self._weights),
            "more": self._more(),
        }

    async def run(self) -> None:
        """Look and tell, until cancelled; whoever is live then is cut off."""
        watcher = self._board.watch()
        watcher.changed.clear()
        beat_ns = more_ns = 0
        try:
            while True:
                await asyncio.sleep(LOOK_EVERY_MS / 1_000)
                now_ns = self._clock.monotonic_ns()
                flashes, watcher.flashes = watcher.flashes, []
                changed, watcher.changed = watcher.changed, {}
                weights = {topic.split("/")[1]: weight for topic, weight in flashes}
                self._weights |= weights
                told: dict[str, Any] = {}
                if changed:
                    told["topics"] = {topic: self._board.get(topic) for topic in changed}
                if weights:
                    told["weights"] = weights
                if self._clients and now_ns - more_ns >= MORE_EVERY_MS * MS:
                    more_ns = now_ns
                    told |= self._news()
                if told or now_ns - beat_ns >= BEAT_EVERY_MS * MS:
                    beat_ns = now_ns
                    self._tell(_event("some", {"at": self._stamp(), **told}))
        finally:
            self._board.leave(watcher)
            for client in tuple(self._clients):
                client.end()

    def _news(self) -> dict[str, Any]:
        more = self._more()
        if more == self._told_more:
            return {}
        self._told_more = more
        return {"more": more}

    def _tell(self, message: bytes) -> None:
        for client in tuple(self._clients):
            try:
                client.waiting.put_nowait(message)
            except asyncio.QueueFull:
                self.dropped += 1
                log.warning("web.page_dropped", waiting=WAITING_MAX, dropped=self.dropped)
                self.leave(client)
                client.end()


def _event(name: str, value: Mapping[str, Any]) -> bytes:
    """One server-sent event; JSON has no bare line feed."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\ndata: {body}\n\n".encode()

"""The board: what is true right now, latest wins. Rigs and devices post, upstreams show it.

Nothing here is a record: a value may be overwritten before anyone saw it. `post` is for retained
topics (state), `flash` for passing ones (weights). Topics are relative to `{prefix}/{station}`.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

FLASHES_WAITING_MAX = 4096
"""Passing values kept for one watcher; at the limit the oldest is dropped and counted."""


@dataclass(slots=True)
class Watcher:
    """One reader of the board: the topics that changed since it last looked."""

    changed: dict[str, None] = field(default_factory=dict)
    flashes: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    dropped: int = 0


class Board:
    """Latest value of every retained topic, and a short queue of passing ones a watcher."""

    def __init__(self) -> None:
        self._values: dict[str, Mapping[str, Any]] = {}
        self._removed: dict[str, None] = {}
        self._watchers: list[Watcher] = []

    def post(self, topic: str, payload: Mapping[str, Any]) -> None:
        """Set the retained value of a topic; equal values wake nobody."""
        if self._values.get(topic) == payload:
            return
        self._values[topic] = payload
        self._removed.pop(topic, None)
        self._changed(topic)

    def remove(self, topic: str) -> None:
        """Take a topic away, also from who still shows a value that an earlier life posted.

        Topics that come and go are bounded by their poster: each is remembered as removed.
        """
        if topic in self._removed:
            return
        self._values.pop(topic, None)
        self._removed[topic] = None
        self._changed(topic)

    def _changed(self, topic: str) -> None:
        for watcher in self._watchers:
            watcher.changed[topic] = None
            watcher.wake.set()

    def flash(self, topic: str, payload: Mapping[str, Any]) -> None:
        """Show a passing value once to whoever watches now."""
        for watcher in self._watchers:
            if len(watcher.flashes) >= FLASHES_WAITING_MAX:
                watcher.flashes.pop(0)
                watcher.dropped += 1
            watcher.flashes.append((topic, payload))
            watcher.wake.set()

    def get(self, topic: str) -> Mapping[str, Any] | None:
        """The retained value of a topic, or None when nothing was posted or it was removed."""
        return self._values.get(topic)

    def knows(self, topic: str) -> bool:
        """Whether a retained topic was posted or taken away in this life."""
        return topic in self._values or topic in self._removed

    def items(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every retained topic with its value."""
        return iter(self._values.items())

    def watch(self) -> Watcher:
        """Start watching; the first look shows every retained value and what was removed."""
        watcher = Watcher(changed=dict.fromkeys((*self._values, *self._removed)))
        if watcher.changed:
            watcher.wake.set()
        self._watchers.append(watcher)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """Stop watching."""
        self._watchers.remove(watcher)

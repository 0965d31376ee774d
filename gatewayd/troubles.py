"""The troubles of one device: since when, how often, and gone after a quiet time.

A driver repeats a trouble while it lasts; the one that ended its link stays until the device is up
again or fails for another reason. One log line when a kind appears, one when it is gone.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from drivers.contract import Trouble
from gatewayd.clock import SECOND, Clock
from gatewayd.logs import logger

TROUBLES_MAX = 16
"""Kinds kept for one device; there are fewer, and a new one beyond this is not shown."""
TROUBLE_QUIET_S = 30.0
"""A trouble that nobody repeated for so long is gone."""

log = logger("troubles")


@dataclass(frozen=True, slots=True)
class Standing:
    """One kind of trouble that stands now: its newest text, `since` in wall time, how often told."""

    trouble: Trouble
    since: datetime
    count: int
    seen_ns: int


class Troubles:
    """What stands for one device, by kind; `changed` is called when a kind comes or goes."""

    def __init__(self, device: str, clock: Clock, changed: Callable[[], None]) -> None:
        self._device = device
        self._clock = clock
        self._changed = changed
        self._standing: dict[str, Standing] = {}
        self._reason: str | None = None

    @property
    def standing(self) -> tuple[Standing, ...]:
        """Everything that stands, the oldest first."""
        return tuple(self._standing.values())

    def add(self, trouble: Trouble) -> None:
        """A driver told it, once more or for the first time."""
        now_ns = self._clock.monotonic_ns()
        known = self._standing.get(trouble.kind)
        if known is not None:
            told = replace(known, trouble=trouble, count=known.count + 1, seen_ns=now_ns)
            self._standing[trouble.kind] = told
            return
        if len(self._standing) >= TROUBLES_MAX:
            return
        self._standing[trouble.kind] = Standing(trouble, self._clock.wall(), 1, now_ns)
        log.warning("device.trouble", device=self._device, kind=trouble.kind, text=trouble.en)
        self._changed()

    def lost(self, reason: Trouble | None) -> None:
        """The link ended, with a reason that a person can put right or without one."""
        kind = reason.kind if reason is not None else None
        if self._reason is not None and self._reason != kind:
            self._clear(self._reason)
        self._reason = kind
        if reason is not None:
            self.add(reason)

    def up(self) -> None:
        """The device works: what kept it down is gone."""
        self.lost(None)

    def sweep(self) -> None:
        """Let go what has been quiet; the reason of a device that is down never is."""
        quiet_ns = self._clock.monotonic_ns() - round(TROUBLE_QUIET_S * SECOND)
        for kind, standing in tuple(self._standing.items()):
            if standing.seen_ns <= quiet_ns and kind != self._reason:
                self._clear(kind)

    def _clear(self, kind: str) -> None:
        gone = self._standing.pop(kind, None)
        if gone is not None:
            log.info("device.trouble_gone", device=self._device, kind=kind, count=gone.count)
            self._changed()

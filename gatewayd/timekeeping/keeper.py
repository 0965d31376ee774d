"""Watches the clock while the daemon runs: what it may be trusted with, now and since when.

`look` costs microseconds and asks nobody; `refresh` asks the kernel and the store. What was found
out about a clock that was set is kept in the store: a restart makes no clock right.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from gatewayd.clock import Clock
from gatewayd.errors import StoreError
from gatewayd.settings.model import ClockSettings
from gatewayd.store.clock import Mark
from gatewayd.store.reads import Reads
from gatewayd.timekeeping import ntp
from gatewayd.timekeeping.doubts import (
    Doubt,
    Known,
    Limits,
    Look,
    behind_history,
    doubt,
    step_s,
)

BUILT_ON = date(2026, 7, 1)
"""No copy of this version existed before this day (UTC); moved on with every release."""

Quality = Literal["ntp", "gateway", "untrusted"]
"""What a time in a record is worth: kept by a time server; the gateway's own, nothing speaks
against it; something does."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of the clock at one look; `ntp` None = nobody can tell."""

    doubt: Doubt | None
    ntp: bool | None

    @property
    def quality(self) -> Quality:
        """For a record written now."""
        if self.doubt is not None:
            return "untrusted"
        return "ntp" if self.ntp else "gateway"


class Timekeeper:
    """The judge of one clock. Not thread-safe: belongs to the loop."""

    def __init__(
        self,
        clock: Clock,
        settings: ClockSettings,
        reads: Reads,
        *,
        ask_ntp: ntp.Ask = ntp.synchronised,
        built_on: date = BUILT_ON,
    ) -> None:
        self._clock = clock
        self._reads = reads
        self._ask_ntp = ask_ntp
        self._limits = Limits(settings.jump_s_max, settings.require_ntp)
        self._mark = Mark()
        self._readable = False
        self._known = Known(built_on, None, 0.0, None)
        self._last = self._both()
        self.refresh()

    def _both(self) -> Look:
        return Look(self._clock.wall(), self._clock.monotonic_ns())

    def look(self) -> Findings:
        """What the clock is worth at this moment.

        A step away from a time that was certainly wrong puts the clock right; any other step counts
        until a time server keeps the clock, it is undone, or a person vouches for it.
        """
        before, now = self._last, self._both()
        self._last = now
        moved_s = step_s(before, now)
        if moved_s:
            self._known = self._stepped(before, moved_s)
        return self._findings(now)

    def _stepped(self, before: Look, moved_s: float) -> Known:
        """Setting a clock by hand tells the kernel that nobody keeps it: it is asked again."""
        known = replace(self._known, ntp=self._ask_ntp())
        was_wrong = behind_history(before.wall, known, self._limits) is not None
        total_s = 0.0 if was_wrong or known.ntp else known.moved_s + moved_s
        return replace(known, moved_s=total_s)

    def _findings(self, now: Look) -> Findings:
        found = doubt(now.wall, self._known, self._limits)
        if found is None and not self._readable:
            found = Doubt("unreadable", self._reads.path.name)
        return Findings(found, self._known.ntp)

    def refresh(self) -> None:
        """Ask the kernel whether a time server keeps the clock, and the store what it knows."""
        kept = self._ask_ntp()
        known = replace(self._known, ntp=kept)
        try:
            mark = self._reads.clock_mark()
        except StoreError:
            self._known, self._readable = known, False
            return
        if not self._readable or mark.vouched != self._mark.vouched:
            known = replace(known, moved_s=mark.moved_s)
        if kept:
            known = replace(known, moved_s=0.0)
        self._known = replace(known, latest_at=mark.latest_at)
        self._mark, self._readable = mark, True

    def unkept(self, found: Findings) -> Mark | None:
        """What the store should know and does not: whether records of now count, and every step."""
        believed = found.doubt is None
        if not self._readable:
            return None
        if believed == self._mark.believed and self._known.moved_s == self._mark.moved_s:
            return None
        return replace(self._mark, believed=believed, moved_s=self._known.moved_s)

    def kept(self, mark: Mark) -> None:
        """The store has it."""
        self._mark = mark

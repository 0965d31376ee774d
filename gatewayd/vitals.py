"""Whether every part still moves, and who is told so: systemd, and the hardware watchdog if any.

The rule: all is well while every rig, every gate of several devices and the alarms have looked at
the world, every driver is run or shut off for good, and no commit has hung, within `ALIVE_S`. One
part that does not move silences the whole, and its name is logged. The gates do not wait for that:
they close by lease as soon as their own rig stops looking.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from gatewayd import notify
from gatewayd.clock import SECOND, Clock
from gatewayd.logs import logger

ALIVE_S = 10
"""Longer than the slowest write to a device and than another process may hold the store."""

log = logger("vitals")


class Pattable(Protocol):
    """A watchdog of the hardware."""

    def pat(self) -> None:
        """All is well."""
        ...


class Vitals:
    """Asked with every tick. `moved` says for each part when it last moved, monotonic ns.

    `say` words what `systemctl status` shows, given the parts that do not move.
    """

    def __init__(
        self,
        clock: Clock,
        moved: Callable[[], Mapping[str, int]],
        *,
        hardware: Pattable | None = None,
        say: Callable[[Sequence[str]], str] = lambda _dead: "",
    ) -> None:
        self._clock = clock
        self._moved = moved
        self._hardware = hardware
        self._named: tuple[str, ...] = ()
        self._say, self._said = say, ""

    def dead(self) -> tuple[str, ...]:
        """The parts that have not moved for longer than `ALIVE_S`; none = all is well."""
        last_ns = self._clock.monotonic_ns() - ALIVE_S * SECOND
        return tuple(name for name, moved_ns in self._moved().items() if moved_ns < last_ns)

    def tell(self) -> bool:
        """Tell the watchdogs that all is well; False = it is not, and they were told nothing."""
        dead = self.dead()
        self._show(self._say(dead))
        if dead != self._named:
            self._named = dead
            if dead:
                log.error("watchdog.withheld", parts=list(dead), after_s=ALIVE_S)
            else:
                log.info("watchdog.told_again")
        if dead:
            return False
        notify.tell("WATCHDOG=1")
        if self._hardware is not None:
            self._hardware.pat()
        return True

    def _show(self, line: str) -> None:
        if line != self._said:
            self._said = line
            notify.status(line)

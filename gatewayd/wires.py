"""Where the time of shared wires goes, as devices show it: in percent, and only when it changed."""

from collections.abc import Mapping
from typing import Any

from drivers.plc.budget import WINDOW_S, Budget
from gatewayd.clock import SECOND, Clock
from gatewayd.supervise import Supervisor

LOOK_EVERY_S = WINDOW_S
"""How often a budget is looked at; two looks share no time."""
DEAD_BAND = 0.02
"""A share that moved by less is no news."""


def picture(budget: Budget | None) -> dict[str, Any] | None:
    """What a device's status says of its wire: shares of the last seconds in whole percent."""
    if budget is None:
        return None
    return {
        "name": budget.wire,
        "used": round(100 * budget.used),
        "spare": round(100 * budget.spare),
        "by_unit": {
            str(unit): {"used": round(100 * share.used), "missed": round(100 * share.missed)}
            for unit, share in budget.by_unit.items()
        },
        "resting": list(budget.resting),
    }


class WireNews:
    """Counts, device by device, how often its wire's budget was news."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._looked_ns: dict[str, int] = {}
        self._shown: dict[str, Budget | None] = {}
        self._news: dict[str, int] = {}

    def count(self, supervisor: Supervisor) -> int:
        """How often it changed so far; looks at it only every LOOK_EVERY_S."""
        name, now_ns = supervisor.status.name, self._clock.monotonic_ns()
        if now_ns - self._looked_ns.get(name, now_ns) >= LOOK_EVERY_S * SECOND:
            self._looked_ns[name] = now_ns
            budget = supervisor.budget()
            if changed(self._shown.get(name), budget):
                self._shown[name] = budget
                self._news[name] = self._news.get(name, 0) + 1
        self._looked_ns.setdefault(name, now_ns)
        return self._news.get(name, 0)


def changed(shown: Budget | None, budget: Budget | None) -> bool:
    """Whether a budget differs from the one shown by more than the dead-band."""
    if shown is None or budget is None:
        return shown is not budget
    if (shown.wire, shown.resting) != (budget.wire, budget.resting):
        return True
    return _moved(_shares(shown), _shares(budget))


def _shares(budget: Budget) -> Mapping[int, float]:
    return {unit: share.used for unit, share in budget.by_unit.items()}


def _moved(shown: Mapping[int, float], now: Mapping[int, float]) -> bool:
    units = shown.keys() | now.keys()
    return any(abs(shown.get(unit, 0) - now.get(unit, 0)) >= DEAD_BAND for unit in units)

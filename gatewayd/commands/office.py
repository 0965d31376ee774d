"""What the commands work with; made once, for the life of the daemon."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from gatewayd.alarms.alarms import Alarms
from gatewayd.commands.shelf import Shelf
from gatewayd.desk.desk import Desk
from gatewayd.settings.model import Settings
from gatewayd.settings.plan import Plan
from gatewayd.timekeeping.keeper import Timekeeper
from gatewayd.upstreams.contract import UpstreamContext


class Floor(Protocol):
    """What runs."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        ...


@dataclass(slots=True)
class Office:
    """`plan` comes once the reloader is there; until then a plan is refused."""

    floor: Floor
    desk: Desk
    keeper: Timekeeper
    context: UpstreamContext
    shelf: Shelf
    alarms: Alarms
    plan: Callable[[], Awaitable[Plan]] | None = None

"""What the house asks of a running rig: stop, leave once a fill has ended, judge by other packs."""

from dataclasses import dataclass

from gatewayd.rigs.attendance import Attendance
from gatewayd.rigs.model import Withdrawal
from gatewayd.store.model import RigLock


@dataclass(slots=True)
class Wishes:
    """`stopping`: close now. `leaving`: begin nothing new, let a fill end. `packs` counts changes.

    `lock`: somebody locked this rig; close now, and stay closed until it is unlocked.

    A permit nobody has started is taken back when its rig leaves, its packs changed or its operator
    did: what it was judged by no longer counts. One whose gas flows is held to its end.
    """

    people: Attendance
    stopping: bool = False
    leaving: bool = False
    packs: int = 0
    lock: RigLock | None = None
    _judged_by: int = 0

    @property
    def ending(self) -> bool:
        """Whether `run` is to return as soon as nothing is open."""
        return self.stopping or self.leaving

    @property
    def recalled(self) -> Withdrawal | None:
        """Why a permit that nobody started no longer counts; None = it does."""
        if self.leaving:
            return Withdrawal.CONFIG_CHANGED
        if self.packs != self._judged_by:
            return Withdrawal.RULES_CHANGED
        return Withdrawal.OPERATOR_CHANGED if self.people.operator_changed else None

    def renewed(self) -> None:
        """Other packs are in force from now on."""
        self.packs += 1

    def judged(self) -> None:
        """A judgement was made by the packs in force, and by who is logged in."""
        self._judged_by = self.packs
        self.people.judged()

"""What a judgement is told of the clock: whether it may be believed, and if not, why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gatewayd.rigs.sources import Asked
from gatewayd.timekeeping.keeper import Timekeeper


@dataclass(frozen=True, slots=True)
class ClockTrust:
    """The clock of this machine, looked at anew for each judgement: it may have been set just now."""

    keeper: Timekeeper

    def facts(self, asked: Asked) -> Mapping[str, Any]:
        """`clock.trusted`, and `clock.doubt` and `clock.against` where it is not."""
        del asked
        doubt = self.keeper.look().doubt
        if doubt is None:
            return {"clock.trusted": True}
        return {
            "clock.trusted": False,
            "clock.doubt": doubt.kind,
            "clock.against": doubt.against,
        }


@dataclass(frozen=True, slots=True)
class GivenTime:
    """A person asks as of a time that he names: nothing is to be doubted about that."""

    def facts(self, asked: Asked) -> Mapping[str, Any]:
        """`clock.trusted`."""
        del asked
        return {"clock.trusted": True}

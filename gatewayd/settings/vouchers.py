"""What a rig file says about a platform that must be asked before a fill (a fill voucher)."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from drivers.contract import Strict
from rules_engine.facts import parse_date

WAIT_MORE_S = 2
"""A rig waits so much longer than the question may take, in case nobody tells it of the answer."""


def _day(value: str) -> str:
    parse_date(value)
    return value


class OfflineVoucherSettings(Strict):
    """Fills go on while the platform does not answer, in writing; every verdict and `check` says so.

    A no of the platform is a no all the same. `allow_until` is its last day.
    """

    allow_until: Annotated[str, AfterValidator(_day)]
    reason: str = Field(min_length=10, max_length=500)
    approved_by: str = Field(min_length=1, max_length=200)


class VoucherSettings(Strict):
    """The platform that must allow a fill: asked once for each cylinder that comes, never for ever.

    * `upstream`: the upstream of gateway.yaml whose mapping has a voucher.
    * `within_s`: no answer by then is a no.
    * `tries`: so many times at most within that time, where no whole answer came.
    * `offline`: what counts while it does not answer: `refuse`, or `{allow_until, reason, approved_by}`.
    """

    upstream: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")
    within_s: int = Field(default=5, ge=1, le=30)
    tries: int = Field(default=2, ge=1, le=5)
    offline: Literal["refuse"] | OfflineVoucherSettings = "refuse"

    @property
    def wait_s(self) -> int:
        """How long a rig waits before it refuses."""
        return self.within_s + WAIT_MORE_S

    def lenient(self, today: date | None) -> OfflineVoucherSettings | None:
        """The site's own licence, while it counts; on a day that nobody knows it does not."""
        how = self.offline
        if isinstance(how, str) or today is None or today > parse_date(how.allow_until):
            return None
        return how

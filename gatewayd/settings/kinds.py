"""What an upstream kind is to the settings: a row found by entry point, validated without running.

The row lives on this floor so that `check` can validate `upstreams:` while the code that talks to
a platform stays above. A third party adds a kind by naming its row in `gatewayd.upstreams`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from drivers.contract import Strict

UPSTREAMS_GROUP = "gatewayd.upstreams"
"""The entry point group whose members are `UpstreamType` rows."""


class PacedSettings(Strict):
    """What every kind of upstream that we ship has.

    * `records_per_s`: a backlog is sent no faster than this; by default as fast as it is taken.
    """

    records_per_s: int | None = Field(default=None, ge=1, le=100_000)

    def claims(self, station_id: str, upstream: str) -> frozenset[str]:
        """What no other upstream may have beside this one, in words; none by default."""
        del station_id, upstream
        return frozenset()


@dataclass(frozen=True, slots=True)
class UpstreamType:
    """One row of the upstream table: how an upstream of this kind is configured and made.

    `settings` validates everything of an upstream but its `driver` key. `make` takes the name of
    the upstream, those settings and a `gatewayd.upstreams.contract.UpstreamContext`, touches no
    network and returns a `gatewayd.upstreams.contract.Upstream`; call it through
    `gatewayd.upstreams.contract.make_upstream`, which knows these types.
    """

    name: str
    settings: type[Strict]
    make: Callable[..., Any]
    summary: str
    needs: str = ""
    """A package that comes with an optional extra of the kind's own name; empty = none."""

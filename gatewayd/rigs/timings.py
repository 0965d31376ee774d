"""How long a rig's permits take and how evenly its leases are renewed; for whoever looks."""

from dataclasses import dataclass, field

from gatewayd.counting import Spread

SCAN_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
RENEWAL_S = (0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Timing:
    """Of one rig, in seconds.

    `scan_to_permit`: from the cylinder standing there and told by every required device to the echo
    of its permit, whatever it waited for meanwhile. `renewals`: between two of one permit's lease.
    """

    scan_to_permit: Spread = field(default_factory=lambda: Spread(SCAN_S))
    renewals: Spread = field(default_factory=lambda: Spread(RENEWAL_S))


@dataclass(frozen=True, slots=True)
class Timings:
    """Those of all rigs; one that begins anew after a reload counts on."""

    by_rig: dict[str, Timing] = field(default_factory=dict)

    def of(self, rig_id: str) -> Timing:
        """The times of one rig."""
        return self.by_rig.setdefault(rig_id, Timing())

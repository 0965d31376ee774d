"""What passed through each upstream since the daemon started; plain numbers, for whoever looks."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Flow:
    """Of one upstream.

    In records: `delivered` were taken, `rejected` are dead letters, `resent` were asked for again.
    `retried` counts offers that were not taken, `connections` how often it was up.
    """

    delivered: int = 0
    rejected: int = 0
    resent: int = 0
    retried: int = 0
    connections: int = 0


@dataclass(frozen=True, slots=True)
class Flows:
    """Those of all upstreams; one that is taken out and put back counts on."""

    by_name: dict[str, Flow] = field(default_factory=dict)

    def of(self, upstream: str) -> Flow:
        """The counts of one upstream."""
        return self.by_name.setdefault(upstream, Flow())

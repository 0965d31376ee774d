"""What an upstream is to the daemon: a batch of records in, one `Outcome` out.

The pump owns order, cursor, retry and dead letters; a `Sink` only says what the platform did with
a batch. A record is never dropped: it is accepted, rejected for good (a visible dead letter), or
kept and sent again with the same id, for ever.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from gatewayd.board import Board
from gatewayd.clock import Clock
from gatewayd.settings.kinds import UpstreamType
from gatewayd.store.model import Record
from gatewayd.store.store import Store
from gatewayd.upstreams.door import Door
from gatewayd.upstreams.flow import Flows


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the platform did with a batch, by record sequence. Every other record is kept.

    `rejected` says why a record can never be accepted as it is: it becomes a dead letter.
    `kept` says why the first kept record was not taken; empty when the whole batch is settled, or
    when at least its beginning is and the rest is under way: offered again it is not sent again.
    `wait_s` is how long the platform asked to be left alone before the next attempt.
    `by_kind`: records of another kind may be taken all the same.
    """

    accepted: frozenset[int] = frozenset()
    rejected: Mapping[int, str] = field(default_factory=dict)
    kept: str = ""
    wait_s: float = 0.0
    by_kind: bool = False

    def __post_init__(self) -> None:
        """A record has one fate."""
        assert not self.accepted & self.rejected.keys(), self


class Sink(Protocol):
    """One open way to a platform, for as long as it lasts."""

    gone: asyncio.Event
    """Set once it is lost: `deliver` then ends at once and is not called again."""

    async def deliver(self, batch: Sequence[Record], *, alone: bool) -> Outcome:
        """Offer records in order; returns when the fate of each is known. Raises nothing.

        `alone`: one record after a doubt, to be sent while nothing else is under way, so that its
        fate can be told from its neighbours'.
        """
        ...


class Upstream(Protocol):
    """One configured upstream."""

    name: str

    async def run(self) -> None:
        """Serve until cancelled; outages, refusals and bad credentials are waited out.

        Cancelled, it says goodbye within `GOODBYE_S_MAX` of its kind and passes the cancellation.
        """
        ...

    async def drained(self) -> None:
        """Return once every record committed so far is accepted or a dead letter.

        For an orderly stop, under the caller's deadline: what is left waits in the store.
        """
        ...


@dataclass(frozen=True, slots=True)
class UpstreamContext:
    """What every upstream gets.

    `directory` is where relative paths of its settings start. Requests of a platform go to `door`.
    What passes is counted in `flows`.
    """

    store: Store
    board: Board
    station_id: str
    clock: Clock
    boot_id: str
    version: str
    directory: Path
    door: Door = field(default_factory=Door)
    flows: Flows = field(default_factory=Flows)


def make_upstream(
    kind: UpstreamType, name: str, settings: Any, context: UpstreamContext
) -> Upstream:
    """Make an upstream of a kind; touches no network."""
    upstream: Upstream = kind.make(name, settings, context)
    return upstream


def presence(context: UpstreamContext, state: str) -> dict[str, str]:
    """The retained `status` topic: `online`, `stopping` or `offline`, since now (contract §6)."""
    return {
        "state": state,
        "since": stamp(context.clock),
        "version": context.version,
        "boot_id": context.boot_id,
    }


def stamp(clock: Clock) -> str:
    """Now as RFC 3339 in UTC, milliseconds."""
    return clock.wall().isoformat(timespec="milliseconds")

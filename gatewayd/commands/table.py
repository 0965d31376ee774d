"""Every command: what it asks with, what carries it out, and how it is treated."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from gatewayd.commands import archive, orders, small, snapshot, station
from gatewayd.commands.office import Office
from gatewayd.commands.schemas import RESULTS, Request
from gatewayd.commands.terms import Case, Later, Reply
from gatewayd.upstreams.door import COMMANDS

Run: TypeAlias = Callable[[Office, Any, Case], Awaitable[Reply | Later]]

SMALL_BYTES_MAX = 16_384
LARGE_BYTES_MAX = 2_097_152


@dataclass(frozen=True, slots=True)
class Spec:
    """One command.

    `large`: carries rows, so it may be large, and goes in a lane of its own in which nobody waits
    for a gate. `harmless`: takes gas away or changes nothing, so that it counts also while the clock
    is in doubt. `recorded`: leaves a record of kind `command`; a chunk does with the last one.
    """

    request: type[Request]
    run: Run
    large: bool = False
    harmless: bool = False
    recorded: bool = True

    @property
    def bytes_max(self) -> int:
        """The largest request, in bytes."""
        return LARGE_BYTES_MAX if self.large else SMALL_BYTES_MAX


_RUN: Final[Mapping[str, tuple[Run, dict[str, bool]]]] = {
    "ping": (small.ping, {"harmless": True, "recorded": False}),
    "config.plan": (small.config_plan, {"large": True}),
    "cylinders.upsert": (archive.upsert_cylinders, {"large": True}),
    "cylinders.snapshot": (snapshot.snapshot, {"large": True}),
    "cylinders.hold": (orders.hold, {"harmless": True}),
    "cylinders.release": (orders.release, {}),
    "operators.upsert": (archive.upsert_operators, {"large": True}),
    "rig.lock": (orders.lock, {"harmless": True}),
    "rig.unlock": (orders.unlock, {}),
    "records.resend": (small.records_resend, {}),
    "alarms.acknowledge": (station.acknowledge, {}),
    "batch.open": (station.open_batch, {}),
    "batch.close": (station.close_batch, {}),
}

TABLE: Final[Mapping[str, Spec]] = {
    name: Spec(RESULTS[name][0], run, **more) for name, (run, more) in _RUN.items()
}
"""By name (contract §6)."""

assert TABLE.keys() == COMMANDS == RESULTS.keys(), "one list of commands"

"""Where requests of a platform come in, whatever carried them; who answers them stands above."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

CommandName: TypeAlias = Literal[
    "ping",
    "config.plan",
    "cylinders.upsert",
    "cylinders.snapshot",
    "cylinders.hold",
    "cylinders.release",
    "operators.upsert",
    "rig.lock",
    "rig.unlock",
    "records.resend",
    "alarms.acknowledge",
    "batch.open",
    "batch.close",
]
COMMANDS: Final[frozenset[str]] = frozenset(get_args(CommandName))
"""Contract §6, and the last three of ours."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came in; nothing of it has been believed yet.

    `allowed`: the settings of the upstream let it give this command. `answer` takes the reply as
    JSON and what to call once the platform's side has it; it never waits and never raises.
    """

    upstream: str
    name: str
    body: bytes
    retained: bool
    allowed: bool
    answer: Callable[[bytes, Callable[[], None]], None]


class Door:
    """Shut until somebody stands behind it: an upstream that finds it shut asks for no requests."""

    def __init__(self) -> None:
        self._take: Callable[[Call], None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether somebody answers."""
        return self._take is not None

    def open(self, take: Callable[[Call], None]) -> None:
        """From now on `take` gets every request; it never waits and never raises."""
        self._take = take

    def knock(self, call: Call) -> None:
        """A request has come."""
        assert self._take is not None, "nobody asked for requests"
        self._take(call)

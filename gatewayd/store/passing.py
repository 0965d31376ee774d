"""What outlives the records of a cylinder: its last fill, its passing of the gate, where it was seen.

Also the codes and tags that must never be used again. Plain functions inside the writer's transaction,
each beside the record that it follows from.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import apsw

SIGHTINGS_KEPT_MAX = 4_096
"""The newest sightings that a restart remembers; older ones go."""
RETIRING = ("scrapped", "cancelled")
"""The states of an entry whose code and tags may never name another cylinder (cylinders.md §3.2)."""


@dataclass(frozen=True, slots=True)
class Passing:
    """What a record says of one cylinder of the archive, by its `code`.

    `filled_g`: that much gas went into it, grams; None = none did. `crossed`: it left the station
    or came back to it. `seen`: it stood, or was scanned, where the record was made. `at_most_g`: a
    person has weighed it, and it holds no more than that of its last fill, grams. `beside`: the gas
    came on top of what its last fill put in, unless it left the station since.
    """

    code: str
    filled_g: int | None = None
    crossed: bool = False
    seen: bool = True
    at_most_g: int | None = None
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Life:
    """What is known of a cylinder's way; times are aware UTC, None = never.

    `filled_sequence` and `crossed_sequence` are those of the records, so no clock is compared.
    """

    filled_at: datetime | None = None
    filled_sequence: int = 0
    filled_g: int | None = None
    crossed_at: datetime | None = None
    crossed_sequence: int = 0

    @property
    def left_since_fill(self) -> bool:
        """Whether it passed the station's gate after its last fill."""
        return self.crossed_sequence > self.filled_sequence


@dataclass(frozen=True, slots=True)
class Seen:
    """One sighting as remembered: which cylinder, where, when (aware UTC)."""

    code: str
    place: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Retired:
    """A code or a tag that must not be used again; `code` is the cylinder that had it."""

    kind: str
    value: str
    code: str
    reason: str
    retired_at: datetime


_FILLED = (
    "INSERT INTO lives (code, filled_at, filled_sequence, filled_g) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (code) DO UPDATE SET filled_at = excluded.filled_at, "
    "filled_sequence = excluded.filled_sequence, filled_g = excluded.filled_g"
)
_BESIDE = (
    "SELECT coalesce(max(filled_g), 0) FROM lives WHERE code = ? "
    "AND filled_sequence > coalesce(crossed_sequence, 0)"
)
_EASED = "UPDATE lives SET filled_g = min(filled_g, ?) WHERE code = ?"
_CROSSED = (
    "INSERT INTO lives (code, crossed_at, crossed_sequence) VALUES (?, ?, ?) "
    "ON CONFLICT (code) DO UPDATE SET crossed_at = excluded.crossed_at, "
    "crossed_sequence = excluded.crossed_sequence"
)
_RETIRE = (
    "INSERT INTO retired (kind, value, code, reason, retired_at) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (kind, value) DO UPDATE SET code = excluded.code, reason = excluded.reason, "
    "retired_at = excluded.retired_at, reused_at = NULL, reuse_reason = NULL "
    "WHERE reused_at IS NOT NULL"
)


def note(
    connection: apsw.Connection, passing: Passing, *, place: str, sequence: int, at: str
) -> None:
    """Follow what the record `sequence`, made at `place` at `at` (UTC), says of its cylinder."""
    if passing.filled_g is not None:
        before_g = connection.execute(_BESIDE, (passing.code,)).get if passing.beside else 0
        connection.execute(_FILLED, (passing.code, at, sequence, before_g + passing.filled_g))
    if passing.at_most_g is not None:
        connection.execute(_EASED, (passing.at_most_g, passing.code))
    if passing.crossed:
        connection.execute(_CROSSED, (passing.code, at, sequence))
    if passing.seen:
        see(connection, passing.code, place, at)


def see(connection: apsw.Connection, code: str, place: str, at: str) -> None:
    """Remember that a cylinder was at a rig or point; the oldest sighting above the limit goes."""
    sql = "INSERT INTO sightings (code, place, seen_at) VALUES (?, ?, ?) RETURNING id"
    number = connection.execute(sql, (code, place, at)).get
    connection.execute("DELETE FROM sightings WHERE id <= ?", (number - SIGHTINGS_KEPT_MAX,))


def retire(
    connection: apsw.Connection, named: Iterable[tuple[str, str, str, str]], at: str
) -> None:
    """Never use these again: (`code` or `uid`, value, code of its cylinder, reason).

    What is retired already stays as it was noted first; what was taken back into use is retired anew.
    """
    connection.executemany(_RETIRE, ((*each, at) for each in named))

"""What the store knows of the clock: the newest believed time of a record, and what was set since."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import apsw


@dataclass(frozen=True, slots=True)
class Mark:
    """`latest_at`: the newest time in a record written while the clock was `believed` (aware UTC).

    `moved_s`: seconds by which the clock was set since anybody vouched for it, forward positive.
    `vouched`: how often a person has vouched for it; tells a running daemon to look again.
    """

    latest_at: datetime | None = None
    believed: bool = True
    moved_s: float = 0.0
    vouched: int = 0


def mark(row: tuple[Any, ...]) -> Mark:
    """The one row of the table `clock`."""
    latest_at, believed, moved_s, vouched = row
    latest = None if latest_at is None else datetime.fromisoformat(latest_at)
    return Mark(latest, bool(believed), moved_s, vouched)


def keep(connection: apsw.Connection, value: Mark) -> None:
    """Remember whether records count from now on, and by how much the clock was set.

    Nothing changes when a person has vouched for the clock meanwhile.
    """
    connection.execute(
        "UPDATE clock SET believed = ?, moved_s = ? WHERE vouched = ?",
        (value.believed, value.moved_s, value.vouched),
    )


def vouch(connection: apsw.Connection, at: str) -> None:
    """A person says that the clock is right at `at` (RFC 3339, UTC): nothing older speaks against it."""
    connection.execute(
        "UPDATE clock SET latest_at = ?, believed = 1, moved_s = 0, vouched = vouched + 1", (at,)
    )

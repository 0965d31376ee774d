"""Records from behind a tear in the log: what they say of tables that are from before it.

SQLite reads a log up to its first torn frame. Records behind that come out of single pages; tables
do not, so that locks, holds and totalisers are older than the newest record.
"""

import json
from typing import Any, Final

import apsw

ARCHIVE: Final = "archive"
LOCKS: Final = "locks"
_SAYS: Final = {"lock": LOCKS, "hold": ARCHIVE}
"""Kinds of records that say that a group has changed; what it was before must not be believed."""
_KINDS: Final = "SELECT DISTINCT kind FROM records WHERE sequence > ?"
_FILLS: Final = (
    "SELECT rig, body FROM records WHERE sequence > ? AND kind = 'fill' ORDER BY sequence"
)
_CATCH_UP: Final = (
    "INSERT INTO rigs (rig, last_permit_no, last_total_g) VALUES (?, ?, ?) ON CONFLICT (rig) DO "
    "UPDATE SET last_permit_no = max(last_permit_no, excluded.last_permit_no), "
    "last_total_g = excluded.last_total_g"
)


def stale(fresh: apsw.Connection, last: int) -> frozenset[str]:
    """The groups that records above `last`, where the tables ended, have changed."""
    kinds = [str(row[0]) for row in fresh.execute(_KINDS, (last,))]
    return frozenset(_SAYS[kind] for kind in kinds if kind in _SAYS)


def catch_up(fresh: apsw.Connection, last: int) -> None:
    """Take totaliser and permit number of each rig from its fills above `last`.

    What they say has flowed is booked; by the older totaliser it would be booked once more.
    """
    for rig, body in fresh.execute(_FILLS, (last,)).fetchall():
        data: dict[str, Any] = json.loads(str(body))["data"]
        number, total_g = data.get("permit_no"), data.get("total_after_g")
        if isinstance(total_g, int):
            fresh.execute(_CATCH_UP, (rig, number if isinstance(number, int) else 0, total_g))

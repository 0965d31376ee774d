"""The end of a shift of a second witness: its record, and where it goes on, together."""

from dataclasses import dataclass

import apsw

from gatewayd.store import writes
from gatewayd.store.chain import Issuer
from gatewayd.store.model import Record, RecordDraft

KEY = "witness {}"
"""Under what a witness is kept; no rig has a blank in its name."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a comparison was made of: these rigs, records up to this one, and these fills that run."""

    rigs: tuple[str, ...]
    sequence: int
    pending: frozenset[str]

    def holds(self, connection: apsw.Connection) -> bool:
        """Whether nothing came that it does not know of."""
        marks = ", ".join("?" * len(self.rigs))
        newer = f"SELECT 1 FROM records WHERE sequence > ? AND kind = 'fill' AND rig IN ({marks})"  # noqa: S608 - only marks
        if connection.execute(newer, (self.sequence, *self.rigs)).fetchone() is not None:
            return False
        permits = f"SELECT id FROM permits WHERE state = 'pending' AND rig IN ({marks})"  # noqa: S608 - only marks
        return {row[0] for row in connection.execute(permits, self.rigs)} == self.pending


def close(
    connection: apsw.Connection,
    issuer: Issuer,
    basis: Basis,
    draft: RecordDraft,
    *,
    keep: tuple[str, str],
) -> Record | None:
    """Commit a witness's shift, and `keep` where that device goes on; None: something came meanwhile."""
    if not basis.holds(connection):
        return None
    device, goes_on = keep
    writes.keep(connection, KEY.format(device), goes_on)
    return writes.append(connection, draft, issuer)

"""Housekeeping beside the work: records that are old enough go, and what is short of room is shed.

Everything is done in slices of a few milliseconds with pauses, by the one writer, so that a rig's
commit waits for no more than one slice.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import apsw

from gatewayd.errors import StoreError
from gatewayd.logs import logger
from gatewayd.store import pruning, rows
from gatewayd.store.chain import Issuer
from gatewayd.store.pruning import Rule
from gatewayd.store.store import Store

LOOK_S = 600
"""How often it is looked for what may go."""
PAUSE_S = 0.1
"""Between two slices: at most 1,000 records a second go."""
SHED_PERCENT = 95
"""From here on what no law asks for makes room."""
SIGHTINGS_LEFT = 64
"""Sightings that stay even then: the last cylinders of the rigs, for a restart."""
FREE_PAGES_KEPT = 4_096
"""Unused pages that the file keeps for the next records, 16 MB; more are given back to the disk."""
PAGES_A_SLICE = 128

SHED_ORDER: Final = (
    (
        "sightings",
        "DELETE FROM sightings WHERE id <= (SELECT max(id) - :left FROM sightings)",
    ),
    ("requests", "DELETE FROM requests WHERE kept_until < :now"),
    ("checks", "DELETE FROM checks WHERE spent_by IS NOT NULL AND valid_until < :now"),
)
"""What goes first when room is short. Weights and reads are nowhere in the store: they are shown and
forgotten. Permits, records of any kind, holds, locks, alarms, cursors and the archive never go."""

log = logger("store")


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long records stay, and who has to have them: asked anew each time. Leaps: see `pruning`."""

    keep_days: int
    upstreams: Callable[[], Sequence[str]]
    leap_days: int = pruning.LEAP_DAYS


async def run(store: Store, keeping: Keeping, wall: Callable[[], datetime]) -> None:
    """Look for ever. A store that fails is left alone until the next look."""
    while True:
        try:
            await once(store, keeping, wall)
        except StoreError as exc:
            log.warning("store.upkeep_put_off", error=str(exc))
        await asyncio.sleep(LOOK_S)


async def once(
    store: Store, keeping: Keeping, wall: Callable[[], datetime], *, pause_s: float = PAUSE_S
) -> int:
    """Do everything that is due; how many records were deleted. Raises StoreError."""
    if store.used_percent >= SHED_PERCENT:
        await shed(store, wall())
    gone = 0
    while True:
        upstreams = tuple(keeping.upstreams())
        rule = Rule(_believed(store, wall()), keeping.keep_days, upstreams, keeping.leap_days)

        def slice_(connection: apsw.Connection, _issuer: Issuer, rule: Rule = rule) -> int:
            return pruning.prune(connection, rule)

        count = await store.commit(slice_)
        gone += count
        if not count and not await store.commit(_give_back):
            break
        await asyncio.sleep(pause_s)
    if gone:
        log.info("store.pruned", records=gone, through=store.pruned().head.sequence)
    return gone


def _believed(store: Store, now: datetime) -> datetime:
    """What counts as now: by the clock, but no later than the newest record it was believed for.

    A clock that jumped ahead must not make everything old.
    """
    latest = store.clock_mark().latest_at
    return (now if latest is None else min(now, latest)).astimezone(UTC)


async def shed(store: Store, now: datetime) -> dict[str, int]:
    """Make room in `SHED_ORDER`; how many rows went of each. Raises StoreError."""

    def work(connection: apsw.Connection, _issuer: Issuer) -> dict[str, int]:
        gone, given = {}, {"now": rows.utc(now), "left": SIGHTINGS_LEFT}
        for name, sql in SHED_ORDER:
            connection.execute(sql, given)
            gone[name] = connection.changes()
        return gone

    gone = await store.commit(work)
    log.warning("store.shed", **gone)
    return gone


def _give_back(connection: apsw.Connection, _issuer: Issuer) -> bool:
    """Give unused pages back to the disk; False = there are none to give. Only stores made by 3."""
    if connection.execute("PRAGMA auto_vacuum").get == 0:
        return False
    unused: int = connection.execute("PRAGMA freelist_count").get
    if unused <= FREE_PAGES_KEPT:
        return False
    connection.execute(f"PRAGMA incremental_vacuum({PAGES_A_SLICE})").fetchall()
    return True

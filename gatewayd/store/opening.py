"""What happens to a store's file before anybody uses it: ended, created, checked, brought up to date."""

from datetime import datetime
from pathlib import Path

from gatewayd.errors import DamagedError
from gatewayd.store import checking, database, swap
from gatewayd.store.chain import Issuer
from gatewayd.store.rebirth import Damage, Remedy, quarantine
from gatewayd.store.upgrade import upgrade


def prepare(
    path: Path, *, issuer: Issuer, at: datetime, remedy: Remedy | None = None
) -> Damage | None:
    """Make the store at `path` ready; the caller owns it. What was done about damage, or None.

    Raises StoreError; DamagedError when there is no `remedy`, and then the file is left as it is.
    """
    swap.resume(path)
    damage = None
    try:
        if not database.exists(path):
            database.create(path, station_id=issuer.station_id)
        checking.check(path)
    except DamagedError as exc:
        if remedy is None:
            raise
        damage = quarantine(path, exc, issuer=issuer, remedy=remedy, at=at)
    upgrade(path, at=at)
    return damage

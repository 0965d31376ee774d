"""A store of an older program to this one's schema, step by step, each step whole or not at all."""

from datetime import datetime
from importlib.resources import files
from pathlib import Path

import apsw

from gatewayd.clock import SystemClock
from gatewayd.errors import StoreError
from gatewayd.logs import logger
from gatewayd.store import copying, database

log = logger("store")


def upgrade(path: Path, *, at: datetime | None = None, keep: bool = True) -> None:
    """Bring the store at `path` to this program's schema; the caller owns it. Raises StoreError.

    Nothing happens to a store of this version. Records and permits are left as they are. A proven
    copy is kept first unless `keep` is False; without room for it nothing is changed. `at` is now,
    for its name.
    """
    connection = database.connect_to_upgrade(path)
    try:
        found = database.version(connection)
        if keep and found < database.SCHEMA_VERSION:
            kept = copying.before_change(path, version=found, at=at or SystemClock().wall())
            log.info("store.kept_before_upgrade", file=kept.name, schema=found)
        for version in range(database.version(connection), database.SCHEMA_VERSION):
            step = (files("gatewayd.store") / f"upgrade-{version}.sql").read_text(encoding="utf-8")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(step)
            connection.execute("COMMIT")
    except apsw.Error as exc:
        raise database.store_error(path, exc) from exc
    finally:
        database.roll_back(connection)
        connection.close()


def upgrade_if_free(path: Path) -> None:
    """Upgrade a store that no daemon owns, for a command that wants to write into it.

    Raises StoreError when an older daemon still runs on it.
    """
    connection = database.connect_to_upgrade(path)
    try:
        old = database.version(connection) < database.SCHEMA_VERSION
    except apsw.Error as exc:
        raise database.store_error(path, exc) from exc
    finally:
        connection.close()
    if not old:
        return
    try:
        owner = database.Ownership.take(path)
    except StoreError as exc:
        raise StoreError(f"{exc} (it is an older gatewayd; restart it first)") from exc
    try:
        upgrade(path)
    finally:
        owner.release()

"""A store of an older program to this one's schema, step by step, each step whole or not at all."""

from importlib.resources import files
from pathlib import Path

import apsw

from gatewayd.errors import StoreError
from gatewayd.store import database


def upgrade(path: Path) -> None:
    """Bring the store at `path` to this program's schema; the caller owns it. Raises StoreError.

    Nothing happens to a store of this version. Records and permits are left as they are.
    """
    connection = database.connect_to_upgrade(path)
    try:
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

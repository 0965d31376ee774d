"""How much room a store has: under its quota, on its disk, and whether it lives on its ballast."""

import os
from pathlib import Path

import apsw

KEPT_FOR_FILLS_BYTES = 524_288
"""Of the reserve, or of the ballast: below it also what closes is refused."""


def ballast_file(path: Path) -> Path:
    """The file that keeps room on the disk; see `ballast`."""
    return path.with_name(f"{path.name}.ballast")


def used(connection: apsw.Connection) -> tuple[int, int]:
    """Bytes that the store uses, and that it may use under its quota; may raise apsw.Error."""
    pages, unused, limit, page_bytes = (
        connection.execute(f"PRAGMA {name}").get
        for name in ("page_count", "freelist_count", "max_page_count", "page_size")
    )
    return (pages - unused) * page_bytes, limit * page_bytes


def on_ballast(connection: apsw.Connection) -> bool:
    """Whether the disk was full and its ballast was given away."""
    try:
        return ballast_file(Path(connection.db_filename("main"))).stat().st_size == 0
    except OSError:
        return False


def for_closing(connection: apsw.Connection) -> bool:
    """Whether a lock or a hold leaves enough for the end of open fills; may raise apsw.Error."""
    bytes_used, limit = used(connection)
    return min(limit - bytes_used, _disk_bytes(connection)) >= KEPT_FOR_FILLS_BYTES


def _disk_bytes(connection: apsw.Connection) -> int:
    """What the disk still gives; 0 when nobody can tell."""
    try:
        disk = os.statvfs(Path(connection.db_filename("main")).parent)
    except OSError:
        return 0
    return disk.f_bavail * disk.f_frsize


def used_percent(connection: apsw.Connection) -> int:
    """How full the store is: of its quota, or of what the disk still gives if that is less.

    100 on its ballast: what that gave is not for use.
    """
    if on_ballast(connection):
        return 100
    bytes_used, limit = used(connection)
    return 100 * bytes_used // max(1, min(limit, bytes_used + _disk_bytes(connection)))

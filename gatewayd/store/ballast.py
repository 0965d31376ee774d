"""A file that only takes up room: emptied when the disk is full, so that what has begun can end.

`<store>.ballast`: with its size it is there; empty it was used up, and nothing new may begin on what
it gave (`database.has_room`), also after a restart; missing, there shall be none.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from gatewayd.logs import logger
from gatewayd.store import room

_MIB = 1_048_576

log = logger("store")


class Ballast:
    """The ballast of one store; belongs to its writer."""

    def __init__(self, path: Path, *, mb: int) -> None:
        """`mb` in MiB; 0 = none."""
        self._file = room.ballast_file(path)
        self._bytes = mb * _MIB
        if mb == 0:
            with suppress(OSError):
                self._file.unlink(missing_ok=True)

    @property
    def missing(self) -> bool:
        """Whether there shall be one and it was used up."""
        return self._bytes > 0 and self._size() < self._bytes

    def make(self) -> None:
        """Make it while the disk has twice its room; else it counts as used up. Raises nothing."""
        if not self.missing:
            return
        try:
            file = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as exc:
            log.warning("ballast.not_made", error=str(exc))
            return
        try:
            if shutil.disk_usage(self._file.parent).free >= 2 * self._bytes:
                os.posix_fallocate(file, 0, self._bytes)
                log.info("ballast.made", bytes=self._bytes)
        except OSError:
            with suppress(OSError):
                os.ftruncate(file, 0)
        finally:
            os.close(file)

    def release(self) -> bool:
        """Give its room away; False = there was nothing to give."""
        if self._bytes == 0 or self._size() == 0:
            return False
        try:
            if shutil.disk_usage(self._file.parent).free >= self._bytes:
                return False  # It is the quota that is used up, which no file can help.
            os.truncate(self._file, 0)
        except OSError:
            return False
        log.error("ballast.released", bytes=self._bytes)
        return True

    def _size(self) -> int:
        try:
            return self._file.stat().st_size
        except OSError:
            return 0

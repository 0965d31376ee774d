"""`/dev/watchdog`: a timer that restarts the computer when nobody pats it (Linux, watchdog-api.rst).

Only what answers the watchdog's own calls is one: a plain file, a terminal or a pipe would take our
pats and restart nothing, so it is refused by name rather than believed.
"""

import array
import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Self, TypeAlias

from gatewayd.logs import logger

WDIOC_SETTIMEOUT: Final = 0xC0045706
"""_IOWR('W', 6, int) of linux/watchdog.h, the same on x86, ARM and RISC-V; takes seconds."""
WDIOC_GETTIMEOUT: Final = 0x80045707
"""_IOR('W', 7, int)."""

Control: TypeAlias = "Callable[[int, int, array.array[int]], int]"
"""`fcntl.ioctl` as it is used here."""

log = logger("watchdog")


class HardwareWatchdog:
    """One opened watchdog: pat it in time, and disarm it before an orderly end."""

    def __init__(self, path: str, file: int, timeout_s: int) -> None:
        self.timeout_s = timeout_s
        self._path = path
        self._file = file
        self._failing = False

    @classmethod
    def open(cls, path: str, timeout_s: int, *, control: Control = fcntl.ioctl) -> Self:
        """Arm the watchdog. Its own time counts when it does not take ours; see `timeout_s`.

        Raises OSError: not there, held by another program (systemd's RuntimeWatchdogSec=), not
        allowed, or no watchdog at all; nothing is armed then.
        """
        file = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            taken_s = _set(file, timeout_s, control)
        except OSError:
            _disarm(file)
            raise
        log.info("watchdog.armed", device=path, timeout_s=taken_s)
        return cls(path, file, taken_s)

    def pat(self) -> None:
        """All is well for another `timeout_s`."""
        try:
            os.write(self._file, b"\0")
        except OSError as exc:
            if not self._failing:
                log.error("watchdog.not_patted", device=self._path, error=str(exc))  # noqa: TRY400 - what happened is in the text
            self._failing = True
            return
        self._failing = False

    def close(self) -> None:
        """Disarm it: the magic letter first, else closing would leave it running."""
        _disarm(self._file)
        log.info("watchdog.disarmed", device=self._path)


def _set(file: int, timeout_s: int, control: Control) -> int:
    """The seconds that the watchdog gives us: ours, the nearest it can, or its own fixed ones."""
    seconds = array.array("i", [timeout_s])
    try:
        control(file, WDIOC_SETTIMEOUT, seconds)
    except OSError:
        control(file, WDIOC_GETTIMEOUT, seconds)
    return seconds[0]


def _disarm(file: int) -> None:
    with suppress(OSError):
        os.write(file, b"V")
    os.close(file)

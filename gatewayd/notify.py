"""Tell systemd how we are (sd_notify(3)); without systemd it does nothing."""

import os
import socket
import time
from contextlib import suppress
from typing import Final

STATUS_CHARS_MAX: Final = 1_000
"""systemd drops a message of more than 4,096 bytes; a Chinese character is three."""


def tell(state: str) -> None:
    """Send one line such as `READY=1`, `WATCHDOG=1` or `STOPPING=1` to `$NOTIFY_SOCKET`.

    Nobody listening is no reason to stop filling: systemd's own watchdog decides.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    with suppress(OSError), socket.socket(socket.AF_UNIX, kind) as sock:
        sock.sendto(state.encode(), address.replace("@", "\0", 1))


def status(line: str) -> None:
    """Show a line in `systemctl status`: line ends become spaces, it ends at `STATUS_CHARS_MAX`."""
    tell("STATUS=" + " ".join(line.split())[:STATUS_CHARS_MAX])


def reloading() -> None:
    """Say that the files are read again, at this moment of systemd's own clock; `READY=1` ends it."""
    now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000
    tell(f"RELOADING=1\nMONOTONIC_USEC={now_us}")

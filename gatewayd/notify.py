"""Tell systemd how we are (sd_notify(3)); without systemd it does nothing."""

import os
import socket


def tell(state: str) -> None:
    """Send one line such as `READY=1`, `WATCHDOG=1` or `STOPPING=1` to `$NOTIFY_SOCKET`."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.sendto(state.encode(), address.replace("@", "\0", 1))

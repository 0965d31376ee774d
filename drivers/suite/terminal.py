"""A pseudo terminal under a name of its own, as udev gives a real port one.

The kernel calls the next terminal as the last one that was closed (/dev/pts/2). Whoever still tried
that name would open, lock and question a stranger's device; a name of our own leads nowhere then.
"""

import os
import pty
import tempfile
import tty
from pathlib import Path


class Terminal:
    """Raw and open at both ends; `far` is the device's end and never blocks, `path` leads to the other.

    Raises OSError when the machine has no terminal left.
    """

    def __init__(self) -> None:
        self.far, self._near = pty.openpty()
        tty.setraw(self._near)
        os.set_blocking(self.far, False)
        self._folder = tempfile.TemporaryDirectory(prefix="gatewayd-port-")
        self._link = Path(self._folder.name) / "port"
        self._link.symlink_to(os.ttyname(self._near))

    @property
    def path(self) -> str:
        """What to write into a device's `link`; after the end no other terminal has this name."""
        return str(self._link)

    @property
    def is_open(self) -> bool:
        """False once it was closed."""
        return self.far >= 0

    def close(self) -> None:
        """Pull the plug: the name goes first, then both ends; safe to repeat."""
        if self.is_open:
            self._folder.cleanup()
            os.close(self._near)
            os.close(self.far)
            self.far = self._near = -1

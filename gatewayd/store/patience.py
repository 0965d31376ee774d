"""How long the writer waits for another process that holds the file."""

import threading

BUSY_STEP_S = 0.02
CLOSING_BUSY_S = 0.2
"""How long a closing store still waits for another process's transaction: stopping may not hang."""


class Patience:
    """SQLite's busy handler: waits `busy_ms` for another process, less once the store closes."""

    def __init__(self, busy_ms: int) -> None:
        self.closing = threading.Event()
        self._busy_s = busy_ms / 1_000
        self._closing_s = 0.0
        self._never = threading.Event()

    def __call__(self, calls_before: int) -> bool:
        """Wait one step; False = give up and say that the store is locked."""
        if self.closing.is_set():
            self._closing_s += BUSY_STEP_S
            if self._closing_s > CLOSING_BUSY_S:
                return False
        self._never.wait(BUSY_STEP_S)
        return calls_before * BUSY_STEP_S < self._busy_s

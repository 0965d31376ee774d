"""How a driver that hangs is told from one that sees nothing: what reads the device says that it turns.

A coroutine says so itself (`Context.alive`, or with every frame). A thread in a device's library
cannot be ended when a call does not come back: its turns are counted, and looked at by the loop.
"""

import threading
from collections.abc import Callable
from typing import ClassVar

from drivers.contract import DriverError, Trouble

TURN_S = 1.0
"""Who waits for a device that may be silent for hours wakes up so often, to say that it can."""
LIVELY_S = 30.0
"""Longer than any pause between two rounds or polls, than a pushing reader may be silent before it is
asked, and than asking takes: a driver that did not turn for so long hangs."""
STILL_LOOKS_MAX = 10
"""A thread that did not turn between so many looks, TURN_S apart, hangs: longer than any call of a
device's library may take. Looks are counted and not seconds, for after a stall of the whole process
the thread had no time either."""
HUNG_THREADS_MAX = 3
"""So many threads of one wire may hang; then no other is begun until one of them comes back."""


class Worker:
    """One thread that does everything with the library of a device; `begin` it once.

    `wire` names what it serves; `trouble` is what a person can do when it hangs.
    """

    _begun: ClassVar[dict[str, list[threading.Thread]]] = {}

    def __init__(self, wire: str, trouble: Trouble, work: Callable[[], object]) -> None:
        self._wire = wire
        self._trouble = trouble
        # A daemon, so that one that hangs cannot hold the program.
        self._thread = threading.Thread(target=work, name=wire, daemon=True)
        self._turns = self._seen = 0
        self._still = 0

    def begin(self) -> None:
        """Start the thread; raises DriverError while too many before it hang."""
        left = [each for each in self._begun.get(self._wire, ()) if each.is_alive()]
        if len(left) >= HUNG_THREADS_MAX:
            raise self._hangs(f"{len(left)} calls have not come back")
        self._begun[self._wire] = [*left, self._thread]
        self._thread.start()

    def join(self) -> None:
        """Wait until the thread has ended; for who knows that it will."""
        self._thread.join()

    def turned(self) -> None:
        """On the thread: a call of the library came back."""
        self._turns += 1

    def look(self) -> None:
        """On the loop, once in TURN_S: raises DriverError when the thread hangs."""
        turns = self._turns
        self._still = self._still + 1 if turns == self._seen else 0
        self._seen = turns
        if self._still >= STILL_LOOKS_MAX:
            raise self._hangs(f"a call has not come back for {STILL_LOOKS_MAX * TURN_S:g} s")

    def _hangs(self, why: str) -> DriverError:
        return DriverError(f"{self._wire}: {why}; {self._trouble.en}", self._trouble)

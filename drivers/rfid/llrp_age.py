"""How old the reports of an LLRP reader can be at the most: see `drivers.owed`.

A request of no effect is sent again and again; whatever follows its answer was said after it was
asked. Messages have numbers, so an answer that is lost costs nothing but time.
"""

from drivers.contract import DriverError
from drivers.dialog import now
from drivers.rfid.llrp_session import PROOF, Session
from protocols.readers.llrp import Message

PROVE_EVERY_S = 0.5
"""How old a report that is pushed seems at the most; one that is polled, two polls."""
PROVEN_WITHIN_S = 6.0
"""A reader that leaves such a request open for so long is lost: no tag would count any more."""


class Age:
    """Of one session; `collects`: a report tells what was seen since the report before."""

    def __init__(self, session: Session, *, collects: bool) -> None:
        self._session = session
        self._collects = collects
        self._open: dict[int, float] = {}
        self._due = now()
        self._before_ns = 0
        self._refused = False

    @property
    def said_ns(self) -> int:
        """Tags of a report that is taken now were seen after this, monotonic; 0: nobody knows."""
        return self._before_ns if self._collects else self._session.owed.since_ns

    async def prove(self) -> None:
        """Ask, when it is time; raises DriverError when the reader does not answer.

        Where reports are collected: once before each is asked for.
        """
        if not self._collects and now() < self._due:
            return
        self._due = now() + PROVE_EVERY_S
        oldest = min(self._open.values(), default=now())
        if now() - oldest > PROVEN_WITHIN_S:
            raise DriverError(f"{self._session.wire}: no answer to {PROOF}")
        self._open[await self._session.prove()] = now()

    def refused(self) -> None:
        """A report was not given: the next one tells what this one would have told, too."""
        self._refused = True

    def taken(self, message: Message) -> bool:
        """A message is being taken, in the order in which they came; True when it was asked here."""
        number = message.message_id
        if number not in self._open or message.name not in (f"{PROOF}_RESPONSE", "ERROR_MESSAGE"):
            return False
        self._open = {each: at for each, at in self._open.items() if each > number}
        if not self._refused:
            self._before_ns = self._session.owed.since_ns
        self._refused = False
        self._session.owed.answered(number)
        return True

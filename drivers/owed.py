"""Which answers a device still owes, and how old what it says now can be at the most.

A network may hold back what a device said for seconds, and give it out when another cylinder stands
there: what counts is when a thing was said, and that only the order of questions and answers
proves. A link keeps the order of bytes and a device answers one question after the other, so an
answer to a question was said after that question was asked, and so was everything that follows the
answer. Most protocols do not number their answers: one is taken for the oldest question of its kind
that is still open, and the open ones before that will never be answered. Where answers got lost it so
seems older than it is, until a kind of which none is open is answered.
"""

from collections.abc import Hashable

OWED_MAX = 256
"""Answers owed at once; a device that owes more has lost count, and its link is opened anew."""


ANY = object()
"""The kind of an answer that does not tell what it answers, e.g. that a command is not understood."""


class OwedError(Exception):
    """OWED_MAX answers are owed, and another one would be."""


class Owed:
    """The open questions of one link in the order in which they were asked; times in monotonic ns.

    `since_ns`: whatever is heard now was said no earlier. 0 while nothing was ever answered.
    """

    def __init__(self) -> None:
        self.since_ns = 0
        self._open: list[tuple[Hashable, int]] = []

    def asked(self, kind: Hashable, at_ns: int) -> None:
        """A question whose answers can be told from those of another kind; raises OwedError."""
        if len(self._open) >= OWED_MAX:
            raise OwedError(f"{OWED_MAX} answers are owed")
        self._open.append((kind, at_ns))

    def answered(self, kind: Hashable) -> None:
        """The last word of an answer came; one that nobody waits for proves nothing.

        One of ANY kind answers the oldest question at the earliest.
        """
        at = self._oldest(kind)
        if at is not None:
            self.since_ns = self._open[at][1]
            del self._open[: at + 1]

    def said_ns(self, kind: Hashable) -> int:
        """What belongs to an answer of this kind and is heard now, was said no earlier."""
        at = self._oldest(kind)
        return self.since_ns if at is None else self._open[at][1]

    def owes(self, kind: Hashable = None) -> bool:
        """Whether an answer may still come; None: one of any kind."""
        return bool(self._open) if kind is None else self._oldest(kind) is not None

    @property
    def count(self) -> int:
        """How many answers are owed."""
        return len(self._open)

    def forget(self) -> None:
        """What is owed will never come, as another proof says than the order of answers."""
        self._open.clear()

    def oldest_ns(self) -> int | None:
        """When the oldest open question was asked; None when none is open."""
        return self._open[0][1] if self._open else None

    def _oldest(self, kind: Hashable) -> int | None:
        fits = (at for at, (open_, _) in enumerate(self._open) if kind in (open_, ANY))
        return next(fits, None)

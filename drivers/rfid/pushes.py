"""How a reader is read for hours that sends by itself what it sees."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, NoReturn, TypeVar

from drivers.dialog import Dialog, now
from drivers.liveness import TURN_S
from drivers.rfid.field import Field, Sighting
from drivers.rfid.rounds import BEHIND_MAX

PUSH_SILENT_S_MAX = 5.0
"""A pushing reader silent for so long is asked whether it lives."""
PROVE_EVERY_S = 0.5
"""A pushing reader behind a network is asked so often, while it sees tags, how old its words are."""
UNPROVEN_MAX = 3
"""Such questions in a row without an answer, or BEHIND_MAX behind, after which the reader is lost."""

M = TypeVar("M")


async def listen(
    dialog: Dialog[M],
    field: Field,
    *,
    take: Callable[[list[M]], Iterable[Sighting]],
    alive: Callable[[], Awaitable[bool]] | None,
    prove: Callable[[], Awaitable[bool]] | None = None,
    silent_s: float = PUSH_SILENT_S_MAX,
) -> NoReturn:
    """Take what a pushing reader sends; when it says nothing valid, ask whether it lives.

    `alive` None: a silent one is gone only when its link is, one that sends only noise is lost.
    `prove` asks something while it pushes (True: answered), so that what it says counts from when
    that was asked. None: what it says counts from when it is heard, which a network may delay.
    Raises DriverError.
    """
    age = _Age(dialog, prove)
    valid_at = now()
    noisy = False
    while True:
        dialog.context.alive()
        heard, messages = await dialog.receive(min(valid_at + silent_s, now() + TURN_S))
        field.emit(take(messages), age.said_ns())
        noisy = (noisy or heard) and not messages
        if messages:
            valid_at = now()
            await age.prove()
        elif now() >= valid_at + silent_s:
            if noisy if alive is None else not await alive():
                raise dialog.lost("pushing reader does not answer any more")
            valid_at = now()


class _Age(Generic[M]):
    """How old the words of a pushing reader can be, by questions that it answers meanwhile."""

    def __init__(self, dialog: Dialog[M], prove: Callable[[], Awaitable[bool]] | None) -> None:
        self._dialog = dialog
        self._prove = prove
        self._due = now()
        self._missed = 0

    def said_ns(self) -> int:
        """What is heard now was said after this."""
        if self._prove is None:
            return self._dialog.context.monotonic_ns()
        return self._dialog.owed.since_ns

    async def prove(self) -> None:
        """Ask again when it is time; raises DriverError when nothing is answered any more."""
        if self._prove is None or now() < self._due:
            return
        answered = await self._prove() and self._dialog.owed.count <= BEHIND_MAX
        self._due = now() + PROVE_EVERY_S  # From here on: on a slow network it must push meanwhile.
        self._missed = 0 if answered else self._missed + 1
        if self._missed >= UNPROVEN_MAX:
            raise self._dialog.lost("a reader that pushes does not answer meanwhile")

"""A card is never taken for a cylinder: reads of listed cards and of our own codes stop here.

What is both, a card of the list and a tag or code of the archive, stops nowhere: one of the two
lists is wrong, nobody here knows which, and it may be the tag of the second cylinder that is there.
"""

from typing import Protocol

from drivers.contract import CodeRead, TagRead
from gatewayd.clock import SECOND, Clock
from gatewayd.errors import StoreError
from gatewayd.rigs.identity import Archive, by_code, by_uid, plain_uid

PREFIX = "GW:"
"""How a code begins that is meant for this program and names no cylinder."""
MEMO_MAX = 1_024
"""Texts whose answer is remembered; at the limit all are asked again."""
MEMO_S = 2
"""How long an answer is remembered: a card that is listed meanwhile counts this late."""


class CardList(Protocol):
    """What is needed of the store."""

    def operator_of_card(self, card: str) -> str | None:
        """The id of the operator whose card this is."""
        ...


class Shelf(Archive, CardList, Protocol):
    """The archive and the list of cards."""


class Cards:
    """Tells cards and commands from cylinders; repeats cost no question to the store."""

    def __init__(self, shelf: Shelf, clock: Clock, region: str | None = None) -> None:
        self._shelf = shelf
        self._region = region
        self._clock = clock
        self._memo: dict[str, tuple[bool, int]] = {}

    def mine(self, read: TagRead | CodeRead) -> bool:
        """Whether this is a listed card or a command; a store that cannot say so says no.

        What is then taken for a cylinder is one that the archive does not know.
        """
        text = read.uid if isinstance(read, TagRead) else read.text
        if text[: len(PREFIX)].upper() == PREFIX:
            return True
        now_ns = self._clock.monotonic_ns()
        known = self._memo.get(text)
        if known is not None and now_ns - known[1] < MEMO_S * SECOND:
            return known[0]
        try:
            found = self._listed(text) and not self._names_cylinder(text)
        except StoreError:
            return False
        if len(self._memo) >= MEMO_MAX:
            self._memo.clear()
        self._memo[text] = (found, now_ns)
        return found

    def both(self, text: str) -> bool:
        """Whether something that names a cylinder is a listed card, too; raises StoreError."""
        return self._listed(text)

    def _listed(self, text: str) -> bool:
        return self._shelf.operator_of_card(text) is not None

    def _names_cylinder(self, text: str) -> bool:
        found = by_uid(self._shelf, plain_uid(text)) or by_code(self._shelf, text, self._region)
        return bool(found)

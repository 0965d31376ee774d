"""Tell when a tag is known to the archive with its bytes in the opposite order.

Readers of two makes may tell one tag in two orders; the cylinder is then unknown for ever. This is
advice for the person who set up the reader, never an identity.
"""

from collections.abc import Callable
from typing import Protocol

from drivers import troubles
from drivers.contract import Reading, TagRead, Trouble
from gatewayd.errors import StoreError

TAGS_KEPT_MAX = 256
"""Different tags whose answer is remembered; then all are asked anew, as the archive may change."""


class Tags(Protocol):
    """The part of the archive that knows tags."""

    def cylinders_by_uid(self, uid: str) -> tuple[object, ...]:
        """Every cylinder that carries the tag; raises StoreError."""
        ...


class Turned:
    """Watches the tags of one device."""

    def __init__(self, tags: Tags, tell: Callable[[Trouble], None]) -> None:
        self._tags = tags
        self._tell = tell
        self._known: dict[str, Trouble | None] = {}

    def take(self, reading: Reading) -> None:
        """A reading of the device; one look into the archive for each different tag."""
        if not isinstance(reading, TagRead):
            return
        if reading.uid not in self._known:
            if len(self._known) >= TAGS_KEPT_MAX:
                self._known.clear()
            self._known[reading.uid] = turned(self._tags, reading.uid)
        if trouble := self._known[reading.uid]:
            self._tell(trouble)


def turned(tags: Tags, uid: str) -> Trouble | None:
    """What to put right when only the reversed tag is known; None otherwise, or when unsure."""
    try:
        other = bytes.fromhex(uid)[::-1].hex().upper()
        if other == uid or tags.cylinders_by_uid(uid) or not tags.cylinders_by_uid(other):
            return None
    except (ValueError, StoreError):
        return None
    return troubles.uid_reversed(uid, other)
